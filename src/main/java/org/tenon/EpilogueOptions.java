package org.tenon;

import java.util.Optional;

/**
 * The parts of {@link F#epilogue}, {@code residual + dropout(activation(x + bias))}. Defaults: none of them.
 *
 * @param bias is added to each row
 * @param activation of the sum
 * @param dropout the probability with which an element is set to 0
 * @param generator for dropout
 * @param residual is added at last
 * @param <D> the input's element type
 * @param <Dev> the input's device type
 */
public record EpilogueOptions<D extends DType, Dev extends DeviceType>(
        Optional<Tensor<?, D, Dev>> bias,
        Activation activation,
        double dropout,
        Optional<Generator> generator,
        Optional<Tensor<?, D, Dev>> residual) {
    /** The defaults. */
    public static <D extends DType, Dev extends DeviceType> EpilogueOptions<D, Dev> defaults() {
        return new EpilogueOptions<>(Optional.empty(), Activation.NONE, 0, Optional.empty(), Optional.empty());
    }

    /** This, of the size of the last axis, is added first. */
    public <A extends Dim> EpilogueOptions<D, Dev> bias(Tensor<R1<A>, D, Dev> newBias) {
        return new EpilogueOptions<>(Optional.of(newBias), activation, dropout, generator, residual);
    }

    /** With another activation. */
    public EpilogueOptions<D, Dev> activation(Activation newActivation) {
        return new EpilogueOptions<>(bias, newActivation, dropout, generator, residual);
    }

    /** Each element is dropped with this probability, as by {@link F#dropout}. One of 0 draws nothing. */
    public EpilogueOptions<D, Dev> dropout(double newDropout, Generator newGenerator) {
        return new EpilogueOptions<>(bias, activation, newDropout, Optional.of(newGenerator), residual);
    }

    /** This, of the shape of the input, is added at last. */
    public EpilogueOptions<D, Dev> residual(Tensor<?, D, Dev> newResidual) {
        return new EpilogueOptions<>(bias, activation, dropout, generator, Optional.of(newResidual));
    }
}

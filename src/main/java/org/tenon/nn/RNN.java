package org.tenon.nn;

import java.util.Collection;
import java.util.List;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.R3;
import org.tenon.Tensor;
import org.tenon.TensorGroup;
import org.tenon.op.Recurrence;
import org.tenon.op.Value;

/**
 * The plain recurrent layer (Elman 1990): {@code h = f(W x + b + U h + d)} with tanh or relu as f. PyTorch: {@code torch.nn.RNN}.
 *
 * @param <A> time, or the batch where that is first
 * @param <B> the batch, or time
 * @param <In> the input's features
 * @param <Out> the features of the output: of the states, twice as many where layers go both ways
 * @param <D> element type
 * @param <Dev> device type
 */
public final class RNN<
                A extends Dim,
                B extends Dim,
                In extends Dim,
                Out extends Dim,
                D extends Floating,
                Dev extends DeviceType>
        extends Recurrent<D, Dev> {
    /** What is done with the sum. */
    public enum Activation {
        /** The hyperbolic tangent. */
        TANH,
        /** {@code max(x, 0)}. */
        RELU
    }

    /** {@code in} features to {@code hidden}, with tanh. */
    public RNN(Device<Dev> device, D dtype, long in, long hidden, Options options, Generator generator) {
        this(device, dtype, in, hidden, Activation.TANH, options, generator);
    }

    /** With another activation. */
    public RNN(
            Device<Dev> device,
            D dtype,
            long in,
            long hidden,
            Activation activation,
            Options options,
            Generator generator) {
        Recurrence.Cell cell = switch (activation) {
            case TANH -> Recurrence.Cell.RNN_TANH;
            case RELU -> Recurrence.Cell.RNN_RELU;
        };
        super(cell, device, dtype, in, hidden, options, generator);
    }

    /**
     * What comes out.
     *
     * @param output the last layer's h at each step, in the input's order
     * @param hidden h of each layer and direction at its end, (layers * directions, N, hidden)
     */
    public record Output<A extends Dim, B extends Dim, Out extends Dim, D extends Floating, Dev extends DeviceType>(
            Tensor<R3<A, B, Out>, D, Dev> output, Tensor<R3<Dim, Dim, Dim>, D, Dev> hidden) implements TensorGroup {
        @Override
        public Collection<? extends Tensor<?, ?, ?>> tensors() {
            return List.of(output, hidden);
        }
    }

    /** From states of zeros. */
    public Output<A, B, Out, D, Dev> forward(Tensor<R3<A, B, In>, D, Dev> x) {
        return output(x, run(x, null, null));
    }

    /** From these states, (layers * directions, N, hidden), such as those of the stretch before. */
    public Output<A, B, Out, D, Dev> forward(Tensor<R3<A, B, In>, D, Dev> x, Tensor<R3<Dim, Dim, Dim>, D, Dev> hidden) {
        return output(x, run(x, hidden, null));
    }

    private static <A extends Dim, B extends Dim, Out extends Dim, D extends Floating, Dev extends DeviceType>
            Output<A, B, Out, D, Dev> output(Tensor<?, D, Dev> x, Value[] values) {
        return new Output<>(x.with(values[0]), x.with(values[1]));
    }
}

package org.tenon.nn;

import java.util.Optional;
import org.tenon.ConvOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.R1;
import org.tenon.Shape;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * What {@link Conv1d}, {@link Conv2d} and {@link ConvTranspose2d} share: a weight and a bias, which start uniform on
 * {@code (-1/sqrt(fan), 1/sqrt(fan))}, fan the number of weights behind one output.
 *
 * @param <I> the shape of the input
 * @param <O> the shape of the output
 * @param <W> the shape of the weight
 * @param <D> element type
 * @param <Dev> device type
 */
public abstract sealed class Convolutional<
                I extends Shape, O extends Shape, W extends Shape, D extends Floating, Dev extends DeviceType>
        extends Layer<I, O, D, Dev> permits Conv1d, Conv2d, ConvTranspose2d {
    private final Tensor<W, D, Dev> weight;
    private final Optional<Tensor<R1<Dim>, D, Dev>> bias;
    private final ConvOptions<D, Dev> options;

    Convolutional(
            Device<Dev> device,
            D dtype,
            W weightShape,
            long out,
            Bias bias,
            ConvOptions<D, Dev> options,
            Generator generator) {
        long[] sizes = weightShape.sizes();
        double fan = 1;
        for (int i = 1; i < sizes.length; i++) {
            fan *= sizes[i];
        }
        double bound = 1 / Math.sqrt(fan);
        weight = register("weight", device.uniform(weightShape, -bound, bound, dtype, generator));
        this.bias = bias == Bias.NONE
                ? Optional.empty()
                : Optional.of(register("bias", device.uniform(R1.of(out), -bound, bound, dtype, generator)));
        this.options = this.bias.isPresent() ? options.bias(this.bias.get()) : options;
    }

    /**
     * Checks before anything is allocated: a window of so many axes, channels that the groups divide, and no bias but the
     * layer's own.
     */
    static void check(String op, long in, long out, ConvOptions<?, ?> options, int axes, long[] kernel) {
        if (kernel.length != axes) {
            throw new TensorArgumentException(
                    op, "a kernel of " + kernel.length + " sizes is given; " + axes + " needed");
        }
        boolean kernels = java.util.Arrays.stream(kernel).allMatch(size -> size >= 1);
        if (in < 1 || out < 1 || !kernels) {
            throw new TensorArgumentException(
                    op,
                    "channels " + in + " to " + out + " or kernel " + java.util.Arrays.toString(kernel)
                            + " are bad; all are 1 or more");
        }
        if (options.groups() < 1 || in % options.groups() != 0 || out % options.groups() != 0) {
            throw new TensorArgumentException(
                    op, options.groups() + " groups do not divide channels " + in + " and " + out);
        }
        if (options.bias().isPresent()) {
            throw new TensorArgumentException(op, "the layer makes its own bias; leave it out of the options");
        }
    }

    /** The weight. */
    public final Tensor<W, D, Dev> weight() {
        return weight;
    }

    /** The bias, one for each output channel, if there is one. */
    public final Optional<Tensor<R1<Dim>, D, Dev>> bias() {
        return bias;
    }

    final ConvOptions<D, Dev> options() {
        return options;
    }
}

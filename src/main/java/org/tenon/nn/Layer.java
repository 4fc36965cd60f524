package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * A module from one tensor to another, so that layers compose in a {@link Sequential}.
 *
 * @param <I> the shape of the input
 * @param <O> the shape of the output
 * @param <D> element type
 * @param <Dev> device type
 */
public abstract class Layer<I extends Shape, O extends Shape, D extends Floating, Dev extends DeviceType>
        extends Module<D, Dev> {
    /** A layer without parameters so far. */
    protected Layer() {}

    /** The output for an input. */
    public abstract Tensor<O, D, Dev> forward(Tensor<I, D, Dev> x);

    /** What a sequence does so far, and then this layer. */
    <J extends Shape> Chain<J, O, D, Dev> after(Chain<J, I, D, Dev> before) {
        return x -> forward(before.apply(x));
    }
}

package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * Layers one after another; the compiler checks that each takes what the one before gives. PyTorch:
 * {@code torch.nn.Sequential}. {@code Sequential.of(first).then(second).then(third)}. A {@link Linear} and an activation or a
 * {@link Dropout} that follow it run as one kernel after the product, see {@link org.tenon.F#epilogue}: the same function, whose
 * half types are rounded once.
 *
 * @param <I> the shape of the input
 * @param <O> the shape of the output
 * @param <D> element type
 * @param <Dev> device type
 */
public final class Sequential<I extends Shape, O extends Shape, D extends Floating, Dev extends DeviceType>
        extends Layer<I, O, D, Dev> {
    private final Chain<I, O, D, Dev> chain;

    private Sequential(Chain<I, O, D, Dev> chain) {
        this.chain = chain;
    }

    /** A sequence of one. */
    public static <I extends Shape, O extends Shape, D extends Floating, Dev extends DeviceType>
            Sequential<I, O, D, Dev> of(Layer<I, O, D, Dev> first) {
        Sequential<I, O, D, Dev> sequence = new Sequential<>(first.after(x -> x));
        sequence.register("0", first);
        return sequence;
    }

    /** This sequence and then another layer. */
    public <P extends Shape> Sequential<I, P, D, Dev> then(Layer<O, P, D, Dev> next) {
        Sequential<I, P, D, Dev> longer = new Sequential<>(next.after(chain));
        childModules().forEach(longer::register);
        longer.register(Integer.toString(childModules().size()), next);
        return longer;
    }

    @Override
    public Tensor<O, D, Dev> forward(Tensor<I, D, Dev> x) {
        return chain.apply(x);
    }
}

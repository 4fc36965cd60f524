package org.tenon.nn;

import org.tenon.Activation;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * The logistic function as a layer. PyTorch: {@code torch.nn.Sigmoid}.
 *
 * @param <S> any shape
 * @param <D> element type
 * @param <Dev> device type
 */
public final class Sigmoid<S extends Shape, D extends Floating, Dev extends DeviceType> extends Layer<S, S, D, Dev> {
    /** The layer; it has no parameters. */
    public Sigmoid() {}

    @Override
    public Tensor<S, D, Dev> forward(Tensor<S, D, Dev> x) {
        return F.sigmoid(x);
    }

    @Override
    <J extends Shape> Chain<J, S, D, Dev> after(Chain<J, S, D, Dev> before) {
        return before.activated(this, Activation.SIGMOID);
    }
}

package org.tenon.nn;

import org.tenon.Activation;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@code x * sigmoid(x)} as a layer. PyTorch: {@code torch.nn.SiLU}.
 *
 * @param <S> any shape
 * @param <D> element type
 * @param <Dev> device type
 */
public final class SiLU<S extends Shape, D extends Floating, Dev extends DeviceType> extends Layer<S, S, D, Dev> {
    /** The layer; it has no parameters. */
    public SiLU() {}

    @Override
    public Tensor<S, D, Dev> forward(Tensor<S, D, Dev> x) {
        return F.silu(x);
    }

    @Override
    <J extends Shape> Chain<J, S, D, Dev> after(Chain<J, S, D, Dev> before) {
        return before.activated(this, Activation.SILU);
    }
}

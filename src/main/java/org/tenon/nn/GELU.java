package org.tenon.nn;

import org.tenon.Activation;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * The Gaussian error linear unit as a layer. PyTorch: {@code torch.nn.GELU}.
 *
 * @param <S> any shape
 * @param <D> element type
 * @param <Dev> device type
 */
public final class GELU<S extends Shape, D extends Floating, Dev extends DeviceType> extends Layer<S, S, D, Dev> {
    private final F.Approximation approximation;

    /** The exact function. */
    public GELU() {
        this(F.Approximation.NONE);
    }

    /** Exact, or by the hyperbolic tangent. */
    public GELU(F.Approximation approximation) {
        this.approximation = approximation;
    }

    @Override
    public Tensor<S, D, Dev> forward(Tensor<S, D, Dev> x) {
        return F.gelu(x, approximation);
    }

    @Override
    <J extends Shape> Chain<J, S, D, Dev> after(Chain<J, S, D, Dev> before) {
        return before.activated(
                this,
                switch (approximation) {
                    case NONE -> Activation.GELU;
                    case TANH -> Activation.GELU_TANH;
                });
    }
}

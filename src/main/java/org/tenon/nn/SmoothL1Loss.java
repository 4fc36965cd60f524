package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.R0;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#smoothL1Loss} with its options fixed. PyTorch: {@code torch.nn.SmoothL1Loss}.
 *
 * @param <S> the shape of input and target
 * @param <R> the shape of the loss
 */
public final class SmoothL1Loss<S extends Shape, R extends Shape> {
    private final double beta;
    private final Reduction<S, R> reduction;

    /** With this beta and reduction. */
    public SmoothL1Loss(double beta, Reduction<S, R> reduction) {
        this.beta = beta;
        this.reduction = reduction;
    }

    /** The mean, with beta 1. */
    public static <S extends Shape> SmoothL1Loss<S, R0> mean() {
        return new SmoothL1Loss<>(1, Reduction.mean());
    }

    /** The loss. */
    public <D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> forward(
            Tensor<S, D, Dev> x, Tensor<S, D, Dev> target) {
        return F.smoothL1Loss(x, target, beta, reduction);
    }
}

package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.R0;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#huberLoss} with its options fixed. PyTorch: {@code torch.nn.HuberLoss}.
 *
 * @param <S> the shape of input and target
 * @param <R> the shape of the loss
 */
public final class HuberLoss<S extends Shape, R extends Shape> {
    private final double delta;
    private final Reduction<S, R> reduction;

    /** With this delta and reduction. */
    public HuberLoss(double delta, Reduction<S, R> reduction) {
        this.delta = delta;
        this.reduction = reduction;
    }

    /** The mean, with delta 1. */
    public static <S extends Shape> HuberLoss<S, R0> mean() {
        return new HuberLoss<>(1, Reduction.mean());
    }

    /** The loss. */
    public <D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> forward(
            Tensor<S, D, Dev> x, Tensor<S, D, Dev> target) {
        return F.huberLoss(x, target, delta, reduction);
    }
}

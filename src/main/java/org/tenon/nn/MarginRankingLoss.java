package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.R0;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#marginRankingLoss} with its options fixed. PyTorch: {@code torch.nn.MarginRankingLoss}.
 *
 * @param <S> the shape of input and target
 * @param <R> the shape of the loss
 */
public final class MarginRankingLoss<S extends Shape, R extends Shape> {
    private final double margin;
    private final Reduction<S, R> reduction;

    /** With this margin and reduction. */
    public MarginRankingLoss(double margin, Reduction<S, R> reduction) {
        this.margin = margin;
        this.reduction = reduction;
    }

    /** The mean, with margin 0. */
    public static <S extends Shape> MarginRankingLoss<S, R0> mean() {
        return new MarginRankingLoss<>(0, Reduction.mean());
    }

    /** The loss. */
    public <D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> forward(
            Tensor<S, D, Dev> a, Tensor<S, D, Dev> b, Tensor<S, D, Dev> target) {
        return F.marginRankingLoss(a, b, target, margin, reduction);
    }
}

package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.R0;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#hingeEmbeddingLoss} with its options fixed. PyTorch: {@code torch.nn.HingeEmbeddingLoss}.
 *
 * @param <S> the shape of input and target
 * @param <R> the shape of the loss
 */
public final class HingeEmbeddingLoss<S extends Shape, R extends Shape> {
    private final double margin;
    private final Reduction<S, R> reduction;

    /** With this margin and reduction. */
    public HingeEmbeddingLoss(double margin, Reduction<S, R> reduction) {
        this.margin = margin;
        this.reduction = reduction;
    }

    /** The mean, with margin 1. */
    public static <S extends Shape> HingeEmbeddingLoss<S, R0> mean() {
        return new HingeEmbeddingLoss<>(1, Reduction.mean());
    }

    /** The loss. */
    public <D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> forward(
            Tensor<S, D, Dev> x, Tensor<S, D, Dev> target) {
        return F.hingeEmbeddingLoss(x, target, margin, reduction);
    }
}

package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#cosineEmbeddingLoss} with its options fixed. PyTorch: {@code torch.nn.CosineEmbeddingLoss}, whose margin is 0
 * unless given.
 *
 * @param <N> the batch
 * @param <R> the shape of the loss
 */
public final class CosineEmbeddingLoss<N extends Dim, R extends Shape> {
    private final double margin;
    private final Reduction<R1<N>, R> reduction;

    /** With this margin and reduction. */
    public CosineEmbeddingLoss(double margin, Reduction<R1<N>, R> reduction) {
        this.margin = margin;
        this.reduction = reduction;
    }

    /** The loss of pairs of rows, whose targets are 1 or -1. */
    public <E extends Dim, D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> forward(
            Tensor<R2<N, E>, D, Dev> a, Tensor<R2<N, E>, D, Dev> b, Tensor<R1<N>, ?, Dev> target) {
        return F.cosineEmbeddingLoss(a, b, target, margin, reduction);
    }
}

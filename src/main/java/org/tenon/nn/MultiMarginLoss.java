package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Integral;
import org.tenon.MultiMarginOptions;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#multiMarginLoss} with its options fixed. PyTorch: {@code torch.nn.MultiMarginLoss}.
 *
 * @param <N> the batch
 * @param <R> the shape of the loss
 * @param <D> element type
 * @param <Dev> device type
 */
public final class MultiMarginLoss<N extends Dim, R extends Shape, D extends Floating, Dev extends DeviceType> {
    private final MultiMarginOptions<D, Dev> options;
    private final Reduction<R1<N>, R> reduction;

    /** With these options. */
    public MultiMarginLoss(MultiMarginOptions<D, Dev> options, Reduction<R1<N>, R> reduction) {
        this.options = options;
        this.reduction = reduction;
    }

    /** The loss. */
    public <C extends Dim> Tensor<R, D, Dev> forward(
            Tensor<R2<N, C>, D, Dev> x, Tensor<R1<N>, ? extends Integral, Dev> target) {
        return F.multiMarginLoss(x, target, options, reduction);
    }
}

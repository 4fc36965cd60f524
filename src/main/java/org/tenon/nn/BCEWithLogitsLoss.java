package org.tenon.nn;

import org.tenon.BceOptions;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#binaryCrossEntropyWithLogits} with its options fixed. PyTorch: {@code torch.nn.BCEWithLogitsLoss}.
 *
 * @param <S> the shape of logits and target
 * @param <R> the shape of the loss
 * @param <D> element type
 * @param <Dev> device type
 */
public final class BCEWithLogitsLoss<S extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType> {
    private final BceOptions<D, Dev> options;
    private final Reduction<S, R> reduction;

    /** With these options. */
    public BCEWithLogitsLoss(BceOptions<D, Dev> options, Reduction<S, R> reduction) {
        this.options = options;
        this.reduction = reduction;
    }

    /** The loss. */
    public Tensor<R, D, Dev> forward(Tensor<S, D, Dev> logits, Tensor<S, D, Dev> target) {
        return F.binaryCrossEntropyWithLogits(logits, target, options, reduction);
    }
}

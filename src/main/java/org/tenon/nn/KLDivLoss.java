package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.KlTarget;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#klDiv} with its options fixed. PyTorch: {@code torch.nn.KLDivLoss}.
 *
 * @param <S> the shape of both distributions
 * @param <R> the shape of the loss
 */
public final class KLDivLoss<S extends Shape, R extends Shape> {
    private final KlTarget form;
    private final Reduction<S, R> reduction;

    /** {@code form} says whether targets are probabilities or their logarithms. */
    public KLDivLoss(KlTarget form, Reduction<S, R> reduction) {
        this.form = form;
        this.reduction = reduction;
    }

    /** The divergence of a target distribution from log-probabilities. */
    public <D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> forward(
            Tensor<S, D, Dev> logp, Tensor<S, D, Dev> target) {
        return F.klDiv(logp, target, form, reduction);
    }
}

package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Integral;
import org.tenon.NllLossOptions;
import org.tenon.R0;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#nllLoss(Tensor, Tensor, NllLossOptions, Reduction)} with its options fixed. PyTorch: {@code torch.nn.NLLLoss}.
 *
 * @param <T> the shape of the targets
 * @param <R> the shape of the loss
 * @param <D> element type
 * @param <Dev> device type
 */
public final class NLLLoss<T extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType> {
    private final NllLossOptions<D, Dev> options;
    private final Reduction<T, R> reduction;

    /** With these options. */
    public NLLLoss(NllLossOptions<D, Dev> options, Reduction<T, R> reduction) {
        this.options = options;
        this.reduction = reduction;
    }

    /** The mean, with the default options. */
    public static <T extends Shape, D extends Floating, Dev extends DeviceType> NLLLoss<T, R0, D, Dev> mean() {
        return new NLLLoss<>(NllLossOptions.defaults(), Reduction.mean());
    }

    /** The loss of log-probabilities against classes. */
    public <S extends Shape> Tensor<R, D, Dev> forward(
            Tensor<S, D, Dev> logp, Tensor<T, ? extends Integral, Dev> target) {
        return F.nllLoss(logp, target, options, reduction);
    }
}

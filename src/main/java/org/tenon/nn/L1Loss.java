package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.R0;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#l1Loss} with its options fixed. PyTorch: {@code torch.nn.L1Loss}.
 *
 * @param <S> the shape of input and target
 * @param <R> the shape of the loss
 */
public final class L1Loss<S extends Shape, R extends Shape> {
    private final Reduction<S, R> reduction;

    /** With this reduction. */
    public L1Loss(Reduction<S, R> reduction) {
        this.reduction = reduction;
    }

    /** The mean. */
    public static <S extends Shape> L1Loss<S, R0> mean() {
        return new L1Loss<>(Reduction.mean());
    }

    /** The loss. */
    public <D extends Floating, Dev extends DeviceType> Tensor<R, D, Dev> forward(
            Tensor<S, D, Dev> x, Tensor<S, D, Dev> target) {
        return F.l1Loss(x, target, reduction);
    }
}

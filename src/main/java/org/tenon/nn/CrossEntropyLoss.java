package org.tenon.nn;

import org.tenon.CrossEntropyOptions;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Integral;
import org.tenon.R0;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#crossEntropy(Tensor, Tensor, CrossEntropyOptions, Reduction)} with its options fixed. PyTorch: {@code torch.nn.CrossEntropyLoss}.
 *
 * @param <T> the shape of the targets
 * @param <R> the shape of the loss
 * @param <D> element type
 * @param <Dev> device type
 */
public final class CrossEntropyLoss<T extends Shape, R extends Shape, D extends Floating, Dev extends DeviceType> {
    private final CrossEntropyOptions<D, Dev> options;
    private final Reduction<T, R> reduction;

    /** With these options. */
    public CrossEntropyLoss(CrossEntropyOptions<D, Dev> options, Reduction<T, R> reduction) {
        this.options = options;
        this.reduction = reduction;
    }

    /** The mean, with the default options. */
    public static <T extends Shape, D extends Floating, Dev extends DeviceType> CrossEntropyLoss<T, R0, D, Dev> mean() {
        return new CrossEntropyLoss<>(CrossEntropyOptions.defaults(), Reduction.mean());
    }

    /** The loss of logits against classes. */
    public <S extends Shape> Tensor<R, D, Dev> forward(
            Tensor<S, D, Dev> logits, Tensor<T, ? extends Integral, Dev> target) {
        return F.crossEntropy(logits, target, options, reduction);
    }
}

package org.tenon;

import java.util.Optional;

/**
 * The options of {@link F#nllLoss}. Defaults: no weight, {@code ignoreIndex} -100.
 *
 * @param weight one factor per class, shape [C]
 * @param ignoreIndex the target that counts for nothing, inside or outside the class range
 * @param <D> the input's element type
 * @param <Dev> the input's device type
 */
public record NllLossOptions<D extends DType, Dev extends DeviceType>(
        Optional<Tensor<?, D, Dev>> weight, long ignoreIndex) {
    /** PyTorch's default of {@code ignore_index}. */
    public static final long DEFAULT_IGNORE_INDEX = -100;

    /** The defaults. */
    public static <D extends DType, Dev extends DeviceType> NllLossOptions<D, Dev> defaults() {
        return new NllLossOptions<>(Optional.empty(), DEFAULT_IGNORE_INDEX);
    }

    /** With a factor per class. */
    public NllLossOptions<D, Dev> weight(Tensor<?, D, Dev> newWeight) {
        return new NllLossOptions<>(Optional.of(newWeight), ignoreIndex);
    }

    /** With another target to ignore. */
    public NllLossOptions<D, Dev> ignoreIndex(long newIgnoreIndex) {
        return new NllLossOptions<>(weight, newIgnoreIndex);
    }
}

package org.tenon;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * The options of {@link F#crossEntropy}. Defaults: no weight, {@code ignoreIndex} -100 for integer targets, no smoothing.
 *
 * @param weight one factor per class, shape [C]
 * @param ignoreIndex the integer target that counts for nothing; absent means -100
 * @param labelSmoothing how much of each target is spread over all classes, in [0, 1]
 * @param <D> the input's element type
 * @param <Dev> the input's device type
 */
public record CrossEntropyOptions<D extends DType, Dev extends DeviceType>(
        Optional<Tensor<?, D, Dev>> weight, OptionalLong ignoreIndex, double labelSmoothing) {
    /** The defaults. */
    public static <D extends DType, Dev extends DeviceType> CrossEntropyOptions<D, Dev> defaults() {
        return new CrossEntropyOptions<>(Optional.empty(), OptionalLong.empty(), 0);
    }

    /** With a factor per class. */
    public CrossEntropyOptions<D, Dev> weight(Tensor<?, D, Dev> newWeight) {
        return new CrossEntropyOptions<>(Optional.of(newWeight), ignoreIndex, labelSmoothing);
    }

    /** With another target to ignore. */
    public CrossEntropyOptions<D, Dev> ignoreIndex(long newIgnoreIndex) {
        return new CrossEntropyOptions<>(weight, OptionalLong.of(newIgnoreIndex), labelSmoothing);
    }

    /** With some of each target spread over all classes. */
    public CrossEntropyOptions<D, Dev> labelSmoothing(double newLabelSmoothing) {
        return new CrossEntropyOptions<>(weight, ignoreIndex, newLabelSmoothing);
    }
}

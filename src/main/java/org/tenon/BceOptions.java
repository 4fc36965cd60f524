package org.tenon;

import java.util.Optional;

/**
 * The options of {@link F#binaryCrossEntropyWithLogits}. Defaults: no weights.
 *
 * @param weight a factor of each loss; broadcasts
 * @param posWeight a factor of the positive part, such as the ratio of negatives to positives; broadcasts
 * @param <D> the input's element type
 * @param <Dev> the input's device type
 */
public record BceOptions<D extends DType, Dev extends DeviceType>(
        Optional<Tensor<?, D, Dev>> weight, Optional<Tensor<?, D, Dev>> posWeight) {
    /** The defaults. */
    public static <D extends DType, Dev extends DeviceType> BceOptions<D, Dev> defaults() {
        return new BceOptions<>(Optional.empty(), Optional.empty());
    }

    /** With a factor of each loss. */
    public BceOptions<D, Dev> weight(Tensor<?, D, Dev> newWeight) {
        return new BceOptions<>(Optional.of(newWeight), posWeight);
    }

    /** With a factor of the positive part. */
    public BceOptions<D, Dev> posWeight(Tensor<?, D, Dev> newPosWeight) {
        return new BceOptions<>(weight, Optional.of(newPosWeight));
    }
}

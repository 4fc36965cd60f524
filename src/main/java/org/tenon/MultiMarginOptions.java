package org.tenon;

import java.util.Optional;

/**
 * The options of {@link F#multiMarginLoss}. Defaults: p 1, margin 1, no weight.
 *
 * @param p the power, 1 or 2
 * @param margin by how much the right class should lead
 * @param weight one factor per class, shape [C]
 * @param <D> the input's element type
 * @param <Dev> the input's device type
 */
public record MultiMarginOptions<D extends DType, Dev extends DeviceType>(
        int p, double margin, Optional<Tensor<?, D, Dev>> weight) {
    /** The defaults. */
    public static <D extends DType, Dev extends DeviceType> MultiMarginOptions<D, Dev> defaults() {
        return new MultiMarginOptions<>(1, 1, Optional.empty());
    }

    /** With another power. */
    public MultiMarginOptions<D, Dev> p(int newP) {
        return new MultiMarginOptions<>(newP, margin, weight);
    }

    /** With another margin. */
    public MultiMarginOptions<D, Dev> margin(double newMargin) {
        return new MultiMarginOptions<>(p, newMargin, weight);
    }

    /** With a factor per class. */
    public MultiMarginOptions<D, Dev> weight(Tensor<?, D, Dev> newWeight) {
        return new MultiMarginOptions<>(p, margin, Optional.of(newWeight));
    }
}

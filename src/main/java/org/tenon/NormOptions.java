package org.tenon;

import java.util.Optional;

/**
 * The options of {@link F#layerNorm}, {@link F#rmsNorm} and {@link F#batchNorm}. Defaults: no weight, no bias, {@code eps} 1e-5.
 *
 * @param weight a factor for each normalised element, or for each channel
 * @param bias a term likewise
 * @param eps added to the variance
 * @param <D> the input's element type
 * @param <Dev> the input's device type
 */
public record NormOptions<D extends DType, Dev extends DeviceType>(
        Optional<Tensor<?, D, Dev>> weight, Optional<Tensor<?, D, Dev>> bias, double eps) {
    /** Refuses an eps that is not 0 or more and finite. */
    public NormOptions {
        if (!(eps >= 0 && eps < Double.POSITIVE_INFINITY)) {
            throw new TensorArgumentException("norm", "eps is " + eps + "; it must be 0 or more and finite");
        }
    }

    /** The defaults. */
    public static <D extends DType, Dev extends DeviceType> NormOptions<D, Dev> defaults() {
        return new NormOptions<>(Optional.empty(), Optional.empty(), 1e-5);
    }

    /** With factors. */
    public NormOptions<D, Dev> weight(Tensor<?, D, Dev> newWeight) {
        return new NormOptions<>(Optional.of(newWeight), bias, eps);
    }

    /** With terms. */
    public NormOptions<D, Dev> bias(Tensor<?, D, Dev> newBias) {
        return new NormOptions<>(weight, Optional.of(newBias), eps);
    }

    /** With another eps. */
    public NormOptions<D, Dev> eps(double newEps) {
        return new NormOptions<>(weight, bias, newEps);
    }
}

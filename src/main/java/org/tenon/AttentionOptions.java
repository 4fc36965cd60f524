package org.tenon;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The options of {@link F#scaledDotProductAttention}. Defaults: every position attends to every other, no dropout, the scale
 * {@code 1 / sqrt(E)}. Masks broadcast to the scores, (N, H, T, U), and may be combined.
 *
 * @param causal whether position t attends to positions 0 to t only
 * @param allowed where it is true a position may be attended to
 * @param bias is added to the scores; -inf forbids
 * @param dropout the probability with which a weight is set to 0
 * @param generator for dropout
 * @param scale of the scores
 * @param <D> the input's element type
 * @param <Dev> the input's device type
 */
public record AttentionOptions<D extends DType, Dev extends DeviceType>(
        boolean causal,
        Optional<Tensor<?, Bool, Dev>> allowed,
        Optional<Tensor<?, D, Dev>> bias,
        double dropout,
        Optional<Generator> generator,
        OptionalDouble scale) {
    /** The defaults. */
    public static <D extends DType, Dev extends DeviceType> AttentionOptions<D, Dev> defaults() {
        return new AttentionOptions<>(
                false, Optional.empty(), Optional.empty(), 0, Optional.empty(), OptionalDouble.empty());
    }

    /** No position attends to a later one. PyTorch: {@code is_causal=True}. */
    public AttentionOptions<D, Dev> withCausality() {
        return new AttentionOptions<>(true, allowed, bias, dropout, generator, scale);
    }

    /** Only where this is true may be attended to. PyTorch: a boolean {@code attn_mask}. */
    public AttentionOptions<D, Dev> allowed(Tensor<?, Bool, Dev> newAllowed) {
        return new AttentionOptions<>(causal, Optional.of(newAllowed), bias, dropout, generator, scale);
    }

    /** Keys that are padding, where true, are not attended to: (N, U). PyTorch: {@code key_padding_mask}. */
    public <N extends Dim, U extends Dim> AttentionOptions<D, Dev> keyPadding(Tensor<R2<N, U>, Bool, Dev> padded) {
        return allowed(padded.logicalNot().reshape(padded.size(0), 1, 1, padded.size(1)));
    }

    /** This is added to the scores. PyTorch: a floating {@code attn_mask}. */
    public AttentionOptions<D, Dev> bias(Tensor<?, D, Dev> newBias) {
        return new AttentionOptions<>(causal, allowed, Optional.of(newBias), dropout, generator, scale);
    }

    /** Each weight is dropped with this probability. */
    public AttentionOptions<D, Dev> dropout(double newDropout, Generator newGenerator) {
        return new AttentionOptions<>(causal, allowed, bias, newDropout, Optional.of(newGenerator), scale);
    }

    /** With another scale. */
    public AttentionOptions<D, Dev> scale(double newScale) {
        return new AttentionOptions<>(causal, allowed, bias, dropout, generator, OptionalDouble.of(newScale));
    }
}

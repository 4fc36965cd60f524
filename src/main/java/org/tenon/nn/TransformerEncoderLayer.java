package org.tenon.nn;

import org.tenon.Activation;
import org.tenon.AttentionOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.EpilogueOptions;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.R3;
import org.tenon.Tensor;

/**
 * Self-attention and two maps with an activation between them, each around a residual path with dropout and a layer norm
 * (Vaswani et al. 2017). PyTorch: {@code torch.nn.TransformerEncoderLayer} with {@code batch_first=True}.
 *
 * @param <B> the batch
 * @param <T> the positions
 * @param <E> the features
 * @param <D> element type
 * @param <Dev> device type
 */
public final class TransformerEncoderLayer<
                B extends Dim, T extends Dim, E extends Dim, D extends Floating, Dev extends DeviceType>
        extends Layer<R3<B, T, E>, R3<B, T, E>, D, Dev> {
    private interface Hidden extends Dim {}

    private final MultiheadAttention<E, D, Dev> attention;
    private final Linear<R3<B, T, E>, R3<B, T, Hidden>, D, Dev> wide;
    private final Linear<R3<B, T, Hidden>, R3<B, T, E>, D, Dev> narrow;
    private final LayerNorm<R3<B, T, E>, D, Dev> firstNorm;
    private final LayerNorm<R3<B, T, E>, D, Dev> secondNorm;
    private final Options options;
    private final Generator generator;

    /** Where the layer norms are. */
    public enum NormPlace {
        /** In front of each part, inside the residual path: deep models train better. PyTorch: {@code norm_first=True}. */
        BEFORE,
        /** Behind each sum, as in the paper. */
        AFTER
    }

    /**
     * Beside the sizes.
     *
     * @param hidden the features between the two maps
     * @param dropout while training, of attention weights, of the hidden features and of each part's result
     * @param activation between the two maps
     * @param norm where the layer norms are
     */
    public record Options(long hidden, double dropout, Activation activation, NormPlace norm) {
        /** PyTorch's: 2048 hidden features, dropout 0.1, relu, norms after. */
        public static final Options DEFAULTS = new Options(2048, 0.1, Activation.RELU, NormPlace.AFTER);

        /** With another number of hidden features. */
        public Options hidden(long newHidden) {
            return new Options(newHidden, dropout, activation, norm);
        }

        /** With another dropout. */
        public Options dropout(double newDropout) {
            return new Options(hidden, newDropout, activation, norm);
        }

        /** With another activation. */
        public Options activation(Activation newActivation) {
            return new Options(hidden, dropout, newActivation, norm);
        }

        /** With the norms elsewhere. */
        public Options norm(NormPlace newNorm) {
            return new Options(hidden, dropout, activation, newNorm);
        }
    }

    /** {@code heads} divide {@code features}. */
    public TransformerEncoderLayer(
            Device<Dev> device, D dtype, long features, long heads, Options options, Generator generator) {
        this.options = options;
        this.generator = generator;
        attention = register(
                "self_attn", new MultiheadAttention<>(device, dtype, features, heads, options.dropout(), generator));
        wide = register("linear1", Linear.ofSequences(device, dtype, features, options.hidden(), generator));
        narrow = register("linear2", Linear.ofSequences(device, dtype, options.hidden(), features, generator));
        firstNorm = register("norm1", new LayerNorm<>(device, dtype, features));
        secondNorm = register("norm2", new LayerNorm<>(device, dtype, features));
    }

    @Override
    public Tensor<R3<B, T, E>, D, Dev> forward(Tensor<R3<B, T, E>, D, Dev> x) {
        return forward(x, AttentionOptions.defaults());
    }

    /** With masks. */
    public Tensor<R3<B, T, E>, D, Dev> forward(Tensor<R3<B, T, E>, D, Dev> x, AttentionOptions<D, Dev> masks) {
        return switch (options.norm()) {
            case BEFORE -> {
                Tensor<R3<B, T, E>, D, Dev> y = attend(firstNorm.forward(x), masks, x);
                yield feed(secondNorm.forward(y), y);
            }
            case AFTER -> {
                Tensor<R3<B, T, E>, D, Dev> y = firstNorm.forward(attend(x, masks, x));
                yield secondNorm.forward(feed(y, y));
            }
        };
    }

    private Tensor<R3<B, T, E>, D, Dev> attend(
            Tensor<R3<B, T, E>, D, Dev> x, AttentionOptions<D, Dev> masks, Tensor<R3<B, T, E>, D, Dev> residual) {
        return attention.forward(x, masks, dropped().residual(residual));
    }

    private Tensor<R3<B, T, E>, D, Dev> feed(Tensor<R3<B, T, E>, D, Dev> x, Tensor<R3<B, T, E>, D, Dev> residual) {
        Tensor<R3<B, T, Hidden>, D, Dev> hidden = wide.forward(x, dropped().activation(options.activation()));
        return narrow.forward(hidden, dropped().residual(residual));
    }

    private EpilogueOptions<D, Dev> dropped() {
        return EpilogueOptions.<D, Dev>defaults().dropout(isTraining() ? options.dropout() : 0, generator);
    }
}

package org.tenon.nn;

import java.util.Optional;
import org.tenon.Any;
import org.tenon.AttentionOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.EpilogueOptions;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.R4;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * Attention in several heads (Vaswani et al. 2017): queries, keys and values each go through a map of their own, are split
 * into heads, attend, are joined and go through a last map. Batch first. PyTorch: {@code torch.nn.MultiheadAttention} with
 * {@code batch_first=True}, whose names the parameters have; the maps in start Xavier uniform, the biases 0.
 *
 * @param <E> the features
 * @param <D> element type
 * @param <Dev> device type
 */
public final class MultiheadAttention<E extends Dim, D extends Floating, Dev extends DeviceType>
        extends Module<D, Dev> {
    private final long features;
    private final long heads;
    private final double dropout;
    private final Generator generator;
    private final Tensor<R2<Dim, Dim>, D, Dev> maps;
    private final Optional<Tensor<R1<Dim>, D, Dev>> biases;
    private final Linear<R3<Dim, Dim, Dim>, R3<Dim, Dim, Dim>, D, Dev> out;

    /**
     * {@code heads} divide {@code features}; {@code dropout} is that of the weights, while training.
     *
     * @throws TensorArgumentException if they do not
     */
    public MultiheadAttention(
            Device<Dev> device, D dtype, long features, long heads, double dropout, Generator generator) {
        this(device, dtype, features, heads, dropout, Bias.LEARNED, generator);
    }

    /** With or without biases of all four maps. */
    public MultiheadAttention(
            Device<Dev> device, D dtype, long features, long heads, double dropout, Bias bias, Generator generator) {
        if (heads < 1 || features < 1 || features % heads != 0) {
            throw new TensorArgumentException(
                    "multiheadAttention", heads + " heads do not divide " + features + " features");
        }
        if (!(dropout >= 0 && dropout <= 1)) {
            throw new TensorArgumentException("multiheadAttention", "dropout " + dropout + " is outside [0, 1]");
        }
        this.features = features;
        this.heads = heads;
        this.dropout = dropout;
        this.generator = generator;
        double bound = Math.sqrt(6.0 / (4 * features));
        maps = register(
                "in_proj_weight", device.uniform(R2.of(3 * features, features), -bound, bound, dtype, generator));
        biases = switch (bias) {
            case LEARNED -> Optional.of(register("in_proj_bias", device.zeros(R1.of(3 * features), dtype)));
            case NONE -> Optional.empty();
        };
        out = register("out_proj", Linear.ofSequences(device, dtype, features, features, bias, generator));
        if (bias == Bias.LEARNED) {
            Init.zeros(out.bias());
        }
    }

    /** Self-attention: x attends to itself. */
    public <B extends Dim, T extends Dim> Tensor<R3<B, T, E>, D, Dev> forward(
            Tensor<R3<B, T, E>, D, Dev> x, AttentionOptions<D, Dev> options) {
        return forward(x, options, EpilogueOptions.defaults());
    }

    /** The same, with what comes after the last map and its bias in its place: dropout and a residual, most often. */
    public <B extends Dim, T extends Dim> Tensor<R3<B, T, E>, D, Dev> forward(
            Tensor<R3<B, T, E>, D, Dev> x, AttentionOptions<D, Dev> options, EpilogueOptions<D, Dev> epilogue) {
        return forward(x, x, x, options, epilogue);
    }

    /** Queries attend to keys, and get of the values; masks as in {@code options}, whose dropout is this module's matter. */
    public <B extends Dim, T extends Dim, U extends Dim> Tensor<R3<B, T, E>, D, Dev> forward(
            Tensor<R3<B, T, E>, D, Dev> query,
            Tensor<R3<B, U, E>, D, Dev> key,
            Tensor<R3<B, U, E>, D, Dev> value,
            AttentionOptions<D, Dev> options) {
        return forward(query, key, value, options, EpilogueOptions.defaults());
    }

    private <B extends Dim, T extends Dim, U extends Dim> Tensor<R3<B, T, E>, D, Dev> forward(
            Tensor<R3<B, T, E>, D, Dev> query,
            Tensor<R3<B, U, E>, D, Dev> key,
            Tensor<R3<B, U, E>, D, Dev> value,
            AttentionOptions<D, Dev> options,
            EpilogueOptions<D, Dev> epilogue) {
        AttentionOptions<D, Dev> used = isTraining() && dropout > 0 ? options.dropout(dropout, generator) : options;
        Tensor<R4<B, Dim, T, Dim>, D, Dev> attended =
                F.scaledDotProductAttention(split(query, 0), split(key, 1), split(value, 2), used);
        return joined(attended, epilogue);
    }

    /** Map number {@code part} of x, in heads: (B, heads, T, features / heads). */
    private <B extends Dim, T extends Dim> Tensor<R4<B, Dim, T, Dim>, D, Dev> split(
            Tensor<R3<B, T, E>, D, Dev> x, int part) {
        if (x.size(2) != features) {
            throw new TensorArgumentException(
                    "multiheadAttention",
                    "the input has shape " + java.util.Arrays.toString(x.shape()) + "; its last size must be "
                            + features);
        }
        Tensor<R2<Dim, Dim>, D, Dev> map = maps.narrow(0, part * features, features);
        Tensor<Any, D, Dev> y = x.matmul(F.t(map));
        return biases.map(all -> F.add(y, all.narrow(0, part * features, features)))
                .orElse(y)
                .reshape(x.size(0), x.size(1), heads, features / heads)
                .transpose(1, 2)
                .as(R4.kind());
    }

    private <B extends Dim, T extends Dim> Tensor<R3<B, T, E>, D, Dev> joined(
            Tensor<R4<B, Dim, T, Dim>, D, Dev> x, EpilogueOptions<D, Dev> epilogue) {
        Tensor<R3<Dim, Dim, Dim>, D, Dev> flat = x.transpose(1, 2).reshape(R3.of(x.size(0), x.size(2), features));
        return out.forward(flat, epilogue).as(R3.kind());
    }
}

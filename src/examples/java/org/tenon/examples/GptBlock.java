package org.tenon.examples;

import static org.tenon.DType.F32;

import org.tenon.Activation;
import org.tenon.AttentionOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.EpilogueOptions;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.R3;
import org.tenon.Tensor;
import org.tenon.examples.Gpt.Features;
import org.tenon.examples.Gpt.Sequences;
import org.tenon.examples.Gpt.Time;
import org.tenon.nn.Layer;
import org.tenon.nn.LayerNorm;
import org.tenon.nn.Linear;
import org.tenon.nn.MultiheadAttention;

/**
 * A block of GPT-2: causal self-attention, then two maps with a GELU between them, each behind a layer norm and beside a
 * residual path. {@link org.tenon.nn.TransformerEncoderLayer} differs in that it drops hidden features too.
 */
final class GptBlock<Dev extends DeviceType>
        extends Layer<R3<Sequences, Time, Features>, R3<Sequences, Time, Features>, F32, Dev> {
    /** How the names of the weights end that end a residual path. */
    static final String ATTENTION_OUT = "attention.out_proj.weight";

    static final String MLP_OUT = "narrow.weight";

    private interface Hidden extends Dim {}

    private final LayerNorm<R3<Sequences, Time, Features>, F32, Dev> attentionNorm;
    private final MultiheadAttention<Features, F32, Dev> attention;
    private final LayerNorm<R3<Sequences, Time, Features>, F32, Dev> mlpNorm;
    private final Linear<R3<Sequences, Time, Features>, R3<Sequences, Time, Hidden>, F32, Dev> wide;
    private final Linear<R3<Sequences, Time, Hidden>, R3<Sequences, Time, Features>, F32, Dev> narrow;
    private final double dropout;
    private final Generator generator;

    GptBlock(Device<Dev> device, Gpt.Size size, Generator generator) {
        int features = size.embedding();
        int hidden = 4 * features;
        attentionNorm = register("attentionNorm", new LayerNorm<>(device, F32, size.bias(), features));
        attention = register(
                "attention",
                new MultiheadAttention<>(device, F32, features, size.heads(), size.dropout(), size.bias(), generator));
        mlpNorm = register("mlpNorm", new LayerNorm<>(device, F32, size.bias(), features));
        wide = register("wide", Linear.ofSequences(device, F32, features, hidden, size.bias(), generator));
        narrow = register("narrow", Linear.ofSequences(device, F32, hidden, features, size.bias(), generator));
        dropout = size.dropout();
        this.generator = generator;
    }

    @Override
    public Tensor<R3<Sequences, Time, Features>, F32, Dev> forward(Tensor<R3<Sequences, Time, Features>, F32, Dev> x) {
        AttentionOptions<F32, Dev> causal =
                AttentionOptions.<F32, Dev>defaults().withCausality();
        Tensor<R3<Sequences, Time, Features>, F32, Dev> y =
                attention.forward(attentionNorm.forward(x), causal, after().residual(x));
        EpilogueOptions<F32, Dev> gelu = EpilogueOptions.<F32, Dev>defaults().activation(Activation.GELU);
        Tensor<R3<Sequences, Time, Hidden>, F32, Dev> hidden = wide.forward(mlpNorm.forward(y), gelu);
        return narrow.forward(hidden, after().residual(y));
    }

    /** What ends a residual path. */
    private EpilogueOptions<F32, Dev> after() {
        return EpilogueOptions.<F32, Dev>defaults().dropout(isTraining() ? dropout : 0, generator);
    }
}

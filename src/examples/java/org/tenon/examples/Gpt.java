package org.tenon.examples;

import static org.tenon.DType.F32;

import java.util.ArrayList;
import java.util.List;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Tensor;
import org.tenon.nn.Bias;
import org.tenon.nn.Dropout;
import org.tenon.nn.Embedding;
import org.tenon.nn.Init;
import org.tenon.nn.LayerNorm;
import org.tenon.nn.Linear;
import org.tenon.nn.Module;
import org.tenon.nn.PositionalEmbedding;

/**
 * A generative pre-trained transformer with the blocks of GPT-2 (Radford et al. 2019): embeddings of tokens and of positions,
 * blocks, a layer norm, and a head that shares its weight with the token embedding.
 */
final class Gpt<Dev extends DeviceType> extends Module<F32, Dev> {
    private static final double DEVIATION = 0.02;

    /** The sequences of a batch. */
    interface Sequences extends Dim {}

    /** The positions of a sequence. */
    interface Time extends Dim {}

    /** The numbers that stand for a position. */
    interface Features extends Dim {}

    /** The tokens there are. */
    interface Vocabulary extends Dim {}

    private final Size size;
    private final Embedding<R2<Sequences, Time>, R3<Sequences, Time, Features>, F32, Dev> tokens;
    private final PositionalEmbedding<Sequences, Time, Features, F32, Dev> positions;
    private final Dropout<R3<Sequences, Time, Features>, F32, Dev> dropout;
    private final List<GptBlock<Dev>> blocks = new ArrayList<>();
    private final LayerNorm<R3<Sequences, Time, Features>, F32, Dev> norm;
    private final Linear<R3<Sequences, Time, Features>, R3<Sequences, Time, Vocabulary>, F32, Dev> head;

    /**
     * How large a model is.
     *
     * @param vocabulary the tokens there are
     * @param context the most positions that are seen at once
     * @param layers the blocks
     * @param heads of attention in each
     * @param embedding the numbers that stand for a position; the heads divide it
     * @param dropout while training
     * @param bias whether maps and norms have one
     */
    record Size(int vocabulary, int context, int layers, int heads, int embedding, double dropout, Bias bias) {}

    Gpt(Device<Dev> device, Size size, Generator generator) {
        this.size = size;
        tokens = register(
                "tokens", new Embedding<>(device, F32, size.vocabulary(), size.embedding(), R3.dim2(), generator));
        positions = register(
                "positions", PositionalEmbedding.learned(device, F32, size.context(), size.embedding(), generator));
        dropout = register("dropout", new Dropout<>(size.dropout(), generator));
        for (int i = 0; i < size.layers(); i++) {
            blocks.add(register("block" + i, new GptBlock<>(device, size, generator)));
        }
        norm = register("norm", new LayerNorm<>(device, F32, size.bias(), size.embedding()));
        head = register("head", Linear.tied(tokens.weight(), R3.kind()));
        namedParameters().forEach((name, parameter) -> initialise(name, parameter, generator));
    }

    /**
     * Matrices start normal, those at the end of a residual path smaller by the root of the number of such paths, so that
     * their sum does not grow with depth. Biases start at 0, the weights of norms at 1.
     */
    private void initialise(String name, Tensor<?, F32, Dev> parameter, Generator generator) {
        if (parameter.rank() == 2) {
            boolean last = name.endsWith(GptBlock.ATTENTION_OUT) || name.endsWith(GptBlock.MLP_OUT);
            double deviation = last ? DEVIATION / Math.sqrt(2 * size.layers()) : DEVIATION;
            Init.normal(parameter, 0, deviation, generator);
        } else if (name.endsWith("bias")) {
            Init.zeros(parameter);
        }
    }

    Size size() {
        return size;
    }

    /** For every position the logits of the token that follows it. */
    Tensor<R3<Sequences, Time, Vocabulary>, F32, Dev> forward(Tensor<R2<Sequences, Time>, I64, Dev> x) {
        return head.forward(features(x));
    }

    /** The logits of the token that follows the last position, (Sequences, 1, Vocabulary). */
    Tensor<R3<Sequences, Time, Vocabulary>, F32, Dev> next(Tensor<R2<Sequences, Time>, I64, Dev> x) {
        return head.forward(features(x).narrow(1, x.size(1) - 1, 1));
    }

    /** The mean loss, in nats, of the tokens that follow each position. */
    Tensor<R0, F32, Dev> loss(
            Tensor<R2<Sequences, Time>, I64, Dev> x, Tensor<R2<Sequences, Time>, I64, Dev> following) {
        Tensor<R2<Sequences, Vocabulary>, F32, Dev> logits = forward(x).reshape(R2.of(x.numel(), size.vocabulary()));
        return F.crossEntropy(logits, following.reshape(R1.of(x.numel())));
    }

    private Tensor<R3<Sequences, Time, Features>, F32, Dev> features(Tensor<R2<Sequences, Time>, I64, Dev> x) {
        Tensor<R3<Sequences, Time, Features>, F32, Dev> h = dropout.forward(positions.forward(tokens.forward(x)));
        for (GptBlock<Dev> block : blocks) {
            h = block.forward(h);
        }
        return norm.forward(h);
    }
}

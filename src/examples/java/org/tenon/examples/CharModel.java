package org.tenon.examples;

import static org.tenon.DType.F32;

import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Tensor;
import org.tenon.nn.Embedding;
import org.tenon.nn.Linear;
import org.tenon.nn.Module;

/**
 * Guesses a character from those before it: their embeddings side by side, one hidden layer, and the log-softmax over the
 * vocabulary (after Bengio et al., "A neural probabilistic language model", 2003).
 */
final class CharModel<Dev extends DeviceType> extends Module<F32, Dev> {
    /** The samples of a batch. */
    interface Batch extends Dim {}

    /** The characters before the one to guess. */
    interface Context extends Dim {}

    /** The numbers that stand for one character. */
    interface Features extends Dim {}

    /** The embeddings of the whole context, one after another. */
    interface Joined extends Dim {}

    /** The units of the hidden layer. */
    interface Hidden extends Dim {}

    /** The characters there are. */
    interface Vocabulary extends Dim {}

    private final Embedding<R2<Batch, Context>, R3<Batch, Context, Features>, F32, Dev> embedding;
    private final Linear<R2<Batch, Joined>, R2<Batch, Hidden>, F32, Dev> hidden;
    private final Linear<R2<Batch, Hidden>, R2<Batch, Vocabulary>, F32, Dev> output;
    private final long joined;

    CharModel(Device<Dev> device, long vocabulary, long context, long features, long units, Generator generator) {
        joined = context * features;
        embedding = register("embedding", new Embedding<>(device, F32, vocabulary, features, R3.dim2(), generator));
        hidden = register("hidden", Linear.of(device, F32, joined, units, generator));
        output = register("output", Linear.of(device, F32, units, vocabulary, generator));
    }

    /** The log-probability of every character to be the next. */
    Tensor<R2<Batch, Vocabulary>, F32, Dev> forward(Tensor<R2<Batch, Context>, I64, Dev> context) {
        Tensor<R3<Batch, Context, Features>, F32, Dev> embedded = embedding.forward(context);
        Tensor<R2<Batch, Joined>, F32, Dev> flat = embedded.reshape(R2.of(-1, joined));
        Tensor<R2<Batch, Hidden>, F32, Dev> units = F.gelu(hidden.forward(flat), F.Approximation.TANH);
        return F.logSoftmax(output.forward(units), -1);
    }
}

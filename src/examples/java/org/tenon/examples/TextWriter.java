package org.tenon.examples;

import java.util.Arrays;
import org.tenon.Autograd;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TopK;
import org.tenon.data.Vocabulary;
import org.tenon.examples.Gpt.Sequences;
import org.tenon.examples.Gpt.Time;

/** Lets a {@link Gpt} write: each token is drawn from what the model expects, and becomes part of what it sees next. */
final class TextWriter<Dev extends DeviceType> {
    private final Device<Dev> device;
    private final Gpt<Dev> model;
    private final Vocabulary vocabulary;
    private final Manner manner;

    /**
     * How tokens are drawn.
     *
     * @param temperature divides the logits: below 1 bolder in what is likely, above 1 in what is not
     * @param topK of how many of the likeliest, 1 or more
     * @param seed of the draws
     */
    record Manner(double temperature, int topK, long seed) {}

    /** A token and how likely it is among those that may be drawn. */
    private record Candidates(long[] tokens, float[] probabilities) {
        int draw(double chance) {
            double rest = chance;
            for (int i = 0; i < tokens.length; i++) {
                rest -= probabilities[i];
                if (rest < 0) {
                    return (int) tokens[i];
                }
            }
            return (int) tokens[0];
        }
    }

    TextWriter(Device<Dev> device, Gpt<Dev> model, Vocabulary vocabulary, Manner manner) {
        this.device = device;
        this.model = model;
        this.vocabulary = vocabulary;
        this.manner = manner;
    }

    /** So many characters that go on from a prompt, which has one at least. */
    String write(String prompt, int length) {
        int[] given = vocabulary.encode(prompt);
        int[] all = Arrays.copyOf(given, given.length + length);
        Generator.HostStream chance = new Generator(manner.seed()).stream(length);
        model.eval();
        try {
            for (int end = given.length; end < all.length; end++) {
                int from = Math.max(0, end - model.size().context());
                long[] seen = Arrays.stream(all, from, end).asLongStream().toArray();
                all[end] = candidates(seen).draw(chance.below(1L << 53) * 0x1p-53);
            }
        } finally {
            model.train();
        }
        return vocabulary.decode(Arrays.copyOfRange(all, given.length, all.length));
    }

    private Candidates candidates(long[] seen) {
        long count = Math.min(manner.topK(), vocabulary.size());
        return Autograd.noGrad(() -> Scope.call(() -> {
            Tensor<R2<Sequences, Time>, I64, Dev> x = device.tensor(seen, R2.of(1, seen.length));
            TopK<R3<Sequences, Time, Gpt.Vocabulary>, F32, Dev> best =
                    model.next(x).topk(count, -1);
            float[] probabilities =
                    F.softmax(F.div(best.values(), manner.temperature()), -1).toFloatArray();
            return new Candidates(best.indices().toLongArray(), probabilities);
        }));
    }
}

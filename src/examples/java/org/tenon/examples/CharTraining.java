package org.tenon.examples;

import org.tenon.Autograd;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.examples.CharModel.Batch;
import org.tenon.examples.CharModel.Context;
import org.tenon.examples.CharModel.Vocabulary;
import org.tenon.optim.AdamW;

/** The training of a {@link CharModel} on a {@link Corpus}, on one device: steps, validation, samples. */
final class CharTraining<Dev extends DeviceType> implements AutoCloseable {
    private static final int VALIDATION_POSITIONS = 20_000;
    private static final double LAST_RATE = 0.1;

    private final Device<Dev> device;
    private final Corpus corpus;
    private final Settings settings;
    private final Generator generator;
    private final CharModel<Dev> model;
    private final AdamW<F32, Dev> optimizer;

    /**
     * What a training may vary.
     *
     * @param steps the number of steps
     * @param batch the characters guessed in a step
     * @param context the characters seen before each
     * @param features the numbers that stand for a character
     * @param hidden the units of the hidden layer
     * @param rate the learning rate at the start; it falls to a tenth
     * @param seed of everything random
     */
    record Settings(int steps, int batch, int context, int features, int hidden, double rate, long seed) {}

    /** What is told of a step: its number from 1, and its loss where that was asked for. */
    @FunctionalInterface
    interface Progress {
        void step(int number, double loss);
    }

    CharTraining(Device<Dev> device, Corpus corpus, Settings settings) {
        this.device = device;
        this.corpus = corpus;
        this.settings = settings;
        generator = new Generator(settings.seed());
        model = new CharModel<>(
                device, corpus.vocabulary(), settings.context(), settings.features(), settings.hidden(), generator);
        optimizer = new AdamW<>(model.parameters(), settings.rate());
    }

    CharModel<Dev> model() {
        return model;
    }

    /** Runs all steps. The loss is fetched, which waits for the device, every {@code every} steps only. */
    void run(int every, Progress progress) {
        for (int step = 1; step <= settings.steps(); step++) {
            double done = (step - 1.0) / settings.steps();
            optimizer.lr(settings.rate() * (1 - (1 - LAST_RATE) * done));
            boolean wanted = step % every == 0 || step == 1 || step == settings.steps();
            progress.step(step, Scope.call(() -> step(wanted)));
        }
    }

    private double step(boolean lossWanted) {
        Generator.HostStream chance = generator.stream(settings.batch());
        int[] positions = new int[settings.batch()];
        for (int i = 0; i < positions.length; i++) {
            long choices = corpus.trainingLength() - settings.context();
            positions[i] = settings.context() + (int) chance.below(choices);
        }
        Tensor<R0, F32, Dev> loss = loss(positions);
        optimizer.step(loss.backward());
        return lossWanted ? loss.item() : Double.NaN;
    }

    private Tensor<R0, F32, Dev> loss(int[] positions) {
        long[] targets = new long[positions.length];
        long[] contexts = new long[positions.length * settings.context()];
        for (int i = 0; i < positions.length; i++) {
            targets[i] = corpus.token(positions[i]);
            corpus.contextOf(positions[i], settings.context(), contexts, i);
        }
        Tensor<R2<Batch, Context>, I64, Dev> x = device.tensor(contexts, R2.of(positions.length, settings.context()));
        Tensor<R1<Batch>, I64, Dev> y = device.tensor(targets);
        return F.nllLoss(model.forward(x), y);
    }

    /** The mean loss over evenly spread positions of the validation part. */
    double validationLoss() {
        return meanLoss(corpus.trainingLength() + settings.context(), corpus.length());
    }

    /** The mean loss over evenly spread positions of the training part. */
    double trainingLoss() {
        return meanLoss(settings.context(), corpus.trainingLength());
    }

    private double meanLoss(int from, int to) {
        int count = Math.min(VALIDATION_POSITIONS, to - from);
        double sum = 0;
        for (int start = 0; start < count; start += 1000) {
            int[] positions = new int[Math.min(1000, count - start)];
            for (int i = 0; i < positions.length; i++) {
                positions[i] = from + (int) ((long) (start + i) * (to - from) / count);
            }
            sum += positions.length
                    * Autograd.noGrad(() -> Scope.call(() -> loss(positions).item()));
        }
        return sum / count;
    }

    /** Text that the model goes on with after the first characters of the validation part. */
    String sample(int length, double temperature) {
        StringBuilder text = new StringBuilder();
        long[] context = new long[settings.context()];
        corpus.contextOf(corpus.trainingLength() + settings.context(), settings.context(), context, 0);
        Generator.HostStream chance = generator.stream(length);
        for (int i = 0; i < length; i++) {
            int next = draw(probabilities(context, temperature), chance.below(1L << 53) * 0x1p-53);
            text.append(corpus.character(next));
            System.arraycopy(context, 1, context, 0, context.length - 1);
            context[context.length - 1] = next;
        }
        return text.toString();
    }

    private float[] probabilities(long[] context, double temperature) {
        return Autograd.noGrad(() -> Scope.call(() -> {
            Tensor<R2<Batch, Context>, I64, Dev> x = device.tensor(context, R2.of(1, context.length));
            Tensor<R2<Batch, Vocabulary>, F32, Dev> logp = model.forward(x);
            return F.softmax(F.div(logp, temperature), -1).toFloatArray();
        }));
    }

    private static int draw(float[] probabilities, double chance) {
        double rest = chance;
        for (int i = 0; i < probabilities.length; i++) {
            rest -= probabilities[i];
            if (rest < 0) {
                return i;
            }
        }
        return probabilities.length - 1;
    }

    @Override
    public void close() {
        optimizer.close();
        model.close();
    }
}

package org.tenon.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Autograd;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.examples.Gpt.Sequences;
import org.tenon.examples.Gpt.Time;
import org.tenon.examples.Gpt.Vocabulary;
import org.tenon.junit.DeviceTest;
import org.tenon.nn.Bias;
import org.tenon.support.Simulated;

/** The GPT: its parameters, that no position sees a later one, that it learns, repeats itself, goes on and writes. */
class GptTest {
    private static final int STEPS = 30;
    private static final String LINE = "to be, or not to be: that is the question. ";

    @TempDir
    private Path folder;

    private Corpus corpus() throws IOException {
        return Corpus.ofFile(Files.writeString(folder.resolve("text.txt"), LINE.repeat(40)));
    }

    private static Gpt.Size size(int vocabulary, double dropout) {
        return new Gpt.Size(vocabulary, 12, 2, 2, 16, dropout, Bias.LEARNED);
    }

    private static GptTraining.Settings settings(Precision precision, long seed) {
        return new GptTraining.Settings(30, 6, 1e-2, 1e-3, 4, 0.1, 3, precision, seed);
    }

    @Test
    void theParametersAreThoseOfNanoGpt() {
        var size = new Gpt.Size(65, 64, 4, 4, 128, 0, Bias.LEARNED);
        try (var model = new Gpt<>(Devices.cpu(), size, new Generator(1))) {
            int block = 2 * 256 + 3 * 128 * 129 + 128 * 129 + 4 * 128 * 129 + 128 * 4 * 128 + 128;
            assertThat(model.parameterCount()).isEqualTo(65 * 128 + 64 * 128 + 4 * block + 256);
            assertThat(deviation(model, "tokens.weight")).isCloseTo(0.02, within(0.0005));
            assertThat(deviation(model, "block3.attention.in_proj_weight")).isCloseTo(0.02, within(0.0005));
            double last = 0.02 / Math.sqrt(8);
            assertThat(deviation(model, "block0.attention.out_proj.weight")).isCloseTo(last, within(0.0002));
            assertThat(deviation(model, "block3.narrow.weight")).isCloseTo(last, within(0.0002));
            assertThat(deviation(model, "block1.wide.bias")).isZero();
        }
        var unbiased = new Gpt.Size(65, 64, 4, 4, 128, 0, Bias.NONE);
        try (var model = new Gpt<>(Devices.cpu(), unbiased, new Generator(1))) {
            assertThat(model.parameterCount()).isEqualTo(65 * 128 + 64 * 128 + 4 * (256 + 12 * 128 * 128) + 128);
        }
    }

    private static double deviation(Gpt<?> model, String name) {
        double[] all = model.namedParameters().get(name).toDoubleArray();
        return Math.sqrt(Arrays.stream(all).map(v -> v * v).average().orElseThrow());
    }

    private static void fastEnough(Device<?> device) {
        Assumptions.assumeFalse(Simulated.is(device), "a simulated GPU is too slow to learn; the others do");
    }

    @DeviceTest
    void noPositionSeesALaterOne(Device<?> device) {
        Scope.run(() -> causal(device));
    }

    private static <Dev extends DeviceType> void causal(Device<Dev> device) {
        Gpt<Dev> model = new Gpt<>(device, size(9, 0), new Generator(3));
        long[] tokens = {3, 1, 4, 1, 5, 8, 2, 6};
        double[] before = logits(model, device, tokens);
        tokens[5] = 7;
        double[] after = logits(model, device, tokens);
        assertThat(Arrays.copyOf(after, 5 * 9)).containsExactly(Arrays.copyOf(before, 5 * 9), within(1e-6));
        assertThat(Arrays.copyOfRange(after, 45, 54)).isNotEqualTo(Arrays.copyOfRange(before, 45, 54));
        Tensor<R2<Sequences, Time>, I64, Dev> x = device.tensor(tokens, R2.of(1, 8));
        assertThat(model.next(x).toDoubleArray()).containsExactly(Arrays.copyOfRange(after, 63, 72), within(1e-6));
    }

    private static <Dev extends DeviceType> double[] logits(Gpt<Dev> model, Device<Dev> device, long[] tokens) {
        Tensor<R3<Sequences, Time, Vocabulary>, F32, Dev> logits =
                model.forward(device.tensor(tokens, R2.of(1, tokens.length)));
        assertThat(logits.shape()).containsExactly(1, tokens.length, 9);
        return logits.toDoubleArray();
    }

    @DeviceTest
    void theSameSeedGivesTheSameBits(Device<?> device) throws IOException {
        Corpus corpus = corpus();
        int steps = Simulated.is(device) ? 6 : STEPS;
        List<Double> first = losses(device, corpus, Precision.F32, 5, steps);
        assertThat(first).hasSize(steps + 1).isEqualTo(losses(device, corpus, Precision.F32, 5, steps));
        assertThat(losses(device, corpus, Precision.F32, 6, steps)).isNotEqualTo(first);
        assertThat(first.getLast()).isLessThan(first.getFirst() - 0.01 * steps);
    }

    @DeviceTest
    void itLearnsInHalfPrecisionToo(Device<?> device) throws IOException {
        fastEnough(device);
        Corpus corpus = corpus();
        double whole = losses(device, corpus, Precision.F32, 5, STEPS).getLast();
        assertThat(losses(device, corpus, Precision.BF16, 5, STEPS).getLast()).isCloseTo(whole, within(0.1));
        assertThat(losses(device, corpus, Precision.F16, 5, STEPS).getLast()).isCloseTo(whole, within(0.1));
    }

    private static <Dev extends DeviceType> List<Double> losses(
            Device<Dev> device, Corpus corpus, Precision precision, long seed, int steps) {
        long before = device.memory().liveBuffers();
        List<Double> all = new ArrayList<>();
        Gpt.Size size = size(corpus.vocabulary().size(), 0);
        try (var training = new GptTraining<>(device, corpus, size, settings(precision, seed))) {
            training.run(steps, 1, (step, loss) -> all.add(loss));
            all.add(training.validationLoss());
        }
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
        return all;
    }

    /** Dropout, the scale of the loss, the learning rate, the moments and the order of windows all go on. */
    @DeviceTest
    void aTrainingThatWasSavedGoesOnBitForBit(Device<?> device) throws IOException {
        goesOn(device, corpus(), folder.resolve("checkpoint"));
    }

    private static <Dev extends DeviceType> void goesOn(Device<Dev> device, Corpus corpus, Path file)
            throws IOException {
        Gpt.Size size = size(corpus.vocabulary().size(), 0.2);
        GptTraining.Settings settings = settings(Precision.F16, 5);
        int steps = Simulated.is(device) ? 8 : 24;
        int saved = steps / 2 - 1;
        List<Double> unbroken = new ArrayList<>();
        List<Double> broken = new ArrayList<>();
        try (var training = new GptTraining<>(device, corpus, size, settings)) {
            training.run(steps, 1, (step, loss) -> unbroken.add(loss));
            unbroken.add(training.validationLoss());
        }
        try (var training = new GptTraining<>(device, corpus, size, settings)) {
            training.run(saved, 1, (step, loss) -> broken.add(loss));
            training.save(file, Map.of());
        }
        try (var training = new GptTraining<>(device, corpus, size, settings)) {
            training.load(file);
            assertThat(training.step()).isEqualTo(saved);
            training.run(steps, 1, (step, loss) -> broken.add(loss));
            broken.add(training.validationLoss());
        }
        assertThat(broken).isEqualTo(unbroken);
    }

    @DeviceTest
    void itWritesWhatItLearned(Device<?> device) throws IOException {
        fastEnough(device);
        String alphabet = "abcdefghijklmnopqrstuvwxyz\n";
        writes(device, Corpus.ofFile(Files.writeString(folder.resolve("alphabet"), alphabet.repeat(40))), alphabet);
    }

    private static <Dev extends DeviceType> void writes(Device<Dev> device, Corpus corpus, String line) {
        Gpt.Size size = size(corpus.vocabulary().size(), 0);
        var settings = new GptTraining.Settings(100, 12, 2e-2, 2e-3, 10, 0.1, 3, Precision.F32, 5);
        try (var training = new GptTraining<>(device, corpus, size, settings)) {
            training.run(100, 100, (step, loss) -> {});
            assertThat(training.trainingLoss()).isLessThan(0.5);
            Gpt<Dev> model = training.model();
            var greedy = new TextWriter<>(device, model, corpus.vocabulary(), new TextWriter.Manner(3, 1, 1));
            assertThat(greedy.write(line.substring(0, 9), 45))
                    .isEqualTo(line.repeat(2).substring(9, 54));
            assertThat(model.isTraining()).isTrue();
            var wild = new TextWriter<>(device, model, corpus.vocabulary(), new TextWriter.Manner(5, 9, 1));
            assertThat(wild.write("ab", 40)).hasSize(40).isEqualTo(wild.write("ab", 40));
            var other = new TextWriter<>(device, model, corpus.vocabulary(), new TextWriter.Manner(5, 9, 2));
            assertThat(other.write("ab", 40)).isNotEqualTo(wild.write("ab", 40));
            assertThat(Autograd.isEnabled()).isTrue();
        }
    }
}

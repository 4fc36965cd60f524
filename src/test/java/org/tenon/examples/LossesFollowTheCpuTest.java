package org.tenon.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;
import org.tenon.nn.Bias;
import org.tenon.nn.GELU;
import org.tenon.nn.Linear;
import org.tenon.nn.Sequential;
import org.tenon.optim.Adam;
import org.tenon.optim.AdamW;
import org.tenon.optim.Optimizer;
import org.tenon.optim.SGD;
import org.tenon.support.Simulated;

/**
 * The same training on the CPU and on another device, from the same seed: 200 steps, the loss compared at each.
 *
 * <p>A step's loss is a mean of float32 numbers that two devices add in different orders and whose exp and log differ in the
 * last bit or two: the first losses are within a few units of 2^-24 of each other. From there training carries the difference
 * on. Where the learning rate is small enough for the loss to fall smoothly it grows about linearly with the steps; a wrong
 * gradient, a lost update or a moment that is not kept changes the loss by more than 1e-2 within a few steps. So the bound
 * is 1e-6 of the loss at the first step and as much again with every step, 2e-4 at the last: an OpenCL device of a CPU
 * stays within a fifth of it.
 */
class LossesFollowTheCpuTest {
    private static final int STEPS = 200;
    /** Of the GPT, which takes a simulated GPU more than a second a step. */
    private static final int STEPS_OF_A_SIMULATED = 60;

    @TempDir
    private Path folder;

    private static double bound(int step) {
        return 1e-6 * (1 + step);
    }

    private static void follow(String what, List<Double> cpu, List<Double> device) {
        assertThat(cpu).hasSize(STEPS);
        assertThat(device).hasSizeBetween(STEPS_OF_A_SIMULATED, STEPS);
        assertThat(cpu.getLast()).as(what + " learns").isLessThan(cpu.getFirst() * 2 / 3);
        double worst = 0;
        for (int step = 0; step < device.size(); step++) {
            worst = Math.max(worst, Math.abs(device.get(step) - cpu.get(step)) / cpu.get(step) / bound(step));
            assertThat(device.get(step))
                    .as("%s: loss of step %d", what, step + 1)
                    .isCloseTo(cpu.get(step), within(bound(step) * cpu.get(step)));
        }
        System.out.printf(
                "%s: %.6f to %.6f on the CPU, %.6f on the device; at most %.2f of the bound%n",
                what, cpu.getFirst(), cpu.getLast(), device.getLast(), worst);
    }

    @DeviceTest
    void theGpt(Device<?> device) throws IOException {
        Path text = Files.writeString(
                folder.resolve("text.txt"), "the quick brown fox jumps over the lazy dog\n".repeat(60));
        Corpus corpus = Corpus.ofFile(text);
        int steps = Simulated.is(device) ? STEPS_OF_A_SIMULATED : STEPS;
        follow("GPT, AdamW, " + device, characters(Devices.cpu(), corpus, STEPS), characters(device, corpus, steps));
    }

    private static <Dev extends DeviceType> List<Double> characters(Device<Dev> device, Corpus corpus, int steps) {
        List<Double> losses = new ArrayList<>();
        var size = new Gpt.Size(corpus.vocabulary().size(), 16, 1, 2, 16, 0, Bias.LEARNED);
        var settings = new GptTraining.Settings(STEPS, 8, 2e-3, 2e-4, 0, 0.1, 1, Precision.F32, 3);
        try (var training = new GptTraining<>(device, corpus, size, settings)) {
            training.run(steps, 1, (step, loss) -> losses.add(loss));
        }
        return losses;
    }

    @DeviceTest
    void sgdWithMomentum(Device<?> device) {
        followMlp(
                "MLP, SGD with momentum, ",
                device,
                (parameters, rate) -> new SGD<>(parameters, rate, SGD.Options.DEFAULTS.momentum(0.9)),
                (parameters, rate) -> new SGD<>(parameters, rate, SGD.Options.DEFAULTS.momentum(0.9)),
                0.02);
    }

    @DeviceTest
    void adam(Device<?> device) {
        followMlp("MLP, Adam, ", device, Adam::new, Adam::new, 2e-3);
    }

    @DeviceTest
    void adamW(Device<?> device) {
        followMlp("MLP, AdamW, ", device, AdamW::new, AdamW::new, 2e-3);
    }

    private interface Make<Dev extends DeviceType>
            extends BiFunction<List<Tensor<?, F32, Dev>>, Double, Optimizer<F32, Dev>> {}

    private static <Dev extends DeviceType> void followMlp(
            String what, Device<Dev> device, Make<org.tenon.Cpu> onCpu, Make<Dev> onDevice, double rate) {
        follow(what + device, mlp(Devices.cpu(), onCpu, rate), mlp(device, onDevice, rate));
    }

    /** 96 points of 10 numbers, of 4 classes that a plane or two tells apart, all in each step. */
    private static <Dev extends DeviceType> List<Double> mlp(Device<Dev> device, Make<Dev> make, double rate) {
        int points = 96;
        int features = 10;
        java.util.Random random = new java.util.Random(4);
        float[] values = new float[points * features];
        long[] classes = new long[points];
        for (int i = 0; i < points; i++) {
            for (int j = 0; j < features; j++) {
                values[i * features + j] = (float) random.nextGaussian();
            }
            classes[i] = (values[i * features] > 0 ? 1 : 0) + (values[i * features + 1] > 0 ? 2 : 0);
        }
        List<Double> losses = new ArrayList<>();
        Scope.run(() -> {
            Generator generator = new Generator(11);
            var model = Sequential.of(Linear.<Dim, Dim, Dim, F32, Dev>of(device, DType.F32, features, 32, generator))
                    .then(new GELU<>())
                    .then(Linear.<Dim, Dim, Dim, F32, Dev>of(device, DType.F32, 32, 4, generator));
            Tensor<R2<Dim, Dim>, F32, Dev> x = device.tensor(values, R2.<Dim, Dim>of(points, features));
            Tensor<R1<Dim>, I64, Dev> targets = device.tensor(classes);
            try (Optimizer<F32, Dev> optimizer = make.apply(List.copyOf(model.parameters()), rate)) {
                for (int step = 0; step < STEPS; step++) {
                    losses.add(Scope.call(() -> {
                        Tensor<R0, F32, Dev> loss = F.nllLoss(F.logSoftmax(model.forward(x), -1), targets);
                        optimizer.step(loss.backward());
                        return loss.item();
                    }));
                }
            }
            model.close();
        });
        return losses;
    }
}

package org.tenon.examples;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.tenon.CapturedStep;
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
import org.tenon.examples.Gpt.Sequences;
import org.tenon.examples.Gpt.Time;
import org.tenon.nn.Bias;
import org.tenon.nn.Linear;
import org.tenon.optim.AdamW;

/**
 * Whole training steps for {@code src/bench/python/steps.py}, which takes turns with PyTorch's: {@code StepsBench DEVICE}. A line of
 * its input is {@code MODEL PRECISION FORM STEPS SIZES...}, with MODEL {@code mlp} (inputs, hidden, classes, rows) or {@code gpt}
 * (vocabulary, layers, heads, embedding, context, sequences), PRECISION {@code float32} or {@code bfloat16}, and FORM
 * {@code plain} or {@code captured}. The answer is milliseconds a step, the last loss and the number of parameters. A line that
 * differs in anything but STEPS is another training; {@code close} ends all of them.
 */
public final class StepsBench {
    private static final double RATE = 1e-3;
    private static final double CLIP = 1;
    private static final long SEED = 1;

    private StepsBench() {}

    /** Answers until its input ends. */
    public static void main(String[] args) throws IOException {
        Device<?> device = Devices.get(args[0]);
        System.out.println("ready " + device.description());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Map<List<String>, Training<?>> trainings = new HashMap<>();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.equals("close")) {
                trainings.values().forEach(Training::close);
                trainings.clear();
                System.out.println("closed");
                continue;
            }
            List<String> words = new ArrayList<>(List.of(line.split(" ")));
            int steps = Integer.parseInt(words.remove(3));
            System.out.println(trainings
                    .computeIfAbsent(words, key -> training(device, key))
                    .run(steps));
        }
    }

    private static <Dev extends DeviceType> Training<Dev> training(Device<Dev> device, List<String> words) {
        int[] sizes = words.stream().skip(3).mapToInt(Integer::parseInt).toArray();
        Precision precision = words.get(1).equals("bfloat16") ? Precision.BF16 : Precision.F32;
        boolean captured = words.get(2).equals("captured");
        return switch (words.getFirst()) {
            case "mlp" -> mlp(device, precision, captured, sizes);
            case "gpt" -> gpt(device, precision, captured, sizes);
            default -> throw new IllegalArgumentException("there is no model " + words.getFirst() + "; mlp or gpt");
        };
    }

    /** A map, a rectifier and a map. */
    private static <Dev extends DeviceType> Training<Dev> mlp(
            Device<Dev> device, Precision precision, boolean captured, int[] sizes) {
        Generator generator = new Generator(SEED);
        Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> first =
                Linear.of(device, DType.F32, sizes[0], sizes[1], generator);
        Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> second =
                Linear.of(device, DType.F32, sizes[1], sizes[2], generator);
        List<Tensor<?, F32, Dev>> parameters = new ArrayList<>(first.parameters());
        parameters.addAll(second.parameters());
        AdamW<F32, Dev> optimizer = new AdamW<>(parameters, RATE);
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.of(sizes[3], sizes[0]), DType.F32, generator);
        Tensor<R1<Dim>, I64, Dev> target = device.randint(R1.of(sizes[3]), 0, sizes[2], DType.I64, generator);
        return new Training<>(device, parameters, captured, optimizer, () -> {
            Tensor<R0, F32, Dev> loss =
                    precision.call(() -> F.crossEntropy(second.forward(F.relu(first.forward(x))), target));
            optimizer.step(loss.backward());
            return loss;
        });
    }

    /** The steps of {@link GptTraining}, without dropout, at one learning rate. */
    private static <Dev extends DeviceType> Training<Dev> gpt(
            Device<Dev> device, Precision precision, boolean captured, int[] sizes) {
        Generator generator = new Generator(SEED);
        Gpt<Dev> model = new Gpt<>(
                device, new Gpt.Size(sizes[0], sizes[4], sizes[1], sizes[2], sizes[3], 0, Bias.LEARNED), generator);
        AdamW<F32, Dev> optimizer = GptTraining.optimizer(model, RATE, 0.1);
        R2<Sequences, Time> shape = R2.of(sizes[5], sizes[4]);
        Tensor<R2<Sequences, Time>, I64, Dev> x = device.randint(shape, 0, sizes[0], DType.I64, generator);
        Tensor<R2<Sequences, Time>, I64, Dev> following = device.randint(shape, 0, sizes[0], DType.I64, generator);
        return new Training<>(device, model.parameters(), captured, optimizer, () -> {
            Tensor<R0, F32, Dev> loss = precision.call(() -> model.loss(x, following));
            optimizer.step(loss.backward().clipNorm(CLIP));
            return loss;
        });
    }

    private static final class Training<Dev extends DeviceType> implements AutoCloseable {
        private final Device<Dev> device;
        private final AdamW<F32, Dev> optimizer;
        private final Supplier<Tensor<R0, F32, Dev>> step;
        private final CapturedStep<Tensor<R0, F32, Dev>> captured;
        private final long parameters;

        Training(
                Device<Dev> device,
                List<Tensor<?, F32, Dev>> parameters,
                boolean captured,
                AdamW<F32, Dev> optimizer,
                Supplier<Tensor<R0, F32, Dev>> step) {
            this.device = device;
            this.optimizer = optimizer;
            this.step = step;
            this.captured = captured ? device.capture(step) : null;
            this.parameters = parameters.stream().mapToLong(Tensor::numel).sum();
        }

        String run(int steps) {
            device.synchronize();
            long start = System.nanoTime();
            for (int i = 1; i < steps; i++) {
                if (captured == null) {
                    Scope.run(step::get);
                } else {
                    captured.run();
                }
            }
            // The last one's loss is fetched, which waits for all.
            double loss = Scope.call(() -> (captured == null ? step.get() : captured.run()).item());
            return (System.nanoTime() - start) * 1e-6 / steps + " " + loss + " " + parameters;
        }

        @Override
        public void close() {
            if (captured != null) {
                captured.close();
            }
            optimizer.close();
        }
    }
}

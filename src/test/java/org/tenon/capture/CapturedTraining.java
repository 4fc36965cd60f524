package org.tenon.capture;

import java.util.ArrayList;
import java.util.List;
import org.tenon.CapturedStep;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.I64;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.nn.Linear;
import org.tenon.optim.Adagrad;
import org.tenon.optim.AdamW;
import org.tenon.optim.LRScheduler;
import org.tenon.optim.Lion;
import org.tenon.optim.Optimizer;
import org.tenon.optim.RMSprop;
import org.tenon.optim.SGD;
import org.tenon.optim.Schedule;

/**
 * A small classifier with dropout, all of whose training step may be captured: forward, loss, backward, clipping, update and
 * schedule.
 *
 * @param <Dev> device type
 */
public final class CapturedTraining<Dev extends DeviceType> {
    /** Optimizers by name. */
    public static final List<String> RULES =
            List.of("SGD", "AdamW", "AdamW in two groups", "RMSprop", "Adagrad", "Lion");

    private static final int BATCH = 6;
    private static final int INPUTS = 9;
    private static final int HIDDEN = 130;
    private static final int CLASSES = 5;

    private final Device<Dev> device;
    private final Generator generator = new Generator(4);
    private final double dropout;
    private final Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> first;
    private final Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> second;
    private final Optimizer<F32, Dev> optimizer;
    private final LRScheduler scheduler;
    private final Tensor<R2<Dim, Dim>, F32, Dev> x;
    private final Tensor<R1<Dim>, I64, Dev> target;

    /** In the scope around. */
    public CapturedTraining(Device<Dev> device, String rule) {
        this(device, rule, 0.3);
    }

    /** Without chance where {@code dropout} is 0. */
    public CapturedTraining(Device<Dev> device, String rule, double dropout) {
        this.device = device;
        this.dropout = dropout;
        first = Linear.of(device, DType.F32, INPUTS, HIDDEN, new Generator(1));
        second = Linear.of(device, DType.F32, HIDDEN, CLASSES, new Generator(2));
        List<Tensor<?, F32, Dev>> all = new ArrayList<>(first.parameters());
        all.addAll(second.parameters());
        optimizer = switch (rule) {
            case "SGD" -> new SGD<>(all, 0.1, SGD.Options.DEFAULTS.momentum(0.9));
            case "AdamW" -> new AdamW<>(all, 0.01);
            case "AdamW in two groups" -> new AdamW<>(first.parameters(), 0.01);
            case "RMSprop" -> new RMSprop<>(all, 0.01, new RMSprop.Options(0.9, 1e-8, 0.01, 0.5, true));
            case "Adagrad" -> new Adagrad<>(all, 0.05, new Adagrad.Options(0.1, 0, 0, 1e-10));
            case "Lion" -> new Lion<>(all, 0.001);
            default -> throw new IllegalArgumentException(rule);
        };
        if (rule.endsWith("groups")) {
            optimizer.addGroup(second.parameters()).weightDecay(0.1);
        }
        scheduler = new LRScheduler(optimizer, Schedule.linear(0.1, 1, 3).times(Schedule.cosine(12, 0)));
        x = device.zeros(R2.of(BATCH, INPUTS));
        target = device.zeros(R1.of(BATCH), DType.I64);
    }

    /** Puts another batch in the place of the last. */
    public void batch(int number) {
        Scope.run(() -> {
            Generator chance = new Generator(100 + number);
            x.copyFrom(device.randn(R2.of(BATCH, INPUTS), DType.F32, chance));
            target.copyFrom(device.randint(R1.of(BATCH), 0, CLASSES, DType.I64, chance));
        });
    }

    /** A batch with a target that is no class. */
    public void badBatch() {
        Scope.run(() -> target.copyFrom(device.full(R1.of(BATCH), CLASSES + 2, DType.I64)));
    }

    /** One step; the loss. */
    public Tensor<R0, F32, Dev> step() {
        Tensor<R2<Dim, Dim>, F32, Dev> hidden = dropped(F.tanh(first.forward(x)), dropout);
        Tensor<R0, F32, Dev> loss = F.crossEntropy(dropped(second.forward(hidden), dropout / 2), target);
        Gradients gradients = loss.backward().clipNorm(0.5);
        optimizer.step(gradients);
        scheduler.step();
        return loss;
    }

    private Tensor<R2<Dim, Dim>, F32, Dev> dropped(Tensor<R2<Dim, Dim>, F32, Dev> x, double p) {
        return p > 0 ? F.dropout(x, p, generator) : x;
    }

    /** The step as one that is captured. */
    public CapturedStep<Tensor<R0, F32, Dev>> captured() {
        return device.capture(this::step);
    }

    /** All that training has changed, as bits. */
    public List<Object> state() {
        List<Object> state = new ArrayList<>();
        first.parameters().forEach(each -> state.add(bits(each)));
        second.parameters().forEach(each -> state.add(bits(each)));
        optimizer.state().tensors().forEach((name, tensor) -> state.add(name + bits(tensor.to(DType.F32))));
        state.add(optimizer.state().numbers());
        state.add(scheduler.state());
        state.add(generator.position());
        return state;
    }

    private static List<Integer> bits(Tensor<?, F32, ?> x) {
        List<Integer> bits = new ArrayList<>();
        for (float each : x.toFloatArray()) {
            bits.add(Float.floatToRawIntBits(each));
        }
        return bits;
    }

    /** The losses of {@code steps} steps, op by op, and the state after them. */
    public static <Dev extends DeviceType> List<Object> eager(Device<Dev> device, String rule, int steps) {
        return Scope.call(() -> {
            CapturedTraining<Dev> training = new CapturedTraining<>(device, rule);
            List<Object> all = new ArrayList<>();
            for (int i = 0; i < steps; i++) {
                training.batch(i);
                all.add(Scope.call(() -> training.step().item()));
            }
            all.addAll(training.state());
            return all;
        });
    }

    /** The same, captured. */
    public static <Dev extends DeviceType> List<Object> captured(Device<Dev> device, String rule, int steps) {
        return Scope.call(() -> {
            CapturedTraining<Dev> training = new CapturedTraining<>(device, rule);
            List<Object> all = new ArrayList<>();
            try (var step = training.captured()) {
                for (int i = 0; i < steps; i++) {
                    training.batch(i);
                    all.add(step.run().item());
                }
            }
            all.addAll(training.state());
            return all;
        });
    }
}

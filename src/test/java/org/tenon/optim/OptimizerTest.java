package org.tenon.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Floating;
import org.tenon.Gradients;
import org.tenon.R1;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.junit.DeviceTest;
import org.tenon.junit.TestDevices;

/**
 * Twenty steps on {@code sum((p - target)^4 / 4)}, whose gradient is {@code (p - target)^3}, against the update rules of
 * the PyTorch documentation, written out here in double precision.
 */
@Tag("plain")
class OptimizerTest {
    private static final int STEPS = 20;
    private static final double[] START = {1, -2, 0.5, 3, 0};
    private static final double[] TARGET = {0, 1, 0.25, 2, 0};

    /** The update of one number: step from 1, its value, its gradient, its two states; returns the new value. */
    private interface Rule {
        double next(int step, double p, double g, double[] state);
    }

    private record Case<Dev extends DeviceType>(
            String name, BiFunction<List<Tensor<R1<Dim>, F64, Dev>>, Double, Optimizer<F64, Dev>> make, Rule rule) {}

    private static Rule sgd(double momentum, double dampening, double decay, boolean nesterov) {
        return (step, p, g, state) -> {
            double d = g + decay * p;
            if (momentum != 0) {
                state[0] = step == 1 ? d : momentum * state[0] + (1 - dampening) * d;
                d = nesterov ? d + momentum * state[0] : state[0];
            }
            return p - rate(step) * d;
        };
    }

    private static Rule adam(double beta1, double beta2, double eps, double decay, boolean decoupled) {
        return (step, p, g, state) -> {
            double kept = decoupled ? p - rate(step) * decay * p : p;
            double d = decoupled ? g : g + decay * p;
            state[0] = beta1 * state[0] + (1 - beta1) * d;
            state[1] = beta2 * state[1] + (1 - beta2) * d * d;
            double mean = state[0] / (1 - Math.pow(beta1, step));
            double square = state[1] / (1 - Math.pow(beta2, step));
            return kept - rate(step) * mean / (Math.sqrt(square) + eps);
        };
    }

    private static Rule rmsprop(double alpha, double eps, double decay, double momentum, boolean centred) {
        return (step, p, g, state) -> {
            double d = g + decay * p;
            state[0] = alpha * state[0] + (1 - alpha) * d * d;
            state[1] = alpha * state[1] + (1 - alpha) * d;
            double spread = Math.sqrt(state[0] - (centred ? state[1] * state[1] : 0)) + eps;
            state[2] = momentum * state[2] + d / spread;
            return p - rate(step) * (momentum == 0 ? d / spread : state[2]);
        };
    }

    private static Rule adagrad(double lrDecay, double decay, double initial, double eps) {
        return (step, p, g, state) -> {
            double d = g + decay * p;
            state[0] = (step == 1 ? initial : state[0]) + d * d;
            return p - rate(step) / (1 + (step - 1) * lrDecay) * d / (Math.sqrt(state[0]) + eps);
        };
    }

    private static Rule lion(double beta1, double beta2, double decay) {
        return (step, p, g, state) -> {
            double way = Math.signum(beta1 * state[0] + (1 - beta1) * g);
            state[0] = beta2 * state[0] + (1 - beta2) * g;
            return p - rate(step) * (way + decay * p);
        };
    }

    private static double rate(int step) {
        return 0.05 / Math.sqrt(step);
    }

    private static <Dev extends DeviceType> List<Case<Dev>> cases() {
        SGD.Options plain = SGD.Options.DEFAULTS;
        return List.of(
                new Case<>("SGD", (p, lr) -> new SGD<>(p, lr), sgd(0, 0, 0, false)),
                new Case<>("SGD decay", (p, lr) -> new SGD<>(p, lr, plain.weightDecay(0.1)), sgd(0, 0, 0.1, false)),
                new Case<>("SGD momentum", (p, lr) -> new SGD<>(p, lr, plain.momentum(0.9)), sgd(0.9, 0, 0, false)),
                new Case<>(
                        "SGD dampening",
                        (p, lr) -> new SGD<>(p, lr, new SGD.Options(0.9, 0.3, 0.1, false)),
                        sgd(0.9, 0.3, 0.1, false)),
                new Case<>(
                        "SGD Nesterov",
                        (p, lr) -> new SGD<>(
                                p, lr, plain.momentum(0.9).withNesterov().weightDecay(0.1)),
                        sgd(0.9, 0, 0.1, true)),
                new Case<>("Adam", (p, lr) -> new Adam<>(p, lr), adam(0.9, 0.999, 1e-8, 0, false)),
                new Case<>(
                        "Adam decay",
                        (p, lr) -> new Adam<>(p, lr, new Adam.Options(0.8, 0.9, 1e-3, 0.1)),
                        adam(0.8, 0.9, 1e-3, 0.1, false)),
                new Case<>("AdamW", (p, lr) -> new AdamW<>(p, lr), adam(0.9, 0.999, 1e-8, 0.01, true)),
                new Case<>(
                        "AdamW decay",
                        (p, lr) -> new AdamW<>(
                                p, lr, AdamW.DEFAULTS.weightDecay(0.5).betas(0.5, 0.7)),
                        adam(0.5, 0.7, 1e-8, 0.5, true)),
                new Case<>("RMSprop", (p, lr) -> new RMSprop<>(p, lr), rmsprop(0.99, 1e-8, 0, 0, false)),
                new Case<>(
                        "RMSprop centred",
                        (p, lr) -> new RMSprop<>(p, lr, new RMSprop.Options(0.8, 1e-2, 0.1, 0, false).withCentring()),
                        rmsprop(0.8, 1e-2, 0.1, 0, true)),
                new Case<>(
                        "RMSprop momentum",
                        (p, lr) -> new RMSprop<>(
                                p, lr, RMSprop.DEFAULTS.momentum(0.7).weightDecay(0.2)),
                        rmsprop(0.99, 1e-8, 0.2, 0.7, false)),
                new Case<>("Adagrad", (p, lr) -> new Adagrad<>(p, lr), adagrad(0, 0, 0, 1e-10)),
                new Case<>(
                        "Adagrad decay",
                        (p, lr) -> new Adagrad<>(p, lr, new Adagrad.Options(0.3, 0.1, 0.5, 1e-4)),
                        adagrad(0.3, 0.1, 0.5, 1e-4)),
                new Case<>("Lion", (p, lr) -> new Lion<>(p, lr), lion(0.9, 0.99, 0)),
                new Case<>(
                        "Lion decay",
                        (p, lr) -> new Lion<>(p, lr, new Lion.Options(0.6, 0.8, 0.3)),
                        lion(0.6, 0.8, 0.3)));
    }

    @TestFactory
    Stream<DynamicTest> trajectories() {
        return TestDevices.all().stream()
                .filter(device -> device.supports(DType.F64))
                .flatMap(OptimizerTest::on);
    }

    private static <Dev extends DeviceType> Stream<DynamicTest> on(Device<Dev> device) {
        return OptimizerTest.<Dev>cases().stream()
                .map(each -> DynamicTest.dynamicTest(
                        device + " " + each.name(), () -> Scope.run(() -> follow(device, each))));
    }

    private static <Dev extends DeviceType> void follow(Device<Dev> device, Case<Dev> each) {
        Tensor<R1<Dim>, F64, Dev> p = device.<Dim>tensor(START).requireGrad();
        Tensor<R1<Dim>, F64, Dev> target = device.tensor(TARGET);
        double[] expected = START.clone();
        double[][] states = new double[START.length][3];
        try (Optimizer<F64, Dev> optimizer = each.make().apply(List.of(p), rate(1))) {
            for (int step = 1; step <= STEPS; step++) {
                optimizer.lr(rate(step));
                Scope.run(() -> {
                    Tensor<R1<Dim>, F64, Dev> far = p.sub(target);
                    optimizer.step(F.pow(far, 4).mul(0.25).sum().backward());
                });
                double[] now = p.toDoubleArray();
                for (int i = 0; i < expected.length; i++) {
                    double g = Math.pow(expected[i] - TARGET[i], 3);
                    expected[i] = each.rule().next(step, expected[i], g, states[i]);
                    assertThat(Math.abs(now[i] - expected[i]))
                            .as("parameter %d after step %d: %s, expected %s", i, step, now[i], expected[i])
                            .isLessThanOrEqualTo(1e-12 * Math.max(1, Math.abs(expected[i])));
                }
            }
        }
    }

    @DeviceTest
    void everyElementTypeTakesSteps(Device<?> device) {
        Scope.run(() -> {
            halves(device, DType.F16);
            halves(device, DType.BF16);
            halves(device, DType.F32);
        });
    }

    private static <D extends Floating, Dev extends DeviceType> void halves(Device<Dev> device, D dtype) {
        Tensor<R1<Dim>, D, Dev> p = device.ones(R1.<Dim>of(3), dtype).requireGrad();
        new SGD<>(List.of(p), 0.5).step(p.sum().backward());
        assertThat(p.toFloatArray()).containsOnly(0.5f);
        new AdamW<>(List.of(p), 0.25, AdamW.DEFAULTS.weightDecay(0))
                .step(p.sum().backward());
        assertThat(p.toFloatArray()).containsOnly(0.25f);
        new Lion<>(List.of(p), 0.125).step(p.sum().backward());
        assertThat(p.toFloatArray()).containsOnly(0.125f);
        new Adagrad<>(List.of(p), 0.125).step(p.sum().backward());
        assertThat(p.toFloatArray()).containsOnly(0);
        new RMSprop<>(List.of(p), 0.5, new RMSprop.Options(0.75, 0, 0, 0, false))
                .step(p.sum().backward());
        assertThat(p.toFloatArray()).containsOnly(-1);
    }

    @DeviceTest
    void parametersWithoutAGradientStay(Device<?> device) {
        Scope.run(() -> some(device));
    }

    private static <Dev extends DeviceType> void some(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> a = device.<Dim>tensor(1.0).requireGrad();
        Tensor<R1<Dim>, F64, Dev> b = device.<Dim>tensor(2.0).requireGrad();
        Adam<F64, Dev> adam = new Adam<>(List.of(a, b), 0.1);
        adam.step(a.sum().backward());
        assertThat(b.item()).isEqualTo(2);
        assertThat(a.item()).isLessThan(1);
        Tensor<R1<Dim>, F64, Dev> stranger = device.<Dim>tensor(3.0).requireGrad();
        assertThatThrownBy(() -> adam.step(stranger.sum().backward()))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("no parameter has a gradient here");
    }

    @DeviceTest
    void aParameterThatWasClosedIsNamed(Device<?> device) {
        Scope.run(() -> closed(device));
    }

    private static <Dev extends DeviceType> void closed(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> p = device.<Dim>tensor(1.0).requireGrad();
        Adam<F64, Dev> adam = new Adam<>(List.of(p), 0.1);
        Gradients gradients = p.sum().backward();
        p.close();
        assertThatThrownBy(() -> adam.step(gradients))
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("after it was closed");
    }

    @DeviceTest
    void badOptionsAreRefused(Device<?> device) {
        Scope.run(() -> bad(device));
    }

    private static <Dev extends DeviceType> void bad(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> p = device.<Dim>tensor(1.0).requireGrad();
        List<Tensor<R1<Dim>, F64, Dev>> all = List.of(p);
        refused(() -> new SGD<>(all, -1), "lr is -1.0");
        refused(() -> new SGD<>(all, Double.NaN), "lr is NaN");
        refused(() -> new SGD<>(all, 1, SGD.Options.DEFAULTS.withNesterov()), "Nesterov");
        refused(() -> new SGD<>(all, 1, new SGD.Options(0.9, Double.NaN, 0, false)), "dampening is NaN");
        refused(() -> new Adam<>(all, 1, Adam.DEFAULTS.betas(1, 0.9)), "beta1 is 1.0; it is in [0, 1)");
        refused(() -> new AdamW<>(all, 1, AdamW.DEFAULTS.weightDecay(-1)), "weightDecay");
        refused(() -> new RMSprop<>(all, 1, new RMSprop.Options(1, 0, 0, 0, false)), "alpha is 1.0; it is in [0, 1)");
        refused(() -> new Adagrad<>(all, 1, new Adagrad.Options(0, 0, -1, 0)), "initialSum is -1.0");
        refused(() -> new Lion<>(all, 1, new Lion.Options(0.9, 1, 0)), "beta2 is 1.0");
        refused(() -> new SGD<>(List.<Tensor<R1<Dim>, F64, Dev>>of(), 1), "no parameters");
        refused(() -> new SGD<>(List.of(device.<Dim>tensor(1.0)), 1), "does not require gradients");
        refused(() -> new SGD<>(List.of(p.mul(2)), 1), "was computed; give parameters");
        refused(() -> new SGD<>(all, 1).addGroup(all), "is in a group already");
    }

    private static void refused(Runnable call, String fragment) {
        assertThatThrownBy(call::run)
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("; ")
                .hasMessageContaining(fragment);
    }
}

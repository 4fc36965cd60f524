package org.tenon.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.R0;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorStateException;
import org.tenon.junit.DeviceTest;
import org.tenon.junit.TestDevices;

/** Many parameters in one optimizer take the steps, bit for bit, that each takes in an optimizer of its own. */
@Tag("plain")
class FusedUpdatesTest {
    /** More than the slots of one launch; sizes around those of groups, chunks and pieces, and none at all. */
    private static final long[][] SHAPES = {
        {1}, {255}, {256}, {257}, {}, {33, 7}, {0}, {2047}, {2049}, {3, 5, 2}, {20000}, {65, 33}, {4}, {129}, {0, 3},
        {7}, {511}, {2, 2}, {40}
    };

    private static final int TRANSPOSED = 11;
    private static final int SOMETIMES = 3;
    private static final int HEAD = 14;

    private static final List<String> KINDS = List.of(
            "SGD",
            "SGD with momentum",
            "Nesterov",
            "Adam",
            "AdamW",
            "RMSprop",
            "RMSprop, centred",
            "RMSprop with momentum",
            "Adagrad",
            "Lion");

    private static <D extends Floating, Dev extends DeviceType> Optimizer<D, Dev> make(
            String kind, List<Tensor<Any, D, Dev>> p) {
        return switch (kind) {
            case "SGD" -> new SGD<>(p, 0.1, SGD.Options.DEFAULTS.weightDecay(0.1));
            case "SGD with momentum" -> new SGD<>(p, 0.1, new SGD.Options(0.9, 0.2, 0.1, false));
            case "Nesterov" -> new SGD<>(p, 0.1, new SGD.Options(0.8, 0, 0.1, true));
            case "Adam" -> new Adam<>(p, 0.01, Adam.DEFAULTS.weightDecay(0.1));
            case "AdamW" -> new AdamW<>(p, 0.01);
            case "RMSprop" -> new RMSprop<>(p, 0.01);
            case "RMSprop, centred" -> new RMSprop<>(p, 0.01, new RMSprop.Options(0.9, 1e-2, 0.1, 0, true));
            case "RMSprop with momentum" -> new RMSprop<>(p, 0.01, new RMSprop.Options(0.9, 1e-2, 0, 0.7, false));
            case "Adagrad" -> new Adagrad<>(p, 0.1, new Adagrad.Options(0.1, 0.1, 0.5, 1e-4));
            case "Lion" -> new Lion<>(p, 0.01, new Lion.Options(0.9, 0.99, 0.1));
            default -> throw new AssertionError(kind);
        };
    }

    @TestFactory
    Stream<DynamicTest> togetherAsApart() {
        return TestDevices.all().stream()
                .flatMap(device -> KINDS.stream()
                        .flatMap(kind -> Stream.<Floating>of(DType.F32, DType.F64, DType.F16, DType.BF16)
                                .filter(device::supports)
                                .map(dtype -> DynamicTest.dynamicTest(
                                        device + " " + kind + " " + dtype,
                                        () -> Scope.run(() -> compare(device, kind, dtype))))));
    }

    private static <D extends Floating, Dev extends DeviceType> void compare(Device<Dev> device, String kind, D dtype) {
        List<Tensor<Any, D, Dev>> together = parameters(device, dtype);
        List<Tensor<Any, D, Dev>> apart = parameters(device, dtype);
        Optimizer<D, Dev> fused = make(kind, together.subList(0, HEAD));
        fused.addGroup(together.subList(HEAD, SHAPES.length)).lr(0.003).weightDecay(0.02);
        List<Optimizer<D, Dev>> separate = new ArrayList<>();
        for (int i = 0; i < SHAPES.length; i++) {
            Optimizer<D, Dev> one = make(kind, List.of(apart.get(i)));
            if (i >= HEAD) {
                one.groups().getFirst().lr(0.003).weightDecay(0.02);
            }
            separate.add(one);
        }
        for (int step = 0; step < 3; step++) {
            int now = step;
            Scope.run(() -> {
                fused.step(gradients(together, now));
                Gradients gradients = gradients(apart, now);
                for (int i = 0; i < SHAPES.length; i++) {
                    if (gradients.contains(apart.get(i))) {
                        separate.get(i).step(gradients);
                    }
                }
            });
        }
        for (int i = 0; i < SHAPES.length; i++) {
            String which = "parameter " + i + " of shape " + Arrays.toString(SHAPES[i]);
            assertThat(numbers(together.get(i))).as(which).isEqualTo(numbers(apart.get(i)));
            OptimizerState<Dev> own = separate.get(i).state();
            OptimizerState<Dev> all = fused.state();
            String prefix = "state." + i + ".";
            own.tensors()
                    .forEach((name, tensor) -> assertThat(numbers(all.tensors().get(name.replace("state.0.", prefix))))
                            .as(which + " " + name)
                            .isEqualTo(numbers(tensor)));
            assertThat(all.numbers().get(prefix + "step"))
                    .isEqualTo(own.numbers().get("state.0.step"))
                    .isEqualTo(i == SOMETIMES ? 2 : 3);
        }
        assertThat(numbers(together.get(10)))
                .as("it moved")
                .isNotEqualTo(numbers(parameters(device, dtype).get(10)));
    }

    private static <D extends Floating, Dev extends DeviceType> List<Tensor<Any, D, Dev>> parameters(
            Device<Dev> device, D dtype) {
        Generator generator = new Generator(11);
        return Arrays.stream(SHAPES)
                .map(shape -> device.randn(Any.of(shape), dtype, generator).requireGrad())
                .toList();
    }

    /** Random ones; of one parameter in a transposed layout, of another not in each step. */
    private static <D extends Floating, Dev extends DeviceType> Gradients gradients(
            List<Tensor<Any, D, Dev>> parameters, int step) {
        Generator generator = new Generator(100 + step);
        Tensor<R0, D, Dev> loss = null;
        for (int i = 0; i < parameters.size(); i++) {
            Tensor<Any, D, Dev> p = parameters.get(i);
            p = i == TRANSPOSED ? p.transpose(0, 1) : p;
            Tensor<Any, D, Dev> slope = p.device().randn(Any.of(p.shape()), p.dtype(), generator);
            if (i != SOMETIMES || step != 1) {
                Tensor<R0, D, Dev> term = p.mul(slope).sum();
                loss = loss == null ? term : loss.add(term);
            }
        }
        Gradients gradients = loss.backward();
        assertThat(gradients.get(parameters.get(TRANSPOSED)).isContiguous()).isFalse();
        return gradients;
    }

    private static double[] numbers(Tensor<?, ?, ?> x) {
        return x.toDoubleArray();
    }

    /** Kernels round where single ops do, those of half types in float32. */
    @DeviceTest
    void kernelsRoundAsSingleOps(Device<?> device) {
        Scope.run(() -> {
            singleOps(device, DType.F32, DType.F32);
            singleOps(device, DType.F16, DType.F32);
            singleOps(device, DType.BF16, DType.F32);
            if (device.supports(DType.F64)) {
                singleOps(device, DType.F64, DType.F64);
            }
        });
    }

    private static <D extends Floating, W extends Floating, Dev extends DeviceType> void singleOps(
            Device<Dev> device, D dtype, W wide) {
        Generator generator = new Generator(5);
        Any shape = Any.of(3001);
        List<Tensor<Any, D, Dev>> slopes = List.of(
                device.randn(shape, dtype, generator),
                device.randn(shape, dtype, generator),
                device.randn(shape, dtype, generator));
        Tensor<Any, D, Dev> start = device.randn(shape, dtype, generator);
        Tensor<Any, D, Dev> zero = device.zeros(shape, dtype);

        Tensor<Any, D, Dev> p = start;
        Tensor<Any, D, Dev> square = zero;
        Tensor<Any, D, Dev> mean = zero;
        Tensor<Any, D, Dev> velocity = zero;
        for (Tensor<Any, D, Dev> slope : slopes) {
            Tensor<Any, W, Dev> x = p.to(wide);
            Tensor<Any, W, Dev> g = slope.to(wide).add(x.mul(0.1));
            Tensor<Any, W, Dev> s = square.to(wide).mul(0.9).add(g.mul(g).mul(1 - 0.9));
            Tensor<Any, W, Dev> m = mean.to(wide).mul(0.9).add(g.mul(1 - 0.9));
            Tensor<Any, W, Dev> root = F.sqrt(s.sub(m.mul(m))).add(0.01);
            Tensor<Any, W, Dev> v = velocity.to(wide).mul(0.7).add(F.div(g, root));
            p = x.sub(v.mul(0.03)).to(dtype);
            square = s.to(dtype);
            mean = m.to(dtype);
            velocity = v.to(dtype);
        }
        same(p, start, slopes, own -> new RMSprop<>(own, 0.03, new RMSprop.Options(0.9, 0.01, 0.1, 0.7, true)));

        p = start;
        Tensor<Any, D, Dev> sum = zero.add(0.5);
        for (Tensor<Any, D, Dev> slope : slopes) {
            Tensor<Any, W, Dev> x = p.to(wide);
            Tensor<Any, W, Dev> g = slope.to(wide).add(x.mul(0.1));
            Tensor<Any, W, Dev> s = sum.to(wide).add(g.mul(g));
            p = x.sub(F.div(g, F.sqrt(s).add(0.01)).mul(0.03)).to(dtype);
            sum = s.to(dtype);
        }
        same(p, start, slopes, own -> new Adagrad<>(own, 0.03, new Adagrad.Options(0, 0.1, 0.5, 0.01)));

        p = start;
        mean = zero;
        for (Tensor<Any, D, Dev> slope : slopes) {
            Tensor<Any, W, Dev> g = slope.to(wide);
            Tensor<Any, W, Dev> m = mean.to(wide);
            Tensor<Any, W, Dev> way = m.mul(0.9).add(g.mul(1 - 0.9)).sign();
            p = p.to(wide).mul(1 - 0.03 * 0.1).sub(way.mul(0.03)).to(dtype);
            mean = m.mul(0.99).add(g.mul(1 - 0.99)).to(dtype);
        }
        same(p, start, slopes, own -> new Lion<>(own, 0.03, new Lion.Options(0.9, 0.99, 0.1)));

        p = start;
        velocity = zero;
        for (Tensor<Any, D, Dev> slope : slopes) {
            Tensor<Any, W, Dev> x = p.to(wide);
            Tensor<Any, W, Dev> g = slope.to(wide).add(x.mul(0.1));
            Tensor<Any, W, Dev> v =
                    velocity == zero ? g : velocity.to(wide).mul(0.8).add(g);
            p = x.sub(g.add(v.mul(0.8)).mul(0.03)).to(dtype);
            velocity = v.to(dtype);
        }
        same(p, start, slopes, own -> new SGD<>(own, 0.03, new SGD.Options(0.8, 0, 0.1, true)));
    }

    /** Steps along these gradients lead from {@code start} to {@code expected}. */
    private static <D extends Floating, Dev extends DeviceType> void same(
            Tensor<Any, D, Dev> expected,
            Tensor<Any, D, Dev> start,
            List<Tensor<Any, D, Dev>> slopes,
            Function<List<Tensor<Any, D, Dev>>, Optimizer<D, Dev>> make) {
        Tensor<Any, D, Dev> own = start.copy().requireGrad();
        Optimizer<D, Dev> optimizer = make.apply(List.of(own));
        for (Tensor<Any, D, Dev> slope : slopes) {
            optimizer.step(own.mul(1).backward(slope));
        }
        assertThat(numbers(own))
                .as(optimizer.getClass().getSimpleName() + " " + start.dtype())
                .isEqualTo(numbers(expected));
    }

    /** A gradient that is another parameter's memory is read before, or after, that changes, never meanwhile. */
    @DeviceTest
    void sharedMemoryIsUsedInOrder(Device<?> device) {
        Scope.run(() -> shared(device));
    }

    private static <Dev extends DeviceType> void shared(Device<Dev> device) {
        Any shape = Any.of(100_000);
        Tensor<Any, F32, Dev> p = device.full(shape, 1, DType.F32).requireGrad();
        Tensor<Any, F32, Dev> q = device.full(shape, 5, DType.F32).requireGrad();
        Tensor<Any, F32, Dev> alias = p.detach();
        Gradients both = p.mul(2).sum().backward().add(q.add(0).backward(alias));
        new SGD<>(List.of(p, q), 0.25).step(both);
        assertThat(p.toFloatArray()).containsOnly(0.5f);
        assertThat(q.toFloatArray()).containsOnly(4.875f);

        Tensor<Any, F32, Dev> view = p.detach().requireGrad();
        SGD<F32, Dev> twice = new SGD<>(List.of(p, view), 0.25);
        twice.step(p.sum().backward().add(view.sum().backward()));
        assertThat(p.toFloatArray()).containsOnly(0);
    }

    /** One bad operand, and no parameter has moved nor counted a step. */
    @DeviceTest
    void aRefusedStepChangesNothing(Device<?> device) {
        Scope.run(() -> refused(device));
    }

    private static <Dev extends DeviceType> void refused(Device<Dev> device) {
        Tensor<Any, F32, Dev> p = device.full(Any.of(10), 1, DType.F32).requireGrad();
        Tensor<Any, F32, Dev> q = device.full(Any.of(10), 1, DType.F32).requireGrad();
        Adam<F32, Dev> adam = new Adam<>(List.of(p, q), 0.1);
        Gradients gradients = p.mul(q).sum().backward();
        adam.state().tensors().get("state.1.exp_avg").close();
        assertThatThrownBy(() -> adam.step(gradients))
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("after it was closed");
        assertThat(p.toFloatArray()).containsOnly(1);
        assertThat(adam.state().numbers().get("state.0.step")).isZero();
        assertThat(adam.state().numbers().get("state.1.step")).isZero();
        assertThat(adam.state().tensors().get("state.0.exp_avg").toFloatArray()).containsOnly(0);
    }

    /** What was saved for a backward before the step is known to have changed. */
    @DeviceTest
    void aStepSpoilsWhatWasSaved(Device<?> device) {
        Scope.run(() -> spoiled(device));
    }

    private static <Dev extends DeviceType> void spoiled(Device<Dev> device) {
        Tensor<Any, F32, Dev> p = device.full(Any.of(10), 1, DType.F32).requireGrad();
        Tensor<Any, F32, Dev> q = device.full(Any.of(10), 1, DType.F32).requireGrad();
        Tensor<R0, F32, Dev> early = p.mul(q).sum();
        new Lion<>(List.of(p, q), 0.1).step(p.mul(q).sum().backward());
        assertThatThrownBy(early::backward)
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("in place");
    }
}

package org.tenon.gradients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tenon.DType.F64;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.tenon.Any;
import org.tenon.CrossEntropyOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.I64;
import org.tenon.KeepGraph;
import org.tenon.KlTarget;
import org.tenon.NllLossOptions;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.Tensor;

/** Gradients against central differences, in float64, on dense and strided inputs; second derivatives alike. */
@Tag("plain")
class GradientCheckTest {
    private static final double STEP = 1e-5;
    private static final double TOLERANCE = 2e-7;

    /** An op of some tensors of any shape. */
    private interface Op<Dev extends DeviceType> extends Function<List<Tensor<Any, F64, Dev>>, Tensor<?, F64, Dev>> {}

    private record Case<Dev extends DeviceType>(double low, double high, List<long[]> shapes, Op<Dev> op) {}

    @TestFactory
    Stream<DynamicTest> everyDevice() {
        return Devices.all().stream().flatMap(GradientCheckTest::on);
    }

    private static <Dev extends DeviceType> Stream<DynamicTest> on(Device<Dev> device) {
        List<DynamicTest> tests = new ArrayList<>();
        cases(device).forEach((name, each) -> {
            for (Layout layout : Layout.values()) {
                tests.add(DynamicTest.dynamicTest(
                        device + " " + name + " " + layout, () -> Scope.run(() -> check(device, each, layout))));
            }
        });
        softmaxFamily(device)
                .forEach((name, each) -> tests.add(DynamicTest.dynamicTest(
                        device + " " + name + " twice", () -> Scope.run(() -> checkTwice(device, each)))));
        return tests.stream();
    }

    private enum Layout {
        DENSE,
        TRANSPOSED,
        SLICED
    }

    private static <Dev extends DeviceType> Map<String, Case<Dev>> cases(Device<Dev> device) {
        Map<String, Case<Dev>> all = new LinkedHashMap<>(softmaxFamily(device));
        one(all, "neg", -2, 2, x -> x.neg());
        one(all, "abs", 0.2, 2, x -> x.abs());
        one(all, "sign", 0.2, 2, x -> x.sign());
        one(all, "exp", -2, 2, F::exp);
        one(all, "log", 0.2, 3, F::log);
        one(all, "log1p", -0.5, 3, F::log1p);
        one(all, "sqrt", 0.2, 3, F::sqrt);
        one(all, "rsqrt", 0.2, 3, F::rsqrt);
        one(all, "reciprocal", 0.2, 3, F::reciprocal);
        one(all, "sin", -3, 3, F::sin);
        one(all, "cos", -3, 3, F::cos);
        one(all, "tanh", -2, 2, F::tanh);
        one(all, "sigmoid", -3, 3, F::sigmoid);
        one(all, "relu positive", 0.1, 2, F::relu);
        one(all, "relu negative", -2, -0.1, F::relu);
        one(all, "gelu", -3, 3, x -> F.gelu(x));
        one(all, "gelu tanh", -3, 3, x -> F.gelu(x, F.Approximation.TANH));
        one(all, "silu", -3, 3, F::silu);
        one(all, "erf", -2, 2, F::erf);
        one(all, "pow", 0.2, 2, x -> F.pow(x, 2.5));
        one(all, "div scalar", -2, 2, x -> F.div(x, 3));
        one(all, "add scalar", -2, 2, x -> x.add(3));
        one(all, "sub scalar", -2, 2, x -> x.sub(3));
        one(all, "mul scalar", -2, 2, x -> x.mul(-3));
        one(all, "clamp", -0.4, 0.4, x -> x.clamp(-0.5, 0.5));
        two(all, "add", -2, 2, F::add);
        two(all, "sub", -2, 2, F::sub);
        two(all, "mul", -2, 2, F::mul);
        two(all, "div", 0.3, 2, F::div);
        two(all, "pow of two", 0.3, 2, F::pow);
        two(all, "maximum", -2, 2, F::maximum);
        two(all, "minimum", -2, 2, F::minimum);
        all.put(
                "where",
                new Case<>(
                        -2,
                        2,
                        List.of(new long[] {3, 4}, new long[] {3, 4}),
                        x -> F.where(
                                device.randn(Any.of(3, 4), F64, new Generator(3))
                                        .gt(0),
                                x.get(0),
                                x.get(1))));
        one(all, "sum", -2, 2, x -> x.sum());
        one(all, "sum dim", -2, 2, x -> x.sum(0));
        one(all, "sum keepdim", -2, 2, x -> x.sumKeepDim(1));
        one(all, "mean", -2, 2, x -> F.mean(x));
        one(all, "mean dim", -2, 2, x -> F.mean(x, -1));
        one(all, "max", -2, 2, x -> x.max(1));
        one(all, "min", -2, 2, x -> x.min(0));
        one(all, "var", -2, 2, x -> F.var(x));
        one(all, "var dim", -2, 2, x -> F.var(x, 0.0, 1));
        one(all, "std dim", -2, 2, x -> F.std(x, 1.0, 0));
        one(all, "norm", -2, 2, x -> F.norm(x));
        one(all, "norm 3", 0.3, 2, x -> F.norm(x, 3.0, 1));
        one(all, "norm inf", -2, 2, x -> F.norm(x, Double.POSITIVE_INFINITY, 1));
        one(all, "logsumexp", -2, 2, x -> F.logsumexp(x, 1));
        one(all, "cumsum", -2, 2, x -> x.cumsum(0));
        one(all, "topk", -2, 2, x -> x.topk(2, 1).values());
        one(all, "reshape", -2, 2, x -> x.reshape(2, 6).mul(x.reshape(2, 6)));
        one(all, "transpose", -2, 2, x -> x.transpose(0, 1).mul(2));
        one(all, "unsqueeze", -2, 2, x -> x.unsqueeze(1).squeeze(1));
        one(all, "expand", -2, 2, x -> x.unsqueeze(0).expand(Any.of(3, -1, -1)));
        one(all, "slice", -2, 2, x -> x.slice(1, 0, 4, 2));
        one(all, "select", -2, 2, x -> x.select(0, -1));
        one(all, "split", -2, 2, x -> x.split(3, 1).get(1));
        one(all, "copy", -2, 2, x -> x.copy());
        two(all, "cat", -2, 2, (a, b) -> F.cat(List.of(a, b), 1), new long[] {3, 4}, new long[] {3, 2});
        two(all, "stack", -2, 2, (a, b) -> F.stack(List.of(a, b), 1), new long[] {3, 4}, new long[] {3, 4});
        two(all, "matmul", -2, 2, (a, b) -> a.matmul(b), new long[] {3, 4}, new long[] {4, 5});
        two(all, "matmul batched", -2, 2, (a, b) -> a.matmul(b), new long[] {2, 3, 4}, new long[] {2, 4, 5});
        two(all, "matmul broadcast", -2, 2, (a, b) -> a.matmul(b), new long[] {2, 1, 3, 4}, new long[] {3, 4, 2});
        two(all, "matmul 3 by 2", -2, 2, (a, b) -> a.matmul(b), new long[] {2, 3, 4}, new long[] {4, 2});
        two(all, "matmul vector", -2, 2, (a, b) -> a.matmul(b), new long[] {3, 4}, new long[] {4});
        two(all, "dot", -2, 2, (a, b) -> a.matmul(b), new long[] {4}, new long[] {4});
        Tensor<Any, I64, Dev> index = device.tensor(new long[] {0, 2, 1, 1, 0, 3}, Any.of(3, 2));
        Tensor<R1<org.tenon.Dim>, I64, Dev> rows = device.tensor(2L, 0L, 2L);
        one(all, "gather", -2, 2, x -> x.gather(1, index));
        two(all, "scatterAdd", -2, 2, (a, b) -> a.scatterAdd(1, index, b), new long[] {3, 4}, new long[] {3, 2});
        one(all, "indexSelect", -2, 2, x -> x.indexSelect(0, rows));
        one(
                all,
                "embedding",
                -2,
                2,
                x -> F.embedding(
                        x.as(R2.<org.tenon.Dim, org.tenon.Dim>kind()),
                        device.tensor(new long[] {1, 0, 1, 2}, Any.of(2, 2))));
        return all;
    }

    private static <Dev extends DeviceType> Map<String, Case<Dev>> softmaxFamily(Device<Dev> device) {
        Map<String, Case<Dev>> all = new LinkedHashMap<>();
        one(all, "logSoftmax", -2, 2, x -> F.logSoftmax(x, 1));
        one(all, "logSoftmax first", -2, 2, x -> F.logSoftmax(x, 0));
        one(all, "softmax", -2, 2, x -> F.softmax(x, 1));
        one(all, "softmax first", -2, 2, x -> F.softmax(x, 0));
        Tensor<Any, I64, Dev> target = device.tensor(new long[] {1, 3, 0}, Any.of(3));
        Tensor<Any, F64, Dev> weight = device.tensor(new double[] {0.5, 1, 2, 0.25}, Any.of(4));
        NllLossOptions<F64, Dev> options =
                NllLossOptions.<F64, Dev>defaults().weight(weight).ignoreIndex(3);
        one(all, "nllLoss", -2, 2, x -> F.nllLoss(x, target, options, Reduction.mean()));
        one(all, "nllLoss none", -2, 2, x -> F.nllLoss(x, target, options, Reduction.none()));
        CrossEntropyOptions<F64, Dev> smoothed =
                CrossEntropyOptions.<F64, Dev>defaults().weight(weight).labelSmoothing(0.2);
        one(all, "crossEntropy", -2, 2, x -> F.crossEntropy(x, target, smoothed, Reduction.mean()));
        one(all, "crossEntropy sum", -2, 2, x -> F.crossEntropy(x, target, smoothed, Reduction.sum()));
        Tensor<Any, F64, Dev> probabilities = F.softmax(device.randn(Any.of(3, 4), F64, new Generator(5)), 1);
        one(
                all,
                "crossEntropy probabilities",
                -2,
                2,
                x -> F.crossEntropyOfProbabilities(x, probabilities, smoothed, Reduction.mean()));
        two(
                all,
                "klDiv",
                0.2,
                2,
                (a, b) -> F.klDiv(a, b, KlTarget.PROBABILITIES, Reduction.batchMean()),
                new long[] {3, 4},
                new long[] {3, 4});
        two(
                all,
                "klDiv log",
                -2,
                2,
                (a, b) -> F.klDiv(a, b, KlTarget.LOG_PROBABILITIES, Reduction.none()),
                new long[] {3, 4},
                new long[] {3, 4});
        return all;
    }

    private static <Dev extends DeviceType> void one(
            Map<String, Case<Dev>> all,
            String name,
            double low,
            double high,
            Function<Tensor<Any, F64, Dev>, Tensor<?, F64, Dev>> op) {
        all.put(name, new Case<>(low, high, List.of(new long[] {3, 4}), x -> op.apply(x.get(0))));
    }

    private interface Pair<Dev extends DeviceType> {
        Tensor<?, F64, Dev> apply(Tensor<Any, F64, Dev> a, Tensor<Any, F64, Dev> b);
    }

    private static <Dev extends DeviceType> void two(
            Map<String, Case<Dev>> all, String name, double low, double high, Pair<Dev> op) {
        two(all, name, low, high, op, new long[] {3, 4}, new long[] {3, 4});
        two(all, name + " broadcast", low, high, op, new long[] {3, 4}, new long[] {4});
    }

    private static <Dev extends DeviceType> void two(
            Map<String, Case<Dev>> all,
            String name,
            double low,
            double high,
            Pair<Dev> op,
            long[] first,
            long[] second) {
        all.put(name, new Case<>(low, high, List.of(first, second), x -> op.apply(x.get(0), x.get(1))));
    }

    private static <Dev extends DeviceType> List<Tensor<Any, F64, Dev>> inputs(Device<Dev> device, Case<Dev> each) {
        Generator generator = new Generator(11);
        return each.shapes().stream()
                .map(shape -> device.uniform(Any.of(shape), each.low(), each.high(), F64, generator))
                .toList();
    }

    /** The same numbers in other places of memory. */
    private static <Dev extends DeviceType> Tensor<Any, F64, Dev> laidOut(Tensor<Any, F64, Dev> x, Layout layout) {
        return switch (layout) {
            case DENSE -> x;
            case TRANSPOSED -> x.rank() < 2 ? x : x.transpose(0, -1).copy().transpose(0, -1);
            case SLICED -> {
                Tensor<Any, F64, Dev> wide = F.stack(List.of(x, x.mul(0), x.mul(0)), -1);
                yield wide.select(-1, 0);
            }
        };
    }

    private static <Dev extends DeviceType> void check(Device<Dev> device, Case<Dev> each, Layout layout) {
        List<Tensor<Any, F64, Dev>> x = inputs(device, each);
        x.forEach(Tensor::requireGrad);
        Tensor<Any, F64, Dev> y = apply(each, x, layout);
        Tensor<Any, F64, Dev> v = device.randn(Any.of(y.shape()), F64, new Generator(7));
        Gradients gradients = y.backward(v);
        for (int i = 0; i < x.size(); i++) {
            compare(gradients.get(x.get(i)).toDoubleArray(), numeric(x, i, each, layout, v));
        }
    }

    private static <Dev extends DeviceType> Tensor<Any, F64, Dev> apply(
            Case<Dev> each, List<Tensor<Any, F64, Dev>> x, Layout layout) {
        return each.op().apply(x.stream().map(t -> laidOut(t, layout)).toList()).any();
    }

    private static <Dev extends DeviceType> double[] numeric(
            List<Tensor<Any, F64, Dev>> x, int which, Case<Dev> each, Layout layout, Tensor<Any, F64, Dev> v) {
        double[] values = x.get(which).toDoubleArray();
        double[] slopes = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            slopes[i] =
                    (at(x, which, values, i, STEP, each, layout, v) - at(x, which, values, i, -STEP, each, layout, v))
                            / (2 * STEP);
        }
        return slopes;
    }

    private static <Dev extends DeviceType> double at(
            List<Tensor<Any, F64, Dev>> x,
            int which,
            double[] values,
            int i,
            double step,
            Case<Dev> each,
            Layout layout,
            Tensor<Any, F64, Dev> v) {
        double[] moved = values.clone();
        moved[i] += step;
        List<Tensor<Any, F64, Dev>> inputs = new ArrayList<>(x);
        inputs.set(which, v.device().tensor(moved, Any.of(x.get(which).shape())));
        return apply(each, inputs, layout).mul(v).sum().item();
    }

    /** The gradient of {@code sum(u * dx)} against differences of dx itself. */
    private static <Dev extends DeviceType> void checkTwice(Device<Dev> device, Case<Dev> each) {
        List<Tensor<Any, F64, Dev>> x = inputs(device, each);
        x.forEach(Tensor::requireGrad);
        Tensor<Any, F64, Dev> u = device.randn(Any.of(x.get(0).shape()), F64, new Generator(13));
        Tensor<org.tenon.R0, F64, Dev> slope = along(each, x, u);
        if (!slope.requiresGrad()) {
            assertThat(numericTwice(each, x, u)).as("a linear op").containsOnly(0);
            return;
        }
        Gradients second = slope.backward();
        double[] expected = numericTwice(each, x, u);
        double[] actual =
                second.contains(x.get(0)) ? second.get(x.get(0)).toDoubleArray() : new double[expected.length];
        compare(actual, expected);
    }

    private static <Dev extends DeviceType> Tensor<org.tenon.R0, F64, Dev> along(
            Case<Dev> each, List<Tensor<Any, F64, Dev>> x, Tensor<Any, F64, Dev> u) {
        Tensor<Any, F64, Dev> y = each.op().apply(x).any();
        Tensor<Any, F64, Dev> v = y.device().randn(Any.of(y.shape()), F64, new Generator(7));
        return y.backward(v, KeepGraph.CREATE).get(x.get(0)).mul(u).sum();
    }

    private static <Dev extends DeviceType> double[] numericTwice(
            Case<Dev> each, List<Tensor<Any, F64, Dev>> x, Tensor<Any, F64, Dev> u) {
        double[] values = x.get(0).toDoubleArray();
        double[] slopes = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            double difference = 0;
            for (int sign = -1; sign <= 1; sign += 2) {
                double[] moved = values.clone();
                moved[i] += sign * STEP;
                List<Tensor<Any, F64, Dev>> inputs = new ArrayList<>(x);
                inputs.set(0, u.device().tensor(moved, Any.of(x.get(0).shape())).requireGrad());
                difference += sign * along(each, inputs, u).item();
            }
            slopes[i] = difference / (2 * STEP);
        }
        return slopes;
    }

    private static void compare(double[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(Math.abs(actual[i] - expected[i]))
                    .as("element %d: %s against %s", i, actual[i], expected[i])
                    .isLessThan(TOLERANCE * Math.max(1, Math.abs(expected[i])));
        }
    }
}

package org.tenon.attention;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.tenon.AttentionOptions;
import org.tenon.Autocast;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.KeepGraph;
import org.tenon.R2;
import org.tenon.R4;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;

/**
 * Attention where an implementation by tiles has its edges, with gradients, against the same in float64, which is composed of
 * other ops everywhere and drops the same weights.
 */
@Tag("plain")
class AttentionTilesTest {
    private static final List<Floating> TYPES = List.of(DType.F32, DType.F16, DType.BF16);

    private static final int[] EDGES = {1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 129};
    private static final int[] FEATURES = {1, 8, 20, 31, 32, 33, 63, 64, 65, 80, 127, 128, 129};
    /** Where no tiles are known of. */
    private static final int[] SOME_EDGES = {1, 33, 64};

    private enum Mask {
        NONE,
        /** Bool, [T, U], with a query that sees nothing. */
        ALLOWED,
        /** Bool, [N, 1, 1, U]. */
        PADDING,
        /** Added, [H, T, U]. */
        BIAS,
        /** Added, [N, H, 1, U], with -inf, and bool. */
        BOTH
    }

    /** Sizes; whether heads lie between the rows, as a layer has them. */
    private record Problem(
            int t, int u, int features, int values, boolean causal, Mask mask, double dropout, boolean views) {
        Problem(int t, int u, int features, int values) {
            this(t, u, features, values, false, Mask.NONE, 0, false);
        }

        Problem causally() {
            return new Problem(t, u, features, values, true, mask, dropout, views);
        }

        Problem with(Mask other) {
            return new Problem(t, u, features, values, causal, other, dropout, views);
        }

        Problem dropping(double p) {
            return new Problem(t, u, features, values, causal, mask, p, views);
        }

        Problem asViews() {
            return new Problem(t, u, features, values, causal, mask, dropout, true);
        }
    }

    @DeviceTest
    void everyTileEdge(Device<?> device) {
        for (Floating dtype : TYPES) {
            for (int rows : device.name().startsWith("cuda") ? EDGES : SOME_EDGES) {
                check(device, dtype, new Problem(rows, rows, 16, 16).causally());
                check(device, dtype, new Problem(rows, 3, 8, 8));
                check(device, dtype, new Problem(3, rows, 8, 8).causally());
            }
        }
    }

    @DeviceTest
    void everyFeatureEdge(Device<?> device) {
        for (Floating dtype : TYPES) {
            for (int features : device.name().startsWith("cuda") ? FEATURES : SOME_EDGES) {
                check(device, dtype, new Problem(5, 6, features, features).asViews());
            }
            check(device, dtype, new Problem(5, 6, 7, 65));
            check(device, dtype, new Problem(5, 6, 65, 7).asViews());
        }
    }

    @DeviceTest
    void everyMask(Device<?> device) {
        for (Floating dtype : TYPES) {
            for (Mask mask : Mask.values()) {
                check(device, dtype, new Problem(35, 70, 32, 32).with(mask).asViews());
                check(device, dtype, new Problem(70, 35, 12, 20).with(mask).causally());
            }
        }
    }

    @DeviceTest
    void dropoutOfTheSameWeights(Device<?> device) {
        for (Floating dtype : TYPES) {
            for (int keys : new int[] {1, 32, 63, 66, 97}) {
                check(device, dtype, new Problem(67, keys, 16, 16).dropping(0.3));
            }
            check(
                    device,
                    dtype,
                    new Problem(66, 67, 8, 8)
                            .with(Mask.BOTH)
                            .causally()
                            .dropping(0.5)
                            .asViews());
        }
    }

    private static <Dev extends DeviceType> void check(Device<Dev> device, Floating dtype, Problem p) {
        Scope.run(() -> compare(device, dtype, p));
    }

    private static <Dev extends DeviceType, D extends Floating> void compare(Device<Dev> device, D dtype, Problem p) {
        List<double[]> got = run(device, dtype, p, dtype, dtype);
        List<double[]> wanted = run(device, dtype, p, DType.F64, DType.F64);
        // As in the contract: half types round weights, slopes and the result that the backward works from.
        double tolerance = dtype == DType.F32 ? 1e-5 : dtype == DType.F16 ? 8e-3 : 8e-2;
        for (int i = 0; i < got.size(); i++) {
            double[] a = got.get(i);
            double[] b = wanted.get(i);
            assertThat(a).hasSameSizeAs(b);
            double size = 1;
            for (double each : b) {
                size = Math.max(size, Math.abs(each));
            }
            for (int k = 0; k < a.length; k++) {
                if (!(Math.abs(a[k] - b[k]) <= tolerance * size)) {
                    assertThat(a[k])
                            .as("%s, %s: element %d of result %d", dtype, p, k, i)
                            .isEqualTo(b[k]);
                }
            }
        }
        assertThat(run(device, dtype, p, dtype, dtype))
                .as("the same bits again")
                .usingRecursiveComparison()
                .isEqualTo(got);
    }

    /** The result and the gradients of queries, keys and values, from numbers that {@code stored} holds. */
    private static <Dev extends DeviceType, S extends Floating, D extends Floating> List<double[]> run(
            Device<Dev> device, S stored, Problem p, D dtype, D same) {
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> q = operand(device, stored, dtype, p, p.t, p.features, 1);
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> k = operand(device, stored, dtype, p, p.u, p.features, 2);
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> v = operand(device, stored, dtype, p, p.u, p.values, 3);
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> g = view(p, numbers(device, stored, dtype, p, p.t, p.values, 4));
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> y =
                F.scaledDotProductAttention(view(p, q), view(p, k), view(p, v), options(device, stored, dtype, p));
        Gradients gradients = y.backward(g);
        List<double[]> all = new ArrayList<>();
        for (Tensor<?, D, Dev> each : List.of(y, gradients.get(q), gradients.get(k), gradients.get(v))) {
            all.add(each.to(DType.F64).toDoubleArray());
        }
        assertThat(y.dtype()).isEqualTo(same);
        return all;
    }

    private static <Dev extends DeviceType, S extends Floating, D extends Floating>
            Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> operand(
                    Device<Dev> device, S stored, D dtype, Problem p, int rows, int size, int seed) {
        return numbers(device, stored, dtype, p, rows, size, seed).requireGrad();
    }

    /** Of two elements of the batch and two heads, [N, H, rows, size], or [N, rows, H, size]. */
    private static <Dev extends DeviceType, S extends Floating, D extends Floating>
            Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> numbers(
                    Device<Dev> device, S stored, D dtype, Problem p, int rows, int size, int seed) {
        double[] numbers = new Random(seed).doubles(4L * rows * size, -1.5, 1.5).toArray();
        R4<Dim, Dim, Dim, Dim> shape = p.views ? R4.of(2, rows, 2, size) : R4.of(2, 2, rows, size);
        return device.tensor(numbers, shape).to(stored).to(dtype);
    }

    private static <D extends Floating, Dev extends DeviceType> Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> view(
            Problem p, Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> x) {
        return p.views ? x.transpose(1, 2).as(R4.kind()) : x;
    }

    private static <Dev extends DeviceType, S extends Floating, D extends Floating> AttentionOptions<D, Dev> options(
            Device<Dev> device, S stored, D dtype, Problem p) {
        AttentionOptions<D, Dev> options = AttentionOptions.defaults();
        options = p.causal ? options.withCausality() : options;
        options = p.dropout > 0 ? options.dropout(p.dropout, new Generator(7)) : options;
        Random random = new Random(5);
        return switch (p.mask) {
            case NONE -> options;
            case ALLOWED -> options.allowed(device.tensor(allowed(random, p), R2.of(p.t, p.u)));
            case PADDING -> options.keyPadding(device.tensor(padded(p), R2.of(2, p.u)));
            case BIAS ->
                options.bias(device.tensor(random.doubles(2L * p.t * p.u, -1, 1).toArray(), R4.of(1, 2, p.t, p.u))
                        .to(stored)
                        .to(dtype));
            case BOTH -> {
                double[] bias = random.doubles(4L * p.u, -1, 1)
                        .map(b -> b > 0.8 ? Double.NEGATIVE_INFINITY : b)
                        .toArray();
                yield options.bias(device.tensor(bias, R4.of(2, 2, 1, p.u))
                                .to(stored)
                                .to(dtype))
                        .allowed(device.tensor(allowed(random, p), R2.of(p.t, p.u)));
            }
        };
    }

    private static boolean[] allowed(Random random, Problem p) {
        boolean[] allowed = new boolean[p.t * p.u];
        for (int i = 0; i < allowed.length; i++) {
            allowed[i] = i / p.u != 1 && random.nextInt(4) > 0;
        }
        return allowed;
    }

    /** The last keys of each, of the second all but one. */
    private static boolean[] padded(Problem p) {
        boolean[] padded = new boolean[2 * p.u];
        for (int i = 0; i < padded.length; i++) {
            padded[i] = i < p.u ? i >= p.u - 3 : i > p.u;
        }
        return padded;
    }

    /** Gradients of gradients, and of a bias, of float32: as of float64. */
    @DeviceTest
    void gradientsThatAreComposed(Device<?> device) {
        for (Problem p : List.of(
                new Problem(5, 7, 4, 6).causally(),
                new Problem(5, 7, 4, 6).with(Mask.BOTH),
                new Problem(5, 7, 4, 6).dropping(0.4))) {
            Scope.run(() -> {
                List<double[]> got = twice(device, DType.F32, p);
                List<double[]> wanted = twice(device, DType.F64, p);
                for (int i = 0; i < got.size(); i++) {
                    for (int k = 0; k < wanted.get(i).length; k++) {
                        double within = 1e-4 * Math.max(1, Math.abs(wanted.get(i)[k]));
                        assertThat(Math.abs(got.get(i)[k] - wanted.get(i)[k]))
                                .as("%s: element %d of %d", p, k, i)
                                .isLessThanOrEqualTo(within);
                    }
                }
            });
        }
    }

    private static <Dev extends DeviceType, D extends Floating> List<double[]> twice(
            Device<Dev> device, D dtype, Problem p) {
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> q = operand(device, DType.F32, dtype, p, p.t, p.features, 1);
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> k = operand(device, DType.F32, dtype, p, p.u, p.features, 2);
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> v = operand(device, DType.F32, dtype, p, p.u, p.values, 3);
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> g = numbers(device, DType.F32, dtype, p, p.t, p.values, 4);
        Gradients first = F.scaledDotProductAttention(q, k, v, options(device, DType.F32, dtype, p))
                .backward(g, KeepGraph.CREATE);
        var sum = first.get(q).mul(first.get(q)).sum();
        sum = sum.add(first.get(k).mul(first.get(k)).sum());
        sum = sum.add(first.get(v).mul(first.get(v)).sum());
        Gradients second = sum.backward();
        Tensor<R2<Dim, Dim>, D, Dev> bias = device.tensor(
                        new Random(6).doubles((long) p.t * p.u, -1, 1).toArray(), R2.<Dim, Dim>of(p.t, p.u))
                .to(dtype)
                .requireGrad();
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> biased = F.scaledDotProductAttention(
                q, k, v, options(device, DType.F32, dtype, p.with(Mask.NONE)).bias(bias));
        Gradients ofBias = biased.backward(g);
        List<double[]> all = new ArrayList<>();
        for (Tensor<?, D, Dev> each :
                List.of(second.get(q), second.get(k), second.get(v), ofBias.get(bias), ofBias.get(k))) {
            all.add(each.to(DType.F64).toDoubleArray());
        }
        return all;
    }

    /** Within a region of mixed precision it is what operands of the half type give. */
    @DeviceTest
    void autocast(Device<?> device) {
        Scope.run(() -> mixed(device));
    }

    private static <Dev extends DeviceType> void mixed(Device<Dev> device) {
        Problem p = new Problem(20, 40, 16, 16).causally();
        Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> q = operand(device, DType.BF16, DType.F32, p, p.t, p.features, 1);
        Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> k = numbers(device, DType.BF16, DType.F32, p, p.u, p.features, 2);
        Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> v = numbers(device, DType.BF16, DType.F32, p, p.u, p.values, 3);
        AttentionOptions<F32, Dev> causal =
                AttentionOptions.<F32, Dev>defaults().withCausality();
        Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> y =
                Autocast.call(DType.BF16, () -> F.scaledDotProductAttention(q, k, v, causal));
        float[] plain = F.scaledDotProductAttention(q, k, v, causal).toFloatArray();
        float[] got = y.toFloatArray();
        float[] slope = y.sum().backward().get(q).toFloatArray();
        float[] wanted = F.scaledDotProductAttention(q, k, v, causal)
                .sum()
                .backward()
                .get(q)
                .toFloatArray();
        int differ = 0;
        for (int i = 0; i < got.length; i++) {
            assertThat(Math.abs(got[i] - plain[i])).isLessThan(0.02f);
            assertThat(Math.abs(slope[i] - wanted[i])).isLessThan(0.04f);
            differ += got[i] != plain[i] ? 1 : 0;
        }
        assertThat(differ).as("elements that a half type has rounded").isPositive();
    }

    /** A captured step draws other weights each time, those that it draws op by op, forward and backward. */
    @DeviceTest
    void dropoutInACapturedStep(Device<?> device) {
        assertThat(steps(device, true)).isEqualTo(steps(device, false));
    }

    private static <Dev extends DeviceType> List<Float> steps(Device<Dev> device, boolean captured) {
        return Scope.call(() -> {
            Problem p = new Problem(9, 13, 8, 8).dropping(0.4);
            Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> q = operand(device, DType.F32, DType.F32, p, p.t, p.features, 1);
            Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> k = operand(device, DType.F32, DType.F32, p, p.u, p.features, 2);
            Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> v = operand(device, DType.F32, DType.F32, p, p.u, p.values, 3);
            Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> g = numbers(device, DType.F32, DType.F32, p, p.t, p.values, 4);
            AttentionOptions<F32, Dev> options =
                    AttentionOptions.<F32, Dev>defaults().dropout(p.dropout, new Generator(3));
            List<Float> all = new ArrayList<>();
            java.util.function.Supplier<List<Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev>>> body = () -> {
                Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> y = F.scaledDotProductAttention(q, k, v, options);
                Gradients gradients = y.backward(g);
                return List.of(y.detach(), gradients.get(q), gradients.get(k), gradients.get(v));
            };
            try (var step = device.capture(body)) {
                for (int i = 0; i < 5; i++) {
                    Scope.run(() -> {
                        for (var each : captured ? step.run() : body.get()) {
                            for (float number : each.toFloatArray()) {
                                all.add(number);
                            }
                        }
                    });
                }
            }
            int length = all.size() / 5;
            assertThat(all.subList(0, length)).isNotEqualTo(all.subList(length, 2 * length));
            assertThat(all.subList(3 * length, 4 * length)).isNotEqualTo(all.subList(4 * length, 5 * length));
            return all;
        });
    }
}

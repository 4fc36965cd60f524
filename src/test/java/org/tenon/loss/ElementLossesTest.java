package org.tenon.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.tenon.Any;
import org.tenon.BceOptions;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.KeepGraph;
import org.tenon.KlTarget;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;

/** Losses of single elements: their sums at lengths where an implementation goes another way, operands of any layout, what is empty. */
@Tag("plain")
class ElementLossesTest {
    /** One either side of each, too. */
    private static final int[] THRESHOLDS = {4, 8, 16, 256, 2048, 4096, 16384};

    /** The losses, each reduced in some way. */
    private enum Loss {
        KL,
        KL_LOG,
        MSE,
        L1,
        HUBER,
        SMOOTH_L1,
        BCE;

        <D extends Floating, Dev extends DeviceType> Tensor<?, D, Dev> of(
                Tensor<Any, D, Dev> x, Tensor<Any, D, Dev> t, Reduction<Any, ?> how) {
            return switch (this) {
                case KL -> F.klDiv(x, t, KlTarget.PROBABILITIES, how);
                case KL_LOG -> F.klDiv(x, t, KlTarget.LOG_PROBABILITIES, how);
                case MSE -> F.mseLoss(x, t, how);
                case L1 -> F.l1Loss(x, t, how);
                case HUBER -> F.huberLoss(x, t, 0.7, how);
                case SMOOTH_L1 -> F.smoothL1Loss(x, t, 0.7, how);
                case BCE -> F.binaryCrossEntropyWithLogits(x, t, BceOptions.defaults(), how);
            };
        }

        private double term(double x, double t) {
            double size = Math.abs(x - t);
            return switch (this) {
                case KL -> t * (Math.log(t) - x);
                case KL_LOG -> Math.exp(t) * (t - x);
                case MSE -> size * size;
                case L1 -> size;
                case HUBER -> size <= 0.7 ? size * size / 2 : 0.7 * (size - 0.35);
                case SMOOTH_L1 -> size < 0.7 ? size * size / 1.4 : size - 0.35;
                case BCE -> (1 - t) * x + Math.log1p(Math.exp(-x));
            };
        }
    }

    @DeviceTest
    void sumsOfEveryLength(Device<?> device) {
        for (int threshold : THRESHOLDS) {
            for (int length = threshold - 1; length <= threshold + 1; length++) {
                int n = length;
                Scope.run(() -> sums(device, n));
            }
        }
        Scope.run(() -> sums(device, 131_075));
    }

    private static <Dev extends DeviceType> void sums(Device<Dev> device, int n) {
        // Not at the start of their memory, each at a place of its own.
        Tensor<Any, F32, Dev> x = uniform(device, -3, 3, n + 3, 1).slice(0, 3, n + 3);
        Tensor<Any, F32, Dev> t = uniform(device, 0.01, 1, n + 1, 2).slice(0, 1, n + 1);
        double[] left = x.toDoubleArray();
        double[] right = t.toDoubleArray();
        for (Loss loss : n > 20_000 ? List.of(Loss.KL, Loss.MSE) : List.of(Loss.values())) {
            double sum = 0;
            double size = 0;
            for (int i = 0; i < n; i++) {
                sum += loss.term(left[i], right[i]);
                size += Math.abs(loss.term(left[i], right[i])) + right[i] * Math.abs(left[i]);
            }
            assertThat(loss.of(x, t, Reduction.<Any>sum()).toDoubleArray()[0])
                    .as("%s of %d", loss, n)
                    .isCloseTo(sum, within(2e-6 * size));
            assertThat(loss.of(x, t, Reduction.<Any>mean()).toFloatArray())
                    .as("%s of %d, again", loss, n)
                    .isEqualTo(loss.of(x, t, Reduction.<Any>mean()).toFloatArray());
        }
    }

    private static <Dev extends DeviceType> Tensor<Any, F32, Dev> uniform(
            Device<Dev> device, double low, double high, long n, long seed) {
        return device.uniform(Any.of(n), low, high, DType.F32, new Generator(seed));
    }

    /** Elementwise results have the bits of a dense copy wherever the elements are; on a CPU sums do as well. */
    @DeviceTest
    void anyLayoutHasTheSameBits(Device<?> device) {
        for (Loss loss : Loss.values()) {
            Scope.run(() -> layouts(device, DType.F32, loss));
            Scope.run(() -> layouts(device, DType.BF16, loss));
        }
    }

    private static <D extends Floating, Dev extends DeviceType> void layouts(Device<Dev> device, D dtype, Loss loss) {
        Any shape = Any.of(70, 45);
        Tensor<Any, D, Dev> x =
                device.<Any, D>uniform(shape, -3, 3, dtype, new Generator(1)).transpose(0, 1);
        Tensor<Any, D, Dev> t = device.<Any, D>uniform(Any.of(45, 1), 0.01, 1, dtype, new Generator(2))
                .expand(Any.of(45, 70));
        for (Reduction<Any, ?> how : List.of(Reduction.<Any>none(), Reduction.<Any>mean())) {
            String what = device.name() + " " + loss + " " + dtype + " " + how;
            Results strided = Results.of(loss, how, x, t);
            Results dense = Results.of(loss, how, x.copy(), t.copy());
            if (device.name().equals("cpu") || how.equals(Reduction.<Any>none())) {
                assertThat(strided.value()).as(what).isEqualTo(dense.value());
            }
            assertThat(strided.dx()).as(what).isEqualTo(dense.dx());
            assertThat(strided.dt()).as(what).isEqualTo(dense.dt());
        }
    }

    /** A loss and its gradients, of the sum of the losses where they are many. */
    private record Results(double[] value, double[] dx, double[] dt) {
        static <D extends Floating, Dev extends DeviceType> Results of(
                Loss loss, Reduction<Any, ?> how, Tensor<Any, D, Dev> x, Tensor<Any, D, Dev> t) {
            Tensor<Any, D, Dev> left = x.detach().requireGrad();
            Tensor<Any, D, Dev> right = t.detach().requireGrad();
            Tensor<?, D, Dev> value = loss.of(left, right, how);
            Gradients all = value.sum().backward();
            return new Results(
                    value.toDoubleArray(),
                    all.get(left).toDoubleArray(),
                    all.get(right).toDoubleArray());
        }
    }

    /** A half type is rounded once: it is the nearest to what float32 gives, or as near as the other. */
    @DeviceTest
    void halfTypesAreRoundedOnce(Device<?> device) {
        for (Loss loss : Loss.values()) {
            Scope.run(() -> rounded(device, DType.F16, loss));
            Scope.run(() -> rounded(device, DType.BF16, loss));
        }
    }

    private static <D extends Floating, Dev extends DeviceType> void rounded(Device<Dev> device, D dtype, Loss loss) {
        Any shape = Any.of(20, 37);
        Tensor<Any, D, Dev> x = device.uniform(shape, -3, 3, dtype, new Generator(1));
        Tensor<Any, D, Dev> t = device.uniform(shape, 0.01, 1, dtype, new Generator(2));
        Results half = Results.of(loss, Reduction.<Any>none(), x, t);
        Results wide = Results.of(loss, Reduction.<Any>none(), x.to(DType.F32), t.to(DType.F32));
        // Half a unit in the last place, and what float32 may be off.
        double share = (dtype == DType.F16 ? 0x1p-11 : 0x1p-8) + 1e-5;
        close(loss, half.value(), wide.value(), share);
        close(loss, half.dx(), wide.dx(), share);
        close(loss, half.dt(), wide.dt(), share);
        double mean = loss.of(x, t, Reduction.<Any>mean()).toDoubleArray()[0];
        double expected =
                loss.of(x.to(DType.F32), t.to(DType.F32), Reduction.<Any>mean()).toDoubleArray()[0];
        close(loss, new double[] {mean}, new double[] {expected}, share);
    }

    private static void close(Loss loss, double[] actual, double[] expected, double share) {
        for (int i = 0; i < expected.length; i++) {
            // Of float16 what is below 2^-14 has fewer digits.
            assertThat(actual[i])
                    .as("%s, %d", loss, i)
                    .isCloseTo(expected[i], within(Math.max(0x1.01p-25, Math.abs(expected[i]) * share)));
        }
    }

    /** Gradients of operands that broadcast are sums over what they were repeated for. */
    @DeviceTest
    void broadcastOperands(Device<?> device) {
        Scope.run(() -> broadcast(device, DType.F32, 1e-5));
        Scope.run(() -> broadcast(device, DType.F16, 1e-3));
    }

    private static <D extends Floating, Dev extends DeviceType> void broadcast(
            Device<Dev> device, D dtype, double tolerance) {
        Tensor<Any, D, Dev> x = device.uniform(Any.of(4, 1, 6), -3, 0, dtype, new Generator(1));
        Tensor<Any, D, Dev> t = device.uniform(Any.of(5, 1), 0.01, 1, dtype, new Generator(2));
        for (KlTarget form : KlTarget.values()) {
            Tensor<Any, D, Dev> left = x.detach().requireGrad();
            Tensor<Any, D, Dev> right = t.detach().requireGrad();
            Tensor<?, D, Dev> loss = F.klDiv(left, right, form, Reduction.<Any>mean());
            Gradients all = loss.sum().backward();
            double[] dx = new double[24];
            double[] dt = new double[5];
            double sum = 0;
            double[] a = x.toDoubleArray();
            double[] b = t.toDoubleArray();
            boolean log = form == KlTarget.LOG_PROBABILITIES;
            for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 5; j++) {
                    for (int k = 0; k < 6; k++) {
                        double v = a[6 * i + k];
                        double w = b[j];
                        sum += (log ? Loss.KL_LOG : Loss.KL).term(v, w) / 120;
                        dx[6 * i + k] -= (log ? Math.exp(w) : w) / 120;
                        dt[j] += (log ? Math.exp(w) * (w - v + 1) : Math.log(w) - v + 1) / 120;
                    }
                }
            }
            assertThat(loss.toDoubleArray()[0]).isCloseTo(sum, within(tolerance * 10));
            assertThat(all.get(left).toDoubleArray()).containsExactly(dx, within(tolerance));
            assertThat(all.get(right).toDoubleArray()).containsExactly(dt, within(tolerance * 10));
        }
    }

    /** The sum of nothing is 0, its mean NaN, and gradients are as empty as the operands. */
    @DeviceTest
    void emptyOperands(Device<?> device) {
        Scope.run(() -> empty(device, 0, 5));
        Scope.run(() -> empty(device, 5, 0));
    }

    private static <Dev extends DeviceType> void empty(Device<Dev> device, long rows, long columns) {
        Tensor<Any, F32, Dev> x =
                device.<Any, F32>zeros(Any.of(rows, columns), DType.F32).requireGrad();
        Tensor<Any, F32, Dev> t = device.zeros(Any.of(rows, columns), DType.F32);
        for (Loss loss : Loss.values()) {
            assertThat(loss.of(x, t, Reduction.<Any>none()).toFloatArray()).isEmpty();
            assertThat(loss.of(x, t, Reduction.<Any>sum()).toFloatArray()).containsExactly(0);
            Tensor<?, F32, Dev> mean = loss.of(x, t, Reduction.<Any>mean());
            assertThat(mean.toFloatArray()).containsExactly(Float.NaN);
            assertThat(mean.sum().backward().get(x).toFloatArray()).isEmpty();
        }
        assertThat(F.klDiv(x, t, KlTarget.PROBABILITIES, Reduction.<Any>batchMean())
                        .toFloatArray())
                .containsExactly(rows == 0 ? Float.NaN : 0);
    }

    /** What is no number, and limits. */
    @DeviceTest
    void specialNumbers(Device<?> device) {
        Scope.run(() -> specials(device));
    }

    private static <Dev extends DeviceType> void specials(Device<Dev> device) {
        float inf = Float.POSITIVE_INFINITY;
        Any shape = Any.of(6);
        Tensor<Any, F32, Dev> x = device.tensor(new float[] {Float.NaN, inf, -inf, 1, 1, 200}, shape);
        Tensor<Any, F32, Dev> t = device.tensor(new float[] {0.5f, 0.5f, 0.5f, Float.NaN, 1, 0}, shape);
        assertThat(F.mseLoss(x, t, Reduction.none()).toFloatArray())
                .containsExactly(Float.NaN, inf, inf, Float.NaN, 0, 40000);
        assertThat(F.huberLoss(x, t, 2, Reduction.none()).toFloatArray())
                .containsExactly(Float.NaN, inf, inf, Float.NaN, 0, 398);
        assertThat(F.smoothL1Loss(x, t, 2, Reduction.none()).toFloatArray())
                .containsExactly(Float.NaN, inf, inf, Float.NaN, 0, 199);
        assertThat(F.klDiv(x, t, KlTarget.PROBABILITIES, Reduction.none()).toFloatArray())
                .containsExactly(Float.NaN, -inf, inf, Float.NaN, -1, 0);
        Tensor<Any, F32, Dev> leaf = x.detach().requireGrad();
        assertThat(slopes(F.huberLoss(leaf, t, 2, Reduction.sum()), leaf))
                .containsExactly(Float.NaN, 2, -2, Float.NaN, 0, 2);
        assertThat(slopes(F.smoothL1Loss(leaf, t, 2, Reduction.sum()), leaf))
                .containsExactly(Float.NaN, 1, -1, Float.NaN, 0, 1);
        assertThat(slopes(F.l1Loss(leaf, t, Reduction.sum()), leaf)).containsExactly(Float.NaN, 1, -1, Float.NaN, 0, 1);
        // Logits far out: neither overflows nor loses what is left.
        Tensor<Any, F32, Dev> logits = device.tensor(new float[] {-200, 200, -20, 20, -inf, inf}, shape);
        Tensor<Any, F32, Dev> sure = device.tensor(new float[] {0, 1, 0, 1, 1, 0}, shape);
        float[] losses = F.binaryCrossEntropyWithLogits(logits, sure, BceOptions.defaults(), Reduction.none())
                .toFloatArray();
        assertThat(Arrays.copyOf(losses, 2)).containsExactly(0, 0);
        assertThat(losses[2]).isCloseTo(2.0611537e-9f, within(1e-15f));
        assertThat(losses[3]).isCloseTo(2.0611537e-9f, within(1e-15f));
        assertThat(losses[4]).isEqualTo(inf);
        assertThat(losses[5]).isEqualTo(inf);
    }

    private static <Dev extends DeviceType> float[] slopes(Tensor<?, F32, Dev> loss, Tensor<Any, F32, Dev> leaf) {
        return loss.sum().backward().get(leaf).toFloatArray();
    }

    /** Second derivatives, which are composed of other ops, are those of the first. */
    @DeviceTest
    void secondDerivatives(Device<?> device) {
        Scope.run(() -> second(device));
    }

    private static <Dev extends DeviceType> void second(Device<Dev> device) {
        Any shape = Any.of(3);
        Tensor<Any, F32, Dev> x =
                device.tensor(new float[] {-0.5f, 0.25f, 2}, shape).requireGrad();
        Tensor<Any, F32, Dev> t =
                device.tensor(new float[] {0.5f, 0.5f, 0.5f}, shape).requireGrad();
        Gradients first = F.mseLoss(x, t, Reduction.<Any>mean()).backward(KeepGraph.CREATE);
        Gradients more = first.get(x).mul(first.get(x)).sum().backward();
        // The square of 2 d / 3 has the slope 8 d / 9.
        assertThat(more.get(x).toFloatArray()).containsExactly(new float[] {-8f / 9, -2f / 9, 12f / 9}, within(1e-6f));
        // A beta that is no float32 is like 0, whose slope is the sign.
        for (KeepGraph graph : List.of(KeepGraph.RETAIN, KeepGraph.CREATE)) {
            Gradients tiny = F.smoothL1Loss(x, t, 1e-50, Reduction.<Any>sum()).backward(graph);
            assertThat(tiny.get(x).toFloatArray()).containsExactly(-1, -1, 1);
        }
        Gradients kl =
                F.klDiv(x, t, KlTarget.PROBABILITIES, Reduction.<Any>sum()).backward(KeepGraph.CREATE);
        assertThat(kl.get(t).sum().backward().get(t).toFloatArray())
                .containsExactly(new float[] {2, 2, 2}, within(1e-6f));
    }
}

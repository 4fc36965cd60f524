package org.tenon.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Floating;
import org.tenon.KeepGraph;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;

/**
 * Softmax on CUDA at every threshold of {@link SoftmaxForm} and one either side, against float64 on the host: rows that start
 * anywhere, with and without parts of -inf, alone and among others.
 */
class WarpSoftmaxTest {
    private static final int[] SHORT = {1, 8, 16, 32, 64, 128, 256, 512, 1024};
    private static final int[] LONG = {1025, 4096, 8192, 16384};

    private static void onlyCuda(Device<?> device) {
        Assumptions.assumeTrue(device.name().startsWith("cuda:"), "only CUDA has these forms");
    }

    @DeviceTest
    void everyThreshold(Device<?> device) {
        onlyCuda(device);
        Set<Integer> lengths = new TreeSet<>();
        for (int threshold : SHORT) {
            for (int length = Math.max(1, threshold - 1); length <= threshold + 1; length++) {
                lengths.add(length);
            }
        }
        for (int length : lengths) {
            compare(device, DType.F32, 5, length, 1e-5);
        }
        for (int threshold : LONG) {
            for (int length = threshold - 1; length <= threshold + 1; length++) {
                compare(device, DType.F32, 2, length, 1e-5);
            }
        }
        compare(device, DType.F32, 2, 50257, 1e-5);
    }

    @DeviceTest
    void otherTypes(Device<?> device) {
        onlyCuda(device);
        for (int length : new int[] {7, 100, 511, 513, 1500, 9001}) {
            compare(device, DType.F64, 3, length, 1e-12);
            compare(device, DType.F16, 3, length, 2e-3);
            compare(device, DType.BF16, 3, length, 2e-2);
        }
    }

    /** More than a cluster holds is read twice. */
    @DeviceTest
    void longerThanTheChip(Device<?> device) {
        onlyCuda(device);
        compare(device, DType.F64, 1, 8 * 29_000, 1e-12);
    }

    private static <Dev extends DeviceType, D extends Floating> void compare(
            Device<Dev> device, D dtype, int rows, int length, double tolerance) {
        Scope.run(() -> {
            R2<Dim, Dim> shape = R2.of(rows, length);
            Tensor<R2<Dim, Dim>, D, Dev> leaf =
                    device.tensor(logits(rows, length), shape).to(dtype).requireGrad();
            Tensor<R2<Dim, Dim>, D, Dev> slope = device.tensor(
                            new Random(2).doubles((long) rows * length, -1, 1).toArray(), shape)
                    .to(dtype);
            double[] x = leaf.to(DType.F64).toDoubleArray();
            double[] g = slope.to(DType.F64).toDoubleArray();
            Tensor<R2<Dim, Dim>, D, Dev> log = F.logSoftmax(leaf, -1);
            Tensor<R2<Dim, Dim>, D, Dev> share = F.softmax(leaf, -1);
            double[] y = log.to(DType.F64).toDoubleArray();
            double[] p = share.to(DType.F64).toDoubleArray();
            double[] dy = log.backward(slope, KeepGraph.RETAIN)
                    .get(leaf)
                    .to(DType.F64)
                    .toDoubleArray();
            double[] dp = share.backward(slope, KeepGraph.RETAIN)
                    .get(leaf)
                    .to(DType.F64)
                    .toDoubleArray();
            for (int r = 0; r < rows; r++) {
                row(x, g, y, p, dy, dp, r * length, length, tolerance);
            }
        });
    }

    private static void row(
            double[] x,
            double[] g,
            double[] y,
            double[] p,
            double[] dy,
            double[] dp,
            int from,
            int length,
            double tolerance) {
        double top = Double.NEGATIVE_INFINITY;
        double sum = 0;
        double total = 0;
        double size = 1;
        double dot = 0;
        for (int i = from; i < from + length; i++) {
            top = Math.max(top, x[i]);
        }
        for (int i = from; i < from + length; i++) {
            sum += Math.exp(x[i] - top);
        }
        for (int i = from; i < from + length; i++) {
            total += g[i];
            size += Math.abs(g[i]);
            dot += g[i] * Math.exp(x[i] - top) / sum;
        }
        for (int i = from; i < from + length; i++) {
            double log = x[i] - top - Math.log(sum);
            double share = Math.exp(log);
            near(y[i], log, tolerance * Math.max(1, Math.abs(log)), length, i - from);
            near(p[i], share, tolerance * Math.max(share, 1e-3), length, i - from);
            // The result that the backward works from is rounded to its type.
            double rounding = tolerance * share * size * Math.max(1, Math.abs(log));
            near(dy[i], g[i] - share * total, tolerance + (share == 0 ? 0 : rounding), length, i - from);
            near(dp[i], share * (g[i] - dot), tolerance, length, i - from);
        }
    }

    private static void near(double got, double wanted, double within, int length, int at) {
        boolean same = wanted == got || Math.abs(got - wanted) <= within;
        if (!same) {
            assertThat(got).as("element %d of a row of %d", at, length).isEqualTo(wanted);
        }
    }

    /** Some elements have no share at all. */
    private static double[] logits(int rows, int length) {
        Random random = new Random(length);
        double[] x = new double[rows * length];
        for (int i = 0; i < x.length; i++) {
            boolean none = length > 2 && i / length % 2 == 1 && i % length % 3 == 1;
            x[i] = none ? Double.NEGATIVE_INFINITY : 4 * random.nextGaussian();
        }
        return x;
    }

    /** A row of -inf, or with one +inf or NaN, is NaN, wherever it lies in which form; its neighbours are not. */
    @DeviceTest
    void rowsWithoutAResult(Device<?> device) {
        onlyCuda(device);
        for (int length : new int[] {5, 129, 1030, 17_001}) {
            for (double odd : new double[] {Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, Double.NaN}) {
                Scope.run(() -> odd(device, length, odd));
            }
        }
    }

    private static <Dev extends DeviceType> void odd(Device<Dev> device, int length, double odd) {
        double[] x = logits(3, length);
        for (int i = length; i < 2 * length; i++) {
            x[i] = odd == Double.NEGATIVE_INFINITY || i == 2 * length - 2 ? odd : 0;
        }
        R2<Dim, Dim> shape = R2.of(3, length);
        Tensor<R2<Dim, Dim>, F32, Dev> in = device.tensor(x, shape).to(DType.F32);
        for (float[] y : new float[][] {
            F.softmax(in, -1).toFloatArray(), F.logSoftmax(in, -1).toFloatArray()
        }) {
            for (int i = 0; i < y.length; i++) {
                assertThat(Float.isNaN(y[i]))
                        .as("element %d of rows of %d", i, length)
                        .isEqualTo(i / length == 1);
            }
        }
    }

    /** The same bits again, from another place in memory, and alone. */
    @DeviceTest
    void theSameBits(Device<?> device) {
        onlyCuda(device);
        for (int length : new int[] {10, 65, 1000, 1027, 5001, 20_003}) {
            Scope.run(() -> bits(device, length));
        }
    }

    private static <Dev extends DeviceType> void bits(Device<Dev> device, int length) {
        int rows = length > 2000 ? 3 : 6;
        R2<Dim, Dim> shape = R2.of(rows, length);
        Tensor<R2<Dim, Dim>, F32, Dev> x =
                device.tensor(logits(rows, length), shape).to(DType.F32);
        Tensor<R2<Dim, Dim>, F32, Dev> y = F.softmax(x, -1);
        assertThat(F.softmax(x, -1).toFloatArray()).isEqualTo(y.toFloatArray());
        for (int row : new int[] {0, 1, rows - 1}) {
            float[] wanted = y.slice(0, row, row + 1).toFloatArray();
            var slice = x.slice(0, row, row + 1);
            assertThat(F.softmax(slice, -1).toFloatArray()).as("where it lies").isEqualTo(wanted);
            assertThat(F.softmax(slice.contiguous(), -1).toFloatArray())
                    .as("at the start of its own memory")
                    .isEqualTo(wanted);
        }
    }

    /** Along the middle axis: against rows of the same numbers along the last. */
    @DeviceTest
    void alongAnotherAxis(Device<?> device) {
        onlyCuda(device);
        Scope.run(() -> {
            for (int inner : new int[] {2, 3, 8, 20, 33, 64, 300}) {
                for (int length : new int[] {1, 7, 16, 65, 700}) {
                    if (inner * length < 30_000) {
                        axis(device, DType.F32, inner, length, 1e-5);
                        axis(device, DType.BF16, inner, length, 1e-2);
                    }
                }
            }
            axis(device, DType.F64, 6, 40, 1e-12);
            // More than a tile of shared memory.
            axis(device, DType.F32, 8, 20_000, 1e-5);
        });
    }

    private static <Dev extends DeviceType, D extends Floating> void axis(
            Device<Dev> device, D dtype, int inner, int length, double tolerance) {
        Scope.run(() -> {
            R3<Dim, Dim, Dim> shape = R3.of(2, length, inner);
            double[] numbers =
                    new Random(inner).doubles(2L * length * inner, -4, 4).toArray();
            Tensor<R3<Dim, Dim, Dim>, D, Dev> x =
                    device.tensor(numbers, shape).to(dtype).requireGrad();
            Tensor<R3<Dim, Dim, Dim>, D, Dev> g = x.detach().mul(0.25);
            var across = F.logSoftmax(x, 1);
            var dx = across.backward(g).get(x);
            var turned = x.detach().transpose(1, 2).contiguous().requireGrad();
            var along = F.logSoftmax(turned, -1);
            var dturned = along.backward(g.transpose(1, 2).contiguous()).get(turned);
            close(
                    across.transpose(1, 2).to(DType.F64).toDoubleArray(),
                    along.to(DType.F64).toDoubleArray(),
                    tolerance);
            close(
                    dx.transpose(1, 2).to(DType.F64).toDoubleArray(),
                    dturned.to(DType.F64).toDoubleArray(),
                    tolerance);
        });
    }

    private static void close(double[] got, double[] wanted, double tolerance) {
        assertThat(got).hasSameSizeAs(wanted);
        for (int i = 0; i < got.length; i++) {
            near(got[i], wanted[i], 4 * tolerance * Math.max(1, Math.abs(wanted[i])), got.length, i);
        }
    }
}

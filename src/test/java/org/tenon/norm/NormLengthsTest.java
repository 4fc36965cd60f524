package org.tenon.norm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tenon.junit.TensorAssertions.assertClose;

import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Gradients;
import org.tenon.NormOptions;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;
import org.tenon.junit.Tolerance;

/**
 * Layer norm and RMS norm with their gradients, at every length where an implementation goes another way and one either side,
 * and with rows enough that sums over them are cut. What is expected is written out here, in double.
 */
@Tag("plain")
class NormLengthsTest {
    private static final double EPS = 1e-5;
    private static final int[] THRESHOLDS = {2, 8, 16, 64, 256, 1024, 2048, 2064, 3072, 4096, 8192, 12288, 16384};

    /** Rows, and which of weight and bias there are. */
    private record Problem(int rows, int length, boolean centred, boolean weight, boolean bias) {}

    @DeviceTest
    void everyLength(Device<?> device) {
        for (int threshold : THRESHOLDS) {
            for (int length = threshold - 1; length <= threshold + 1; length++) {
                int n = length;
                Scope.run(() -> check(device, new Problem(5, n, true, true, true)));
                Scope.run(() -> check(device, new Problem(5, n, false, true, false)));
            }
        }
    }

    @DeviceTest
    void withAndWithoutWeightAndBias(Device<?> device) {
        for (int length : new int[] {3, 40, 300}) {
            Scope.run(() -> check(device, new Problem(7, length, true, false, false)));
            Scope.run(() -> check(device, new Problem(7, length, true, false, true)));
            Scope.run(() -> check(device, new Problem(7, length, true, true, false)));
            Scope.run(() -> check(device, new Problem(7, length, false, false, false)));
        }
    }

    @DeviceTest
    void manyRows(Device<?> device) {
        for (int rows : new int[] {15, 16, 17, 33, 700}) {
            Scope.run(() -> check(device, new Problem(rows, 96, true, true, true)));
        }
    }

    private static <Dev extends DeviceType> void check(Device<Dev> device, Problem p) {
        Random random = new Random(p.rows + 31L * p.length);
        double[] x = numbers(random, p.rows * p.length, 2, 3);
        double[] g = numbers(random, p.rows * p.length, 1, 0);
        double[] weight = numbers(random, p.length, 1, 1);
        double[] bias = numbers(random, p.length, 1, 0);
        double[] y = new double[x.length];
        double[] dx = new double[x.length];
        double[] dweight = new double[p.length];
        double[] dbias = new double[p.length];
        for (int row = 0; row < p.rows; row++) {
            row(p, row * p.length, x, g, weight, bias, y, dx, dweight, dbias);
        }
        Tensor<R2<Dim, Dim>, F32, Dev> input =
                device.tensor(x, R2.of(p.rows, p.length)).to(DType.F32).requireGrad();
        Tensor<R2<Dim, Dim>, F32, Dev> slope =
                device.tensor(g, R2.of(p.rows, p.length)).to(DType.F32);
        Tensor<Any, F32, Dev> w =
                device.tensor(weight, R1.of(p.length)).to(DType.F32).any().requireGrad();
        Tensor<Any, F32, Dev> b =
                device.tensor(bias, R1.of(p.length)).to(DType.F32).any().requireGrad();
        NormOptions<F32, Dev> options = NormOptions.defaults();
        options = options.eps(EPS);
        options = p.weight ? options.weight(w) : options;
        options = p.bias ? options.bias(b) : options;
        Tensor<R2<Dim, Dim>, F32, Dev> result = p.centred
                ? F.layerNorm(input, new long[] {p.length}, options)
                : F.rmsNorm(input, new long[] {p.length}, options);
        assertClose(result, y);
        Gradients gradients = result.backward(slope);
        // Sums whose terms cancel: their errors are those of the terms.
        Tolerance loose = new Tolerance(1e-4, 2e-5);
        assertClose(
                gradients.get(input), device.tensor(dx, R2.of(p.rows, p.length)).to(DType.F32), loose);
        if (p.weight) {
            assertClose(
                    gradients.get(w),
                    device.tensor(dweight, R1.of(p.length)).to(DType.F32).any(),
                    loose);
        }
        if (p.bias) {
            assertClose(
                    gradients.get(b),
                    device.tensor(dbias, R1.of(p.length)).to(DType.F32).any(),
                    loose);
        }
    }

    private static double[] numbers(Random random, int n, double spread, double middle) {
        return random.doubles(n, middle - spread, middle + spread)
                .map(v -> (float) v)
                .toArray();
    }

    private static void row(
            Problem p,
            int at,
            double[] x,
            double[] g,
            double[] weight,
            double[] bias,
            double[] y,
            double[] dx,
            double[] dweight,
            double[] dbias) {
        int n = p.length;
        double mean = 0;
        for (int i = 0; p.centred && i < n; i++) {
            mean += x[at + i] / n;
        }
        double variance = 0;
        for (int i = 0; i < n; i++) {
            variance += (x[at + i] - mean) * (x[at + i] - mean) / n;
        }
        double scale = 1 / Math.sqrt(variance + EPS);
        double sum = 0;
        double product = 0;
        for (int i = 0; i < n; i++) {
            double h = (x[at + i] - mean) * scale;
            double d = g[at + i] * (p.weight ? weight[i] : 1);
            y[at + i] = h * (p.weight ? weight[i] : 1) + (p.bias ? bias[i] : 0);
            sum += p.centred ? d / n : 0;
            product += d * h / n;
            dweight[i] += g[at + i] * h;
            dbias[i] += g[at + i];
        }
        for (int i = 0; i < n; i++) {
            double h = (x[at + i] - mean) * scale;
            dx[at + i] = scale * (g[at + i] * (p.weight ? weight[i] : 1) - sum - h * product);
        }
    }

    /** What a row becomes does not depend on how many there are, nor on which thread takes it. */
    @DeviceTest
    void aRowIsTheSameAmongOthers(Device<?> device) {
        Scope.run(() -> alone(device));
    }

    private static <Dev extends DeviceType> void alone(Device<Dev> device) {
        NormOptions<F32, Dev> options = NormOptions.defaults();
        for (int length : new int[] {17, 100, 2064, 5000}) {
            long[] shape = {length};
            double[] numbers = numbers(new Random(length), 40 * length, 2, 1);
            Tensor<R2<Dim, Dim>, F32, Dev> x =
                    device.tensor(numbers, R2.of(40, length)).to(DType.F32);
            NormOptions<F32, Dev> weighted =
                    options.weight(x.slice(0, 0, 1).any().reshape(shape));
            Tensor<R2<Dim, Dim>, F32, Dev> all = F.layerNorm(x, shape, weighted);
            for (int row = 0; row < 40; row += 13) {
                var one = x.slice(0, row, row + 1).contiguous();
                assertThat(F.layerNorm(one, shape, weighted).toFloatArray())
                        .isEqualTo(all.slice(0, row, row + 1).toFloatArray());
            }
        }
    }
}

package org.tenon.reduce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tenon.junit.TensorAssertions.assertClose;

import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;
import org.tenon.junit.Tolerance;

/**
 * Reductions of rows at every length where an implementation goes another way, and one either side, of few rows and of many, with NaN at
 * the places that a loop may leave out.
 */
@Tag("plain")
class ReductionLengthsTest {
    private static final int[] THRESHOLDS = {4, 8, 16, 32, 64, 128, 256, 1024, 2048, 2064, 4096};

    @DeviceTest
    void everyLength(Device<?> device) {
        for (int threshold : THRESHOLDS) {
            for (int length = threshold - 1; length <= threshold + 1; length++) {
                int n = length;
                Scope.run(() -> check(device, 11, n));
            }
        }
    }

    @DeviceTest
    void fewLongRows(Device<?> device) {
        for (int length : new int[] {131_071, 131_072, 131_073, 262_143, 262_160}) {
            Scope.run(() -> check(device, 1, length));
            Scope.run(() -> check(device, 2, length));
        }
    }

    private static <Dev extends DeviceType> void check(Device<Dev> device, int rows, int length) {
        double[] x = new Random(31L * rows + length)
                .doubles((long) rows * length, -2, 3)
                .map(v -> (float) v)
                .toArray();
        // In the last of several rows: at its start, its end, or just before where a vector may begin.
        int[] places = {0, length - 1, length / 2, Math.max(0, length - 17)};
        if (rows > 1) {
            x[(rows - 1) * length + places[length % places.length]] = Double.NaN;
        }
        Tensor<R2<Dim, Dim>, F32, Dev> t = device.tensor(x, R2.of(rows, length)).to(DType.F32);
        double[] sums = each(rows, length, x, DoubleStream::sum);
        double[] means = each(rows, length, x, row -> row.sum() / length);
        assertClose(t.sum(R2.dim1()), expected(device, sums), new Tolerance(1e-5, 1e-6 * length));
        assertClose(F.mean(t, R2.dim1()), expected(device, means), new Tolerance(1e-5, 1e-6));
        // Of doubles that are floats: exact.
        assertThat(t.max(R2.dim1()).toFloatArray())
                .containsExactly(floats(each(rows, length, x, row -> row.max().orElseThrow())));
        assertThat(t.min(R2.dim1()).toFloatArray())
                .containsExactly(floats(each(rows, length, x, row -> row.min().orElseThrow())));
    }

    private static <Dev extends DeviceType> Tensor<R1<Dim>, F32, Dev> expected(Device<Dev> device, double[] x) {
        return device.tensor(x, R1.of(x.length)).to(DType.F32);
    }

    private interface Reduction {
        double of(DoubleStream row);
    }

    private static double[] each(int rows, int length, double[] x, Reduction reduction) {
        return IntStream.range(0, rows)
                .mapToDouble(row -> reduction.of(
                        DoubleStream.of(x).skip((long) row * length).limit(length)))
                .toArray();
    }

    private static float[] floats(double[] x) {
        float[] all = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            all[i] = (float) x[i];
        }
        return all;
    }
}

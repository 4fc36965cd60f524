package org.tenon.reduce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.tenon.junit.TensorAssertions.assertClose;

import java.util.Arrays;
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
import org.tenon.Generator;
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

    /** Sums that are all rounded to the same side are not added up for so long that it shows. */
    @DeviceTest
    void equalTerms(Device<?> device) {
        Scope.run(() -> equal(device));
    }

    private static <Dev extends DeviceType> void equal(Device<Dev> device) {
        int n = 1 << 20;
        Tensor<R1<Dim>, F32, Dev> x = device.full(R1.of(n), 0.1, DType.F32);
        assertThat(F.mean(x).item()).isCloseTo(0.1, within(1e-6));
        float[] columns = F.mean(x.reshape(R2.of(n / 16, 16)), R2.dim0()).toFloatArray();
        for (float mean : columns) {
            assertThat((double) mean).isCloseTo(0.1, within(1e-6));
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
        assertThat(t.argmax(R2.dim1()).toLongArray())
                .containsExactly(positions(each(rows, length, x, row -> first(row.toArray(), 1))));
        assertThat(t.argmin(R2.dim1()).toLongArray())
                .containsExactly(positions(each(rows, length, x, row -> first(row.toArray(), -1))));
        assertClose(
                F.logsumexp(t, R2.dim1()),
                expected(
                        device,
                        each(rows, length, x, row -> Math.log(row.map(Math::exp).sum()))),
                new Tolerance(1e-5, 1e-5));
    }

    /** Along the first axis: at every number of columns and of rows where an implementation goes another way, and one either side. */
    @DeviceTest
    void everyWidth(Device<?> device) {
        for (int width : new int[] {1, 3, 4, 15, 16, 17, 33, 1023, 1024, 1041}) {
            for (int length : new int[] {1, 2, 3, 4, 5, 63, 64, 65, 130}) {
                Scope.run(() -> checkColumns(device, length, width));
            }
        }
        for (int length : new int[] {2047, 2048, 2049, 4099}) {
            Scope.run(() -> checkColumns(device, length, 18));
        }
    }

    /** The same numbers have the same sums, bit for bit, wherever they lie. */
    @DeviceTest
    void placesChangeNoBit(Device<?> device) {
        for (int width : new int[] {3, 16, 17, 130}) {
            Scope.run(() -> places(device, 300, width));
        }
    }

    private static <Dev extends DeviceType> void places(Device<Dev> device, int length, int width) {
        Tensor<R1<Dim>, F32, Dev> run = device.randn(R1.of(length * width + 1), DType.F32, new Generator(width));
        Tensor<R2<Dim, Dim>, F32, Dev> there =
                run.narrow(0, 1, (long) length * width).view(R2.of(length, width));
        Tensor<R2<Dim, Dim>, F32, Dev> here = device.tensor(there.toFloatArray(), R2.of(length, width));
        for (int dim = 0; dim < 2; dim++) {
            assertThat(there.sum(dim).toFloatArray())
                    .containsExactly(here.sum(dim).toFloatArray());
            assertThat(F.logsumexp(there, dim).toFloatArray())
                    .containsExactly(F.logsumexp(here, dim).toFloatArray());
        }
    }

    private static <Dev extends DeviceType> void checkColumns(Device<Dev> device, int length, int width) {
        double[] x = new Random(31L * length + width)
                .doubles((long) length * width, -2, 3)
                .map(v -> (float) v)
                .toArray();
        // NaN early and late in one column, equals in the first, nothing finite in another.
        if (width > 2 && length > 2) {
            x[(length - 1) * width + width / 2] = Double.NaN;
            x[length / 2 * width + width / 2] = Double.NaN;
            x[width] = 7;
            x[(length - 1) * width] = 7;
            for (int i = 0; i < length; i++) {
                x[i * width + width - 1] = Double.NEGATIVE_INFINITY;
            }
        }
        double[] columns = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            columns[i % width * length + i / width] = x[i];
        }
        Tensor<R2<Dim, Dim>, F32, Dev> t =
                device.tensor(x, R2.of(length, width)).to(DType.F32);
        double[] sums = each(width, length, columns, DoubleStream::sum);
        assertClose(t.sum(R2.dim0()), expected(device, sums), new Tolerance(1e-5, 1e-6 * length));
        double[] means = each(width, length, columns, row -> row.sum() / length);
        assertClose(F.mean(t, R2.dim0()), expected(device, means), new Tolerance(1e-5, 1e-6));
        assertThat(t.max(R2.dim0()).toFloatArray())
                .containsExactly(
                        floats(each(width, length, columns, row -> row.max().orElseThrow())));
        assertThat(t.min(R2.dim0()).toFloatArray())
                .containsExactly(
                        floats(each(width, length, columns, row -> row.min().orElseThrow())));
        assertThat(t.argmax(R2.dim0()).toLongArray())
                .containsExactly(positions(each(width, length, columns, row -> first(row.toArray(), 1))));
        assertThat(t.argmin(R2.dim0()).toLongArray())
                .containsExactly(positions(each(width, length, columns, row -> first(row.toArray(), -1))));
    }

    /** The position of the first NaN, or else of the first of the largest {@code sign * x}. */
    private static int first(double[] x, int sign) {
        int at = 0;
        for (int i = 0; i < x.length; i++) {
            if (Double.isNaN(x[i])) {
                return i;
            }
            at = sign * x[i] > sign * x[at] ? i : at;
        }
        return at;
    }

    private static long[] positions(double[] x) {
        return DoubleStream.of(x).mapToLong(v -> (long) v).toArray();
    }

    private static <Dev extends DeviceType> Tensor<R1<Dim>, F32, Dev> expected(Device<Dev> device, double[] x) {
        return device.tensor(x, R1.of(x.length)).to(DType.F32);
    }

    private interface Reduction {
        double of(DoubleStream row);
    }

    private static double[] each(int rows, int length, double[] x, Reduction reduction) {
        return IntStream.range(0, rows)
                .mapToDouble(row -> reduction.of(Arrays.stream(x, row * length, (row + 1) * length)))
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

package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;

/** Softmax along an axis that is not the last, and what cross entropy takes of it, against sums in double. */
class FloatColumnsTest {
    private static final float[] SPECIAL = {
        Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 0f, -0f, -1e30f, 300f
    };
    private static final float UNTOUCHED = 1234.5f;

    private final FloatRows steps = new VectorLanes().rows();
    private final Random random = new Random(3);

    @Test
    void anyWidthAndLengthIsRight() {
        for (int inner : new int[] {16, 17, 31, 64, 129, 512, 527, 600, 1025}) {
            for (int length : new int[] {1, 2, 21, 64, 65, 200}) {
                check(new Rows(2, length, inner));
            }
        }
        check(new Rows(1, 3000, 150));
    }

    private void check(Rows rows) {
        int n = (int) (rows.count() * rows.len());
        try (Arena arena = Arena.ofShared()) {
            MemorySegment x = arena.allocate(n * 4L, 64);
            MemorySegment g = arena.allocate(n * 4L, 64);
            MemorySegment out = arena.allocate(n * 4L + 4, 64);
            MemorySegment dx = arena.allocate(n * 4L + 4, 64);
            for (int i = 0; i < n; i++) {
                boolean special = i % rows.inner() % 3 == 1 && random.nextInt(8) == 0;
                set(x, i, special ? SPECIAL[random.nextInt(SPECIAL.length)] : (float) random.nextGaussian() * 3);
                set(g, i, (float) random.nextGaussian());
            }
            for (SoftmaxKind kind : SoftmaxKind.values()) {
                set(out, n, UNTOUCHED);
                set(dx, n, UNTOUCHED);
                CpuSoftmax.columns(
                        rows, (outer, from, width) -> steps.columns().softmax(kind, x, out, rows, outer, from, width));
                CpuSoftmax.columns(
                        rows,
                        (outer, from, width) ->
                                steps.columns().softmaxGrad(kind, g, out, dx, rows, outer, from, width));
                assertThat(get(out, n)).isEqualTo(UNTOUCHED);
                assertThat(get(dx, n)).isEqualTo(UNTOUCHED);
                for (int column = 0; column < rows.count(); column++) {
                    forward(kind, x, out, rows, column);
                    backward(kind, g, out, dx, rows, column);
                }
            }
            shares(x, dx, rows);
        }
    }

    /** Of the sums and maxima that {@link FloatColumns#sums} finds, {@link FloatColumns#expTimes} makes softmax. */
    private void shares(MemorySegment x, MemorySegment out, Rows rows) {
        CpuSoftmax.columns(rows, (outer, from, width) -> {
            float[] tops = new float[width];
            double[] sums = new double[width];
            steps.columns().sums(x, rows, outer, from, width, tops, sums);
            float[] factors = new float[width];
            for (int i = 0; i < width; i++) {
                factors[i] = (float) (1 / sums[i]);
            }
            steps.columns().expTimes(x, out, rows, outer, from, width, tops, factors);
        });
        for (int column = 0; column < rows.count(); column++) {
            forward(SoftmaxKind.SOFTMAX, x, out, rows, column);
        }
    }

    private static int at(Rows rows, int column, int row) {
        return (int) ((column / rows.inner() * rows.len() + row) * rows.inner() + column % rows.inner());
    }

    private static void forward(SoftmaxKind kind, MemorySegment x, MemorySegment out, Rows rows, int column) {
        double top = Double.NEGATIVE_INFINITY;
        for (int row = 0; row < rows.len(); row++) {
            top = Math.max(top, get(x, at(rows, column, row)));
        }
        double sum = 0;
        for (int row = 0; row < rows.len(); row++) {
            sum += Math.exp(get(x, at(rows, column, row)) - top);
        }
        for (int row = 0; row < rows.len(); row++) {
            double shifted = get(x, at(rows, column, row)) - top;
            same(
                    kind == SoftmaxKind.LOG_SOFTMAX ? shifted - Math.log(sum) : Math.exp(shifted) / sum,
                    get(out, at(rows, column, row)));
        }
    }

    private static void backward(
            SoftmaxKind kind, MemorySegment g, MemorySegment y, MemorySegment dx, Rows rows, int column) {
        boolean log = kind == SoftmaxKind.LOG_SOFTMAX;
        double sum = 0;
        for (int row = 0; row < rows.len(); row++) {
            int at = at(rows, column, row);
            sum += get(g, at) * (log ? 1 : (double) get(y, at));
        }
        for (int row = 0; row < rows.len(); row++) {
            int at = at(rows, column, row);
            same(log ? get(g, at) - Math.exp(get(y, at)) * sum : (get(g, at) - sum) * get(y, at), get(dx, at));
        }
    }

    private static void same(double expected, float actual) {
        if (Double.isNaN(expected) || Double.isInfinite(expected)) {
            assertThat((Double) (double) actual).isEqualTo((Double) expected);
        } else {
            assertThat((double) actual).isCloseTo(expected, within(1e-5 * Math.max(1, Math.abs(expected))));
        }
    }

    private static float get(MemorySegment x, int at) {
        return x.getAtIndex(ValueLayout.JAVA_FLOAT, at);
    }

    private static void set(MemorySegment x, int at, float v) {
        x.setAtIndex(ValueLayout.JAVA_FLOAT, at, v);
    }
}

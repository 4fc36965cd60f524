package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tenon.spi.SoftmaxKind;

/** Rows of few elements, beside others that have NaN and infinities, against sums in double; what a row gives does not depend on the others. */
class FewElementsTest {
    private static final float[] SPECIAL = {
        Float.NaN,
        Float.intBitsToFloat(0xffc00001),
        Float.NEGATIVE_INFINITY,
        Float.POSITIVE_INFINITY,
        0f,
        -0f,
        -1e30f,
        300f
    };
    private static final int[] COUNTS = {1, 2, 63, 64, 65, 130};
    private static final int MOST = 130;
    private static final float UNTOUCHED = 1234.5f;

    private final FloatRows rows = new VectorLanes().rows();
    private final Random random = new Random(5);

    @Test
    void forwardAndGradientsAreRight() {
        int lengths = 0;
        for (int length = 1; length < 3 * rows.least(); length++) {
            if (rows.isNarrow(length)) {
                lengths++;
                for (int count : COUNTS) {
                    check(length, count);
                }
            }
        }
        assertThat(lengths).isGreaterThan(2 * rows.least() - 2);
    }

    private void check(int length, int count) {
        try (Arena arena = Arena.ofConfined()) {
            int n = count * length;
            MemorySegment x = floats(arena, n);
            MemorySegment g = floats(arena, n);
            MemorySegment out = floats(arena, n + 1);
            for (int i = 0; i < n; i++) {
                boolean special = i / length % 3 == 1 && random.nextInt(4) == 0;
                set(x, i, special ? SPECIAL[random.nextInt(SPECIAL.length)] : (float) random.nextGaussian() * 3);
                set(g, i, (float) random.nextGaussian());
            }
            for (SoftmaxKind kind : SoftmaxKind.values()) {
                set(out, n, UNTOUCHED);
                rows.narrow(length).softmax(kind, x, out, 0, count);
                assertThat(get(out, n)).isEqualTo(UNTOUCHED);
                for (int row = 0; row < count; row++) {
                    forward(kind, x, out, row * length, length);
                }
                alone(length, count, out, (to, row) -> rows.narrow(length).softmax(kind, x, to, row, row + 1));
                MemorySegment dx = floats(arena, n + 1);
                set(dx, n, UNTOUCHED);
                rows.narrow(length).softmaxGrad(kind, g, out, dx, 0, count);
                assertThat(get(dx, n)).isEqualTo(UNTOUCHED);
                for (int row = 0; row < count; row++) {
                    backward(kind, g, out, dx, row * length, length);
                }
                alone(length, count, dx, (to, row) -> rows.narrow(length).softmaxGrad(kind, g, out, to, row, row + 1));
            }
        }
    }

    /** An op on one row. */
    private interface OneRow {
        void run(MemorySegment to, int row);
    }

    /** The first, a middle and the last row have the same bits if they are computed alone. */
    private static void alone(int length, int count, MemorySegment all, OneRow op) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = floats(arena, count * length);
            for (int row : new int[] {0, count / 2, count - 1}) {
                op.run(to, row);
                for (int i = row * length; i < (row + 1) * length; i++) {
                    // Which of two NaN a sum keeps is not defined.
                    assertThat(Float.floatToIntBits(get(to, i)))
                            .as("row %d of %d, %d elements", row, count, length)
                            .isEqualTo(Float.floatToIntBits(get(all, i)));
                }
            }
        }
    }

    private static void forward(SoftmaxKind kind, MemorySegment x, MemorySegment out, int at, int length) {
        double top = Double.NEGATIVE_INFINITY;
        for (int i = at; i < at + length; i++) {
            top = Math.max(top, get(x, i));
        }
        double sum = 0;
        for (int i = at; i < at + length; i++) {
            sum += Math.exp(get(x, i) - top);
        }
        for (int i = at; i < at + length; i++) {
            double shifted = get(x, i) - top;
            same(kind == SoftmaxKind.LOG_SOFTMAX ? shifted - Math.log(sum) : Math.exp(shifted) / sum, get(out, i));
        }
    }

    private static void backward(
            SoftmaxKind kind, MemorySegment g, MemorySegment y, MemorySegment dx, int at, int length) {
        boolean log = kind == SoftmaxKind.LOG_SOFTMAX;
        double sum = 0;
        for (int i = at; i < at + length; i++) {
            sum += get(g, i) * (log ? 1 : (double) get(y, i));
        }
        for (int i = at; i < at + length; i++) {
            same(log ? get(g, i) - Math.exp(get(y, i)) * sum : (get(g, i) - sum) * get(y, i), get(dx, i));
        }
    }

    private static void same(double expected, float actual) {
        if (Double.isNaN(expected) || Double.isInfinite(expected)) {
            assertThat((Double) (double) actual).isEqualTo((Double) expected);
        } else {
            assertThat((double) actual).isCloseTo(expected, within(4e-6 * Math.max(1, Math.abs(expected))));
        }
    }

    private static MemorySegment floats(Arena arena, int n) {
        return arena.allocate((long) n * Float.BYTES, 64);
    }

    private static float get(MemorySegment x, int at) {
        return x.getAtIndex(ValueLayout.JAVA_FLOAT, at);
    }

    private static void set(MemorySegment x, int at, float v) {
        x.setAtIndex(ValueLayout.JAVA_FLOAT, at, v);
    }
}

package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The largest number of a row, which is sought among the bits of floats: of either sign, with infinities, zeros and NaNs anywhere. */
class RowMaximumTest {
    private static final float[] SPECIAL = {
        0f,
        -0f,
        Float.NaN,
        Float.intBitsToFloat(0xFFC00001),
        Float.intBitsToFloat(0x7F800001),
        Float.NEGATIVE_INFINITY,
        Float.POSITIVE_INFINITY,
        Float.MIN_VALUE,
        -Float.MIN_VALUE,
        -Float.MAX_VALUE
    };

    @Test
    void isTheLargestThatIsANumber() {
        FloatRows rows = new VectorLanes().rows();
        Random random = new Random(1);
        float[] found = new float[2];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocate(3 * 80 * Float.BYTES, 64);
            MemorySegment out = arena.allocate(3 * 80 * Float.BYTES, 64);
            for (int n = rows.least(); n < 80; n++) {
                for (int kind = 0; kind < 40; kind++) {
                    float expected = fill(x, 2 * n, n, kind, random);
                    assertThat(rows.max(x, 2 * n, n)).isEqualTo(expected);
                    rows.logSoftmaxStep(x, out, 0, n, 2 * n, n, 0, 0, 0, found);
                    assertThat(found[1]).isEqualTo(expected);
                    rows.softmaxStep(x, out, 0, n, 2 * n, n, 0, 1, found);
                    assertThat(found[1]).isEqualTo(expected);
                }
            }
        }
    }

    /** All negative, positive or of both signs, with more and more that is special; returns the largest number. */
    private static float fill(MemorySegment x, int at, int n, int kind, Random random) {
        float top = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < n; i++) {
            float v = random.nextFloat() * 100 - 50;
            v = kind % 4 == 0 ? -Math.abs(v) : kind % 4 == 1 ? Math.abs(v) : v;
            if (random.nextInt(40) < kind) {
                v = SPECIAL[random.nextInt(SPECIAL.length)];
            }
            x.setAtIndex(ValueLayout.JAVA_FLOAT, at + i, v);
            top = v > top ? v : top;
        }
        return top + 0f;
    }
}

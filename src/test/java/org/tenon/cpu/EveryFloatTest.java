package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/**
 * The errors of exponential and logarithm against double precision, in units in the last place of the float32 nearest to the right
 * result: of every 4001st float and those around the limits, or with {@code -Dtenon.test.exhaustive=true} of all.
 */
class EveryFloatTest {
    private static final boolean ALL = Boolean.getBoolean("tenon.test.exhaustive");
    private static final int BLOCK = 4096;
    private static final long FLOATS = 1L << 32;

    private static final float[] LIMITS = {
        0f,
        1f,
        88f,
        88.37626f,
        88.72284f,
        89f,
        -16f,
        -86f,
        -86.64339f,
        -87.3f,
        -87.33655f,
        -103.27893f,
        -103.97208f,
        -104f,
        0.70710677f,
        1.4142135f,
        Float.MIN_VALUE,
        Float.MIN_NORMAL,
        Float.MAX_VALUE,
        Float.POSITIVE_INFINITY
    };

    private interface Loop {
        void apply(float[] x, int n);
    }

    @Test
    void exponential() {
        check("exp", new VectorLanes()::exp, Math::exp, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 1.2);
    }

    @Test
    void plainExponential() {
        check("plain exp", new PlainLanes()::exp, Math::exp, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 1);
    }

    @Test
    void logarithm() {
        check("log", new VectorLanes()::log, Math::log, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 0.9);
    }

    @Test
    void plainLogarithm() {
        check("plain log", new PlainLanes()::log, Math::log, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 0.51);
    }

    @Test
    void termsOfASoftmax() {
        check("terms", EveryFloatTest::terms, Math::exp, -87.3f, 0, 5);
        check("large terms", EveryFloatTest::terms, Math::exp, -16, 0, 2.5);
        float[] beyond = {-87.4f, -1000f, Float.NEGATIVE_INFINITY, Float.NaN};
        float[] x = Arrays.copyOf(beyond, BLOCK);
        terms(x, BLOCK);
        assertThat(Arrays.copyOf(x, beyond.length)).containsExactly(0, 0, 0, Float.NaN);
    }

    private static void terms(float[] x, int n) {
        for (int i = 0; i < n; i += VectorMath.WIDTH) {
            VectorMath.expTerm(FloatVector.fromArray(VectorMath.SPECIES, x, i)).intoArray(x, i);
        }
    }

    private static void check(
            String name, Loop loop, DoubleUnaryOperator reference, float least, float most, double allowed) {
        long stride = ALL ? 1 : 4001;
        long blocks = (FLOATS / stride + BLOCK - 1) / BLOCK;
        Worst worst = IntStream.range(0, (int) blocks)
                .parallel()
                .mapToObj(block -> block(loop, reference, least, most, block * (long) BLOCK * stride, stride))
                .reduce(Worst.NONE, Worst::worse);
        for (float limit : LIMITS) {
            for (int sign : new int[] {0, Integer.MIN_VALUE}) {
                long middle = (Float.floatToRawIntBits(limit) ^ sign) & 0xFFFFFFFFL;
                long from = Math.max(0, middle - BLOCK / 2);
                worst = Worst.worse(worst, block(loop, reference, least, most, from, 1));
            }
        }
        System.out.printf("%s: worst error %.3f units, at %s%n", name, worst.error, worst.at);
        assertThat(worst.error).as("%s of %s", name, worst.at).isLessThanOrEqualTo(allowed);
    }

    private record Worst(double error, float at) {
        private static final Worst NONE = new Worst(0, 0);

        private static Worst worse(Worst a, Worst b) {
            return b.error > a.error ? b : a;
        }
    }

    private static Worst block(
            Loop loop, DoubleUnaryOperator reference, float least, float most, long from, long stride) {
        float[] x = new float[BLOCK];
        for (int i = 0; i < BLOCK; i++) {
            x[i] = Float.intBitsToFloat((int) (from + i * stride));
        }
        float[] y = x.clone();
        loop.apply(y, BLOCK);
        double error = 0;
        float at = 0;
        for (int i = 0; i < BLOCK; i++) {
            if (x[i] != x[i] || x[i] >= least && x[i] <= most) {
                double each = error(y[i], reference.applyAsDouble(x[i]));
                if (each > error) {
                    error = each;
                    at = x[i];
                }
            }
        }
        return new Worst(error, at);
    }

    /** Infinite where only one of the two is a finite number, or only one NaN. */
    private static double error(float actual, double expected) {
        float nearest = (float) expected;
        if (actual == nearest || actual != actual && nearest != nearest) {
            return actual == nearest && !Float.isInfinite(nearest) && nearest != 0
                    ? Math.abs(actual - expected) / Math.ulp(nearest)
                    : 0;
        }
        if (Float.isInfinite(actual) || Float.isInfinite(nearest) || actual != actual || nearest != nearest) {
            return Double.POSITIVE_INFINITY;
        }
        return Math.abs(actual - expected) / Math.ulp(nearest);
    }
}

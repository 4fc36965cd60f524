package org.tenon.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of a few vectors. The last vector of a row may reach into the next one: where a sum or a maximum is taken the bits of what is not the
 * row's are masked, and what is written there the next row overwrites.
 */
final class VectorShort extends VectorBatch {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final VectorSpecies<Integer> INTS = VectorMath.INTS;
    private static final int WIDTH = VectorMath.WIDTH;
    private static final int LEAST = Float.floatToRawIntBits(Float.NEGATIVE_INFINITY);

    /** The bits of each element of a row that count, all or none. */
    private final int[] kept;
    /** What takes the place of the others. */
    private final int[] least;

    VectorShort(int length) {
        super(length);
        kept = new int[length + WIDTH];
        least = new int[length + WIDTH];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = i < length ? -1 : 0;
            least[i] = i < length ? 0 : LEAST;
        }
    }

    @Override
    void keys(int count) {
        for (int row = 0; row < count; row++) {
            keys(values, row * length, length, kept, least, lanes, row * WIDTH);
        }
    }

    private static void keys(int[] x, int at, int length, int[] kept, int[] least, float[] to, int lane) {
        IntVector high = IntVector.broadcast(INTS, LEAST);
        IntVector low = high;
        for (int i = 0; i < length; i += WIDTH) {
            IntVector bits = IntVector.fromArray(INTS, x, at + i)
                    .and(IntVector.fromArray(INTS, kept, i))
                    .or(IntVector.fromArray(INTS, least, i));
            high = high.max(bits);
            low = low.min(bits);
        }
        high.blend(low.lanewise(VectorOperators.XOR, Integer.MAX_VALUE), high.compare(VectorOperators.LT, 0))
                .reinterpretAsFloats()
                .intoArray(to, lane);
    }

    @Override
    void powers(float[] top, int count) {
        powers(values, length, top, count, others);
    }

    private static void powers(int[] x, int length, float[] top, int count, int[] to) {
        for (int row = 0; row < count; row++) {
            float shift = top[row];
            int end = (row + 1) * length;
            for (int i = row * length; i < end; i += WIDTH) {
                store(VectorMath.expTerm(load(x, i).sub(shift)), to, i);
            }
        }
    }

    @Override
    void powerLanes(float[] top, int count) {
        powerLanes(values, length, top, count, kept, others, lanes);
    }

    private static void powerLanes(int[] x, int length, float[] top, int count, int[] kept, int[] to, float[] lanes) {
        for (int row = 0; row < count; row++) {
            float shift = top[row];
            int at = row * length;
            FloatVector sum = FloatVector.zero(SPECIES);
            for (int i = 0; i < length; i += WIDTH) {
                IntVector e = VectorMath.expTerm(load(x, at + i).sub(shift)).reinterpretAsInts();
                e.intoArray(to, at + i);
                sum = sum.add(e.and(IntVector.fromArray(INTS, kept, i)).reinterpretAsFloats());
            }
            sum.intoArray(lanes, row * WIDTH);
        }
    }

    @Override
    void lanes(int[] x, int count) {
        for (int row = 0; row < count; row++) {
            lanes(x, row * length, length, kept, lanes, row * WIDTH);
        }
    }

    private static void lanes(int[] x, int at, int length, int[] kept, float[] to, int lane) {
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int i = 0; i < length; i += WIDTH) {
            sum = sum.add(IntVector.fromArray(INTS, x, at + i)
                    .and(IntVector.fromArray(INTS, kept, i))
                    .reinterpretAsFloats());
        }
        sum.intoArray(to, lane);
    }

    @Override
    void subtract(float[] a, float[] b, int count) {
        subtract(values, length, a, b, count, results);
    }

    private static void subtract(int[] x, int length, float[] a, float[] b, int count, int[] to) {
        for (int row = 0; row < count; row++) {
            float first = a[row];
            float second = b[row];
            int end = (row + 1) * length;
            for (int i = row * length; i < end; i += WIDTH) {
                store(load(x, i).sub(first).sub(second), to, i);
            }
        }
    }

    @Override
    void multiply(float[] factors, int count) {
        multiply(others, length, factors, count, results);
    }

    private static void multiply(int[] x, int length, float[] factors, int count, int[] to) {
        for (int row = 0; row < count; row++) {
            float factor = factors[row];
            int end = (row + 1) * length;
            for (int i = row * length; i < end; i += WIDTH) {
                store(load(x, i).mul(factor), to, i);
            }
        }
    }

    @Override
    void logSoftmaxGrad(float[] sums, int count) {
        logSoftmaxGrad(values, others, length, sums, count, results);
    }

    private static void logSoftmaxGrad(int[] g, int[] y, int length, float[] sums, int count, int[] to) {
        for (int row = 0; row < count; row++) {
            float sum = sums[row];
            int end = (row + 1) * length;
            for (int i = row * length; i < end; i += WIDTH) {
                store(load(g, i).sub(VectorMath.expTerm(load(y, i)).mul(sum)), to, i);
            }
        }
    }

    @Override
    void softmaxGrad(float[] sums, int count) {
        softmaxGrad(values, others, length, sums, count, results);
    }

    private static void softmaxGrad(int[] g, int[] y, int length, float[] sums, int count, int[] to) {
        for (int row = 0; row < count; row++) {
            float sum = sums[row];
            int end = (row + 1) * length;
            for (int i = row * length; i < end; i += WIDTH) {
                store(load(g, i).sub(sum).mul(load(y, i)), to, i);
            }
        }
    }
}

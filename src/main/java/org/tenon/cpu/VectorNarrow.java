package org.tenon.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows that are shorter than a vector. For a sum a row is a vector with zeros after it; all else goes through the rows' elements as they lie, in
 * whole vectors, and what a row has of its own is repeated for each of its elements.
 */
final class VectorNarrow extends VectorBatch {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final VectorSpecies<Integer> INTS = VectorMath.INTS;
    private static final int WIDTH = VectorMath.WIDTH;

    private static final FloatVector ZERO = FloatVector.zero(SPECIES);
    private static final IntVector LEAST = IntVector.broadcast(INTS, VectorFold.key(Float.NEGATIVE_INFINITY));

    private final VectorMask<Float> within;
    private final float[] spread;
    private final float[] spreadToo;

    VectorNarrow(int length) {
        super(length);
        within = SPECIES.indexInRange(0, length);
        spread = new float[values.length];
        spreadToo = new float[values.length];
    }

    @Override
    void keys(int count) {
        VectorMask<Integer> mask = within.cast(INTS);
        for (int i = 0; i < count; i++) {
            IntVector bits = IntVector.fromArray(INTS, values, i * length);
            IntVector key = bits.lanewise(VectorOperators.ASHR, 31)
                    .lanewise(VectorOperators.LSHR, 1)
                    .lanewise(VectorOperators.XOR, bits);
            LEAST.blend(key, mask).reinterpretAsFloats().intoArray(lanes, i * WIDTH);
        }
    }

    @Override
    void lanes(int[] x, int count) {
        for (int i = 0; i < count; i++) {
            ZERO.blend(load(x, i * length), within).intoArray(lanes, i * WIDTH);
        }
    }

    /** Each value for all elements of its row; what a vector has too much the next one overwrites. */
    private void repeat(float[] each, int count, float[] to) {
        for (int i = 0; i < count; i++) {
            FloatVector.broadcast(SPECIES, each[i]).intoArray(to, i * length);
        }
    }

    @Override
    void powers(float[] top, int count) {
        repeat(top, count, spread);
        powers(values, spread, others, count * length);
    }

    private static void powers(int[] x, float[] less, int[] to, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            store(VectorMath.expTerm(load(x, i).sub(FloatVector.fromArray(SPECIES, less, i))), to, i);
        }
    }

    @Override
    void subtract(float[] a, float[] b, int count) {
        repeat(a, count, spread);
        repeat(b, count, spreadToo);
        subtract(values, spread, spreadToo, results, count * length);
    }

    private static void subtract(int[] x, float[] a, float[] b, int[] to, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(x, i).sub(FloatVector.fromArray(SPECIES, a, i));
            store(v.sub(FloatVector.fromArray(SPECIES, b, i)), to, i);
        }
    }

    @Override
    void multiply(float[] factors, int count) {
        repeat(factors, count, spread);
        multiply(others, spread, results, count * length);
    }

    private static void multiply(int[] x, float[] factors, int[] to, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            store(load(x, i).mul(FloatVector.fromArray(SPECIES, factors, i)), to, i);
        }
    }

    @Override
    void logSoftmaxGrad(float[] sums, int count) {
        repeat(sums, count, spread);
        logSoftmaxGrad(values, others, spread, results, count * length);
    }

    private static void logSoftmaxGrad(int[] g, int[] y, float[] sums, int[] to, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector share = VectorMath.expTerm(load(y, i)).mul(FloatVector.fromArray(SPECIES, sums, i));
            store(load(g, i).sub(share), to, i);
        }
    }

    @Override
    void softmaxGrad(float[] sums, int count) {
        repeat(sums, count, spread);
        softmaxGrad(values, others, spread, results, count * length);
    }

    private static void softmaxGrad(int[] g, int[] y, float[] sums, int[] to, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            store(load(g, i).sub(FloatVector.fromArray(SPECIES, sums, i)).mul(load(y, i)), to, i);
        }
    }
}

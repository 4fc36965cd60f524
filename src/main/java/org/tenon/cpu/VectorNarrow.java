package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.tenon.spi.SoftmaxKind;

/**
 * {@link NarrowRows} in the Vector API, on copies of some rows in arrays. For a sum or a maximum a row is a vector, with what changes neither
 * after it, and many are folded at once ({@link VectorFold}). All else goes through the rows' elements as they lie, whole vectors, and what a row has
 * of its own is repeated for each of its elements.
 */
final class VectorNarrow implements NarrowRows {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final VectorSpecies<Integer> INTS = VectorMath.INTS;
    private static final int WIDTH = VectorMath.WIDTH;
    private static final int ROWS = VectorFold.VECTORS;

    private static final FloatVector ZERO = FloatVector.zero(SPECIES);
    private static final IntVector INFINITY =
            IntVector.broadcast(INTS, Float.floatToRawIntBits(Float.POSITIVE_INFINITY));
    private static final IntVector MINUS_INFINITY = IntVector.broadcast(INTS, key(Float.NEGATIVE_INFINITY));

    private final int length;
    private final VectorMask<Float> within;
    private final float[] values;
    private final float[] others;
    private final float[] spread;
    private final float[] lanes = new float[ROWS * WIDTH];
    private final float[] tops = new float[ROWS];
    private final float[] totals = new float[ROWS];

    VectorNarrow(int length) {
        this.length = length;
        within = SPECIES.indexInRange(0, length);
        // The last vector of a row or of all of them may reach past them.
        values = new float[ROWS * length + WIDTH];
        others = new float[values.length];
        spread = new float[values.length];
    }

    @Override
    public int together() {
        return ROWS;
    }

    /** An integer in whose order floats are: of negative ones the other bits are turned over. */
    private static int key(float v) {
        int bits = Float.floatToRawIntBits(v);
        return bits ^ bits >> 31 >>> 1;
    }

    @Override
    public void softmax(SoftmaxKind kind, MemorySegment x, MemorySegment out, long from, long to) {
        for (long row = from; row < to; row += ROWS) {
            int count = (int) Math.min(ROWS, to - row);
            read(x, row, count, values);
            sums(count);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                logarithms(totals);
                repeat(totals, count, others);
                subtract(values, spread, others, count * length);
                write(values, out, row, count);
            } else {
                inverses(totals);
                repeat(totals, count, spread);
                multiply(others, spread, count * length);
                write(others, out, row, count);
            }
        }
    }

    @Override
    public void sums(MemorySegment x, long from, long to, float[] largest, float[] sums) {
        int count = (int) (to - from);
        read(x, from, count, values);
        sums(count);
        System.arraycopy(tops, 0, largest, 0, count);
        System.arraycopy(totals, 0, sums, 0, count);
    }

    @Override
    public void expTimes(MemorySegment x, MemorySegment out, long from, long to, float[] largest, float[] factors) {
        int count = (int) (to - from);
        read(x, from, count, values);
        repeat(largest, count, spread);
        powers(values, spread, others, count * length);
        repeat(factors, count, spread);
        multiply(others, spread, count * length);
        write(others, out, from, count);
    }

    @Override
    public void softmaxGrad(SoftmaxKind kind, MemorySegment g, MemorySegment y, MemorySegment dx, long from, long to) {
        for (long row = from; row < to; row += ROWS) {
            int count = (int) Math.min(ROWS, to - row);
            int n = count * length;
            read(g, row, count, values);
            read(y, row, count, others);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                rows(values, count);
                fold();
                repeat(totals, count, spread);
                logSoftmaxGrad(values, others, spread, n);
            } else {
                productRows(values, others, count);
                fold();
                repeat(totals, count, spread);
                softmaxGrad(values, others, spread, n);
            }
            write(values, dx, row, count);
        }
    }

    /** Of the values {@link #tops}, repeated in {@link #spread}, and {@link #totals}, the sums of the {@link #others}, the exponentials. */
    private void sums(int count) {
        keyRows(values, count);
        VectorFold.maxima(lanes);
        floats(lanes);
        inOrder(lanes, tops);
        repeat(tops, count, spread);
        powers(values, spread, others, count * length);
        rows(others, count);
        fold();
    }

    private void fold() {
        VectorFold.sums(lanes);
        inOrder(lanes, totals);
    }

    private static void inOrder(float[] folded, float[] to) {
        for (int i = 0; i < ROWS; i++) {
            to[i] = folded[VectorFold.index(i)];
        }
    }

    private void read(MemorySegment x, long row, int count, float[] to) {
        MemorySegment.copy(x, ValueLayout.JAVA_FLOAT, row * length * Float.BYTES, to, 0, count * length);
    }

    private void write(float[] from, MemorySegment out, long row, int count) {
        MemorySegment.copy(from, 0, out, ValueLayout.JAVA_FLOAT, row * length * Float.BYTES, count * length);
    }

    /** Rows as vectors, zeros after them. */
    private void rows(float[] x, int count) {
        for (int i = 0; i < count; i++) {
            ZERO.blend(FloatVector.fromArray(SPECIES, x, i * length), within).intoArray(lanes, i * WIDTH);
        }
    }

    private void productRows(float[] x, float[] y, int count) {
        for (int i = 0; i < count; i++) {
            FloatVector v = FloatVector.fromArray(SPECIES, x, i * length);
            ZERO.blend(v.mul(FloatVector.fromArray(SPECIES, y, i * length)), within)
                    .intoArray(lanes, i * WIDTH);
        }
    }

    private void keyRows(float[] x, int count) {
        VectorMask<Integer> mask = within.cast(INTS);
        for (int i = 0; i < count; i++) {
            IntVector bits = FloatVector.fromArray(SPECIES, x, i * length).reinterpretAsInts();
            IntVector key = bits.lanewise(VectorOperators.ASHR, 31)
                    .lanewise(VectorOperators.LSHR, 1)
                    .lanewise(VectorOperators.XOR, bits);
            MINUS_INFINITY.blend(key, mask).reinterpretAsFloats().intoArray(lanes, i * WIDTH);
        }
    }

    /**
     * The floats of the largest keys. Infinity where there is NaN: that shows in the sum. Zero of -inf: less it would be another NaN than one in the row, and which
     * of two a sum keeps depends on how it was compiled.
     */
    private static void floats(float[] keys) {
        for (int i = 0; i < ROWS; i += WIDTH) {
            IntVector key =
                    FloatVector.fromArray(SPECIES, keys, i).reinterpretAsInts().min(INFINITY);
            IntVector bits = key.lanewise(VectorOperators.ASHR, 31)
                    .lanewise(VectorOperators.LSHR, 1)
                    .lanewise(VectorOperators.XOR, key);
            bits.blend(0, key.compare(VectorOperators.LE, MINUS_INFINITY))
                    .reinterpretAsFloats()
                    .intoArray(keys, i);
        }
    }

    /** Each value for all elements of its row; what a vector has too much the next one overwrites. */
    private void repeat(float[] each, int count, float[] to) {
        for (int i = 0; i < count; i++) {
            FloatVector.broadcast(SPECIES, each[i]).intoArray(to, i * length);
        }
    }

    private static void powers(float[] x, float[] less, float[] to, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            VectorMath.expTerm(FloatVector.fromArray(SPECIES, x, i).sub(FloatVector.fromArray(SPECIES, less, i)))
                    .intoArray(to, i);
        }
    }

    private static void subtract(float[] x, float[] a, float[] b, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector.fromArray(SPECIES, x, i)
                    .sub(FloatVector.fromArray(SPECIES, a, i))
                    .sub(FloatVector.fromArray(SPECIES, b, i))
                    .intoArray(x, i);
        }
    }

    private static void multiply(float[] x, float[] factors, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector.fromArray(SPECIES, x, i)
                    .mul(FloatVector.fromArray(SPECIES, factors, i))
                    .intoArray(x, i);
        }
    }

    private static void logarithms(float[] x) {
        for (int i = 0; i < ROWS; i += WIDTH) {
            VectorMath.log(FloatVector.fromArray(SPECIES, x, i)).intoArray(x, i);
        }
    }

    private static void inverses(float[] x) {
        for (int i = 0; i < ROWS; i += WIDTH) {
            FloatVector.broadcast(SPECIES, 1f)
                    .div(FloatVector.fromArray(SPECIES, x, i))
                    .intoArray(x, i);
        }
    }

    private static void logSoftmaxGrad(float[] g, float[] y, float[] sums, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector share = VectorMath.expTerm(FloatVector.fromArray(SPECIES, y, i))
                    .mul(FloatVector.fromArray(SPECIES, sums, i));
            FloatVector.fromArray(SPECIES, g, i).sub(share).intoArray(g, i);
        }
    }

    private static void softmaxGrad(float[] g, float[] y, float[] sums, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector.fromArray(SPECIES, g, i)
                    .sub(FloatVector.fromArray(SPECIES, sums, i))
                    .mul(FloatVector.fromArray(SPECIES, y, i))
                    .intoArray(g, i);
        }
    }
}

package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import org.tenon.spi.SoftmaxKind;

/**
 * {@link NarrowRows} in the Vector API, on copies of some rows in arrays: loops over arrays compile to less than loops over memory, and passes of their own to less than
 * one that does all. For a sum or a maximum each row becomes one vector, and many of these are folded at once ({@link VectorFold}).
 *
 * <p>The arrays hold the bits of floats as integers. Constants in a loop are vectors, that is arrays of floats; where a loop writes floats the compiler thinks that these
 * may be meant, and reads each constant anew for each vector.
 */
abstract class VectorBatch implements NarrowRows {
    private static final int ROWS = VectorFold.VECTORS;
    private static final int WIDTH = VectorMath.WIDTH;

    /** The one a thread had last: a loop's rows are mostly of one length. */
    private static final ThreadLocal<VectorBatch> LAST = new ThreadLocal<>();

    final int length;
    /** What the rows are read into. The last vector of a row may reach past it, and past all of them. */
    final int[] values;

    final int[] others;
    final int[] results;
    final float[] lanes = new float[ROWS * WIDTH];
    private final float[] tops = new float[ROWS];
    private final float[] totals = new float[ROWS];

    VectorBatch(int length) {
        this.length = length;
        values = new int[ROWS * length + WIDTH];
        others = new int[values.length];
        results = new int[values.length];
    }

    /** One for rows of a length, shorter than a vector or a few vectors long; it belongs to this thread until the next call. */
    static VectorBatch of(int length) {
        VectorBatch last = LAST.get();
        if (last == null || last.length != length) {
            last = length < WIDTH ? new VectorNarrow(length) : new VectorShort(length);
            LAST.set(last);
        }
        return last;
    }

    static FloatVector load(int[] x, int at) {
        return IntVector.fromArray(VectorMath.INTS, x, at).reinterpretAsFloats();
    }

    static void store(FloatVector v, int[] x, int at) {
        v.reinterpretAsInts().intoArray(x, at);
    }

    /** {@link #lanes} get vectors of the {@link VectorFold#key keys} of {@link #values}, whose largest is that of the row. */
    abstract void keys(int count);

    /** {@link #others} get {@code e^(values - top)}. */
    abstract void powers(float[] top, int count);

    /** {@link #lanes} get vectors that add up to the rows of {@code x}. */
    abstract void lanes(int[] x, int count);

    /** {@link #results} get {@link #values} less {@code a}, less {@code b}. */
    abstract void subtract(float[] a, float[] b, int count);

    /** {@link #results} get {@link #others} times a factor. */
    abstract void multiply(float[] factors, int count);

    /** {@link #results} get {@code g - e^y * sum} of g, the {@link #values}, and y, the {@link #others}. */
    abstract void logSoftmaxGrad(float[] sums, int count);

    /** {@link #results} get {@code (g - sum) * y}. */
    abstract void softmaxGrad(float[] sums, int count);

    @Override
    public final int together() {
        return ROWS;
    }

    @Override
    public final void softmax(SoftmaxKind kind, MemorySegment x, MemorySegment out, long from, long to) {
        for (long row = from; row < to; row += ROWS) {
            int count = (int) Math.min(ROWS, to - row);
            read(x, row, count, values);
            sums(tops, totals, count);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                logarithms(totals);
                subtract(tops, totals, count);
            } else {
                inverses(totals);
                multiply(totals, count);
            }
            write(out, row, count);
        }
    }

    @Override
    public final void sums(MemorySegment x, long from, long to, float[] largest, float[] sums) {
        int count = (int) (to - from);
        read(x, from, count, values);
        sums(largest, sums, count);
    }

    private void sums(float[] largest, float[] sums, int count) {
        keys(count);
        VectorFold.maxima(lanes, largest);
        powerLanes(largest, count);
        VectorFold.sums(lanes, sums);
    }

    /** {@link #powers}, and {@link #lanes} get vectors that add up to them. */
    void powerLanes(float[] top, int count) {
        powers(top, count);
        lanes(others, count);
    }

    @Override
    public final void expTimes(MemorySegment x, MemorySegment out, long from, long to, float[] top, float[] factors) {
        int count = (int) (to - from);
        read(x, from, count, values);
        powers(top, count);
        multiply(factors, count);
        write(out, from, count);
    }

    @Override
    public final void softmaxGrad(
            SoftmaxKind kind, MemorySegment g, MemorySegment y, MemorySegment dx, long from, long to) {
        for (long row = from; row < to; row += ROWS) {
            int count = (int) Math.min(ROWS, to - row);
            read(g, row, count, values);
            read(y, row, count, others);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                lanes(values, count);
                VectorFold.sums(lanes, totals);
                logSoftmaxGrad(totals, count);
            } else {
                products(values, others, results, count * length);
                lanes(results, count);
                VectorFold.sums(lanes, totals);
                softmaxGrad(totals, count);
            }
            write(dx, row, count);
        }
    }

    private void read(MemorySegment x, long row, int count, int[] to) {
        MemorySegment.copy(x, ValueLayout.JAVA_INT, row * length * Integer.BYTES, to, 0, count * length);
    }

    private void write(MemorySegment out, long row, int count) {
        MemorySegment.copy(results, 0, out, ValueLayout.JAVA_INT, row * length * Integer.BYTES, count * length);
    }

    private static void products(int[] x, int[] y, int[] to, int n) {
        for (int i = 0; i < n; i += WIDTH) {
            store(load(x, i).mul(load(y, i)), to, i);
        }
    }

    private static void logarithms(float[] x) {
        for (int i = 0; i < ROWS; i += WIDTH) {
            VectorMath.log(FloatVector.fromArray(VectorMath.SPECIES, x, i)).intoArray(x, i);
        }
    }

    private static void inverses(float[] x) {
        for (int i = 0; i < ROWS; i += WIDTH) {
            FloatVector.broadcast(VectorMath.SPECIES, 1f)
                    .div(FloatVector.fromArray(VectorMath.SPECIES, x, i))
                    .intoArray(x, i);
        }
    }
}

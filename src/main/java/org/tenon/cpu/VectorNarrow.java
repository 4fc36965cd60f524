package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.tenon.spi.SoftmaxKind;

/**
 * {@link NarrowRows} in the Vector API. Maxima and sums are those of as many rows as a vector has lanes, a lane a row, from a transposed
 * copy. Results are written a row at a time: a vector that is stored past the end of its row meets the next one, which is
 * stored later; rows that end too close to what others write go through an array.
 */
final class VectorNarrow implements NarrowRows {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final int WIDTH = VectorMath.WIDTH;

    @Override
    public int together() {
        return WIDTH;
    }

    /** Where the rows from {@code from} on lie: those of a group, and of what follows as much as a vector may touch. */
    private static MemorySegment slice(MemorySegment x, int length, long from, long to) {
        long elements = Math.min((to - from) * length, (long) WIDTH * length + WIDTH);
        return x.asSlice(from * length * Float.BYTES, elements * Float.BYTES);
    }

    /** Of {@code count} rows so many as may be read and written as whole vectors of a slice. */
    private static int whole(MemorySegment slice, int length, int count) {
        int elements = (int) (slice.byteSize() / Float.BYTES);
        return Math.clamp(Math.floorDiv(elements - WIDTH, length) + 1, 0, count);
    }

    @Override
    public void softmax(SoftmaxKind kind, MemorySegment x, MemorySegment out, int length, long from, long to) {
        float[] turned = new float[WIDTH * WIDTH];
        float[] tops = new float[WIDTH];
        float[] sums = new float[WIDTH];
        for (long group = from; group < to; group += WIDTH) {
            int count = (int) Math.min(WIDTH, to - group);
            MemorySegment source = slice(x, length, group, to);
            MemorySegment target = slice(out, length, group, to);
            VectorTranspose.transpose(source, 0, length, count, length, turned, 0, WIDTH);
            sums(turned, length, tops, sums);
            int whole = whole(source, length, count);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                logarithms(sums);
                shift(source, target, length, whole, tops, sums);
                for (int i = whole; i < count; i++) {
                    for (int j = i * length; j < (i + 1) * length; j++) {
                        set(target, j, get(source, j) - tops[i] - sums[i]);
                    }
                }
            } else {
                inverses(sums);
                expTimes(source, target, length, whole, count, tops, sums);
            }
        }
    }

    @Override
    public void sums(MemorySegment x, int length, long from, long to, float[] tops, float[] sums) {
        float[] turned = new float[WIDTH * WIDTH];
        VectorTranspose.transpose(x, from * length, length, (int) (to - from), length, turned, 0, WIDTH);
        sums(turned, length, tops, sums);
    }

    private static void sums(float[] turned, int length, float[] tops, float[] sums) {
        FloatVector top = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < length; j++) {
            FloatVector v = FloatVector.fromArray(SPECIES, turned, j * WIDTH);
            top = top.blend(v, v.compare(VectorOperators.GT, top));
        }
        // Less minus infinity would be another NaN than one in the row, and which of two a sum keeps depends on how it
        // was compiled.
        top = top.blend(0f, top.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
        top.intoArray(tops, 0);
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int j = 0; j < length; j++) {
            sum = sum.add(VectorMath.expTerm(
                    FloatVector.fromArray(SPECIES, turned, j * WIDTH).sub(top)));
        }
        sum.intoArray(sums, 0);
    }

    private static void logarithms(float[] sums) {
        VectorMath.log(FloatVector.fromArray(SPECIES, sums, 0)).intoArray(sums, 0);
    }

    private static void inverses(float[] sums) {
        FloatVector.broadcast(SPECIES, 1f)
                .div(FloatVector.fromArray(SPECIES, sums, 0))
                .intoArray(sums, 0);
    }

    private static void shift(MemorySegment source, MemorySegment target, int length, int rows, float[] a, float[] b) {
        for (int i = 0; i < rows; i++) {
            store(load(source, i * length).sub(a[i]).sub(b[i]), target, i * length);
        }
    }

    @Override
    public void expTimes(
            MemorySegment x, MemorySegment out, int length, long from, long to, float[] tops, float[] factors) {
        MemorySegment source = slice(x, length, from, to);
        MemorySegment target = slice(out, length, from, to);
        int count = (int) (to - from);
        expTimes(source, target, length, whole(source, length, count), count, tops, factors);
    }

    private static void expTimes(
            MemorySegment source,
            MemorySegment target,
            int length,
            int whole,
            int count,
            float[] tops,
            float[] factors) {
        for (int i = 0; i < whole; i++) {
            store(VectorMath.expTerm(load(source, i * length).sub(tops[i])).mul(factors[i]), target, i * length);
        }
        float[] row = new float[WIDTH];
        for (int i = whole; i < count; i++) {
            copy(source, i * length, length, row);
            VectorMath.expTerm(FloatVector.fromArray(SPECIES, row, 0).sub(tops[i]))
                    .mul(factors[i])
                    .intoArray(row, 0);
            copy(row, target, i * length, length);
        }
    }

    private static void copy(MemorySegment from, int at, int length, float[] to) {
        MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, (long) at * Float.BYTES, to, 0, length);
    }

    private static void copy(float[] from, MemorySegment to, int at, int length) {
        MemorySegment.copy(from, 0, to, ValueLayout.JAVA_FLOAT, (long) at * Float.BYTES, length);
    }

    private static float get(MemorySegment x, int at) {
        return x.getAtIndex(ValueLayout.JAVA_FLOAT, at);
    }

    private static void set(MemorySegment x, int at, float value) {
        x.setAtIndex(ValueLayout.JAVA_FLOAT, at, value);
    }
}

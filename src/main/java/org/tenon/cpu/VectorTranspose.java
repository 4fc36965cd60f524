package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** A matrix turned over in squares of four, in vectors of 128 bits: what is written then lies together. */
final class VectorTranspose {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_128;
    private static final int SIDE = 4;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final VectorShuffle<Float> BY_1 = VectorShuffle.fromOp(SPECIES, i -> i ^ 1);
    private static final VectorShuffle<Float> BY_2 = VectorShuffle.fromOp(SPECIES, i -> i ^ 2);

    private VectorTranspose() {}

    /** {@code to[toAt + c * toStride + r] = x[at + r * stride + c]}. */
    static void transpose(
            MemorySegment x, long at, long stride, int rows, int columns, float[] to, int toAt, int toStride) {
        MemorySegment from = x.asSlice(at * Float.BYTES, ((rows - 1) * stride + columns) * Float.BYTES);
        int row = 0;
        for (; row <= rows - SIDE; row += SIDE) {
            squares(from, row * stride, stride, columns, to, toAt + row, toStride);
        }
        for (; row < rows; row++) {
            for (int c = 0; c < columns; c++) {
                to[toAt + row + c * toStride] = from.getAtIndex(ValueLayout.JAVA_FLOAT, row * stride + c);
            }
        }
    }

    /** Four rows. */
    private static void squares(
            MemorySegment from, long at, long stride, int columns, float[] to, int toAt, int toStride) {
        VectorMask<Float> odd = VectorMask.fromLong(SPECIES, 0b1010);
        VectorMask<Float> upper = VectorMask.fromLong(SPECIES, 0b1100);
        int c = 0;
        for (; c <= columns - SIDE; c += SIDE) {
            FloatVector v0 = load(from, at + c);
            FloatVector v1 = load(from, at + stride + c);
            FloatVector v2 = load(from, at + 2 * stride + c);
            FloatVector v3 = load(from, at + 3 * stride + c);
            FloatVector w0 = v0.blend(v1.rearrange(BY_1), odd);
            FloatVector w1 = v0.rearrange(BY_1).blend(v1, odd);
            FloatVector w2 = v2.blend(v3.rearrange(BY_1), odd);
            FloatVector w3 = v2.rearrange(BY_1).blend(v3, odd);
            int target = toAt + c * toStride;
            w0.blend(w2.rearrange(BY_2), upper).intoArray(to, target);
            w1.blend(w3.rearrange(BY_2), upper).intoArray(to, target + toStride);
            w0.rearrange(BY_2).blend(w2, upper).intoArray(to, target + 2 * toStride);
            w1.rearrange(BY_2).blend(w3, upper).intoArray(to, target + 3 * toStride);
        }
        for (; c < columns; c++) {
            for (int row = 0; row < SIDE; row++) {
                to[toAt + row + c * toStride] = from.getAtIndex(ValueLayout.JAVA_FLOAT, at + row * stride + c);
            }
        }
    }

    private static FloatVector load(MemorySegment x, long element) {
        return FloatVector.fromMemorySegment(SPECIES, x, element * Float.BYTES, ORDER);
    }
}

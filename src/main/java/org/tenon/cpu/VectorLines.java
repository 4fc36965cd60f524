package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** {@link FloatLines} in the Vector API. What is left of a line is added up one by one, in the same order and with the same rounding. */
final class VectorLines implements FloatLines {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final int WIDTH = VectorMath.WIDTH;

    @Override
    public int least() {
        return WIDTH;
    }

    @Override
    public void addRows(
            float[] factors,
            int at,
            MemorySegment matrix,
            long from,
            long stride,
            int n,
            MemorySegment out,
            long outAt) {
        int whole = n - n % WIDTH;
        if (whole > 0) {
            addVectors(factors, at, matrix, from, stride, whole, out, outAt);
        }
        for (int j = whole; j < n; j++) {
            float sum = out.getAtIndex(ValueLayout.JAVA_FLOAT, outAt + j);
            for (int i = 0; i < ROWS; i++) {
                sum = Math.fma(factors[at + i], matrix.getAtIndex(ValueLayout.JAVA_FLOAT, from + i * stride + j), sum);
            }
            out.setAtIndex(ValueLayout.JAVA_FLOAT, outAt + j, sum);
        }
    }

    private static void addVectors(
            float[] factors,
            int at,
            MemorySegment matrix,
            long from,
            long stride,
            int n,
            MemorySegment out,
            long outAt) {
        MemorySegment rows = matrix.asSlice(from * Float.BYTES, ((ROWS - 1) * stride + n) * Float.BYTES);
        MemorySegment sums = out.asSlice(outAt * Float.BYTES, (long) n * Float.BYTES);
        FloatVector f0 = FloatVector.broadcast(SPECIES, factors[at]);
        FloatVector f1 = FloatVector.broadcast(SPECIES, factors[at + 1]);
        FloatVector f2 = FloatVector.broadcast(SPECIES, factors[at + 2]);
        FloatVector f3 = FloatVector.broadcast(SPECIES, factors[at + 3]);
        FloatVector f4 = FloatVector.broadcast(SPECIES, factors[at + 4]);
        FloatVector f5 = FloatVector.broadcast(SPECIES, factors[at + 5]);
        FloatVector f6 = FloatVector.broadcast(SPECIES, factors[at + 6]);
        FloatVector f7 = FloatVector.broadcast(SPECIES, factors[at + 7]);
        for (int j = 0; j < n; j += WIDTH) {
            FloatVector sum = f0.fma(load(rows, j), load(sums, j));
            sum = f1.fma(load(rows, j + stride), sum);
            sum = f2.fma(load(rows, j + 2 * stride), sum);
            sum = f3.fma(load(rows, j + 3 * stride), sum);
            sum = f4.fma(load(rows, j + 4 * stride), sum);
            sum = f5.fma(load(rows, j + 5 * stride), sum);
            sum = f6.fma(load(rows, j + 6 * stride), sum);
            sum = f7.fma(load(rows, j + 7 * stride), sum);
            store(sum, sums, j);
        }
    }

    @Override
    public void addRow(float factor, MemorySegment matrix, long from, int n, MemorySegment out, long outAt) {
        MemorySegment row = matrix.asSlice(from * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment sums = out.asSlice(outAt * Float.BYTES, (long) n * Float.BYTES);
        FloatVector f = FloatVector.broadcast(SPECIES, factor);
        int j = 0;
        for (; j <= n - WIDTH; j += WIDTH) {
            store(f.fma(load(row, j), load(sums, j)), sums, j);
        }
        for (; j < n; j++) {
            float sum = sums.getAtIndex(ValueLayout.JAVA_FLOAT, j);
            sums.setAtIndex(
                    ValueLayout.JAVA_FLOAT, j, Math.fma(factor, row.getAtIndex(ValueLayout.JAVA_FLOAT, j), sum));
        }
    }

    @Override
    public float dot(float[] line, int at, MemorySegment matrix, long from, int n) {
        MemorySegment row = matrix.asSlice(from * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        FloatVector b = FloatVector.zero(SPECIES);
        FloatVector c = FloatVector.zero(SPECIES);
        FloatVector d = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - 4 * WIDTH; i += 4 * WIDTH) {
            a = FloatVector.fromArray(SPECIES, line, at + i).fma(load(row, i), a);
            b = FloatVector.fromArray(SPECIES, line, at + i + WIDTH).fma(load(row, i + WIDTH), b);
            c = FloatVector.fromArray(SPECIES, line, at + i + 2 * WIDTH).fma(load(row, i + 2L * WIDTH), c);
            d = FloatVector.fromArray(SPECIES, line, at + i + 3 * WIDTH).fma(load(row, i + 3L * WIDTH), d);
        }
        for (; i <= n - WIDTH; i += WIDTH) {
            a = FloatVector.fromArray(SPECIES, line, at + i).fma(load(row, i), a);
        }
        float sum = VectorMath.sum(a.add(b).add(c.add(d)));
        for (; i < n; i++) {
            sum = Math.fma(line[at + i], row.getAtIndex(ValueLayout.JAVA_FLOAT, i), sum);
        }
        return sum;
    }
}

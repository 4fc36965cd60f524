package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.Strided;

/**
 * Operands of a product as its innermost loop reads them. Parts are matrices of lanes (rows of the first operand, columns of
 * the second) by depth; memory is read along whichever axis is contiguous.
 */
final class MatMulPacking {
    /** The distance between packed rows; the sixteen keep them out of each other's cache sets. */
    static final int ROW = MatMulTile.DEPTH + 16;

    private MatMulPacking() {}

    /**
     * The lanes one after another from {@code at}, {@link #ROW} apart, and lanes of zeros up to a multiple of
     * {@link MatMulTile#ROWS}.
     */
    static void rows(Strided part, float[] to, int at, float[] line) {
        int lanes = (int) part.sizes()[0];
        int depth = (int) part.sizes()[1];
        if (depth == 0) {
            return;
        }
        if (isPlain(part, 1)) {
            MemorySegment memory = CpuBuffer.segment(part);
            for (int lane = 0; lane < lanes; lane++) {
                long from = part.offset() + lane * part.strides()[0];
                MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, from * Float.BYTES, to, at + lane * ROW, depth);
            }
        } else if (alongDepth(part)) {
            Reader reader = new Reader(part, 0);
            for (int lane = 0; lane < lanes; lane++) {
                reader.read(line, depth);
                System.arraycopy(line, 0, to, at + lane * ROW, depth);
            }
        } else if (isPlain(part, 0) && part.strides()[1] >= 0) {
            long stride = part.strides()[1];
            Lanes.CHOSEN.transpose(CpuBuffer.segment(part), part.offset(), stride, depth, lanes, to, at, ROW);
        } else {
            Lines lines = new Lines(part);
            for (int p = 0; p < depth; p++) {
                lines.read(p, line, lanes);
                scatter(line, lanes, to, at + p);
            }
        }
        for (int lane = lanes; lane % MatMulTile.ROWS != 0; lane++) {
            Arrays.fill(to, at + lane * ROW, at + lane * ROW + depth, 0);
        }
    }

    private static void scatter(float[] line, int lanes, float[] to, int at) {
        for (int lane = 0; lane < lanes; lane++) {
            to[at + lane * ROW] = line[lane];
        }
    }

    /** One panel of {@code unit} lanes: for every depth the elements of the lanes side by side, 0 where there is no lane. */
    static void columns(Strided part, int unit, float[] to, int at, float[] line) {
        int lanes = (int) part.sizes()[0];
        int depth = (int) part.sizes()[1];
        if (depth == 0) {
            return;
        }
        if (lanes < unit) {
            Arrays.fill(to, at, at + depth * unit, 0);
        }
        if (isPlain(part, 1) && part.strides()[0] >= 0) {
            long stride = part.strides()[0];
            Lanes.CHOSEN.transpose(CpuBuffer.segment(part), part.offset(), stride, lanes, depth, to, at, unit);
        } else if (alongDepth(part)) {
            Reader reader = new Reader(part, 0);
            for (int lane = 0; lane < lanes; lane++) {
                reader.read(line, depth);
                for (int p = 0; p < depth; p++) {
                    to[at + lane + p * unit] = line[p];
                }
            }
        } else if (isPlain(part, 0) && lanes == unit) {
            Lanes.CHOSEN.copyLines(CpuBuffer.segment(part), part.offset(), part.strides()[1], depth, to, at);
        } else {
            Lines lines = new Lines(part);
            for (int p = 0; p < depth; p++) {
                lines.read(p, line, lanes);
                System.arraycopy(line, 0, to, at + p * unit, lanes);
            }
        }
    }

    /** Whether elements along an axis are floats side by side. */
    private static boolean isPlain(Strided part, int axis) {
        return part.dtype() == DType.F32 && part.strides()[axis] == 1;
    }

    private static boolean alongDepth(Strided part) {
        return Math.abs(part.strides()[1]) <= Math.abs(part.strides()[0]);
    }

    /** The lanes at one depth. */
    private static final class Lines {
        private final Strided part;
        private final MemorySegment memory;
        private final Reader reader;

        Lines(Strided part) {
            this.part = part;
            memory = isPlain(part, 0) ? CpuBuffer.segment(part) : null;
            reader = memory != null
                    ? null
                    : new Reader(
                            new Strided(
                                    part.buffer(),
                                    part.dtype(),
                                    part.offset(),
                                    new long[] {part.sizes()[1], part.sizes()[0]},
                                    new long[] {part.strides()[1], part.strides()[0]}),
                            0);
        }

        /** Depths are asked for in order. */
        void read(int p, float[] to, int lanes) {
            if (memory != null) {
                long from = part.offset() + p * part.strides()[1];
                MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, from * Float.BYTES, to, 0, lanes);
            } else {
                reader.read(to, lanes);
            }
        }
    }
}

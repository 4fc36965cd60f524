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
    /** The size of a panel of {@link MatMulTile#ROWS} rows; the sixteen keep panels out of each other's cache sets. */
    static final int PANEL = MatMulTile.ROWS * MatMulTile.DEPTH + 16;

    private MatMulPacking() {}

    /**
     * Panels of {@link MatMulTile#ROWS} lanes, {@link #PANEL} apart: for every depth the elements of the panel's lanes side by
     * side, 0 where there is no lane.
     */
    static void rows(Strided part, float[] to, float[] line) {
        int lanes = (int) part.sizes()[0];
        int depth = (int) part.sizes()[1];
        int rest = lanes % MatMulTile.ROWS;
        if (rest != 0) {
            int last = lanes / MatMulTile.ROWS * PANEL;
            Arrays.fill(to, last, last + depth * MatMulTile.ROWS, 0);
        }
        if (isPlain(part, 1)) {
            MemorySegment memory = CpuBuffer.segment(part);
            for (int lane = 0; lane < lanes; lane++) {
                long from = part.offset() + lane * part.strides()[0];
                int at = lane / MatMulTile.ROWS * PANEL + lane % MatMulTile.ROWS;
                for (int p = 0; p < depth; p++) {
                    to[at + p * MatMulTile.ROWS] = memory.getAtIndex(ValueLayout.JAVA_FLOAT, from + p);
                }
            }
        } else if (alongDepth(part)) {
            Reader reader = new Reader(part, 0);
            for (int lane = 0; lane < lanes; lane++) {
                reader.read(line, depth);
                int at = lane / MatMulTile.ROWS * PANEL + lane % MatMulTile.ROWS;
                for (int p = 0; p < depth; p++) {
                    to[at + p * MatMulTile.ROWS] = line[p];
                }
            }
        } else {
            Lines lines = new Lines(part);
            for (int p = 0; p < depth; p++) {
                lines.read(p, line, lanes);
                int at = p * MatMulTile.ROWS;
                int lane = 0;
                for (; lane <= lanes - MatMulTile.ROWS; lane += MatMulTile.ROWS) {
                    six(line, lane, to, at);
                    at += PANEL;
                }
                for (int i = lane; i < lanes; i++) {
                    to[at + i - lane] = line[i];
                }
            }
        }
    }

    private static void six(float[] line, int lane, float[] to, int at) {
        to[at] = line[lane];
        to[at + 1] = line[lane + 1];
        to[at + 2] = line[lane + 2];
        to[at + 3] = line[lane + 3];
        to[at + 4] = line[lane + 4];
        to[at + 5] = line[lane + 5];
    }

    /** One panel of {@code unit} lanes: for every depth the elements of the lanes side by side, 0 where there is no lane. */
    static void columns(Strided part, int unit, float[] to, int at, float[] line) {
        int lanes = (int) part.sizes()[0];
        int depth = (int) part.sizes()[1];
        if (lanes < unit) {
            Arrays.fill(to, at, at + depth * unit, 0);
        }
        if (isPlain(part, 1)) {
            MemorySegment memory = CpuBuffer.segment(part);
            for (int lane = 0; lane < lanes; lane++) {
                spread(memory, part.offset() + lane * part.strides()[0], depth, to, at + lane, unit);
            }
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

    private static void spread(MemorySegment from, long at, int depth, float[] to, int toAt, int unit) {
        for (int p = 0; p < depth; p++) {
            to[toAt + p * unit] = from.getAtIndex(ValueLayout.JAVA_FLOAT, at + p);
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

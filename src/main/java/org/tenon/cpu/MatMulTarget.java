package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.spi.Strided;

/**
 * Where a product is added up, in float32: elements of a row lie side by side. {@code beside} says that it is not the result
 * itself but memory for one part of it.
 */
record MatMulTarget(MemorySegment memory, long offset, long matrixStride, long rowStride, boolean beside) {
    static MatMulTarget of(Strided out) {
        return new MatMulTarget(CpuBuffer.segment(out), out.offset(), out.strides()[0], out.strides()[1], false);
    }

    /** The target of the part that begins there. */
    MatMulTarget at(long matrix, long row, long column) {
        return beside ? this : new MatMulTarget(memory, position(matrix, row) + column, matrixStride, rowStride, false);
    }

    /** The position of a row's first element. */
    long position(long matrix, long row) {
        return offset + matrix * matrixStride + row * rowStride;
    }

    /**
     * One tile of the product of packed rows and a panel, brought to {@code position}: of {@link MatMulTile#ROWS} by
     * {@link Lanes#columns} as many rows and columns as there are.
     */
    void multiply(
            int depth,
            float[] a,
            int aAt,
            float[] b,
            int bAt,
            float[] tile,
            int rows,
            int columns,
            long position,
            boolean adds) {
        Lanes.CHOSEN.multiply(depth, a, aAt, b, bAt, tile);
        if (columns < Lanes.CHOSEN.columns()) {
            edge(tile, rows, columns, position, adds);
        } else if (adds) {
            Lanes.CHOSEN.addTile(tile, rows, memory, position, rowStride);
        } else {
            Lanes.CHOSEN.storeTile(tile, rows, memory, position, rowStride);
        }
    }

    private void edge(float[] tile, int rows, int columns, long position, boolean adds) {
        int unit = Lanes.CHOSEN.columns();
        for (int r = 0; r < rows; r++) {
            long to = position + r * rowStride;
            for (int c = 0; adds && c < columns; c++) {
                tile[r * unit + c] += memory.getAtIndex(ValueLayout.JAVA_FLOAT, to + c);
            }
            MemorySegment.copy(tile, r * unit, memory, ValueLayout.JAVA_FLOAT, to * Float.BYTES, columns);
        }
    }
}

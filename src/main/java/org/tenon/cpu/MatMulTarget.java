package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
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
}

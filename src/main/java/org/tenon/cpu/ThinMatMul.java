package org.tenon.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.DType;
import org.tenon.spi.Strided;

/**
 * Products with a few rows or a few columns: to pack the other operand would take longer than to read it once where it lies. The few
 * are called lines, and a product with few columns is its transpose with few rows. Each element adds up its products in one order,
 * which depends on how the matrix lies and on the length of a line.
 */
final class ThinMatMul {
    /** More lines than these are packed. */
    private static final int LINES = 5;

    /** Columns of the matrix that are worked on at once: eight rows of them stay in the first cache. */
    private static final int COLUMNS = 512;

    private static final FloatLines LOOPS = Lanes.CHOSEN.lines();

    private ThinMatMul() {}

    /** Whether it did it. */
    static boolean matmul(Strided x, Strided y, Strided out) {
        if (LOOPS == null || out.dtype() != DType.F32) {
            return false;
        }
        return multiply(x, y, out) || multiply(transposed(y), transposed(x), transposed(out));
    }

    private static Strided transposed(Strided x) {
        long[] sizes = x.sizes();
        long[] strides = x.strides();
        return new Strided(x.buffer(), x.dtype(), x.offset(), new long[] {sizes[0], sizes[2], sizes[1]}, new long[] {
            strides[0], strides[2], strides[1]
        });
    }

    private static boolean multiply(Strided lines, Strided matrix, Strided out) {
        long count = out.sizes()[1];
        long columns = out.sizes()[2];
        long depth = matrix.sizes()[1];
        if (count > LINES || matrix.dtype() != DType.F32 || depth == 0 || count * depth > Integer.MAX_VALUE / 2) {
            return false;
        }
        boolean alongRows = matrix.strides()[2] == 1 && columns >= LOOPS.least();
        boolean alongDepth = matrix.strides()[1] == 1 && depth >= LOOPS.least();
        if (!alongRows && !alongDepth) {
            return false;
        }
        long blocks = (columns + COLUMNS - 1) / COLUMNS;
        long pieces = alongRows ? blocks : columns;
        long work = count * depth * (alongRows ? COLUMNS : 1) / 16;
        Parallel.items(out.sizes()[0] * pieces, work, (from, to) -> {
            float[] factors = new float[(int) (count * depth)];
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment sums = out.strides()[2] == 1 ? null : arena.allocate(count * COLUMNS * Float.BYTES, 64);
                for (long at = from; at < to; ) {
                    long batch = at / pieces;
                    long end = Math.min(to, (batch + 1) * pieces);
                    read(lines, batch, factors);
                    if (alongRows) {
                        rows(
                                factors,
                                matrix,
                                out,
                                batch,
                                (at - batch * pieces) * COLUMNS,
                                Math.min(columns, (end - batch * pieces) * COLUMNS),
                                sums);
                    } else {
                        dots(factors, matrix, out, batch, at - batch * pieces, end - batch * pieces);
                    }
                    at = end;
                }
            }
        });
        return true;
    }

    private static void read(Strided lines, long batch, float[] to) {
        long[] sizes = lines.sizes();
        long[] strides = lines.strides();
        Strided matrix = new Strided(
                lines.buffer(),
                lines.dtype(),
                lines.offset() + batch * strides[0],
                new long[] {sizes[1], sizes[2]},
                new long[] {strides[1], strides[2]});
        new Reader(matrix, 0).read(to, to.length);
    }

    /** Columns {@code from} to {@code to}, a block of them at a time; {@code beside} is where sums are when results lie apart. */
    private static void rows(
            float[] factors, Strided matrix, Strided out, long batch, long from, long to, MemorySegment beside) {
        MemorySegment memory = CpuBuffer.segment(matrix);
        MemorySegment results = CpuBuffer.segment(out);
        int count = (int) out.sizes()[1];
        int depth = (int) matrix.sizes()[1];
        long stride = matrix.strides()[1];
        for (long column = from; column < to; column += COLUMNS) {
            int n = (int) Math.min(COLUMNS, to - column);
            long first = matrix.offset() + batch * matrix.strides()[0] + column;
            MemorySegment sums = beside == null ? results : beside;
            long sumsAt = beside == null ? position(out, batch, 0, column) : 0;
            long sumsStride = beside == null ? out.strides()[1] : COLUMNS;
            for (int line = 0; line < count; line++) {
                sums.asSlice((sumsAt + line * sumsStride) * Float.BYTES, (long) n * Float.BYTES)
                        .fill((byte) 0);
            }
            int p = 0;
            for (; p <= depth - FloatLines.ROWS; p += FloatLines.ROWS) {
                for (int line = 0; line < count; line++) {
                    int at = line * depth + p;
                    LOOPS.addRows(factors, at, memory, first + p * stride, stride, n, sums, sumsAt + line * sumsStride);
                }
            }
            for (; p < depth; p++) {
                for (int line = 0; line < count; line++) {
                    float factor = factors[line * depth + p];
                    LOOPS.addRow(factor, memory, first + p * stride, n, sums, sumsAt + line * sumsStride);
                }
            }
            for (int line = 0; beside != null && line < count; line++) {
                scatter(beside, line * COLUMNS, n, results, position(out, batch, line, column), out.strides()[2]);
            }
        }
    }

    private static void scatter(MemorySegment from, int at, int n, MemorySegment to, long toAt, long stride) {
        for (int j = 0; j < n; j++) {
            to.setAtIndex(ValueLayout.JAVA_FLOAT, toAt + j * stride, from.getAtIndex(ValueLayout.JAVA_FLOAT, at + j));
        }
    }

    private static void dots(float[] factors, Strided matrix, Strided out, long batch, long from, long to) {
        MemorySegment memory = CpuBuffer.segment(matrix);
        MemorySegment results = CpuBuffer.segment(out);
        int depth = (int) matrix.sizes()[1];
        for (long column = from; column < to; column++) {
            long first = matrix.offset() + batch * matrix.strides()[0] + column * matrix.strides()[2];
            for (int line = 0; line < out.sizes()[1]; line++) {
                float sum = LOOPS.dot(factors, line * depth, memory, first, depth);
                results.setAtIndex(ValueLayout.JAVA_FLOAT, position(out, batch, line, column), sum);
            }
        }
    }

    private static long position(Strided out, long batch, long line, long column) {
        return out.offset() + batch * out.strides()[0] + line * out.strides()[1] + column * out.strides()[2];
    }
}

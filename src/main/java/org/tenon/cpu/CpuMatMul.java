package org.tenon.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tenon.DType;
import org.tenon.spi.Strided;

/**
 * Matrix products, cut into parts whose packed second operand fits memory kept for it. A float32 result is added up where it lies,
 * one of half type in float32 beside it.
 */
final class CpuMatMul {
    private CpuMatMul() {}

    static void matmul(Strided x, Strided y, Strided out) {
        if (out.count() == 0) {
            return;
        }
        if (out.dtype() == DType.F64) {
            DoubleMatMul.matmul(x, y, out);
        } else if (ThinMatMul.matmul(x, y, out)) {
            return;
        } else if (out.dtype() == DType.F32 && out.strides()[2] == 1) {
            parts(x, y, out, out.sizes()[1], MatMulTarget.of(out));
        } else {
            long rows = Math.min(out.sizes()[1], MatMulTile.WIDENED_ROWS);
            try (Arena arena = Arena.ofShared()) {
                MemorySegment sums = arena.allocate(rows * columns(out) * Float.BYTES, 64);
                parts(x, y, out, rows, new MatMulTarget(sums, 0, 0, columns(out), true));
            }
        }
    }

    /** How many columns a part has, all if these are few. */
    private static int columns(Strided out) {
        int unit = Lanes.CHOSEN.columns();
        return (int) Math.min(MatMulTile.COLUMNS, (out.sizes()[2] + unit - 1) / unit * unit);
    }

    private static void parts(Strided x, Strided y, Strided out, long rows, MatMulTarget target) {
        long batch = out.sizes()[0];
        long inner = x.sizes()[2];
        int columns = columns(out);
        long depth = MatMulTile.PACKED / columns / MatMulTile.DEPTH * MatMulTile.DEPTH;
        boolean whole = columns >= out.sizes()[2] && depth >= inner && !target.beside();
        long batches = whole ? Math.clamp(MatMulTile.PACKED / Math.max(1, columns * inner), 1, batch) : 1;
        for (long b = 0; b < batch; b += batches) {
            for (long j = 0; j < out.sizes()[2]; j += columns) {
                for (long i = 0; i < out.sizes()[1]; i += rows) {
                    for (long p = 0; p == 0 || p < inner; p += depth) {
                        Strided left = narrow(narrow(narrow(x, 0, b, batches), 1, i, rows), 2, p, depth);
                        Strided right = narrow(narrow(narrow(y, 0, b, batches), 2, j, columns), 1, p, depth);
                        Strided result = narrow(narrow(narrow(out, 0, b, batches), 1, i, rows), 2, j, columns);
                        MatMulPart part = new MatMulPart(left, right, result, target.at(b, i, j), p > 0);
                        part.run(part.way());
                        if (target.beside() && p + depth >= inner) {
                            part.write();
                        }
                    }
                }
            }
        }
    }

    /** At most {@code length} indices of an axis, from {@code from}. */
    static Strided narrow(Strided operand, int axis, long from, long length) {
        long[] sizes = operand.sizes().clone();
        sizes[axis] = Math.min(length, sizes[axis] - from);
        return new Strided(
                operand.buffer(),
                operand.dtype(),
                operand.offset() + from * operand.strides()[axis],
                sizes,
                operand.strides());
    }
}

package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.DType;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Strided;

/** Sums and means of dense float32 rows where the data lies: pieces of a row are added up in float32, and their sums in float64. */
final class MemoryReductions {
    private static final FloatRows LOOPS = Lanes.CHOSEN.rows();

    private MemoryReductions() {}

    /** Whether it did it. */
    static boolean rows(ReduceOp op, Strided in, long length, Strided out) {
        if (LOOPS == null
                || op != ReduceOp.SUM && op != ReduceOp.MEAN
                || length < LOOPS.least()
                || in.dtype() != DType.F32
                || out.dtype() != DType.F32
                || !in.isContiguous()
                || !out.isContiguous()) {
            return false;
        }
        MemorySegment x = CpuBuffer.segment(in);
        MemorySegment y = CpuBuffer.segment(out);
        // Reading is all there is to it: a thread needs more of it to be worth waking.
        Parallel.items(out.count(), Math.max(1, length / 4), (from, to) -> {
            for (long row = from; row < to; row++) {
                double sum = sum(x, in.offset() + row * length, length);
                y.setAtIndex(
                        ValueLayout.JAVA_FLOAT, out.offset() + row, (float) (op == ReduceOp.MEAN ? sum / length : sum));
            }
        });
        return true;
    }

    /** The last piece takes what is too short for a piece of its own. */
    private static double sum(MemorySegment x, long at, long length) {
        double sum = 0;
        for (long i = 0; i < length; ) {
            long left = length - i;
            int n = (int) (left < Reader.CHUNK + LOOPS.least() ? left : Reader.CHUNK);
            sum += LOOPS.sum(x, at + i, n);
            i += n;
        }
        return sum;
    }
}

package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.DType;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Strided;

/**
 * Sums, means and extremes of dense float32 rows where the data lies: pieces of a row are added up in float32, and their sums in float64.
 * Methods say whether they did it.
 */
final class MemoryReductions {
    private static final FloatRows LOOPS = Lanes.CHOSEN.rows();

    private MemoryReductions() {}

    private static boolean takes(ReduceOp op, Strided in, long length, Strided out) {
        boolean known = switch (op) {
            case SUM, MEAN, MAX, MIN -> true;
            case ARGMAX, ARGMIN, LOGSUMEXP -> false;
        };
        return known
                && LOOPS != null
                && length >= LOOPS.least()
                && in.dtype() == DType.F32
                && out.dtype() == DType.F32
                && in.isContiguous()
                && out.isContiguous();
    }

    /** Threads share out the rows. */
    static boolean rows(ReduceOp op, Strided in, long length, Strided out) {
        if (!takes(op, in, length, out)) {
            return false;
        }
        MemorySegment x = CpuBuffer.segment(in);
        // Reading is all there is to it: a thread needs more of it to be worth waking.
        Parallel.items(out.count(), Math.max(1, length / 4), (from, to) -> {
            for (long row = from; row < to; row++) {
                write(op, reduce(op, x, in.offset() + row * length, length), length, out, row);
            }
        });
        return true;
    }

    /** Threads share out blocks of one row, whose results are joined in order. */
    static boolean row(ReduceOp op, Strided in, long row, long length, long block, Strided out) {
        if (!takes(op, in, length, out)) {
            return false;
        }
        MemorySegment x = CpuBuffer.segment(in);
        // The last block takes what is too short for one of its own.
        double[] results = new double[Math.toIntExact(Math.max(1, length / block))];
        Parallel.range(results.length, 1, (from, to) -> {
            for (long i = from; i < to; i++) {
                long end = i == results.length - 1 ? length : (i + 1) * block;
                results[(int) i] = reduce(op, x, in.offset() + row * length + i * block, end - i * block);
            }
        });
        double all = results[0];
        for (int i = 1; i < results.length; i++) {
            all = joined(op, all, results[i]);
        }
        write(op, all, length, out, row);
        return true;
    }

    private static void write(ReduceOp op, double result, long length, Strided out, long row) {
        float value = (float) (op == ReduceOp.MEAN ? result / length : result);
        CpuBuffer.segment(out).setAtIndex(ValueLayout.JAVA_FLOAT, out.offset() + row, value);
    }

    private static double joined(ReduceOp op, double a, double b) {
        return switch (op) {
            case MAX -> Math.max(a, b);
            case MIN -> Math.min(a, b);
            default -> a + b;
        };
    }

    /** The last piece takes what is too short for a piece of its own. */
    private static double reduce(ReduceOp op, MemorySegment x, long at, long length) {
        double all = 0;
        for (long i = 0; i < length; ) {
            long left = length - i;
            int n = (int) (left < Reader.CHUNK + LOOPS.least() ? left : Reader.CHUNK);
            double piece = switch (op) {
                case MAX -> LOOPS.largest(x, at + i, n);
                case MIN -> LOOPS.smallest(x, at + i, n);
                default -> LOOPS.sum(x, at + i, n);
            };
            all = i == 0 ? piece : joined(op, all, piece);
            i += n;
        }
        return all;
    }
}

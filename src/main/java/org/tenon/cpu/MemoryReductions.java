package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.DType;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Strided;

/**
 * Reductions along rows of float32 where the data lies: pieces of a row are added up in float32, and their sums in float64. Methods
 * say whether they did it.
 */
final class MemoryReductions {
    private static final FloatReductions LOOPS = Lanes.CHOSEN.reductions();
    private static final FloatRows ROWS = Lanes.CHOSEN.rows();
    /** Rows of one call. */
    private static final int AT_ONCE = 32;

    private MemoryReductions() {}

    private static boolean takes(Strided in, long length, Strided out) {
        return LOOPS != null
                && length >= LOOPS.least()
                && in.dtype() == DType.F32
                && in.isContiguous()
                && out.isContiguous();
    }

    /** Threads share out the rows. */
    static boolean rows(ReduceOp op, Strided in, long length, Strided out) {
        if (!takes(in, length, out)) {
            return false;
        }
        MemorySegment x = CpuBuffer.segment(in);
        // Reading is all there is to it: a thread needs more of it to be worth waking.
        long work = op == ReduceOp.LOGSUMEXP ? length : length / 4;
        Parallel.items(out.count(), Math.max(1, work), (from, to) -> {
            if (length < Reader.CHUNK && isOneCall(op)) {
                shortRows(op, x, in.offset(), (int) length, from, to, out);
                return;
            }
            for (long row = from; row < to; row++) {
                long at = in.offset() + row * length;
                double value = value(op, x, at, length);
                write(
                        op,
                        out,
                        row,
                        length,
                        switch (op) {
                            case ARGMAX, ARGMIN -> position(x, at, length, (float) value);
                            case LOGSUMEXP -> logOfSum(value, sumExp(x, at, length, value));
                            default -> value;
                        });
            }
        });
        return true;
    }

    private static boolean isOneCall(ReduceOp op) {
        return switch (op) {
            case SUM, MEAN, MAX, MIN -> true;
            case ARGMAX, ARGMIN, LOGSUMEXP -> false;
        };
    }

    private static void shortRows(
            ReduceOp op, MemorySegment x, long offset, int length, long from, long to, Strided out) {
        float[] found = new float[AT_ONCE];
        for (long row = from; row < to; row += AT_ONCE) {
            int n = (int) Math.min(AT_ONCE, to - row);
            find(op, x, offset + row * length, length, n, found);
            for (int i = 0; i < n; i++) {
                write(op, out, row + i, length, found[i]);
            }
        }
    }

    /** Sums, or extremes, of {@code rows} that follow one another. */
    private static void find(ReduceOp op, MemorySegment x, long at, int n, int rows, float[] found) {
        if (op == ReduceOp.SUM || op == ReduceOp.MEAN) {
            LOOPS.sums(x, at, n, rows, found);
            return;
        }
        float sign = sign(op);
        LOOPS.extremes(x, at, n, rows, sign, found);
        for (int i = 0; i < rows; i++) {
            found[i] *= sign;
        }
    }

    private static float find(ReduceOp op, MemorySegment x, long at, int n) {
        if (op == ReduceOp.SUM || op == ReduceOp.MEAN) {
            return LOOPS.sum(x, at, n);
        }
        return sign(op) * LOOPS.extreme(x, at, n, sign(op));
    }

    /** With which the extreme of {@code op} is a largest. */
    static float sign(ReduceOp op) {
        return op == ReduceOp.MIN || op == ReduceOp.ARGMIN ? -1 : 1;
    }

    /** Threads share out blocks of one row, whose results are joined in order. */
    static boolean row(ReduceOp op, Strided in, long row, long length, long block, Strided out) {
        if (!takes(in, length, out)) {
            return false;
        }
        MemorySegment x = CpuBuffer.segment(in);
        Blocks blocks = new Blocks(in.offset() + row * length, length, block);
        double[] values = blocks.each((at, n) -> value(op, x, at, n));
        double all = values[0];
        for (int i = 1; i < values.length; i++) {
            all = joined(op, all, values[i]);
        }
        double top = all;
        write(
                op,
                out,
                row,
                length,
                switch (op) {
                    case ARGMAX, ARGMIN -> blocks.position(x, values, top);
                    case LOGSUMEXP -> {
                        double sum = 0;
                        for (double each : blocks.each((at, n) -> sumExp(x, at, n, top))) {
                            sum += each;
                        }
                        yield logOfSum(top, sum);
                    }
                    default -> all;
                });
        return true;
    }

    /** A row in blocks; the last takes what is too short for one of its own. */
    private record Blocks(long start, long length, long block) {
        @FunctionalInterface
        interface Body {
            double of(long at, long n);
        }

        double[] each(Body body) {
            double[] results = new double[Math.toIntExact(Math.max(1, length / block))];
            Parallel.range(results.length, 1, (from, to) -> {
                for (long i = from; i < to; i++) {
                    results[(int) i] = body.of(start + i * block, size(i, results.length));
                }
            });
            return results;
        }

        private long size(long i, int count) {
            return i == count - 1 ? length - i * block : block;
        }

        /** Of the first {@code top}, where blocks have these extremes. */
        long position(MemorySegment x, double[] extremes, double top) {
            int i = 0;
            while (Double.compare(extremes[i] + 0.0, top + 0.0) != 0) {
                i++;
            }
            return i * block + MemoryReductions.position(x, start + i * block, size(i, extremes.length), (float) top);
        }
    }

    private static void write(ReduceOp op, Strided out, long row, long length, double result) {
        MemorySegment to = CpuBuffer.segment(out);
        switch (op) {
            case ARGMAX, ARGMIN -> to.setAtIndex(ValueLayout.JAVA_LONG, out.offset() + row, (long) result);
            case MEAN -> to.setAtIndex(ValueLayout.JAVA_FLOAT, out.offset() + row, (float) (result / length));
            default -> to.setAtIndex(ValueLayout.JAVA_FLOAT, out.offset() + row, (float) result);
        }
    }

    private static double joined(ReduceOp op, double a, double b) {
        return switch (op) {
            case SUM, MEAN -> a + b;
            case MIN, ARGMIN -> Math.min(a, b);
            case MAX, ARGMAX, LOGSUMEXP -> Math.max(a, b);
        };
    }

    /** Infinities and NaN are what they are. */
    private static double logOfSum(double top, double sum) {
        return Double.isInfinite(top) || top != top ? top : top + Math.log(sum);
    }

    /** The sum, or the extreme. */
    private static double value(ReduceOp op, MemorySegment x, long at, long length) {
        double all = 0;
        for (long i = 0; i < length; ) {
            int n = piece(length - i);
            float found = find(op, x, at + i, n);
            all = i == 0 ? found : joined(op, all, found);
            i += n;
        }
        return all;
    }

    private static double sumExp(MemorySegment x, long at, long length, double top) {
        double sum = 0;
        for (long i = 0; i < length; ) {
            int n = piece(length - i);
            sum += ROWS.sumExp(x, at + i, n, (float) top);
            i += n;
        }
        return sum;
    }

    /** The first position of a value that is there. */
    private static long position(MemorySegment x, long at, long length, float value) {
        for (long i = 0; i < length; ) {
            int n = piece(length - i);
            int found = LOOPS.find(x, at + i, n, value);
            if (found >= 0) {
                return i + found;
            }
            i += n;
        }
        throw new IllegalStateException(value + " was in this row a moment ago");
    }

    /** The last piece takes what is too short for a piece of its own. */
    private static int piece(long left) {
        return (int) (left < Reader.CHUNK + LOOPS.least() ? left : Reader.CHUNK);
    }
}

package org.tenon.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tenon.DType;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.Epilogue;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/**
 * What comes after a product, of float32 where the data lies: each part of it is a loop of {@link FloatLoops} over a piece that stays in
 * cache. Methods say whether they did it; if not, {@link Epilogues} has to.
 */
final class MemoryEpilogue {
    private static final FloatLoops LOOPS = Lanes.CHOSEN.loops();

    /** The elements of a call. */
    private static final int PIECE = LOOPS == null ? 0 : Math.min(LOOPS.most(), Reader.CHUNK);

    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    private MemoryEpilogue() {}

    /** A thread's memory. */
    private static final class Scratch {
        private final MemorySegment bias = floats(2 * PIECE);
        private final MemorySegment factors = floats(PIECE);
        private final MemorySegment between = floats(PIECE);
        private final MemorySegment more = floats(PIECE);
        private final MemorySegment shortX = floats(LOOPS.least());
        private final MemorySegment shortOther = floats(LOOPS.least());
        private final MemorySegment shortOut = floats(LOOPS.least());
        private final Kept kept = new Kept(false);

        private static MemorySegment floats(long count) {
            return Arena.ofAuto().allocate(count * Float.BYTES, 64);
        }
    }

    static boolean forward(Epilogue epilogue, Strided x, Strided out) {
        UnaryOp function = epilogue.activation();
        if (LOOPS == null || x.dtype() != DType.F32 || function != null && !LOOPS.has(function)) {
            return false;
        }
        pieces(epilogue, x, epilogue.residual(), out, (part, n) -> part.forward(function, n));
        return true;
    }

    static boolean backward(Epilogue epilogue, Strided g, Strided x, Strided dx) {
        UnaryOp function = epilogue.beforeSlope();
        BinaryOp slope = epilogue.slope();
        if (LOOPS == null || x.dtype() != DType.F32 || !LOOPS.has(slope) || function != null && !LOOPS.has(function)) {
            return false;
        }
        pieces(epilogue, x, g, dx, (part, n) -> part.backward(function, slope, n));
        return true;
    }

    /** What is done with the next {@code n} elements. */
    @FunctionalInterface
    private interface Step {
        void run(Part part, int n);
    }

    private static void pieces(Epilogue epilogue, Strided x, Strided other, Strided out, Step step) {
        long count = out.count();
        boolean cheap =
                epilogue.dropout() == null && (epilogue.activation() == null || epilogue.activation() == UnaryOp.RELU);
        long grain = (cheap ? 4 : 1) * Parallel.GRAIN / PIECE;
        int least = LOOPS.least();
        Parallel.range((count + PIECE - 1) / PIECE, grain, (from, to) -> {
            Part part = new Part(epilogue, x, other, out);
            for (long piece = from; piece < to; piece++) {
                int n = (int) Math.min(PIECE, count - piece * PIECE);
                int whole = n - n % least;
                if (whole > 0) {
                    part.seek(piece * PIECE, whole);
                    step.run(part, whole);
                }
                if (whole < n) {
                    part.bring(piece * PIECE + whole, n - whole);
                    step.run(part, least);
                    part.take(n - whole);
                }
            }
        });
    }

    /** A thread's operands, and where in them it is: in the tensors' memory, or in its own where that ends within a vector. */
    private static final class Part {
        private final Scratch scratch = SCRATCH.get();
        private final MemorySegment wholeX;
        private final MemorySegment wholeBias;
        private final MemorySegment wholeOther;
        private final MemorySegment wholeOut;
        private final long length;
        private final boolean adds;
        private final Kept kept;
        private long first;
        private long at;
        private MemorySegment x;
        private MemorySegment bias;
        private long biasAt;
        private MemorySegment other;
        private MemorySegment out;

        Part(Epilogue epilogue, Strided x, Strided other, Strided out) {
            wholeX = memory(x);
            wholeBias = memory(epilogue.bias());
            wholeOther = memory(other);
            wholeOut = memory(out);
            length = epilogue.length();
            adds = epilogue.residual() != null;
            kept = epilogue.dropout() == null ? null : scratch.kept.of(epilogue.dropout());
            if (wholeBias != null && length <= PIECE) {
                spread(0, length + Math.min(PIECE, out.count() + LOOPS.least()));
            }
        }

        private static MemorySegment memory(Strided operand) {
            return operand == null ? null : CpuBuffer.floats(operand);
        }

        /** Copies {@code n} elements of the bias from {@code column} on, again and again. */
        private void spread(long column, long n) {
            long done = copyBias(column, 0, Math.min(length - column, n));
            done += copyBias(0, done, Math.min(column, n - done));
            while (done < n) {
                long count = Math.min(done, n - done);
                MemorySegment.copy(scratch.bias, 0, scratch.bias, done * Float.BYTES, count * Float.BYTES);
                done += count;
            }
        }

        private long copyBias(long column, long to, long n) {
            MemorySegment.copy(wholeBias, column * Float.BYTES, scratch.bias, to * Float.BYTES, n * Float.BYTES);
            return n;
        }

        /** Goes to {@code n} elements that are whole vectors. */
        void seek(long element, int n) {
            first = element;
            at = element;
            x = wholeX;
            other = wholeOther;
            out = wholeOut;
            biasAt(n);
        }

        /** Copies {@code n} elements, less than a vector, to where a vector can be read. */
        void bring(long element, int n) {
            first = element;
            at = 0;
            MemorySegment.copy(wholeX, element * Float.BYTES, scratch.shortX, 0, (long) n * Float.BYTES);
            if (wholeOther != null) {
                MemorySegment.copy(wholeOther, element * Float.BYTES, scratch.shortOther, 0, (long) n * Float.BYTES);
            }
            x = scratch.shortX;
            other = scratch.shortOther;
            out = scratch.shortOut;
            biasAt(LOOPS.least());
        }

        /** Brings their results back. */
        void take(int n) {
            MemorySegment.copy(scratch.shortOut, 0, wholeOut, first * Float.BYTES, (long) n * Float.BYTES);
        }

        private void biasAt(int n) {
            if (wholeBias == null) {
                return;
            }
            long column = first % length;
            bias = scratch.bias;
            biasAt = column;
            if (length > PIECE && column + n <= length) {
                bias = wholeBias;
            } else if (length > PIECE) {
                spread(column, n);
                biasAt = 0;
            }
        }

        /** Results of parts go to memory of the thread and to the result by turns, so that the last goes to the result. */
        void forward(UnaryOp function, int n) {
            int left =
                    (wholeBias == null ? 0 : 1) + (function == null ? 0 : 1) + (kept == null ? 0 : 1) + (adds ? 1 : 0);
            MemorySegment from = x;
            long fromAt = at;
            if (wholeBias != null) {
                left--;
                LOOPS.binary(BinaryOp.ADD, from, fromAt, bias, biasAt, target(left), targetAt(left), n);
                from = target(left);
                fromAt = targetAt(left);
            }
            if (function != null) {
                left--;
                LOOPS.unary(function, 0, 0, from, fromAt, target(left), targetAt(left), n);
                from = target(left);
                fromAt = targetAt(left);
            }
            if (kept != null) {
                left--;
                drop(from, fromAt, target(left), targetAt(left), n);
                from = target(left);
                fromAt = targetAt(left);
            }
            if (adds) {
                LOOPS.binary(BinaryOp.ADD, other, at, from, fromAt, out, at, n);
            }
        }

        private MemorySegment target(int left) {
            return left % 2 == 0 ? out : scratch.between;
        }

        private long targetAt(int left) {
            return left % 2 == 0 ? at : 0;
        }

        private void drop(MemorySegment from, long fromAt, MemorySegment to, long toAt, int n) {
            kept.draw(first, n);
            kept.factors(scratch.factors, n);
            LOOPS.binary(BinaryOp.MUL, from, fromAt, scratch.factors, 0, to, toAt, n);
        }

        /** {@code function} is null where the slope is at x + bias. */
        void backward(UnaryOp function, BinaryOp slope, int n) {
            MemorySegment where = x;
            long whereAt = at;
            if (wholeBias != null) {
                LOOPS.binary(BinaryOp.ADD, x, at, bias, biasAt, scratch.between, 0, n);
                where = scratch.between;
                whereAt = 0;
            }
            if (function != null) {
                LOOPS.unary(function, 0, 0, where, whereAt, scratch.more, 0, n);
                where = scratch.more;
                whereAt = 0;
            }
            if (kept == null) {
                LOOPS.binary(slope, other, at, where, whereAt, out, at, n);
            } else {
                MemorySegment left = where == scratch.between ? scratch.more : scratch.between;
                drop(other, at, left, 0, n);
                LOOPS.binary(slope, left, 0, where, whereAt, out, at, n);
            }
        }
    }
}

package org.tenon.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import org.tenon.DType;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/**
 * Elementwise functions of float32 where the data lies, for results and operands that are dense or repeat in one axis.
 * Methods say whether they did it; if not, {@link Elementwise} has to, a chunk at a time.
 */
final class MemoryElementwise {
    private static final FloatLoops LOOPS = Lanes.CHOSEN.loops();

    /** The most elements of one call. */
    private static final int MOST = LOOPS == null ? 0 : LOOPS.most();

    /** Functions that memory is the limit of: a thread needs more of them to be worth waking. */
    private static final long CHEAP_GRAIN = 4 * Parallel.GRAIN;

    private static final Set<UnaryOp> DEAR_UNARY = EnumSet.of(
            UnaryOp.EXP, UnaryOp.LOG, UnaryOp.TANH, UnaryOp.SIGMOID, UnaryOp.SILU, UnaryOp.GELU, UnaryOp.GELU_TANH);

    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    private MemoryElementwise() {}

    /** A thread's memory: for operands that are spread out, and for what is shorter than a vector. */
    private static final class Scratch {
        private static final int SHORT = 64;

        private final MemorySegment a = floats(Runs.PIECE);
        private final MemorySegment b = floats(Runs.PIECE);
        private final MemorySegment condition = floats(Runs.PIECE);
        private final MemorySegment shortA = floats(SHORT);
        private final MemorySegment shortB = floats(SHORT);
        private final MemorySegment shortCondition = floats(SHORT);
        private final MemorySegment shortOut = floats(SHORT);

        private static MemorySegment floats(long count) {
            return Arena.ofAuto().allocate(count * Float.BYTES, 64);
        }

        private void bring(MemorySegment out, long at, int n) {
            MemorySegment.copy(shortOut, 0, out, at * Float.BYTES, (long) n * Float.BYTES);
        }
    }

    /** An operand as a thread goes through it: where the elements from some position on are. */
    private static final class Pieces {
        private final Runs runs;
        private final MemorySegment spread;
        private MemorySegment memory;
        private long at;

        Pieces(Runs runs, MemorySegment spread) {
            this.runs = runs;
            this.spread = spread;
            if (runs.isSpread()) {
                memory = spread;
                if (runs.kind() == Runs.Kind.REPEATED) {
                    runs.spreadAll(spread);
                }
            } else {
                memory = runs.memory();
            }
        }

        void take(long from, int n) {
            if (runs.kind() == Runs.Kind.EACH) {
                runs.spreadEach(from, n, spread);
                at = 0;
            } else {
                at = runs.position(from);
            }
        }

        /** Copies what is too little for a vector to where a vector can be read. */
        void copyTo(MemorySegment to, int n) {
            runs.copy(memory, at, n, to);
        }
    }

    static boolean unary(UnaryOp op, Strided in, double p0, double p1, Strided out) {
        if (LOOPS == null || !LOOPS.has(op) || !isTarget(out) || !isOperand(in, out) || !in.isContiguous()) {
            return false;
        }
        MemorySegment x = CpuBuffer.floats(in);
        MemorySegment y = CpuBuffer.floats(out);
        long grain = DEAR_UNARY.contains(op) ? Parallel.GRAIN : CHEAP_GRAIN;
        float low = (float) p0;
        float high = (float) p1;
        Parallel.range(out.count(), grain, (from, to) -> {
            for (long at = from; at < to; at += MOST) {
                unary(op, low, high, x, y, at, (int) Math.min(MOST, to - at));
            }
        });
        return true;
    }

    private static void unary(UnaryOp op, float p0, float p1, MemorySegment x, MemorySegment out, long at, int n) {
        int least = LOOPS.least();
        if (n < least) {
            Scratch scratch = SCRATCH.get();
            MemorySegment.copy(x, at * Float.BYTES, scratch.shortA, 0, (long) n * Float.BYTES);
            LOOPS.unary(op, p0, p1, scratch.shortA, 0, scratch.shortOut, 0, least);
            scratch.bring(out, at, n);
            return;
        }
        LOOPS.unary(op, p0, p1, x, at, out, at, n - n % least);
        if (n % least != 0) {
            long last = at + n - least;
            LOOPS.unary(op, p0, p1, x, last, out, last, least);
        }
    }

    static boolean binary(BinaryOp op, Strided a, Strided b, Strided out) {
        if (LOOPS == null || !LOOPS.has(op) || !isTarget(out) || !isOperand(a, out) || !isOperand(b, out)) {
            return false;
        }
        Runs left = Runs.of(a);
        Runs right = Runs.of(b);
        if (left == null || right == null) {
            return false;
        }
        MemorySegment y = CpuBuffer.floats(out);
        long grain = op == BinaryOp.GELU_GRAD ? Parallel.GRAIN : CHEAP_GRAIN;
        Parallel.range(out.count(), grain, (from, to) -> {
            Pieces x = new Pieces(left, SCRATCH.get().a);
            Pieces z = new Pieces(right, SCRATCH.get().b);
            for (long at = from; at < to; ) {
                int n = (int) Math.min(Math.min(MOST, to - at), Math.min(left.most(at), right.most(at)));
                x.take(at, n);
                z.take(at, n);
                binary(op, x, z, y, at, n);
                at += n;
            }
        });
        return true;
    }

    private static void binary(BinaryOp op, Pieces a, Pieces b, MemorySegment out, long at, int n) {
        int least = LOOPS.least();
        if (n < least) {
            Scratch scratch = SCRATCH.get();
            a.copyTo(scratch.shortA, n);
            b.copyTo(scratch.shortB, n);
            LOOPS.binary(op, scratch.shortA, 0, scratch.shortB, 0, scratch.shortOut, 0, least);
            scratch.bring(out, at, n);
            return;
        }
        LOOPS.binary(op, a.memory, a.at, b.memory, b.at, out, at, n - n % least);
        if (n % least != 0) {
            int last = n - least;
            LOOPS.binary(op, a.memory, a.at + last, b.memory, b.at + last, out, at + last, least);
        }
    }

    static boolean where(Strided condition, Strided a, Strided b, Strided out) {
        if (LOOPS == null || !LOOPS.hasWhere() || !isTarget(out) || !isOperand(a, out) || !isOperand(b, out)) {
            return false;
        }
        Runs chooser = Runs.of(condition);
        Runs left = Runs.of(a);
        Runs right = Runs.of(b);
        if (chooser == null || left == null || right == null) {
            return false;
        }
        MemorySegment y = CpuBuffer.floats(out);
        Parallel.range(out.count(), CHEAP_GRAIN, (from, to) -> {
            Pieces c = new Pieces(chooser, SCRATCH.get().condition);
            Pieces x = new Pieces(left, SCRATCH.get().a);
            Pieces z = new Pieces(right, SCRATCH.get().b);
            for (long at = from; at < to; ) {
                long most = Math.min(chooser.most(at), Math.min(left.most(at), right.most(at)));
                int n = (int) Math.min(Math.min(MOST, to - at), most);
                c.take(at, n);
                x.take(at, n);
                z.take(at, n);
                where(c, x, z, y, at, n);
                at += n;
            }
        });
        return true;
    }

    private static void where(Pieces c, Pieces a, Pieces b, MemorySegment out, long at, int n) {
        int least = LOOPS.least();
        if (n < least) {
            Scratch scratch = SCRATCH.get();
            c.copyTo(scratch.shortCondition, n);
            a.copyTo(scratch.shortA, n);
            b.copyTo(scratch.shortB, n);
            LOOPS.where(scratch.shortCondition, 0, scratch.shortA, 0, scratch.shortB, 0, scratch.shortOut, 0, least);
            scratch.bring(out, at, n);
            return;
        }
        LOOPS.where(c.memory, c.at, a.memory, a.at, b.memory, b.at, out, at, n - n % least);
        if (n % least != 0) {
            int last = n - least;
            LOOPS.where(c.memory, c.at + last, a.memory, a.at + last, b.memory, b.at + last, out, at + last, least);
        }
    }

    private static boolean isTarget(Strided out) {
        return out.dtype() == DType.F32 && out.isContiguous();
    }

    /** Of the same type, in other memory: the last vectors of a run overlap, so a result must not become an operand. */
    private static boolean isOperand(Strided operand, Strided out) {
        return operand.dtype() == DType.F32 && operand.buffer() != out.buffer();
    }
}

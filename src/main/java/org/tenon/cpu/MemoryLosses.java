package org.tenon.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.ElementLoss;
import org.tenon.spi.LossOp;
import org.tenon.spi.Strided;

/**
 * Losses of single elements in vectors: of dense float32 where it lies, of other operands of float32 and of half types by way of a thread's
 * memory, a piece at a time, with the same bits. The terms of a sum stay there, too.
 */
final class MemoryLosses {
    private static final FloatLoops LOOPS = Lanes.CHOSEN.loops();
    private static final FloatReductions SUMS = Lanes.CHOSEN.reductions();

    /** The elements of a piece. */
    private static final int PIECE = LOOPS == null ? 0 : LOOPS.most();

    private static final int LEAST = LOOPS == null ? 0 : LOOPS.least();

    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    private MemoryLosses() {}

    static boolean takes(Strided x) {
        return LOOPS != null && Element.of(x.dtype()).domain() == Element.Domain.FLOAT;
    }

    /** A thread's memory. */
    private static final class Scratch {
        private final MemorySegment x = floats();
        private final MemorySegment target = floats();
        private final MemorySegment g = floats();
        private final MemorySegment out = floats();
        private final float[] array = new float[PIECE];

        private static MemorySegment floats() {
            return Arena.ofAuto().allocate((long) PIECE * Float.BYTES, 64);
        }

        /** The sum of the first of {@link #out}. */
        private float sum(int n) {
            if (n >= LEAST) {
                return SUMS.sum(out, 0, n);
            }
            float sum = 0;
            for (int i = 0; i < n; i++) {
                sum += out.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            }
            return sum;
        }
    }

    /** The functions of memory alone: a thread needs more of them to be worth waking. */
    private static long grain(LossOp op) {
        return switch (op) {
            case KL, KL_LOG, BCE_LOGITS -> Parallel.GRAIN;
            case MSE, L1, HUBER, SMOOTH_L1 -> 4 * Parallel.GRAIN;
        };
    }

    static double sum(ElementLoss loss, Strided x) {
        return ElementLosses.blocks(x.count(), grain(loss.op()) / ElementLosses.BLOCK, (from, to, sums) -> {
            Scratch scratch = SCRATCH.get();
            Part part = new Part(loss, x, null, from * ElementLosses.BLOCK, scratch);
            for (long block = from; block < to; block++) {
                long end = Math.min(x.count(), (block + 1) * ElementLosses.BLOCK);
                double sum = 0;
                for (long at = block * ElementLosses.BLOCK; at < end; at += PIECE) {
                    int n = (int) Math.min(PIECE, end - at);
                    part.take(at, n);
                    part.run(Function.TERM, scratch.out, 0, n);
                    sum += scratch.sum(n);
                }
                sums[(int) block] = sum;
            }
        });
    }

    static void terms(ElementLoss loss, Strided x, Strided out) {
        Parallel.range(x.count(), grain(loss.op()), (from, to) -> {
            Part part = new Part(loss, x, null, from, SCRATCH.get());
            Result result = new Result(out, from, SCRATCH.get());
            for (long at = from; at < to; at += PIECE) {
                int n = (int) Math.min(PIECE, to - at);
                part.take(at, n);
                result.of(part, Function.TERM, at, n);
            }
        });
    }

    static void grad(ElementLoss loss, Strided g, Strided x, Strided dx, Strided dtarget) {
        Parallel.range(x.count(), grain(loss.op()), (from, to) -> {
            Part part = new Part(loss, x, g, from, SCRATCH.get());
            Result first = dx == null ? null : new Result(dx, from, SCRATCH.get());
            Result second = dtarget == null ? null : new Result(dtarget, from, SCRATCH.get());
            for (long at = from; at < to; at += PIECE) {
                int n = (int) Math.min(PIECE, to - at);
                part.take(at, n);
                if (first != null) {
                    first.of(part, Function.GRADIENT, at, n);
                }
                if (second != null) {
                    second.of(part, Function.TARGET_GRADIENT, at, n);
                }
            }
        });
    }

    /** What is computed of the operands. */
    private enum Function {
        TERM,
        GRADIENT,
        TARGET_GRADIENT
    }

    /** A thread's operands. */
    private static final class Part {
        private final LossOp op;
        private final float p0;
        private final Pieces x;
        private final Pieces target;
        private final Pieces g;

        /** {@code g} may be null. */
        Part(ElementLoss loss, Strided x, Strided g, long from, Scratch scratch) {
            op = loss.op();
            // As a divisor it must not become 0.
            p0 = op == LossOp.SMOOTH_L1 ? Math.max((float) loss.p0(), Float.MIN_NORMAL) : (float) loss.p0();
            this.x = new Pieces(x, 1, from, scratch.x, scratch.array);
            target = new Pieces(loss.target(), 1, from, scratch.target, scratch.array);
            this.g = g == null ? null : new Pieces(g, loss.divisor(), from, scratch.g, scratch.array);
        }

        void take(long at, int n) {
            x.take(at, n);
            target.take(at, n);
            if (g != null) {
                g.take(at, n);
            }
        }

        /** The last vectors overlap; of less than a vector a whole one is computed, to memory that has room for it. */
        void run(Function function, MemorySegment out, long at, int n) {
            int whole = Math.max(LEAST, n - n % LEAST);
            run(function, 0, out, at, whole);
            if (n > whole) {
                run(function, n - LEAST, out, at, LEAST);
            }
        }

        private void run(Function function, int from, MemorySegment out, long outAt, int n) {
            long xAt = x.at + from;
            long tAt = target.at + from;
            long at = outAt + from;
            switch (function) {
                case TERM -> LOOPS.loss(op, p0, x.memory, xAt, target.memory, tAt, out, at, n);
                case GRADIENT ->
                    LOOPS.lossGrad(op, p0, g.memory, g.at + from, x.memory, xAt, target.memory, tAt, out, at, n);
                case TARGET_GRADIENT ->
                    LOOPS.targetGrad(op, p0, g.memory, g.at + from, x.memory, xAt, target.memory, tAt, out, at, n);
            }
        }
    }

    /** An operand as a thread goes through it: where the elements from some position on are. */
    private static final class Pieces {
        private final MemorySegment dense;
        private final MemorySegment scratch;
        private final float[] array;
        private final Reader reader;
        private final double divisor;
        private final boolean repeats;
        private MemorySegment memory;
        private long at;

        Pieces(Strided operand, double divisor, long from, MemorySegment scratch, float[] array) {
            this.scratch = scratch;
            this.array = array;
            this.divisor = divisor;
            memory = scratch;
            repeats = isOne(operand);
            boolean lies = divisor == 1 && !repeats && operand.dtype() == DType.F32 && operand.isContiguous();
            dense = lies ? CpuBuffer.floats(operand) : null;
            reader = lies ? null : new Reader(operand, from);
            if (repeats) {
                read(PIECE);
            }
        }

        private static boolean isOne(Strided operand) {
            for (int axis = 0; axis < operand.rank(); axis++) {
                if (operand.strides()[axis] != 0 && operand.sizes()[axis] != 1) {
                    return false;
                }
            }
            return operand.count() > 1;
        }

        void take(long from, int n) {
            if (dense != null && n >= LEAST) {
                memory = dense;
                at = from;
                return;
            }
            memory = scratch;
            at = 0;
            if (dense != null) {
                MemorySegment.copy(dense, from * Float.BYTES, scratch, 0, (long) n * Float.BYTES);
            } else if (!repeats) {
                read(n);
            }
        }

        private void read(int n) {
            reader.read(array, repeats ? 1 : n);
            if (repeats) {
                Arrays.fill(array, array[0]);
            }
            if (divisor != 1) {
                for (int i = 0; i < n; i++) {
                    array[i] = (float) (array[i] / divisor);
                }
            }
            MemorySegment.copy(array, 0, scratch, ValueLayout.JAVA_FLOAT, 0, n);
        }
    }

    /** Where a thread's results go. */
    private static final class Result {
        private final MemorySegment dense;
        private final Scratch scratch;
        private final Writer writer;

        Result(Strided out, long from, Scratch scratch) {
            this.scratch = scratch;
            dense = out.dtype() == DType.F32 ? CpuBuffer.floats(out) : null;
            writer = dense == null ? new Writer(out, from) : null;
        }

        void of(Part part, Function function, long at, int n) {
            if (dense != null && n >= LEAST) {
                part.run(function, dense, at, n);
                return;
            }
            part.run(function, scratch.out, 0, n);
            if (dense != null) {
                MemorySegment.copy(scratch.out, 0, dense, at * Float.BYTES, (long) n * Float.BYTES);
            } else {
                MemorySegment.copy(scratch.out, ValueLayout.JAVA_FLOAT, 0, scratch.array, 0, n);
                writer.write(scratch.array, n);
            }
        }
    }
}

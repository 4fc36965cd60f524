package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.DType;
import org.tenon.spi.Strided;
import org.tenon.spi.UpdateStep;

/** Optimizer steps, in place: the elements of all parameters as one range, shared out among the threads at once. */
final class Updates {
    private Updates() {}

    static void update(UpdateStep step, Strided[][] rows) {
        long count = 0;
        for (Strided[] row : rows) {
            count += row[0].count();
        }
        Parallel.range(count, Parallel.GRAIN, (from, to) -> {
            if (Element.of(rows[0][0].dtype()) == Element.F64) {
                new Doubles(step, rows[0], Elementwise.size(from, to)).walk(rows, from, to);
            } else {
                new Floats(step, rows[0], Elementwise.size(from, to)).walk(rows, from, to);
            }
        });
    }

    /** One thread's part: an array for each operand that there is, into which chunks come and from which they go back. */
    private abstract static class Part {
        final Reader[] readers;
        final Writer[] writers;

        Part(int operands) {
            readers = new Reader[operands];
            writers = new Writer[operands];
        }

        /** Elements {@code from} to {@code to} of all parameters in a row. */
        final void walk(Strided[][] rows, long from, long to) {
            long start = 0;
            for (Strided[] row : rows) {
                long end = start + row[0].count();
                if (start < to && end > from && end > start) {
                    long first = Math.max(from, start) - start;
                    long last = Math.min(to, end) - start;
                    piece(row, first + inMemory(row, first, last), last);
                }
                start = end;
            }
        }

        /** Makes the step where the data lies, for so many elements from the first as it can, and returns their number. */
        long inMemory(Strided[] row, long from, long to) {
            return 0;
        }

        private void piece(Strided[] row, long from, long to) {
            if (from == to) {
                return;
            }
            for (int i = 0; i < row.length; i++) {
                readers[i] = row[i] == null ? null : new Reader(row[i], from);
                writers[i] = row[i] == null || i == 1 ? null : new Writer(row[i], from);
            }
            Elementwise.chunks(from, to, this::chunk);
        }

        abstract void chunk(int n);
    }

    private static final class Floats extends Part {
        private static final FloatLoops LOOPS = Lanes.CHOSEN.loops();
        private final UpdateStep step;
        private final int size;
        private final float[][] x;

        Floats(UpdateStep step, Strided[] row, int size) {
            super(row.length);
            this.step = step;
            this.size = size;
            x = new float[row.length][];
        }

        @Override
        long inMemory(Strided[] row, long from, long to) {
            if (LOOPS == null || !(step instanceof UpdateStep.Sgd s) || s.first() && row[2] != null || s.nesterov()) {
                return 0;
            }
            for (Strided each : row) {
                if (each != null && (each.dtype() != DType.F32 || !each.isContiguous())) {
                    return 0;
                }
            }
            long whole = (to - from) / LOOPS.least() * LOOPS.least();
            MemorySegment p = CpuBuffer.floats(row[0]);
            MemorySegment g = CpuBuffer.floats(row[1]);
            MemorySegment v = row[2] == null ? null : CpuBuffer.floats(row[2]);
            float lr = (float) s.lr();
            float decay = (float) s.weightDecay();
            Descent descent = new Descent(lr, decay, (float) s.momentum(), (float) (1 - s.dampening()));
            for (long at = from; at < from + whole; at += LOOPS.most()) {
                int n = (int) Math.min(LOOPS.most(), from + whole - at);
                if (v == null) {
                    LOOPS.descend(lr, decay, p, at, g, at, n);
                } else {
                    LOOPS.descend(descent, p, at, g, at, v, at, n);
                }
            }
            return whole;
        }

        @Override
        void chunk(int n) {
            for (int i = 0; i < x.length; i++) {
                if (readers[i] != null) {
                    x[i] = x[i] == null ? new float[size] : x[i];
                    readers[i].read(x[i], n);
                }
            }
            switch (step) {
                case UpdateStep.Sgd s -> FloatUpdates.sgd(x[0], x[1], x[2], s, n);
                case UpdateStep.Adam s -> FloatUpdates.adam(x[0], x[1], x[2], x[3], s, n);
                case UpdateStep.Rmsprop s -> FloatUpdates.rmsprop(x[0], x[1], x[2], x[3], x[4], s, n);
                case UpdateStep.Adagrad s -> FloatUpdates.adagrad(x[0], x[1], x[2], s, n);
                case UpdateStep.Lion s -> FloatUpdates.lion(x[0], x[1], x[2], s, n);
            }
            for (int i = 0; i < x.length; i++) {
                if (writers[i] != null) {
                    writers[i].write(x[i], n);
                }
            }
        }
    }

    private static final class Doubles extends Part {
        private final UpdateStep step;
        private final double[][] x;

        Doubles(UpdateStep step, Strided[] row, int size) {
            super(row.length);
            this.step = step;
            x = new double[row.length][];
            for (int i = 0; i < row.length; i++) {
                x[i] = row[i] == null ? null : new double[size];
            }
        }

        @Override
        void chunk(int n) {
            for (int i = 0; i < x.length; i++) {
                if (readers[i] != null) {
                    readers[i].read(x[i], n);
                }
            }
            switch (step) {
                case UpdateStep.Sgd s -> DoubleUpdates.sgd(x[0], x[1], x[2], s, n);
                case UpdateStep.Adam s -> DoubleUpdates.adam(x[0], x[1], x[2], x[3], s, n);
                case UpdateStep.Rmsprop s -> DoubleUpdates.rmsprop(x[0], x[1], x[2], x[3], x[4], s, n);
                case UpdateStep.Adagrad s -> DoubleUpdates.adagrad(x[0], x[1], x[2], s, n);
                case UpdateStep.Lion s -> DoubleUpdates.lion(x[0], x[1], x[2], s, n);
            }
            for (int i = 0; i < x.length; i++) {
                if (writers[i] != null) {
                    writers[i].write(x[i], n);
                }
            }
        }
    }
}

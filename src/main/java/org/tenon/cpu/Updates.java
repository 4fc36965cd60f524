package org.tenon.cpu;

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
                    piece(row, Math.max(from, start) - start, Math.min(to, end) - start);
                }
                start = end;
            }
        }

        private void piece(Strided[] row, long from, long to) {
            for (int i = 0; i < row.length; i++) {
                readers[i] = row[i] == null ? null : new Reader(row[i], from);
                writers[i] = row[i] == null || i == 1 ? null : new Writer(row[i], from);
            }
            Elementwise.chunks(from, to, this::chunk);
        }

        abstract void chunk(int n);
    }

    private static final class Floats extends Part {
        private final UpdateStep step;
        private final float[][] x;

        Floats(UpdateStep step, Strided[] row, int size) {
            super(row.length);
            this.step = step;
            x = new float[row.length][];
            for (int i = 0; i < row.length; i++) {
                x[i] = row[i] == null ? null : new float[size];
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

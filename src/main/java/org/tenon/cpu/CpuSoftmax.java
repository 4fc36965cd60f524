package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/**
 * Softmax and log-softmax in two passes over each row, maximum and sum of exponentials, then the result. Short rows share
 * a chunk; a long row is cut into blocks of a fixed size, whose sums are added in order, so that threads change no bit; an
 * axis that is not the last goes by columns.
 */
final class CpuSoftmax {
    private static final int BLOCK = 32 * Reader.CHUNK;
    private static final int COLUMNS = 512;
    /** At least as many as a vector has lanes. */
    private static final int FEW = 64;

    private static final int MANY = 64;

    private CpuSoftmax() {}

    static void softmax(SoftmaxKind kind, Strided in, Rows rows, Strided out) {
        if (rows.count() * rows.len() == 0) {
            return;
        }
        boolean wide = in.dtype() == DType.F64 || out.dtype() == DType.F64;
        if (isColumns(rows) && inMemory(in, out)) {
            FloatRows steps = Lanes.CHOSEN.rows();
            MemorySegment x = CpuBuffer.floats(in);
            MemorySegment y = CpuBuffer.floats(out);
            columns(rows, (outer, from, width) -> steps.columns().softmax(kind, x, y, rows, outer, from, width));
        } else if (rows.inner() > 1) {
            columns(
                    rows,
                    (outer, from, width) -> new SoftmaxColumns(rows, wide).forward(kind, in, out, outer, from, width));
        } else if (inMemory(in, out)) {
            FloatRows steps = Lanes.CHOSEN.rows();
            MemorySegment x = CpuBuffer.floats(in);
            MemorySegment y = CpuBuffer.floats(out);
            if (steps.isNarrow(rows.len())) {
                Parallel.items(
                        rows.outer(),
                        rows.len(),
                        (from, to) -> steps.narrow((int) rows.len()).softmax(kind, x, y, from, to));
            } else if (isStream(rows)) {
                Parallel.items(
                        rows.outer(),
                        rows.len(),
                        (from, to) -> new SoftmaxStream(kind, steps, x, y, (int) rows.len()).run(from, to));
            } else {
                forwardRows(rows, new MemorySoftmax(kind, steps, x, y));
            }
        } else if (rows.len() <= Reader.CHUNK) {
            Parallel.items(
                    rows.outer(), rows.len(), (from, to) -> shortRows(kind, in, out, (int) rows.len(), from, to, wide));
        } else {
            forwardRows(rows, new ChunkSoftmax(kind, in, out, wide));
        }
    }

    static void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx) {
        if (rows.count() * rows.len() == 0) {
            return;
        }
        boolean wide = y.dtype() == DType.F64 || dx.dtype() == DType.F64;
        if (isColumns(rows) && inMemory(g, y, dx)) {
            FloatRows steps = Lanes.CHOSEN.rows();
            MemorySegment slopes = CpuBuffer.floats(g);
            MemorySegment results = CpuBuffer.floats(y);
            MemorySegment to = CpuBuffer.floats(dx);
            columns(
                    rows,
                    (outer, from, width) ->
                            steps.columns().softmaxGrad(kind, slopes, results, to, rows, outer, from, width));
        } else if (rows.inner() > 1) {
            columns(
                    rows,
                    (outer, from, width) ->
                            new SoftmaxColumns(rows, wide).backward(kind, g, y, dx, outer, from, width));
        } else if (inMemory(g, y, dx)) {
            FloatRows floats = Lanes.CHOSEN.rows();
            var steps =
                    new MemorySoftmaxGrad(kind, floats, CpuBuffer.floats(g), CpuBuffer.floats(y), CpuBuffer.floats(dx));
            if (floats.isNarrow(rows.len())) {
                Parallel.items(
                        rows.outer(),
                        rows.len(),
                        (from, to) -> floats.narrow((int) rows.len())
                                .softmaxGrad(kind, steps.g(), steps.y(), steps.dx(), from, to));
            } else if (isStream(rows)) {
                Parallel.items(rows.outer(), rows.len(), (from, to) -> steps.rows((int) rows.len(), from, to));
            } else {
                backwardRows(rows, steps);
            }
        } else if (rows.len() <= Reader.CHUNK) {
            Parallel.items(
                    rows.outer(),
                    rows.len(),
                    (from, to) -> shortRowsGrad(kind, g, y, dx, (int) rows.len(), from, to, wide));
        } else {
            backwardRows(rows, new ChunkSoftmaxGrad(kind, g, y, dx, wide));
        }
    }

    /** Whether threads share out whole rows, whatever their number: not where rows are few and long. */
    private static boolean isStream(Rows rows) {
        return rows.outer() >= MANY || rows.len() < 2 * BLOCK;
    }

    /** Whether there are as many columns beside each other as a vector has lanes. */
    static boolean isColumns(Rows rows) {
        return rows.inner() > 1
                && Lanes.CHOSEN.rows() != null
                && rows.inner() >= Lanes.CHOSEN.rows().least();
    }

    private static boolean inMemory(Strided... operands) {
        return Lanes.CHOSEN.rows() != null && Arrays.stream(operands).allMatch(operand -> operand.dtype() == DType.F32);
    }

    private static void shortRows(
            SoftmaxKind kind, Strided in, Strided out, int len, long from, long to, boolean wide) {
        Chunk x = Chunk.of(wide);
        Chunk e = Chunk.of(wide);
        Reader reader = new Reader(in, from * len);
        Writer writer = new Writer(out, from * len);
        int most = Reader.CHUNK / len;
        for (long row = from; row < to; row += most) {
            int count = (int) Math.min(most, to - row);
            x.read(reader, count * len);
            for (int at = 0; at < count * len; at += len) {
                x.subtract(at, at + len, x.max(at, at + len));
            }
            e.copyFrom(x, count * len);
            e.exp(count * len);
            for (int at = 0; at < count * len; at += len) {
                double sum = e.sum(at, at + len);
                if (kind == SoftmaxKind.LOG_SOFTMAX) {
                    x.subtract(at, at + len, x.log(sum));
                } else {
                    e.divide(at, at + len, sum);
                }
            }
            (kind == SoftmaxKind.LOG_SOFTMAX ? x : e).write(writer, count * len);
        }
    }

    private static void shortRowsGrad(
            SoftmaxKind kind, Strided g, Strided y, Strided dx, int len, long from, long to, boolean wide) {
        Chunk a = Chunk.of(wide);
        Chunk b = Chunk.of(wide);
        Reader gradients = new Reader(g, from * len);
        Reader results = new Reader(y, from * len);
        Writer writer = new Writer(dx, from * len);
        int most = Reader.CHUNK / len;
        for (long row = from; row < to; row += most) {
            int n = (int) Math.min(most, to - row) * len;
            a.read(gradients, n);
            b.read(results, n);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                b.exp(n);
            }
            for (int at = 0; at < n; at += len) {
                if (kind == SoftmaxKind.LOG_SOFTMAX) {
                    a.subtractProduct(b, at, at + len, a.sum(at, at + len));
                } else {
                    a.differenceTimes(b, at, at + len, a.dot(b, at, at + len));
                }
            }
            a.write(writer, n);
        }
    }

    private static void forwardRows(Rows rows, SoftmaxSteps steps) {
        eachRow(rows, (row, parts) -> {
            if (parts.count() == 1) {
                int n = (int) parts.length();
                double top = steps.max(row, n);
                steps.write(row, n, top, steps.sum(row, n, top));
                return;
            }
            double[] partial = new double[parts.count()];
            parts.forEach((part, start, n) -> partial[part] = steps.max(row + start, n));
            double max = Double.NEGATIVE_INFINITY;
            for (double each : partial) {
                max = Math.max(max, each);
            }
            double top = max;
            parts.forEach((part, start, n) -> partial[part] = steps.sum(row + start, n, top));
            double total = 0;
            for (double each : partial) {
                total += each;
            }
            double sum = total;
            parts.forEach((part, start, n) -> steps.write(row + start, n, top, sum));
        });
    }

    private static void backwardRows(Rows rows, SoftmaxGradSteps steps) {
        eachRow(rows, (row, parts) -> {
            if (parts.count() == 1) {
                int n = (int) parts.length();
                steps.write(row, n, steps.sum(row, n));
                return;
            }
            double[] partial = new double[parts.count()];
            parts.forEach((part, start, n) -> partial[part] = steps.sum(row + start, n));
            double total = 0;
            for (double each : partial) {
                total += each;
            }
            double sum = total;
            parts.forEach((part, start, n) -> steps.write(row + start, n, sum));
        });
    }

    /** A task on the row whose first element is {@code row}. */
    @FunctionalInterface
    private interface RowTask {
        void run(long row, Parts parts);
    }

    /** What is done with a part of a row: its number, its first element, its length. */
    @FunctionalInterface
    private interface PartTask {
        void run(int part, long start, int n);
    }

    /** The parts of a row, of a fixed size so that sums have the same bits on any number of threads. */
    private record Parts(long length, boolean several) {
        int count() {
            return Math.max(1, Math.toIntExact(length / BLOCK));
        }

        void forEach(PartTask task) {
            if (several) {
                Parallel.range(count(), 1, (from, to) -> run(task, (int) from, (int) to));
            } else {
                run(task, 0, count());
            }
        }

        private void run(PartTask task, int from, int to) {
            for (int part = from; part < to; part++) {
                long start = (long) part * BLOCK;
                task.run(part, start, part == count() - 1 ? (int) (length - start) : BLOCK);
            }
        }
    }

    /** Threads share out the rows, or where these are few and long, the parts of each. */
    private static void eachRow(Rows rows, RowTask task) {
        long length = rows.len();
        if (rows.outer() >= 2L * Parallel.THREADS || length < 2 * BLOCK) {
            Parts parts = new Parts(length, false);
            Parallel.items(rows.outer(), length, (from, to) -> {
                for (long row = from; row < to; row++) {
                    task.run(row * length, parts);
                }
            });
        } else {
            Parts parts = new Parts(length, true);
            for (long row = 0; row < rows.outer(); row++) {
                task.run(row * length, parts);
            }
        }
    }

    /** What is done with {@code width} columns from {@code from} of the block {@code outer}. */
    @FunctionalInterface
    interface ColumnTask {
        void run(long outer, long from, int width);
    }

    /** Threads share out the columns; fewer than {@link #FEW} at the end of a block go with those before them. */
    static void columns(Rows rows, ColumnTask task) {
        long tiles = Math.max(1, (rows.inner() + COLUMNS - FEW) / COLUMNS);
        long most = Math.min(COLUMNS, rows.inner());
        Parallel.items(rows.outer() * tiles, rows.len() * most, (begin, end) -> {
            for (long i = begin; i < end; i++) {
                long tile = i % tiles;
                long from = tile * COLUMNS;
                task.run(i / tiles, from, tile == tiles - 1 ? (int) (rows.inner() - from) : COLUMNS);
            }
        });
    }
}

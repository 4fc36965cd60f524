package org.tenon.cpu;

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

    private CpuSoftmax() {}

    static void softmax(SoftmaxKind kind, Strided in, Rows rows, Strided out) {
        if (rows.count() * rows.len() == 0) {
            return;
        }
        boolean wide = in.dtype() == DType.F64 || out.dtype() == DType.F64;
        if (rows.inner() > 1) {
            columns(
                    rows,
                    (outer, from, width, steps) ->
                            new SoftmaxColumns(rows, wide).forward(kind, in, out, outer, from, width, steps));
        } else if (rows.len() <= Reader.CHUNK) {
            Parallel.items(
                    rows.outer(), rows.len(), (from, to) -> shortRows(kind, in, out, (int) rows.len(), from, to, wide));
        } else {
            longRows(rows, new LongRow(kind, in, out, rows.len(), wide)::run);
        }
    }

    static void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx) {
        if (rows.count() * rows.len() == 0) {
            return;
        }
        boolean wide = y.dtype() == DType.F64 || dx.dtype() == DType.F64;
        if (rows.inner() > 1) {
            columns(
                    rows,
                    (outer, from, width, steps) ->
                            new SoftmaxColumns(rows, wide).backward(kind, g, y, dx, outer, from, width, steps));
        } else if (rows.len() <= Reader.CHUNK) {
            Parallel.items(
                    rows.outer(),
                    rows.len(),
                    (from, to) -> shortRowsGrad(kind, g, y, dx, (int) rows.len(), from, to, wide));
        } else {
            longRows(rows, new LongRowGrad(kind, g, y, dx, rows.len(), wide)::run);
        }
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

    /** A task on one row, which may use several threads itself where rows are few. */
    @FunctionalInterface
    private interface RowTask {
        void run(long row, Blocks blocks);
    }

    /** How the blocks of a row are gone through: by this thread, or by several. */
    @FunctionalInterface
    interface Blocks {
        void forEach(long count, Parallel.Body body);
    }

    private static void longRows(Rows rows, RowTask task) {
        if (rows.outer() >= 2L * Parallel.THREADS) {
            Parallel.items(rows.outer(), rows.len(), (from, to) -> {
                for (long row = from; row < to; row++) {
                    task.run(row, (count, body) -> body.run(0, count));
                }
            });
        } else {
            for (long row = 0; row < rows.outer(); row++) {
                task.run(row, (count, body) -> Parallel.range(count, 1, body));
            }
        }
    }

    private record LongRow(SoftmaxKind kind, Strided in, Strided out, long len, boolean wide) {
        void run(long row, Blocks blocks) {
            int count = (int) ((len + BLOCK - 1) / BLOCK);
            double[] partial = new double[count];
            blocks.forEach(
                    count,
                    (from, to) -> each(row, from, to, (block, start, length) -> partial[block] = max(start, length)));
            double max = Double.NEGATIVE_INFINITY;
            for (double each : partial) {
                max = Math.max(max, each);
            }
            double top = max;
            blocks.forEach(
                    count,
                    (from, to) ->
                            each(row, from, to, (block, start, length) -> partial[block] = sum(start, length, top)));
            double total = 0;
            for (double each : partial) {
                total += each;
            }
            double sum = total;
            blocks.forEach(
                    count, (from, to) -> each(row, from, to, (block, start, length) -> write(start, length, top, sum)));
        }

        private void each(long row, long from, long to, BlockTask task) {
            for (long block = from; block < to; block++) {
                task.run((int) block, row * len + block * BLOCK, (int) Math.min(BLOCK, len - block * BLOCK));
            }
        }

        private double max(long start, int length) {
            Chunk x = Chunk.of(wide);
            Reader reader = new Reader(in, start);
            double max = Double.NEGATIVE_INFINITY;
            for (int done = 0; done < length; done += Reader.CHUNK) {
                int n = Math.min(Reader.CHUNK, length - done);
                x.read(reader, n);
                max = Math.max(max, x.max(0, n));
            }
            return max;
        }

        private double sum(long start, int length, double max) {
            Chunk x = Chunk.of(wide);
            Reader reader = new Reader(in, start);
            double sum = 0;
            for (int done = 0; done < length; done += Reader.CHUNK) {
                int n = Math.min(Reader.CHUNK, length - done);
                x.read(reader, n);
                x.subtract(0, n, max);
                x.exp(n);
                sum += x.sum(0, n);
            }
            return sum;
        }

        private void write(long start, int length, double max, double sum) {
            Chunk x = Chunk.of(wide);
            Reader reader = new Reader(in, start);
            Writer writer = new Writer(out, start);
            for (int done = 0; done < length; done += Reader.CHUNK) {
                int n = Math.min(Reader.CHUNK, length - done);
                x.read(reader, n);
                x.subtract(0, n, max);
                if (kind == SoftmaxKind.LOG_SOFTMAX) {
                    x.subtract(0, n, x.log(sum));
                } else {
                    x.exp(n);
                    x.divide(0, n, sum);
                }
                x.write(writer, n);
            }
        }
    }

    private record LongRowGrad(SoftmaxKind kind, Strided g, Strided y, Strided dx, long len, boolean wide) {
        void run(long row, Blocks blocks) {
            int count = (int) ((len + BLOCK - 1) / BLOCK);
            double[] partial = new double[count];
            blocks.forEach(
                    count,
                    (from, to) -> each(row, from, to, (block, start, length) -> partial[block] = sum(start, length)));
            double total = 0;
            for (double each : partial) {
                total += each;
            }
            double sum = total;
            blocks.forEach(
                    count, (from, to) -> each(row, from, to, (block, start, length) -> write(start, length, sum)));
        }

        private void each(long row, long from, long to, BlockTask task) {
            for (long block = from; block < to; block++) {
                task.run((int) block, row * len + block * BLOCK, (int) Math.min(BLOCK, len - block * BLOCK));
            }
        }

        private double sum(long start, int length) {
            Chunk a = Chunk.of(wide);
            Chunk b = Chunk.of(wide);
            Reader gradients = new Reader(g, start);
            Reader results = new Reader(y, start);
            double sum = 0;
            for (int done = 0; done < length; done += Reader.CHUNK) {
                int n = Math.min(Reader.CHUNK, length - done);
                a.read(gradients, n);
                if (kind == SoftmaxKind.LOG_SOFTMAX) {
                    sum += a.sum(0, n);
                } else {
                    b.read(results, n);
                    sum += a.dot(b, 0, n);
                }
            }
            return sum;
        }

        private void write(long start, int length, double sum) {
            Chunk a = Chunk.of(wide);
            Chunk b = Chunk.of(wide);
            Reader gradients = new Reader(g, start);
            Reader results = new Reader(y, start);
            Writer writer = new Writer(dx, start);
            for (int done = 0; done < length; done += Reader.CHUNK) {
                int n = Math.min(Reader.CHUNK, length - done);
                a.read(gradients, n);
                b.read(results, n);
                if (kind == SoftmaxKind.LOG_SOFTMAX) {
                    b.exp(n);
                    a.subtractProduct(b, 0, n, sum);
                } else {
                    a.differenceTimes(b, 0, n, sum);
                }
                a.write(writer, n);
            }
        }
    }

    /** What is done with a block of a row: its number, its first element, its length. */
    @FunctionalInterface
    private interface BlockTask {
        void run(int block, long start, int length);
    }

    /** What is done with {@code width} columns from {@code from} of one outer index, {@code steps} rows of them a chunk. */
    @FunctionalInterface
    private interface ColumnTask {
        void run(long outer, long from, int width, int steps);
    }

    private static void columns(Rows rows, ColumnTask task) {
        int width = (int) Math.min(COLUMNS, rows.inner());
        long tiles = (rows.inner() + width - 1) / width;
        int steps = width == rows.inner() ? Reader.CHUNK / width : 1;
        Parallel.items(rows.outer() * tiles, rows.len() * width, (begin, end) -> {
            for (long i = begin; i < end; i++) {
                long from = i % tiles * width;
                task.run(i / tiles, from, (int) Math.min(width, rows.inner() - from), steps);
            }
        });
    }
}

package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.DType;
import org.tenon.spi.ClassLoss;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/**
 * Cross entropy of logits, with the maximum of each row and its sum of exponentials in place of log-probabilities, which are never
 * written. Rows of float32 are worked on where they lie, short rows and other types by chunks.
 */
final class CrossEntropy {
    private CrossEntropy() {}

    static void forward(ClassLoss loss, Strided x, Strided known, Strided out) {
        Nll nll = new Nll(loss);
        Cells sums = new Cells(known);
        if (x.count() > 0) {
            known(x, loss.rows(), sums);
        }
        Cells logits = new Cells(x);
        nll.forward((i, at) -> logits.get(at) - sums.get(2 * i) - Math.log(sums.get(2 * i + 1)), out);
    }

    private static void known(Strided x, Rows rows, Cells sums) {
        int length = Math.toIntExact(rows.len());
        if (CpuSoftmax.isColumns(rows) && inMemory(x)) {
            MemorySegment memory = CpuBuffer.floats(x);
            CpuSoftmax.columns(rows, (outer, from, width) -> columnSums(memory, rows, outer, from, width, sums));
        } else if (rows.inner() > 1) {
            CpuSoftmax.columns(
                    rows, (outer, from, width) -> new SoftmaxColumns(rows, wide(x)).known(x, sums, outer, from, width));
        } else if (isNarrow(x, rows)) {
            NarrowSums steps = new NarrowSums(CpuBuffer.floats(x), length, sums);
            Parallel.items(rows.outer(), length, steps::forward);
        } else if (inMemory(x)) {
            MemorySegment memory = CpuBuffer.floats(x);
            MemorySoftmax steps = new MemorySoftmax(SoftmaxKind.LOG_SOFTMAX, Lanes.CHOSEN.rows(), memory, null);
            Parallel.items(rows.outer(), length, (from, to) -> {
                for (long row = from; row < to; row++) {
                    double top = steps.max(row * length, length);
                    sums.set(2 * row, top);
                    sums.set(2 * row + 1, steps.sum(row * length, length, top));
                }
            });
        } else {
            Parallel.items(rows.outer(), length, (from, to) -> new Chunks(x, length, sums).sums(from, to));
        }
    }

    private static void columnSums(MemorySegment x, Rows rows, long outer, long from, int width, Cells sums) {
        float[] tops = new float[width];
        double[] totals = new double[width];
        Lanes.CHOSEN.rows().columns().sums(x, rows, outer, from, width, tops, totals);
        for (int i = 0; i < width; i++) {
            long row = outer * rows.inner() + from + i;
            sums.set(2 * row, tops[i]);
            sums.set(2 * row + 1, totals[i]);
        }
    }

    /** The gradient but for the targets and for rows that do not count. */
    private static void columnShares(
            MemorySegment x,
            MemorySegment dx,
            Rows rows,
            long outer,
            long from,
            int width,
            Cells sums,
            Nll.Slopes slopes) {
        float[] tops = new float[width];
        float[] factors = new float[width];
        for (int i = 0; i < width; i++) {
            long row = outer * rows.inner() + from + i;
            tops[i] = (float) sums.get(2 * row);
            factors[i] = (float) (slopes.of(row) / sums.get(2 * row + 1));
        }
        Lanes.CHOSEN.rows().columns().expTimes(x, dx, rows, outer, from, width, tops, factors);
    }

    static void backward(ClassLoss loss, Strided g, Strided x, Strided known, Strided dx) {
        if (dx.count() == 0) {
            return;
        }
        Nll nll = new Nll(loss);
        Nll.Slopes slopes = nll.slopes(g);
        Rows rows = loss.rows();
        Cells sums = new Cells(known);
        int length = Math.toIntExact(rows.len());
        if (CpuSoftmax.isColumns(rows) && inMemory(x)) {
            MemorySegment memory = CpuBuffer.floats(x);
            MemorySegment result = CpuBuffer.floats(dx);
            CpuSoftmax.columns(
                    rows, (outer, from, width) -> columnShares(memory, result, rows, outer, from, width, sums, slopes));
            targets(nll, slopes, rows, dx);
        } else if (rows.inner() > 1) {
            CpuSoftmax.columns(
                    rows,
                    (outer, from, width) ->
                            new SoftmaxColumns(rows, wide(x)).shares(x, sums, slopes, dx, outer, from, width));
            targets(nll, slopes, rows, dx);
        } else if (isNarrow(x, rows)) {
            NarrowSums steps = new NarrowSums(CpuBuffer.floats(x), length, sums);
            MemorySegment result = CpuBuffer.floats(dx);
            Parallel.items(rows.outer(), length, (from, to) -> steps.backward(result, nll, slopes, from, to));
        } else if (inMemory(x)) {
            FloatRows steps = Lanes.CHOSEN.rows();
            MemorySegment memory = CpuBuffer.floats(x);
            MemorySegment result = CpuBuffer.floats(dx);
            Parallel.items(rows.outer(), length, (from, to) -> {
                for (long row = from; row < to; row++) {
                    long start = row * length;
                    if (nll.counts(row)) {
                        double slope = slopes.of(row);
                        float factor = (float) (slope / sums.get(2 * row + 1));
                        steps.expTimes(memory, result, start, length, MemorySoftmax.shift(sums.get(2 * row)), factor);
                        subtract(result, start + nll.target(row), slope);
                    } else {
                        clear(result, start, length);
                    }
                }
            });
        } else {
            Parallel.items(
                    rows.outer(),
                    length,
                    (from, to) -> new Chunks(x, length, sums).gradient(from, to, dx, nll, slopes));
        }
    }

    /** Takes the slope away at each target, and everything where a row does not count. */
    private static void targets(Nll nll, Nll.Slopes slopes, Rows rows, Strided dx) {
        Cells gradient = new Cells(dx);
        Parallel.range(rows.count(), Parallel.GRAIN / 8, (from, to) -> {
            for (long row = from; row < to; row++) {
                long first = row / rows.inner() * rows.len() * rows.inner() + row % rows.inner();
                if (nll.counts(row)) {
                    long at = first + nll.target(row) * rows.inner();
                    gradient.set(at, gradient.get(at) - slopes.of(row));
                } else {
                    for (long c = 0; c < rows.len(); c++) {
                        gradient.set(first + c * rows.inner(), 0);
                    }
                }
            }
        });
    }

    private static boolean wide(Strided x) {
        return x.dtype() == DType.F64;
    }

    private static boolean inMemory(Strided x) {
        return x.dtype() == DType.F32 && Lanes.CHOSEN.rows() != null;
    }

    private static boolean isNarrow(Strided x, Rows rows) {
        return inMemory(x) && Lanes.CHOSEN.rows().isNarrow(rows.len());
    }

    private static void subtract(MemorySegment floats, long at, double slope) {
        float share = floats.getAtIndex(ValueLayout.JAVA_FLOAT, at);
        floats.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) (share - slope));
    }

    private static void clear(MemorySegment floats, long at, long n) {
        floats.asSlice(at * Float.BYTES, n * Float.BYTES).fill((byte) 0);
    }

    /** Rows of few elements, many at once. */
    private record NarrowSums(MemorySegment x, int length, Cells sums) {
        void forward(long from, long to) {
            NarrowRows rows = Lanes.CHOSEN.rows().narrow(length);
            float[] tops = new float[rows.together()];
            float[] totals = new float[rows.together()];
            for (long group = from; group < to; group += rows.together()) {
                int count = (int) Math.min(rows.together(), to - group);
                rows.sums(x, group, group + count, tops, totals);
                for (int i = 0; i < count; i++) {
                    sums.set(2 * (group + i), tops[i]);
                    sums.set(2 * (group + i) + 1, totals[i]);
                }
            }
        }

        void backward(MemorySegment dx, Nll nll, Nll.Slopes slopes, long from, long to) {
            NarrowRows rows = Lanes.CHOSEN.rows().narrow(length);
            float[] tops = new float[rows.together()];
            float[] factors = new float[rows.together()];
            double[] slope = new double[rows.together()];
            for (long group = from; group < to; group += rows.together()) {
                int count = (int) Math.min(rows.together(), to - group);
                for (int i = 0; i < count; i++) {
                    tops[i] = (float) sums.get(2 * (group + i));
                    slope[i] = slopes.of(group + i);
                    factors[i] = (float) (slope[i] / sums.get(2 * (group + i) + 1));
                }
                rows.expTimes(x, dx, group, group + count, tops, factors);
                for (int i = 0; i < count; i++) {
                    long row = group + i;
                    if (nll.counts(row)) {
                        subtract(dx, row * length + nll.target(row), slope[i]);
                    } else {
                        clear(dx, row * length, length);
                    }
                }
            }
        }
    }

    /** Rows by chunks, many short ones in one, by one thread. */
    private static final class Chunks {
        private final Chunk chunk;
        private final Reader reader;
        private final int length;
        private final Cells sums;
        private final int together;

        Chunks(Strided x, int length, Cells sums) {
            chunk = Chunk.of(wide(x));
            reader = new Reader(x, 0);
            this.length = length;
            this.sums = sums;
            together = Math.max(1, Reader.CHUNK / length);
        }

        void sums(long from, long to) {
            for (long row = from; row < to; row += together) {
                int count = (int) Math.min(together, to - row);
                if (length > Reader.CHUNK) {
                    longRow(row);
                    continue;
                }
                read(row * length, count * length);
                for (int i = 0; i < count; i++) {
                    double top = chunk.max(i * length, (i + 1) * length);
                    sums.set(2 * (row + i), top);
                    chunk.subtract(i * length, (i + 1) * length, top);
                }
                chunk.exp(count * length);
                for (int i = 0; i < count; i++) {
                    sums.set(2 * (row + i) + 1, chunk.sum(i * length, (i + 1) * length));
                }
            }
        }

        private void longRow(long row) {
            double top = Double.NEGATIVE_INFINITY;
            for (int done = 0; done < length; done += Reader.CHUNK) {
                int n = Math.min(Reader.CHUNK, length - done);
                read(row * length + done, n);
                top = Math.max(top, chunk.max(0, n));
            }
            double sum = 0;
            for (int done = 0; done < length; done += Reader.CHUNK) {
                int n = Math.min(Reader.CHUNK, length - done);
                read(row * length + done, n);
                chunk.subtract(0, n, top);
                chunk.exp(n);
                sum += chunk.sum(0, n);
            }
            sums.set(2 * row, top);
            sums.set(2 * row + 1, sum);
        }

        private void read(long at, int n) {
            reader.seek(at);
            chunk.read(reader, n);
        }

        void gradient(long from, long to, Strided dx, Nll nll, Nll.Slopes slopes) {
            Writer writer = new Writer(dx, from * length);
            for (long row = from; row < to; row += together) {
                int count = (int) Math.min(together, to - row);
                for (int done = 0; done < length; done += Reader.CHUNK) {
                    int n = Math.min(Reader.CHUNK, length - done);
                    read(row * length + done, count * n);
                    for (int i = 0; i < count; i++) {
                        chunk.subtract(i * n, (i + 1) * n, sums.get(2 * (row + i)));
                    }
                    chunk.exp(count * n);
                    for (int i = 0; i < count; i++) {
                        scale(i * n, n, row + i, done, nll, slopes);
                    }
                    chunk.write(writer, count * n);
                }
            }
        }

        /** Makes the gradient of exponentials: {@code n} of a row from its element {@code done}. */
        private void scale(int at, int n, long row, int done, Nll nll, Nll.Slopes slopes) {
            if (!nll.counts(row)) {
                chunk.fill(at, at + n, 0);
                return;
            }
            double slope = slopes.of(row);
            chunk.multiply(at, at + n, slope / sums.get(2 * row + 1));
            long target = nll.target(row) - done;
            if (target >= 0 && target < n) {
                chunk.add(at + (int) target, -slope);
            }
        }
    }
}

package org.tenon.cpu;

import java.util.Arrays;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/**
 * Softmax along an axis that is not the last, of any type: many columns at a time, the axis gone through once a pass. {@link FloatColumns} are for what has more columns
 * than a vector has lanes and is float32.
 */
final class SoftmaxColumns {
    private final Rows rows;
    private final Chunk a;
    private final Chunk b;
    private final double[] max = new double[Chunk.CAPACITY];
    private final double[] sum = new double[Chunk.CAPACITY];

    SoftmaxColumns(Rows rows, boolean wide) {
        this.rows = rows;
        a = Chunk.of(wide);
        b = Chunk.of(wide);
    }

    /** What is done with {@code count} steps along the axis from {@code first}, a chunk of them. */
    @FunctionalInterface
    private interface Step {
        void run(long element, int count);
    }

    private void along(long outer, long from, int width, Step step) {
        int steps = width == rows.inner() ? Reader.CHUNK / width : 1;
        for (long j = 0; j < rows.len(); j += steps) {
            step.run((outer * rows.len() + j) * rows.inner() + from, (int) Math.min(steps, rows.len() - j));
        }
    }

    void forward(SoftmaxKind kind, Strided in, Strided out, long outer, long from, int width) {
        Reader reader = new Reader(in, 0);
        Writer writer = new Writer(out, 0);
        sums(reader, outer, from, width);
        if (kind == SoftmaxKind.LOG_SOFTMAX) {
            for (int i = 0; i < width; i++) {
                sum[i] = a.log(sum[i]);
            }
        }
        along(outer, from, width, (element, count) -> {
            shifted(reader, element, count, width);
            if (kind == SoftmaxKind.SOFTMAX) {
                a.exp(count * width);
            }
            for (int j = 0; j < count; j++) {
                if (kind == SoftmaxKind.LOG_SOFTMAX) {
                    a.subtractRow(sum, j * width, width);
                } else {
                    a.divideRow(sum, j * width, width);
                }
            }
            write(writer, element, count * width);
        });
    }

    /** The maximum of each row, and its sum of exponentials. */
    private void sums(Reader reader, long outer, long from, int width) {
        Arrays.fill(max, 0, width, Double.NEGATIVE_INFINITY);
        Arrays.fill(sum, 0, width, 0);
        along(outer, from, width, (element, count) -> {
            read(a, reader, element, count * width);
            a.maxColumns(max, count, width);
        });
        along(outer, from, width, (element, count) -> {
            shifted(reader, element, count, width);
            a.exp(count * width);
            for (int j = 0; j < count; j++) {
                a.addRow(sum, j * width, width);
            }
        });
    }

    /** Writes both, as pairs. */
    void known(Strided in, Cells known, long outer, long from, int width) {
        sums(new Reader(in, 0), outer, from, width);
        for (int i = 0; i < width; i++) {
            long row = outer * rows.inner() + from + i;
            known.set(2 * row, max[i]);
            known.set(2 * row + 1, sum[i]);
        }
    }

    /** The gradient of cross entropy from them, but for the targets and for rows that do not count. */
    void shares(Strided in, Cells known, Nll.Slopes slopes, Strided dx, long outer, long from, int width) {
        Reader reader = new Reader(in, 0);
        Writer writer = new Writer(dx, 0);
        for (int i = 0; i < width; i++) {
            long row = outer * rows.inner() + from + i;
            max[i] = known.get(2 * row);
            sum[i] = known.get(2 * row + 1) / slopes.of(row);
        }
        along(outer, from, width, (element, count) -> {
            shifted(reader, element, count, width);
            a.exp(count * width);
            for (int j = 0; j < count; j++) {
                a.divideRow(sum, j * width, width);
            }
            write(writer, element, count * width);
        });
    }

    private void shifted(Reader reader, long element, int count, int width) {
        read(a, reader, element, count * width);
        for (int j = 0; j < count; j++) {
            a.subtractRow(max, j * width, width);
        }
    }

    void backward(SoftmaxKind kind, Strided g, Strided y, Strided dx, long outer, long from, int width) {
        Reader gradients = new Reader(g, 0);
        Reader results = new Reader(y, 0);
        Writer writer = new Writer(dx, 0);
        Arrays.fill(sum, 0, width, 0);
        along(outer, from, width, (element, count) -> {
            read(a, gradients, element, count * width);
            if (kind == SoftmaxKind.SOFTMAX) {
                read(b, results, element, count * width);
            }
            for (int j = 0; j < count; j++) {
                if (kind == SoftmaxKind.LOG_SOFTMAX) {
                    a.addRow(sum, j * width, width);
                } else {
                    a.addProductRow(b, sum, j * width, width);
                }
            }
        });
        along(outer, from, width, (element, count) -> {
            read(a, gradients, element, count * width);
            read(b, results, element, count * width);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                b.exp(count * width);
            }
            for (int j = 0; j < count; j++) {
                if (kind == SoftmaxKind.LOG_SOFTMAX) {
                    a.subtractProductRow(b, sum, j * width, width);
                } else {
                    a.differenceTimesRow(b, sum, j * width, width);
                }
            }
            write(writer, element, count * width);
        });
    }

    private static void read(Chunk to, Reader from, long element, int n) {
        from.seek(element);
        to.read(from, n);
    }

    private void write(Writer to, long element, int n) {
        to.seek(element);
        a.write(to, n);
    }
}

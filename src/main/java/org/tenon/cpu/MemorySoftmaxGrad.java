package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.spi.SoftmaxKind;

/** Float32 where it lies. */
record MemorySoftmaxGrad(SoftmaxKind kind, FloatRows rows, MemorySegment g, MemorySegment y, MemorySegment dx)
        implements SoftmaxGradSteps {
    @Override
    public double sum(long start, int n) {
        double sum = 0;
        for (int done = 0; done < n; ) {
            int length = MemorySoftmax.piece(n - done, rows.least());
            sum += kind == SoftmaxKind.LOG_SOFTMAX
                    ? rows.sum(g, start + done, length)
                    : rows.dot(g, y, start + done, length);
            done += length;
        }
        return sum;
    }

    @Override
    public void write(long start, int n, double sum) {
        if (kind == SoftmaxKind.LOG_SOFTMAX) {
            rows.logSoftmaxGrad(g, y, dx, start, n, (float) sum);
        } else {
            rows.softmaxGrad(g, y, dx, start, n, (float) sum);
        }
    }

    /** Rows {@code from} to {@code to}: while one is written the next is added up. */
    void rows(int length, long from, long to) {
        double sum = sum(from * length, length);
        for (long row = from; row < to - 1; row++) {
            double next = 0;
            for (int done = 0; done < length; ) {
                long at = row * length + done;
                int n = MemorySoftmax.piece(length - done, rows.least());
                next += kind == SoftmaxKind.LOG_SOFTMAX
                        ? rows.logSoftmaxGradStep(g, y, dx, at, at + length, n, (float) sum)
                        : rows.softmaxGradStep(g, y, dx, at, at + length, n, (float) sum);
                done += n;
            }
            sum = next;
        }
        write((to - 1) * length, length, sum);
    }
}

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
}

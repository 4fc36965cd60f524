package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.spi.SoftmaxKind;

/** Float32 where it lies. Softmax keeps the exponentials in the output between its passes. */
record MemorySoftmax(SoftmaxKind kind, FloatRows rows, MemorySegment in, MemorySegment out) implements SoftmaxSteps {
    /** Sums of this many floats are added up in double. */
    static final int PIECE = 2048;

    @Override
    public double max(long start, int n) {
        return rows.max(in, start, n);
    }

    @Override
    public double sum(long start, int n, double max) {
        double sum = 0;
        float shift = shift(max);
        for (int done = 0; done < n; ) {
            int length = piece(n - done, rows.least());
            sum += kind == SoftmaxKind.LOG_SOFTMAX
                    ? rows.sumExp(in, start + done, length, shift)
                    : rows.exp(in, out, start + done, length, shift);
            done += length;
        }
        return sum;
    }

    /**
     * What is subtracted of the elements of a row before exponentials are taken. Less minus infinity would be another NaN than one in the
     * row, and which of two a sum keeps depends on how it was compiled.
     */
    static float shift(double max) {
        return max == Double.NEGATIVE_INFINITY ? 0 : (float) max;
    }

    /** The length of the next piece: the last takes what would be too short for one of its own. */
    static int piece(int rest, int least) {
        return rest < PIECE + least ? rest : PIECE;
    }

    @Override
    public void write(long start, int n, double max, double sum) {
        if (kind == SoftmaxKind.LOG_SOFTMAX) {
            rows.shift(in, out, start, n, (float) max, (float) Math.log(sum));
        } else {
            rows.scale(out, start, n, (float) (1 / sum));
        }
    }
}

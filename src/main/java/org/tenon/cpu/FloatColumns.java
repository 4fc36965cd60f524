package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;

/**
 * Softmax and what goes with it along an axis that is not the last, of float32 in memory: {@code width} columns from {@code from} of one block
 * {@code outer}, at least {@link FloatRows#least}. What is computed for a column does not depend on those beside it. One belongs to one thread.
 */
interface FloatColumns {
    /** Softmax or its logarithm. */
    void softmax(SoftmaxKind kind, MemorySegment x, MemorySegment out, Rows rows, long outer, long from, int width);

    /** Their gradients, as of {@link NarrowRows#softmaxGrad}. */
    void softmaxGrad(
            SoftmaxKind kind,
            MemorySegment g,
            MemorySegment y,
            MemorySegment dx,
            Rows rows,
            long outer,
            long from,
            int width);

    /** Of each column the largest element that is a number, and the sum of {@code e^(x - top)}. */
    void sums(MemorySegment x, Rows rows, long outer, long from, int width, float[] tops, double[] sums);

    /** {@code out = e^(x - top) * factor}. */
    void expTimes(
            MemorySegment x,
            MemorySegment out,
            Rows rows,
            long outer,
            long from,
            int width,
            float[] tops,
            float[] factors);
}

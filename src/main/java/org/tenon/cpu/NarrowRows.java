package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.spi.SoftmaxKind;

/**
 * Softmax and what goes with it on rows of float32 in memory that are all of one length, few elements ({@link FloatRows#isNarrow}). {@code from} and
 * {@code to} are rows; what is computed for a row does not depend on those beside it. One belongs to one thread.
 */
interface NarrowRows {
    /** So many rows are worked on at once: callers with arrays of their own bring that many. */
    int together();

    /** Softmax or its logarithm. */
    void softmax(SoftmaxKind kind, MemorySegment x, MemorySegment out, long from, long to);

    /** Their gradients: {@code dx = g - e^y * sum(g)} of log-softmax, {@code dx = y * (g - sum(g * y))} of softmax. */
    void softmaxGrad(SoftmaxKind kind, MemorySegment g, MemorySegment y, MemorySegment dx, long from, long to);

    /** Of at most {@link #together} rows the largest element that is a number, and the sum of {@code e^(x - top)}. */
    void sums(MemorySegment x, long from, long to, float[] tops, float[] sums);

    /** {@code out = e^(x - top) * factor} of at most {@link #together} rows. */
    void expTimes(MemorySegment x, MemorySegment out, long from, long to, float[] tops, float[] factors);
}

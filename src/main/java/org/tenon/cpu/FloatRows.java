package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.spi.SoftmaxKind;

/**
 * The steps of a softmax on runs of float32 in memory, without a pass through arrays: an op that is bound by memory reads it
 * while it computes. Positions and lengths count elements; a length is at
 * least {@link #least}, but for the one that says otherwise.
 */
interface FloatRows {
    /** The least length. */
    int least();

    /** The largest element that is a number; -inf if there is none. A NaN shows in the sum. */
    float max(MemorySegment x, long at, int n);

    /** The sum of {@code e^(x - shift)}. */
    float sumExp(MemorySegment x, long at, int n, float shift);

    /** {@code out = e^(x - shift)}; returns the sum. */
    float exp(MemorySegment x, MemorySegment out, long at, int n, float shift);

    /** {@code out = (x - a) - b}. */
    void shift(MemorySegment x, MemorySegment out, long at, int n, float a, float b);

    /** {@code x = x * factor}. */
    void scale(MemorySegment x, long at, int n, float factor);

    /** The sum. */
    float sum(MemorySegment x, long at, int n);

    /** The sum of products. */
    float dot(MemorySegment x, MemorySegment y, long at, int n);

    /** {@code out = g - e^y * sum}, the gradient of log-softmax. */
    void logSoftmaxGrad(MemorySegment g, MemorySegment y, MemorySegment out, long at, int n, float sum);

    /** {@code out = y * (g - sum)}, the gradient of softmax. */
    void softmaxGrad(MemorySegment g, MemorySegment y, MemorySegment out, long at, int n, float sum);

    /** Rows {@code from} to {@code to} of fewer than {@link #least} elements each, whole. */
    void narrow(SoftmaxKind kind, MemorySegment x, MemorySegment out, int len, long from, long to);
}

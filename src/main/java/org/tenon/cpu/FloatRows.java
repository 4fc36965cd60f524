package org.tenon.cpu;

import java.lang.foreign.MemorySegment;

/**
 * The steps of a softmax on runs of float32 in memory, without a pass through arrays: an op that is bound by memory reads it
 * while it computes. Positions and lengths count elements; a length is at
 * least {@link #least}.
 */
interface FloatRows {
    /** The least length. */
    int least();

    /** Whether rows of that length are better worked on many at once, as all do that are shorter than {@link #least}. */
    boolean isNarrow(long length);

    /** For such rows; it belongs to the thread until the next call. */
    NarrowRows narrow(int length);

    /** Along an axis that is not the last, of at least {@link #least} columns; it belongs to the thread. */
    FloatColumns columns();

    /** The largest element that is a number; -inf if there is none. A NaN shows in the sum. */
    float max(MemorySegment x, long at, int n);

    /** The sum of {@code e^(x - shift)}. */
    float sumExp(MemorySegment x, long at, int n, float shift);

    /** {@code out = e^(x - shift)}; returns the sum. */
    float exp(MemorySegment x, MemorySegment out, long at, int n, float shift);

    /** {@code out = e^(x - shift) * factor}. */
    void expTimes(MemorySegment x, MemorySegment out, long at, int n, float shift, float factor);

    /** {@code out = (x - a) - b}. */
    void shift(MemorySegment x, MemorySegment out, long at, int n, float a, float b);

    /** {@code x = log x} of the elements {@code from} to {@code to}, a batch of at most {@link #least} of them. */
    void log(float[] x, int from, int to);

    /**
     * Three steps of a log-softmax at once, on runs of {@code n}: {@code found[0]} is the {@link #sumExp} of that at {@code add},
     * {@code found[1]} the {@link #max} of that at {@code look}, and that at {@code late} is written, less {@code a}, less {@code b}.
     */
    void logSoftmaxStep(
            MemorySegment x,
            MemorySegment out,
            long add,
            long late,
            long look,
            int n,
            float shift,
            float a,
            float b,
            float[] found);

    /** As {@link #logSoftmaxStep} for softmax: {@link #exp} of that at {@code add}, and the results at {@code late} times a factor. */
    void softmaxStep(
            MemorySegment x,
            MemorySegment out,
            long add,
            long late,
            long look,
            int n,
            float shift,
            float factor,
            float[] found);

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

    /** {@link #logSoftmaxGrad} of the run at {@code at}; returns the {@link #sum} of {@code g} at {@code look}. */
    float logSoftmaxGradStep(MemorySegment g, MemorySegment y, MemorySegment out, long at, long look, int n, float sum);

    /** {@link #softmaxGrad} of the run at {@code at}; returns the {@link #dot} of {@code g} and {@code y} at {@code look}. */
    float softmaxGradStep(MemorySegment g, MemorySegment y, MemorySegment out, long at, long look, int n, float sum);
}

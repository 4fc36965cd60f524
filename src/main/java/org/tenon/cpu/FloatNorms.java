package org.tenon.cpu;

import java.lang.foreign.MemorySegment;

/**
 * The steps of a norm with a weight on runs of float32 in memory, beside the sums of {@link FloatRows}. Positions and lengths
 * count elements, a length is at least that of {@link FloatRows#least}. {@code h} is {@code (x - mean) * scale}, {@code d} is
 * {@code g * weight}. The run at {@code at} of a row has its weights at {@code column}.
 */
interface FloatNorms {
    /** The sum of {@code (x - mean)^2}. */
    float squares(MemorySegment x, long at, int n, float mean);

    /** {@code out = h * weight + bias}; {@code bias} may be null. */
    void write(
            MemorySegment x,
            MemorySegment out,
            long at,
            int n,
            float mean,
            float scale,
            MemorySegment weight,
            MemorySegment bias,
            long column);

    /** {@code found[0]} is the sum of {@code d}, {@code found[1]} that of {@code d * h}. */
    void sums(
            MemorySegment g,
            MemorySegment x,
            long at,
            int n,
            float mean,
            float scale,
            MemorySegment weight,
            long column,
            float[] found);

    /** {@code out = scale * (d - a - h * b)}. */
    void gradient(
            MemorySegment g,
            MemorySegment x,
            MemorySegment out,
            long at,
            int n,
            float mean,
            float scale,
            MemorySegment weight,
            long column,
            float a,
            float b);

    /** {@code weight[i] += g * h} and {@code bias[i] += g}. */
    void add(MemorySegment g, MemorySegment x, long at, int n, float mean, float scale, float[] weight, float[] bias);
}

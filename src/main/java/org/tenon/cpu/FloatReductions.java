package org.tenon.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Reductions of float32 where it lies. Positions, strides and lengths count elements; a row, or the columns of one call, are at least
 * {@link #least}. An extreme is the largest of {@code sign * x}, for a sign of 1 or -1; NaN if there is one.
 */
interface FloatReductions {
    /** The least length. */
    int least();

    /** The sum of one run. */
    float sum(MemorySegment x, long at, int n);

    /** The extreme of one run. */
    float extreme(MemorySegment x, long at, int n, float sign);

    /** {@code found[r]} is the sum of row r, of {@code rows} that lie one after another. */
    void sums(MemorySegment x, long at, int n, int rows, float[] found);

    /** {@code found[r]} is the extreme of row r, of {@code rows} that lie one after another. */
    void extremes(MemorySegment x, long at, int n, int rows, float sign, float[] found);

    /** The first position of a value, or of a NaN where that is one; -1 where there is none. */
    int find(MemorySegment x, long at, int n, float value);

    /** Adds to {@code sums[i]} the sum of column i, of {@code rows} that begin {@code stride} apart. */
    void addRows(MemorySegment x, long at, long stride, int rows, int width, float[] sums);

    /** Extends {@code found[i]} by the extreme of column i. */
    void extendRows(MemorySegment x, long at, long stride, int rows, int width, float sign, float[] found);

    /** As {@link #extendRows}, and writes {@code row + r} to {@code positions[i]} where row r has the first such. */
    void extendRows(
            MemorySegment x,
            long at,
            long stride,
            int rows,
            int width,
            float sign,
            float[] found,
            int row,
            int[] positions);
}

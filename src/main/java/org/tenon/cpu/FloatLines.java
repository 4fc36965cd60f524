package org.tenon.cpu;

import java.lang.foreign.MemorySegment;

/** What products of few lines with a matrix are made of. Positions and lengths count elements. */
interface FloatLines {
    /** So many rows of a matrix are added up at once. */
    int ROWS = 8;

    /** Columns for which this pays. */
    int least();

    /**
     * {@code out[j] += sum of factors[at + i] * matrix[from + i * stride + j]} for {@link #ROWS} rows i, one after another, and for
     * {@code n} columns j.
     */
    void addRows(
            float[] factors,
            int at,
            MemorySegment matrix,
            long from,
            long stride,
            int n,
            MemorySegment out,
            long outAt);

    /** The same for one row. */
    void addRow(float factor, MemorySegment matrix, long from, int n, MemorySegment out, long outAt);

    /** The sum of products of {@code line} from {@code at} on and {@code n} elements of a matrix from {@code from} on. */
    float dot(float[] line, int at, MemorySegment matrix, long from, int n);
}

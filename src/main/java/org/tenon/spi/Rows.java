package org.tenon.spi;

/**
 * A contiguous tensor seen along one axis: {@code outer} blocks of {@code len} by {@code inner}. Element {@code j} of row
 * {@code (o, i)} is at {@code (o * len + j) * inner + i}. {@code inner} is 1 when the axis is the last.
 *
 * @param outer the product of the sizes before the axis
 * @param len the size of the axis
 * @param inner the product of the sizes after the axis
 */
public record Rows(long outer, long len, long inner) {
    /** The rows along axis {@code dim} of these sizes. */
    public static Rows along(long[] sizes, int dim) {
        long outer = 1;
        long inner = 1;
        for (int i = 0; i < sizes.length; i++) {
            if (i < dim) {
                outer *= sizes[i];
            } else if (i > dim) {
                inner *= sizes[i];
            }
        }
        return new Rows(outer, sizes.length == 0 ? 1 : sizes[dim], inner);
    }

    /** The number of rows. */
    public long count() {
        return outer * inner;
    }
}

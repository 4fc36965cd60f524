package org.tenon.spi;

import org.tenon.DType;

/**
 * What a kernel sees of a tensor: memory, element type, and where each element is. Element {@code (i0, i1, ...)} is at
 * {@code offset + i0 * strides[0] + i1 * strides[1] + ...}, counted in elements from the buffer's base. A stride may be 0
 * (a broadcast input, never an output) or negative.
 *
 * @param buffer the memory
 * @param dtype the element type
 * @param offset the position of the first element, in elements
 * @param sizes one an axis
 * @param strides one an axis, in elements
 */
public record Strided(Buffer buffer, DType dtype, long offset, long[] sizes, long[] strides) {
    /** The number of elements; 1 for a scalar. */
    public long count() {
        long n = 1;
        for (long size : sizes) {
            n *= size;
        }
        return n;
    }

    /** The number of axes. */
    public int rank() {
        return sizes.length;
    }

    /** Whether the elements lie one after another in row-major order. */
    public boolean isContiguous() {
        long expected = 1;
        for (int i = sizes.length - 1; i >= 0; i--) {
            if (sizes[i] != 1 && strides[i] != expected) {
                return count() == 0;
            }
            expected *= sizes[i];
        }
        return true;
    }
}

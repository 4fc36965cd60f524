package org.tenon.op;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.TensorArgumentException;
import org.tenon.spi.Buffer;
import org.tenon.spi.Strided;

/**
 * Sizes, strides and offset, in elements, and what views do with them. The arrays are never changed after construction.
 *
 * @param offset the position of the first element
 * @param sizes one an axis
 * @param strides one an axis
 */
public record Layout(long offset, long[] sizes, long[] strides) {
    /** Row-major over a new buffer; refuses sizes whose bytes do not fit 63 bits. */
    static Layout contiguous(String op, DType dtype, long... sizes) {
        long bytes = dtype.bytes();
        try {
            for (long size : sizes) {
                bytes = Math.multiplyExact(bytes, Math.max(size, 1));
            }
        } catch (ArithmeticException e) {
            throw new TensorArgumentException(
                    op, "shape " + Arrays.toString(sizes) + " of " + dtype + " has more than 2^63 bytes; ask for less");
        }
        return new Layout(0, sizes.clone(), rowMajor(sizes));
    }

    private static long[] rowMajor(long[] sizes) {
        long[] strides = new long[sizes.length];
        long step = 1;
        for (int i = sizes.length - 1; i >= 0; i--) {
            strides[i] = step;
            step *= Math.max(sizes[i], 1);
        }
        return strides;
    }

    Strided over(Buffer buffer, DType dtype) {
        return new Strided(buffer, dtype, offset, sizes, strides);
    }

    long count() {
        long n = 1;
        for (long size : sizes) {
            n *= size;
        }
        return n;
    }

    int rank() {
        return sizes.length;
    }

    boolean isContiguous() {
        return new Strided(null, null, offset, sizes, strides).isContiguous();
    }

    /** Whether this is the same place in the same memory. */
    boolean equalsIn(Layout other) {
        return offset == other.offset && Arrays.equals(sizes, other.sizes) && Arrays.equals(strides, other.strides);
    }

    /** Whether an axis repeats its elements. */
    boolean repeats() {
        for (int i = 0; i < sizes.length; i++) {
            if (strides[i] == 0 && sizes[i] > 1) {
                return true;
            }
        }
        return false;
    }

    Layout permute(int[] order) {
        long[] newSizes = new long[order.length];
        long[] newStrides = new long[order.length];
        for (int i = 0; i < order.length; i++) {
            newSizes[i] = sizes[order[i]];
            newStrides[i] = strides[order[i]];
        }
        return new Layout(offset, newSizes, newStrides);
    }

    /** The inputs of a broadcast: missing leading axes and axes of size 1 get stride 0. */
    Layout expand(long[] wanted) {
        long[] newStrides = new long[wanted.length];
        int missing = wanted.length - sizes.length;
        for (int i = missing; i < wanted.length; i++) {
            newStrides[i] = sizes[i - missing] == 1 && wanted[i] != 1 ? 0 : strides[i - missing];
        }
        return new Layout(offset, wanted.clone(), newStrides);
    }

    Layout slice(int dim, long start, long length, long step) {
        long[] newSizes = sizes.clone();
        long[] newStrides = strides.clone();
        newSizes[dim] = length;
        newStrides[dim] = strides[dim] * step;
        return new Layout(length == 0 ? offset : first(dim, start), newSizes, newStrides);
    }

    Layout without(int dim, long index) {
        return new Layout(first(dim, index), remove(sizes, dim), remove(strides, dim));
    }

    /** Where the elements at this index begin; of no elements, a place that exists. */
    private long first(int dim, long index) {
        return count() == 0 ? offset : offset + index * strides[dim];
    }

    Layout with(int dim, long size) {
        return new Layout(offset, insert(sizes, dim, size), insert(strides, dim, 0));
    }

    /** The same elements in order under other sizes without a copy, or null if the strides do not allow it. */
    Layout reshape(long[] wanted) {
        if (count() == 0 || isContiguous()) {
            return new Layout(offset, wanted.clone(), rowMajor(wanted));
        }
        long[] newStrides = new long[wanted.length];
        int to = 0;
        int from = 0;
        while (from < sizes.length) {
            int begin = from;
            long have = sizes[from++];
            while (from < sizes.length && (sizes[from] == 1 || mergeable(begin, from))) {
                have *= sizes[from++];
            }
            long step = lastStride(begin, from);
            int end = to;
            long need = 1;
            while (end < wanted.length && need < have) {
                need *= wanted[end++];
            }
            if (need != have) {
                return null;
            }
            for (int i = end - 1; i >= to; i--) {
                newStrides[i] = step;
                step *= wanted[i];
            }
            to = end;
        }
        return new Layout(offset, wanted.clone(), newStrides);
    }

    private boolean mergeable(int begin, int next) {
        int last = next - 1;
        while (last > begin && sizes[last] == 1) {
            last--;
        }
        return sizes[last] == 1 || strides[last] == sizes[next] * strides[next];
    }

    private long lastStride(int begin, int end) {
        for (int i = end - 1; i > begin; i--) {
            if (sizes[i] != 1) {
                return strides[i];
            }
        }
        return strides[begin];
    }

    static long[] remove(long[] array, int at) {
        long[] result = new long[array.length - 1];
        System.arraycopy(array, 0, result, 0, at);
        System.arraycopy(array, at + 1, result, at, result.length - at);
        return result;
    }

    static long[] insert(long[] array, int at, long value) {
        long[] result = new long[array.length + 1];
        System.arraycopy(array, 0, result, 0, at);
        result[at] = value;
        System.arraycopy(array, at, result, at + 1, array.length - at);
        return result;
    }
}

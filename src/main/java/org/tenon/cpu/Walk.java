package org.tenon.cpu;

import java.util.Arrays;
import org.tenon.spi.Strided;

/**
 * The positions of a tensor's elements in row-major order, from any start. Axes that lie one after another in memory are
 * merged, so that a contiguous tensor of any rank is one run; between runs an odometer steps, without a division.
 */
final class Walk {
    private final long[] sizes;
    private final long[] strides;
    private final long origin;
    private final int last;
    private final long[] index;
    private long position;

    Walk(Strided operand) {
        int rank = operand.rank();
        long[] mergedSizes = new long[Math.max(1, rank)];
        long[] mergedStrides = new long[Math.max(1, rank)];
        int axes = merge(operand, mergedSizes, mergedStrides);
        if (axes == 0) {
            mergedSizes[0] = 1;
            mergedStrides[0] = 1;
            axes = 1;
        }
        sizes = mergedSizes;
        strides = mergedStrides;
        origin = operand.offset();
        last = axes - 1;
        index = new long[axes];
        position = origin;
    }

    private static int merge(Strided operand, long[] sizes, long[] strides) {
        int axes = 0;
        for (int d = 0; d < operand.rank(); d++) {
            long size = operand.sizes()[d];
            long stride = operand.strides()[d];
            if (size == 1) {
                continue;
            }
            if (axes > 0 && strides[axes - 1] == size * stride) {
                sizes[axes - 1] *= size;
                strides[axes - 1] = stride;
            } else {
                sizes[axes] = size;
                strides[axes++] = stride;
            }
        }
        return axes;
    }

    /** Goes to element {@code linear} of the row-major order. */
    void seek(long linear) {
        position = origin;
        if (linear == 0) {
            Arrays.fill(index, 0);
            return;
        }
        long rest = linear;
        for (int d = last; d > 0; d--) {
            index[d] = rest % sizes[d];
            rest /= sizes[d];
            position += index[d] * strides[d];
        }
        index[0] = rest;
        position += rest * strides[0];
    }

    /** Where the current element is, counted from the start of the buffer. */
    long position() {
        return position;
    }

    /** The distance between elements of a run. */
    long stride() {
        return strides[last];
    }

    /** The length of a whole run. */
    long run() {
        return sizes[last];
    }

    /** Whether there is but one run. */
    boolean single() {
        return last == 0;
    }

    /** How many elements of the current run are left, this one among them. */
    long left() {
        return sizes[last] - index[last];
    }

    /** Goes on by {@code n} elements, at most to the start of the next run. */
    void skip(long n) {
        index[last] += n;
        position += n * strides[last];
        for (int d = last; d > 0 && index[d] == sizes[d]; d--) {
            position += strides[d - 1] - sizes[d] * strides[d];
            index[d] = 0;
            index[d - 1]++;
        }
    }

    /** Writes the positions of the next {@code n} elements and goes past them. */
    void positions(long[] to, int n) {
        int done = 0;
        while (done < n) {
            int count = (int) Math.min(n - done, left());
            sequence(to, done, count, position, strides[last]);
            skip(count);
            done += count;
        }
    }

    private static void sequence(long[] to, int at, int n, long first, long step) {
        for (int i = 0; i < n; i++) {
            to[at + i] = first + i * step;
        }
    }
}

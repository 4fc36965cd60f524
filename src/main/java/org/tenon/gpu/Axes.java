package org.tenon.gpu;

import java.util.Arrays;

/**
 * The axes that several operands of the same sizes are walked along, merged where all of them lie one after another, so
 * that contiguous operands of any rank have one axis.
 */
final class Axes {
    /** How many axes a kernel takes; the constant of {@code common.h}. */
    static final int RANK = 8;

    private final long count;
    private final long[] sizes;
    private final long[][] strides;

    private Axes(long count, long[] sizes, long[][] strides) {
        this.count = count;
        this.sizes = sizes;
        this.strides = strides;
    }

    /** Axes of {@code sizes}, with the strides of each operand. */
    static Axes of(long[] sizes, long[]... operands) {
        int rank = sizes.length;
        long count = 1;
        long[] merged = new long[Math.max(1, rank)];
        long[][] strides = new long[operands.length][merged.length];
        int axes = 0;
        for (int d = 0; d < rank; d++) {
            count *= sizes[d];
            if (sizes[d] == 1) {
                continue;
            }
            boolean joins = axes > 0;
            for (int k = 0; joins && k < operands.length; k++) {
                joins = strides[k][axes - 1] == sizes[d] * operands[k][d];
            }
            if (joins) {
                axes--;
                merged[axes] *= sizes[d];
            } else {
                merged[axes] = sizes[d];
            }
            for (int k = 0; k < operands.length; k++) {
                strides[k][axes] = operands[k][d];
            }
            axes++;
        }
        if (axes == 0) {
            merged[0] = 1;
            axes = 1;
        }
        for (int k = 0; k < operands.length; k++) {
            strides[k] = Arrays.copyOf(strides[k], axes);
        }
        return new Axes(count, Arrays.copyOf(merged, axes), strides);
    }

    /** The number of elements. */
    long count() {
        return count;
    }

    int rank() {
        return sizes.length;
    }

    long[] sizes() {
        return sizes;
    }

    /** The strides of an operand. */
    long[] strides(int operand) {
        return strides[operand];
    }

    /** Whether an operand's elements lie one after another. */
    boolean isDense(int operand) {
        return sizes.length == 1 && (strides[operand][0] == 1 || sizes[0] == 1);
    }

    /** What is launched for a part of the axes; {@code offsets} has one more for each operand. */
    interface Part {
        void run(Axes axes, long[] offsets);
    }

    /** Runs {@code part} once, or, where there are more axes than a kernel takes, once for each step of the first ones. */
    void each(Part part) {
        if (count > 0) {
            each(part, new long[strides.length]);
        }
    }

    private void each(Part part, long[] offsets) {
        if (sizes.length <= RANK) {
            part.run(this, offsets);
            return;
        }
        long[][] rest = new long[strides.length][];
        for (int k = 0; k < strides.length; k++) {
            rest[k] = Arrays.copyOfRange(strides[k], 1, sizes.length);
        }
        Axes inner = new Axes(count / sizes[0], Arrays.copyOfRange(sizes, 1, sizes.length), rest);
        for (long i = 0; i < sizes[0]; i++) {
            long[] moved = offsets.clone();
            for (int k = 0; k < strides.length; k++) {
                moved[k] += i * strides[k][0];
            }
            inner.each(part, moved);
        }
    }
}

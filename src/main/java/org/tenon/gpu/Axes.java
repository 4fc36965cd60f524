package org.tenon.gpu;

/**
 * The axes that several operands of the same sizes are walked along, merged where all of them lie one after another, so
 * that contiguous operands of any rank have one axis. Where there are more axes than a kernel takes, the elements fall into
 * parts, one for each step of the first axes, and {@link #part} goes to one of them. Each {@link Launch} has its own and
 * uses them again and again.
 */
final class Axes {
    /** How many axes a kernel takes; the constant of {@code common.h}. */
    static final int RANK = 8;

    private static final int OPERANDS = 4;
    private static final int NONE = -1;

    private long[] sizes = new long[2 * RANK];
    private final long[][] strides = new long[OPERANDS][2 * RANK];
    private final long[] offsets = new long[OPERANDS];
    private int axes;
    private int first;
    private long count;
    private long parts;

    /** Of one operand, from axis {@code from} up to {@code to}. */
    Axes set(long[] all, int from, int to, long[] a) {
        return set(all, from, to, NONE, a, a, a, a);
    }

    /** Of one operand. */
    Axes set(long[] all, long[] a) {
        return set(all, 0, all.length, NONE, a, a, a, a);
    }

    /** Of two operands. */
    Axes set(long[] all, long[] a, long[] b) {
        return set(all, 0, all.length, NONE, a, b, a, a);
    }

    /** Of three operands. */
    Axes set(long[] all, long[] a, long[] b, long[] c) {
        return set(all, 0, all.length, NONE, a, b, c, a);
    }

    /** Of four operands. */
    Axes set(long[] all, long[] a, long[] b, long[] c, long[] d) {
        return set(all, 0, all.length, NONE, a, b, c, d);
    }

    /** Of three operands, all axes but {@code dim}. */
    Axes setWithout(int dim, long[] all, long[] a, long[] b, long[] c) {
        return set(all, 0, all.length, dim, a, b, c, a);
    }

    private Axes set(long[] all, int from, int to, int without, long[] a, long[] b, long[] c, long[] e) {
        room(to - from);
        axes = 0;
        count = 1;
        for (int d = from; d < to; d++) {
            long size = all[d];
            if (size == 1 || d == without) {
                continue;
            }
            count *= size;
            boolean joins = axes > 0
                    && strides[0][axes - 1] == size * a[d]
                    && strides[1][axes - 1] == size * b[d]
                    && strides[2][axes - 1] == size * c[d]
                    && strides[3][axes - 1] == size * e[d];
            int at = joins ? axes - 1 : axes;
            put(at, joins ? sizes[at] * size : size, a[d], b[d], c[d], e[d]);
            axes = at + 1;
        }
        if (axes == 0) {
            put(0, 1, 0, 0, 0, 0);
            axes = 1;
        }
        first = Math.max(0, axes - RANK);
        parts = count == 0 ? 0 : 1;
        for (int d = 0; d < first; d++) {
            parts *= sizes[d];
        }
        return part(0);
    }

    private void room(int rank) {
        if (rank > sizes.length) {
            sizes = new long[rank];
            for (int k = 0; k < OPERANDS; k++) {
                strides[k] = new long[rank];
            }
        }
    }

    private void put(int at, long size, long a, long b, long c, long d) {
        sizes[at] = size;
        strides[0][at] = a;
        strides[1][at] = b;
        strides[2][at] = c;
        strides[3][at] = d;
    }

    /** How many launches the elements take: 0 where there are none. */
    long parts() {
        return parts;
    }

    /** Goes to a part: the offsets are those of its first element. */
    Axes part(long number) {
        for (int k = 0; k < OPERANDS; k++) {
            offsets[k] = 0;
        }
        long rest = number;
        for (int d = first - 1; d >= 0; d--) {
            for (int k = 0; k < OPERANDS; k++) {
                offsets[k] += rest % sizes[d] * strides[k][d];
            }
            rest /= sizes[d];
        }
        return this;
    }

    /** The number of elements of a part. */
    long count() {
        return parts == 0 ? 0 : count / parts;
    }

    /** The axes of a part. */
    int rank() {
        return axes - first;
    }

    long size(int axis) {
        return sizes[first + axis];
    }

    long stride(int operand, int axis) {
        return strides[operand][first + axis];
    }

    /** What the part adds to an operand's offset. */
    long offset(int operand) {
        return offsets[operand];
    }

    /** Whether an operand's elements lie one after another. */
    boolean isDense(int operand) {
        return axes == 1 && (strides[operand][0] == 1 || sizes[0] == 1);
    }

    /** Puts axis {@code axis} and the last one before the others. */
    void lead(int axis) {
        lead(sizes, first + axis);
        for (int k = 0; k < OPERANDS; k++) {
            lead(strides[k], first + axis);
        }
    }

    private void lead(long[] values, int axis) {
        long one = values[axis];
        long other = values[axes - 1];
        System.arraycopy(values, axis + 1, values, axis + 2, axes - 2 - axis);
        System.arraycopy(values, first, values, first + 2, axis - first);
        values[first] = one;
        values[first + 1] = other;
    }
}

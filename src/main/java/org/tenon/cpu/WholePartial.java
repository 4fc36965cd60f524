package org.tenon.cpu;

import org.tenon.spi.ReduceOp;

/** As {@link Partial}, of integers: sums wrap, extremes are exact. */
final class WholePartial {
    private final ReduceOp op;
    private long sum;
    private long extreme;
    private long index = -1;

    WholePartial(ReduceOp op) {
        this.op = op;
    }

    void add(long[] x, int from, int to, long position) {
        if (op == ReduceOp.SUM) {
            for (int i = from; i < to; i++) {
                sum += x[i];
            }
        } else {
            for (int i = from; i < to; i++) {
                offer(x[i], position + i - from);
            }
        }
    }

    void add(long value, long position) {
        if (op == ReduceOp.SUM) {
            sum += value;
        } else {
            offer(value, position);
        }
    }

    private void offer(long value, long position) {
        boolean smallest = op == ReduceOp.MIN || op == ReduceOp.ARGMIN;
        if (index < 0 || (smallest ? value < extreme : value > extreme)) {
            extreme = value;
            index = position;
        }
    }

    void merge(WholePartial later) {
        sum += later.sum;
        if (later.index >= 0) {
            offer(later.extreme, later.index);
        }
    }

    long result() {
        return switch (op) {
            case SUM -> sum;
            case MAX, MIN -> extreme;
            case ARGMAX, ARGMIN -> index;
            case MEAN, LOGSUMEXP -> throw Element.I64.undefined(op);
        };
    }
}

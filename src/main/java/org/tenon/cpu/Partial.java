package org.tenon.cpu;

import org.tenon.spi.ReduceOp;

/** What is known of a row of a floating type, or of a block of one, while it is reduced. Blocks merge in their order. */
final class Partial {
    private final ReduceOp op;
    /** The sum, or for {@link ReduceOp#LOGSUMEXP} the sum of exponentials relative to {@link #extreme}. */
    private double sum;

    private double extreme;
    private long index = -1;

    Partial(ReduceOp op) {
        this.op = op;
        extreme = smallest() ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
    }

    private boolean smallest() {
        return op == ReduceOp.MIN || op == ReduceOp.ARGMIN;
    }

    /** Takes in {@code x[from..to)}, whose first element is number {@code position} of the row. May overwrite them. */
    void add(float[] x, int from, int to, long position) {
        switch (op) {
            case SUM, MEAN -> sum += Lanes.CHOSEN.sum(x, from, to);
            case MAX -> extreme = Math.max(extreme, Lanes.CHOSEN.max(x, from, to));
            case MIN -> {
                for (int i = from; i < to; i++) {
                    extreme = Math.min(extreme, x[i]);
                }
            }
            case LOGSUMEXP -> {
                rescale(Math.max(extreme, Lanes.CHOSEN.max(x, from, to)));
                float top = (float) extreme;
                for (int i = from; i < to; i++) {
                    x[i] -= top;
                }
                Lanes.CHOSEN.exp(x, to);
                sum += Lanes.CHOSEN.sum(x, from, to);
            }
            case ARGMAX, ARGMIN -> {
                for (int i = from; i < to; i++) {
                    offer(x[i], position + i - from);
                }
            }
        }
    }

    /** As above, of doubles. */
    void add(double[] x, int from, int to, long position) {
        switch (op) {
            case SUM, MEAN -> sum += sum(x, from, to);
            case MAX, MIN -> {
                for (int i = from; i < to; i++) {
                    include(x[i]);
                }
            }
            case LOGSUMEXP -> {
                double top = extreme;
                for (int i = from; i < to; i++) {
                    top = Math.max(top, x[i]);
                }
                rescale(top);
                for (int i = from; i < to; i++) {
                    sum += Math.exp(x[i] - top);
                }
            }
            case ARGMAX, ARGMIN -> {
                for (int i = from; i < to; i++) {
                    offer(x[i], position + i - from);
                }
            }
        }
    }

    private static double sum(double[] x, int from, int to) {
        double s = 0;
        for (int i = from; i < to; i++) {
            s += x[i];
        }
        return s;
    }

    /** Takes in one element, but for a {@link ReduceOp#LOGSUMEXP}, which wants many at once. */
    void add(double value, long position) {
        switch (op) {
            case SUM, MEAN -> sum += value;
            case MAX, MIN -> include(value);
            case ARGMAX, ARGMIN -> offer(value, position);
            case LOGSUMEXP -> {
                rescale(Math.max(extreme, value));
                sum += Math.exp(value - extreme);
            }
        }
    }

    private void include(double value) {
        extreme = smallest() ? Math.min(extreme, value) : Math.max(extreme, value);
    }

    /** The first of equals wins, and the first NaN over everything. */
    private void offer(double value, long position) {
        boolean better = smallest() ? value < extreme : value > extreme;
        if (index < 0 || better || value != value && extreme == extreme) {
            extreme = value;
            index = position;
        }
    }

    private void rescale(double top) {
        if (top != extreme) {
            sum = sum == 0 ? 0 : sum * Math.exp(extreme - top);
            extreme = top;
        }
    }

    /** Takes in a later block of the same row. */
    void merge(Partial later) {
        switch (op) {
            case SUM, MEAN -> sum += later.sum;
            case MAX, MIN -> include(later.extreme);
            case ARGMAX, ARGMIN -> offer(later.extreme, later.index);
            case LOGSUMEXP -> {
                rescale(Math.max(extreme, later.extreme));
                sum += later.sum == 0 ? 0 : later.sum * Math.exp(later.extreme - extreme);
            }
        }
    }

    /** The result, of a row of {@code length}. */
    double result(long length) {
        return switch (op) {
            case SUM -> sum;
            case MEAN -> sum / length;
            case MAX, MIN -> extreme;
            case ARGMAX, ARGMIN -> index;
            case LOGSUMEXP -> Double.isInfinite(extreme) || extreme != extreme ? extreme : extreme + Math.log(sum);
        };
    }
}

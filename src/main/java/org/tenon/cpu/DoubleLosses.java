package org.tenon.cpu;

import org.tenon.spi.LossOp;

/** The terms and slopes of losses of single elements over arrays of doubles. */
final class DoubleLosses {
    private DoubleLosses() {}

    /** {@code x} becomes the terms. */
    static void terms(LossOp op, double p0, double[] x, double[] t, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = term(op, p0, x[i], t[i]);
        }
    }

    private static double term(LossOp op, double p0, double x, double t) {
        double d = x - t;
        double size = Math.abs(d);
        return switch (op) {
            case KL -> t == 0 ? 0 : t * (Math.log(t) - x);
            case KL_LOG -> t == Double.NEGATIVE_INFINITY ? 0 : Math.exp(t) * (t - x);
            case MSE -> d * d;
            case L1 -> size;
            case HUBER -> size <= p0 ? 0.5 * d * d : p0 * (size - 0.5 * p0);
            case SMOOTH_L1 -> size < p0 ? 0.5 * d * d / p0 : size - 0.5 * p0;
            // What is left of x is taken apart, so that nothing large is lost against the logarithm.
            case BCE_LOGITS -> (x < 0 ? -t * x : (1 - t) * x) + Math.log1p(Math.exp(-Math.abs(x)));
        };
    }

    /** The slopes by x. */
    static void slopes(LossOp op, double p0, double[] x, double[] t, double[] slope, int n) {
        for (int i = 0; i < n; i++) {
            slope[i] = slope(op, p0, x[i], t[i]);
        }
    }

    private static double slope(LossOp op, double p0, double x, double t) {
        double d = x - t;
        return switch (op) {
            case KL -> -t;
            case KL_LOG -> -Math.exp(t);
            case MSE -> 2 * d;
            case L1 -> Math.signum(d);
            case HUBER -> Math.abs(d) > p0 ? p0 * Math.signum(d) : d;
            case SMOOTH_L1 -> Math.abs(d) < p0 ? d / p0 : Math.signum(d);
            case BCE_LOGITS -> (1 - t) * logistic(x) - t * logistic(-x);
        };
    }

    private static double logistic(double x) {
        double e = Math.exp(-Math.abs(x));
        return (x < 0 ? e : 1) / (1 + e);
    }

    /** The slopes by t. */
    static void targetSlopes(LossOp op, double p0, double[] x, double[] t, double[] slope, int n) {
        for (int i = 0; i < n; i++) {
            slope[i] = targetSlope(op, p0, x[i], t[i]);
        }
    }

    private static double targetSlope(LossOp op, double p0, double x, double t) {
        return switch (op) {
            case KL -> Math.log(t) - x + 1;
            case KL_LOG -> Math.exp(t) * (t - x + 1);
            case MSE, L1, HUBER, SMOOTH_L1 -> -slope(op, p0, x, t);
            case BCE_LOGITS -> -x;
        };
    }
}

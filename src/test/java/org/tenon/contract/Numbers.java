package org.tenon.contract;

import java.util.Arrays;

/** References of single numbers and rows, in float64, by the plainest formulas. */
final class Numbers {
    private Numbers() {}

    /** The integral of the Gaussian by Simpson's rule, cut where it no longer matters. */
    static double erf(double x) {
        if (Double.isNaN(x)) {
            return x;
        }
        double end = Math.min(Math.abs(x), 7);
        int steps = 4000;
        double h = end / steps;
        double sum = 1 + Math.exp(-end * end);
        for (int i = 1; i < steps; i++) {
            double t = i * h;
            sum += (i % 2 == 0 ? 2 : 4) * Math.exp(-t * t);
        }
        return Math.copySign(2 / Math.sqrt(Math.PI) * sum * h / 3, x);
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    static double gelu(double x) {
        return x / 2 * (1 + erf(x / Math.sqrt(2)));
    }

    static double geluTanh(double x) {
        return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    static double max(double[] row) {
        double max = row[0];
        for (double each : row) {
            max = Math.max(max, each);
        }
        return max;
    }

    static double min(double[] row) {
        double min = row[0];
        for (double each : row) {
            min = Math.min(min, each);
        }
        return min;
    }

    static double argmax(double[] row) {
        int best = 0;
        for (int i = 1; i < row.length; i++) {
            if (!Double.isNaN(row[best]) && (Double.isNaN(row[i]) || row[i] > row[best])) {
                best = i;
            }
        }
        return best;
    }

    static double argmin(double[] row) {
        int best = 0;
        for (int i = 1; i < row.length; i++) {
            if (!Double.isNaN(row[best]) && (Double.isNaN(row[i]) || row[i] < row[best])) {
                best = i;
            }
        }
        return best;
    }

    static double sum(double[] row) {
        double sum = 0;
        for (double each : row) {
            sum += each;
        }
        return sum;
    }

    static double mean(double[] row) {
        return sum(row) / row.length;
    }

    static double variance(double[] row, double correction) {
        double mean = mean(row);
        double sum = 0;
        for (double each : row) {
            sum += (each - mean) * (each - mean);
        }
        return sum / Math.max(0, row.length - correction);
    }

    static double norm(double[] row, double p) {
        if (p == Double.POSITIVE_INFINITY) {
            return max(Arrays.stream(row).map(Math::abs).toArray());
        }
        if (p == 0) {
            return Arrays.stream(row).filter(v -> v != 0).count();
        }
        return Math.pow(Arrays.stream(row).map(v -> Math.pow(Math.abs(v), p)).sum(), 1 / p);
    }

    static double logsumexp(double[] row) {
        if (row.length == 0) {
            return Double.NEGATIVE_INFINITY;
        }
        double max = max(row);
        if (Double.isInfinite(max) || Double.isNaN(max)) {
            return max;
        }
        return max + Math.log(Arrays.stream(row).map(v -> Math.exp(v - max)).sum());
    }

    static double[] cumsum(double[] row) {
        double[] out = row.clone();
        for (int i = 1; i < out.length; i++) {
            out[i] += out[i - 1];
        }
        return out;
    }

    static double[] logSoftmax(double[] row) {
        if (row.length == 0) {
            return row;
        }
        double max = max(row);
        double log = Math.log(Arrays.stream(row).map(v -> Math.exp(v - max)).sum());
        return Arrays.stream(row).map(v -> v - max - log).toArray();
    }

    static double[] softmax(double[] row) {
        if (row.length == 0) {
            return row;
        }
        double max = max(row);
        double sum = Arrays.stream(row).map(v -> Math.exp(v - max)).sum();
        return Arrays.stream(row).map(v -> Math.exp(v - max) / sum).toArray();
    }

    static double kl(double x, double t) {
        return t == 0 ? 0 : t * (Math.log(t) - x);
    }

    static double klLog(double x, double t) {
        return t == Double.NEGATIVE_INFINITY ? 0 : Math.exp(t) * (t - x);
    }
}

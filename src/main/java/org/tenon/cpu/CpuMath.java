package org.tenon.cpu;

import org.tenon.spi.BinaryOp;
import org.tenon.spi.UnaryOp;

/** The functions that cost more than a few instructions, over arrays, in place. */
final class CpuMath {
    private static final double ROOT_HALF = Math.sqrt(0.5);
    private static final double PDF = 1 / Math.sqrt(2 * Math.PI);
    static final double TANH_SCALE = Math.sqrt(2 / Math.PI);
    static final double TANH_CUBE = 0.044715;
    private static final double ERF_SCALE = 2 / Math.sqrt(Math.PI);

    private CpuMath() {}

    static void apply(UnaryOp op, float[] x, int n) {
        switch (op) {
            case EXP -> Lanes.CHOSEN.exp(x, n);
            case LOG -> Lanes.CHOSEN.log(x, n);
            case LOG1P -> Lanes.CHOSEN.log1p(x, n);
            case SIN -> Lanes.CHOSEN.sin(x, n);
            case COS -> Lanes.CHOSEN.cos(x, n);
            case TANH -> Lanes.CHOSEN.tanh(x, n);
            case SIGMOID -> sigmoid(x, n);
            case SILU -> silu(x, n);
            case GELU_TANH -> geluTanh(x, n);
            case GELU -> Lanes.CHOSEN.gelu(x, n);
            case ERF -> {
                for (int i = 0; i < n; i++) {
                    x[i] = (float) erf(x[i]);
                }
            }
            default -> throw new IllegalStateException(op + " is not a function of " + CpuMath.class.getSimpleName());
        }
    }

    static void apply(UnaryOp op, double[] x, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = of(op, x[i]);
        }
    }

    private static void sigmoid(float[] x, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = -x[i];
        }
        Lanes.CHOSEN.exp(x, n);
        for (int i = 0; i < n; i++) {
            x[i] = 1 / (1 + x[i]);
        }
    }

    private static void silu(float[] x, int n) {
        float[] sigmoid = x.clone();
        sigmoid(sigmoid, n);
        for (int i = 0; i < n; i++) {
            x[i] *= sigmoid[i];
        }
    }

    private static void geluTanh(float[] x, int n) {
        float[] t = new float[n];
        for (int i = 0; i < n; i++) {
            float v = x[i];
            t[i] = (float) TANH_SCALE * (v + (float) TANH_CUBE * v * v * v);
        }
        Lanes.CHOSEN.tanh(t, n);
        for (int i = 0; i < n; i++) {
            x[i] = 0.5f * x[i] * (1 + t[i]);
        }
    }

    private static double of(UnaryOp op, double x) {
        return switch (op) {
            case EXP -> Math.exp(x);
            case LOG -> Math.log(x);
            case LOG1P -> Math.log1p(x);
            case SIN -> Math.sin(x);
            case COS -> Math.cos(x);
            case TANH -> Math.tanh(x);
            case SIGMOID -> 1 / (1 + Math.exp(-x));
            case SILU -> x / (1 + Math.exp(-x));
            case GELU -> 0.5 * x * (1 + erf(x * ROOT_HALF));
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(TANH_SCALE * (x + TANH_CUBE * x * x * x)));
            case ERF -> erf(x);
            default -> throw new IllegalStateException(op + " is not a function of " + CpuMath.class.getSimpleName());
        };
    }

    /** {@code a} becomes the result. */
    static void grad(BinaryOp op, float[] a, float[] b, int n) {
        if (op == BinaryOp.GELU_GRAD) {
            Lanes.CHOSEN.geluGrad(a, b, n);
            return;
        }
        for (int i = 0; i < n; i++) {
            a[i] = (float) of(op, a[i], b[i]);
        }
    }

    /** {@code a} becomes the result. */
    static void grad(BinaryOp op, double[] a, double[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] = of(op, a[i], b[i]);
        }
    }

    private static double of(BinaryOp op, double a, double b) {
        return switch (op) {
            case SIN_GRAD -> a * Math.cos(b);
            case COS_GRAD -> -a * Math.sin(b);
            case GELU_GRAD -> a * (0.5 * (1 + erf(b * ROOT_HALF)) + b * PDF * Math.exp(-0.5 * b * b));
            case GELU_TANH_GRAD -> {
                double t = Math.tanh(TANH_SCALE * (b + TANH_CUBE * b * b * b));
                double slope = TANH_SCALE * (1 + 3 * TANH_CUBE * b * b);
                yield a * (0.5 * (1 + t) + 0.5 * b * (1 - t * t) * slope);
            }
            case SILU_GRAD -> {
                // 1 less the sigmoid is that of -b: as a difference it would have the sigmoid's error, times b.
                double e = Math.exp(-Math.abs(b));
                double more = 1 / (1 + e);
                double less = e / (1 + e);
                yield a * (b > 0 ? more : less) * (1 + b * (b > 0 ? less : more));
            }
            case ERF_GRAD -> a * ERF_SCALE * Math.exp(-b * b);
            case POW -> power(a, b);
            default -> throw new IllegalStateException(op + " is not a function of " + CpuMath.class.getSimpleName());
        };
    }

    /** As C's pow: 1 to any power is 1, even to NaN, and -1 to an infinite one. */
    static double power(double base, double exponent) {
        return base == 1 || base == -1 && Double.isInfinite(exponent) ? 1 : Math.pow(base, exponent);
    }

    /**
     * The error function: below 2.5 the series of positive terms {@code 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!},
     * beyond it one less the continued fraction of its complement. Both are classical (Abramowitz and Stegun 7.1.6, 7.1.14).
     */
    static double erf(double x) {
        double magnitude = Math.abs(x);
        if (!(magnitude < 6)) {
            return Double.isNaN(x) ? x : Math.signum(x);
        }
        if (magnitude < 2.5) {
            double square = 2 * x * x;
            double term = x;
            double sum = x;
            for (int n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
                term *= square / (2 * n + 1);
                sum += term;
            }
            return ERF_SCALE * Math.exp(-x * x) * sum;
        }
        double fraction = magnitude;
        for (int n = 60; n >= 1; n--) {
            fraction = magnitude + n * 0.5 / fraction;
        }
        double complement = Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
        return Math.copySign(1 - complement, x);
    }
}

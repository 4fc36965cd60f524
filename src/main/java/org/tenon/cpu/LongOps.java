package org.tenon.cpu;

import org.tenon.spi.BinaryOp;
import org.tenon.spi.UnaryOp;

/** The elementwise functions over arrays of longs, for integers and bools (0 or 1); each a loop of its own that the JIT can vectorise. */
final class LongOps {
    private LongOps() {}

    /** {@code x[i] = op(x[i])}. */
    static void unary(UnaryOp op, long[] x, double p0, double p1, int n) {
        long p = (long) p0;
        switch (op) {
            case NEG -> {
                for (int i = 0; i < n; i++) {
                    long v = x[i];
                    x[i] = -v;
                }
            }
            case ABS -> {
                for (int i = 0; i < n; i++) {
                    long v = x[i];
                    x[i] = Math.abs(v);
                }
            }
            case SIGN -> {
                for (int i = 0; i < n; i++) {
                    long v = x[i];
                    x[i] = Long.signum(v);
                }
            }
            case RELU -> {
                for (int i = 0; i < n; i++) {
                    long v = x[i];
                    x[i] = Math.max(v, 0);
                }
            }
            case ADD_SCALAR -> {
                for (int i = 0; i < n; i++) {
                    long v = x[i];
                    x[i] = v + p;
                }
            }
            case MUL_SCALAR -> {
                for (int i = 0; i < n; i++) {
                    long v = x[i];
                    x[i] = v * p;
                }
            }
            case ISNAN -> {
                for (int i = 0; i < n; i++) {
                    x[i] = 0;
                }
            }
            case NOT -> {
                for (int i = 0; i < n; i++) {
                    long v = x[i];
                    x[i] = v == 0 ? 1 : 0;
                }
            }
            case CLAMP -> clamp(x, p0, p1, n);
            case EXP,
                    LOG,
                    LOG1P,
                    SQRT,
                    RSQRT,
                    RECIPROCAL,
                    SIN,
                    COS,
                    TANH,
                    SIGMOID,
                    GELU,
                    GELU_TANH,
                    SILU,
                    ERF,
                    DIV_SCALAR,
                    POW_SCALAR -> throw Element.I64.undefined(op);
        }
    }

    private static void clamp(long[] x, double low, double high, int n) {
        long l = (long) Math.ceil(low);
        long h = (long) Math.floor(high);
        for (int i = 0; i < n; i++) {
            x[i] = Math.max(l, Math.min(h, x[i]));
        }
    }

    /** {@code a[i] = op(a[i], b[i])}; a comparison gives 1 or 0. */
    static void binary(BinaryOp op, long[] a, long[] b, int n) {
        switch (op) {
            case ADD -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = v + w;
                }
            }
            case SUB -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = v - w;
                }
            }
            case MUL -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = v * w;
                }
            }
            case MAXIMUM -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = Math.max(v, w);
                }
            }
            case MINIMUM -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = Math.min(v, w);
                }
            }
            case EQ -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = v == w ? 1 : 0;
                }
            }
            case NE -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = v != w ? 1 : 0;
                }
            }
            case LT -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = v < w ? 1 : 0;
                }
            }
            case LE -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = v <= w ? 1 : 0;
                }
            }
            case GT -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = v > w ? 1 : 0;
                }
            }
            case GE -> {
                for (int i = 0; i < n; i++) {
                    long v = a[i];
                    long w = b[i];
                    a[i] = v >= w ? 1 : 0;
                }
            }
            case DIV,
                    POW,
                    ABS_GRAD,
                    SQRT_GRAD,
                    RSQRT_GRAD,
                    RECIPROCAL_GRAD,
                    LOG1P_GRAD,
                    SIN_GRAD,
                    COS_GRAD,
                    TANH_GRAD,
                    SIGMOID_GRAD,
                    RELU_GRAD,
                    GELU_GRAD,
                    GELU_TANH_GRAD,
                    SILU_GRAD,
                    ERF_GRAD -> throw Element.I64.undefined(op);
        }
    }

    /** {@code a[i] = c[i] ? a[i] : b[i]}. */
    static void where(long[] c, long[] a, long[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] = c[i] != 0 ? a[i] : b[i];
        }
    }
}

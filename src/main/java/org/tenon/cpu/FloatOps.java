package org.tenon.cpu;

import org.tenon.spi.BinaryOp;
import org.tenon.spi.UnaryOp;

/** The elementwise functions over arrays of floats, for float32, and the half types in float32; each a loop of its own that the JIT can vectorise. */
final class FloatOps {
    private FloatOps() {}

    /** {@code x[i] = op(x[i])}. */
    static void unary(UnaryOp op, float[] x, double p0, double p1, int n) {
        float p = (float) p0;
        switch (op) {
            case NEG -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = -v;
                }
            }
            case ABS -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = Math.abs(v);
                }
            }
            case SIGN -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = v > 0 ? 1 : v < 0 ? -1 : v == v ? 0 : v;
                }
            }
            case RELU -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = Math.max(v, 0f);
                }
            }
            case ADD_SCALAR -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = v + p;
                }
            }
            case MUL_SCALAR -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = v * p;
                }
            }
            case DIV_SCALAR -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = v / p;
                }
            }
            case ISNAN -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = v != v ? 1 : 0;
                }
            }
            case NOT -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = v == 0 ? 1 : 0;
                }
            }
            case SQRT -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = (float) Math.sqrt(v);
                }
            }
            case RSQRT -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = (float) (1 / Math.sqrt(v));
                }
            }
            case RECIPROCAL -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = 1 / v;
                }
            }
            case POW_SCALAR -> {
                for (int i = 0; i < n; i++) {
                    float v = x[i];
                    x[i] = (float) CpuMath.power(v, p0);
                }
            }
            case CLAMP -> clamp(x, p0, p1, n);
            case EXP, LOG, LOG1P, SIN, COS, TANH, SIGMOID, GELU, GELU_TANH, SILU, ERF -> CpuMath.apply(op, x, n);
        }
    }

    private static void clamp(float[] x, double low, double high, int n) {
        float l = (float) low;
        float h = (float) high;
        for (int i = 0; i < n; i++) {
            float v = x[i];
            x[i] = v < l ? l : v > h ? h : v;
        }
    }

    /** {@code a[i] = op(a[i], b[i])}; a comparison gives 1 or 0. */
    static void binary(BinaryOp op, float[] a, float[] b, int n) {
        switch (op) {
            case ADD -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v + w;
                }
            }
            case SUB -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v - w;
                }
            }
            case MUL -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v * w;
                }
            }
            case MAXIMUM -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = Math.max(v, w);
                }
            }
            case MINIMUM -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = Math.min(v, w);
                }
            }
            case EQ -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v == w ? 1 : 0;
                }
            }
            case NE -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v != w ? 1 : 0;
                }
            }
            case LT -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v < w ? 1 : 0;
                }
            }
            case LE -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v <= w ? 1 : 0;
                }
            }
            case GT -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v > w ? 1 : 0;
                }
            }
            case GE -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v >= w ? 1 : 0;
                }
            }
            case ABS_GRAD -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = w > 0 ? v : w < 0 ? -v : w == w ? 0 : w;
                }
            }
            case RELU_GRAD -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = w > 0 ? v : 0;
                }
            }
            case DIV -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v / w;
                }
            }
            case SQRT_GRAD -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v / (2 * w);
                }
            }
            case RSQRT_GRAD -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = -0.5f * v * w * w * w;
                }
            }
            case RECIPROCAL_GRAD -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = -v * w * w;
                }
            }
            case LOG1P_GRAD -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v / (1 + w);
                }
            }
            case TANH_GRAD -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v * (1 - w * w);
                }
            }
            case SIGMOID_GRAD -> {
                for (int i = 0; i < n; i++) {
                    float v = a[i];
                    float w = b[i];
                    a[i] = v * w * (1 - w);
                }
            }
            case POW, SIN_GRAD, COS_GRAD, GELU_GRAD, GELU_TANH_GRAD, SILU_GRAD, ERF_GRAD -> CpuMath.grad(op, a, b, n);
        }
    }

    /** {@code a[i] = c[i] ? a[i] : b[i]}. */
    static void where(long[] c, float[] a, float[] b, int n) {
        for (int i = 0; i < n; i++) {
            a[i] = c[i] != 0 ? a[i] : b[i];
        }
    }
}

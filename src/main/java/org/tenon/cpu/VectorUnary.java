package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.tenon.spi.UnaryOp;

/**
 * Functions of one run, each a loop of its own: the compiler has to inline all that is in it, or every vector becomes an
 * object. What is too much for one loop takes two, the first of which leaves its part in the result.
 */
final class VectorUnary {
    private static final int WIDTH = VectorMath.WIDTH;

    private VectorUnary() {}

    static boolean has(UnaryOp op) {
        return switch (op) {
            case NEG,
                    ABS,
                    SIGN,
                    SQRT,
                    RECIPROCAL,
                    RELU,
                    ADD_SCALAR,
                    MUL_SCALAR,
                    DIV_SCALAR,
                    CLAMP,
                    EXP,
                    LOG,
                    TANH,
                    SIGMOID,
                    SILU,
                    GELU,
                    GELU_TANH -> true;
            case ISNAN, NOT, RSQRT, POW_SCALAR, LOG1P, SIN, COS, ERF -> false;
        };
    }

    static void apply(UnaryOp op, float p0, float p1, MemorySegment x, long at, MemorySegment out, long to, int n) {
        switch (op) {
            case NEG -> neg(x, out, at, to, n);
            case ABS -> abs(x, out, at, to, n);
            case SIGN -> sign(x, out, at, to, n);
            case SQRT -> sqrt(x, out, at, to, n);
            case RECIPROCAL -> reciprocal(x, out, at, to, n);
            case RELU -> relu(x, out, at, to, n);
            case ADD_SCALAR -> plus(x, out, at, to, n, p0);
            case MUL_SCALAR -> times(x, out, at, to, n, p0);
            case DIV_SCALAR -> over(x, out, at, to, n, p0);
            case CLAMP -> clamp(x, out, at, to, n, p0, p1);
            case EXP -> exp(x, out, at, to, n);
            case LOG -> log(x, out, at, to, n);
            case TANH -> {
                tanhPower(x, out, at, to, n);
                tanhOfPower(x, out, at, to, n);
            }
            case SIGMOID -> sigmoid(x, out, at, to, n);
            case SILU -> silu(x, out, at, to, n);
            case GELU -> {
                bell(x, out, at, to, n);
                geluOfBell(x, out, at, to, n);
            }
            case GELU_TANH -> {
                innerPower(x, out, at, to, n);
                geluOfPower(x, out, at, to, n);
            }
            default ->
                throw new IllegalStateException(op + " is not a function of " + VectorUnary.class.getSimpleName());
        }
    }

    private static void neg(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(v.neg(), result, i);
        }
    }

    private static void abs(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(v.abs(), result, i);
        }
    }

    private static void sign(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.sign(v), result, i);
        }
    }

    private static void sqrt(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(v.sqrt(), result, i);
        }
    }

    private static void reciprocal(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(FloatVector.broadcast(VectorMath.SPECIES, 1f).div(v), result, i);
        }
    }

    private static void relu(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.relu(v), result, i);
        }
    }

    private static void plus(MemorySegment x, MemorySegment out, long at, long to, int n, float p) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(v.add(p), result, i);
        }
    }

    private static void times(MemorySegment x, MemorySegment out, long at, long to, int n, float p) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(v.mul(p), result, i);
        }
    }

    private static void over(MemorySegment x, MemorySegment out, long at, long to, int n, float p) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(v.div(p), result, i);
        }
    }

    private static void clamp(MemorySegment x, MemorySegment out, long at, long to, int n, float low, float high) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(
                    v.blend(high, v.compare(VectorOperators.GT, high)).blend(low, v.compare(VectorOperators.LT, low)),
                    result,
                    i);
        }
    }

    private static void exp(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.exp(v), result, i);
        }
    }

    static void log(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.log(v), result, i);
        }
    }

    private static void sigmoid(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.sigmoid(v), result, i);
        }
    }

    private static void silu(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(v.mul(VectorMath.sigmoid(v)), result, i);
        }
    }

    /** The exponential that GELU and its derivative need. */
    static void bell(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.bell(v), result, i);
        }
    }

    private static void geluOfBell(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.gelu(v, load(result, i)), result, i);
        }
    }

    private static void tanhPower(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.tanhPower(v), result, i);
        }
    }

    private static void tanhOfPower(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.tanh(v, load(result, i)), result, i);
        }
    }

    private static void innerPower(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.tanhPower(VectorMath.geluTanhArgument(v)), result, i);
        }
    }

    private static void geluOfPower(MemorySegment x, MemorySegment out, long at, long to, int n) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(to * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(from, i);
            store(VectorMath.geluTanh(v, load(result, i)), result, i);
        }
    }
}

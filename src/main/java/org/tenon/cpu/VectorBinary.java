package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.tenon.spi.BinaryOp;

/** Functions of two runs, each a loop of its own, see {@link VectorUnary}. */
final class VectorBinary {
    private static final int WIDTH = VectorMath.WIDTH;

    private VectorBinary() {}

    static boolean has(BinaryOp op) {
        return switch (op) {
            case ADD,
                    SUB,
                    MUL,
                    DIV,
                    MAXIMUM,
                    MINIMUM,
                    ABS_GRAD,
                    SQRT_GRAD,
                    RSQRT_GRAD,
                    RECIPROCAL_GRAD,
                    LOG1P_GRAD,
                    TANH_GRAD,
                    SIGMOID_GRAD,
                    RELU_GRAD,
                    GELU_GRAD -> true;
            case EQ, NE, LT, LE, GT, GE, POW, SIN_GRAD, COS_GRAD, GELU_TANH_GRAD, SILU_GRAD, ERF_GRAD -> false;
        };
    }

    static void apply(
            BinaryOp op, MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        switch (op) {
            case ADD -> add(a, aAt, b, bAt, out, at, n);
            case SUB -> sub(a, aAt, b, bAt, out, at, n);
            case MUL -> mul(a, aAt, b, bAt, out, at, n);
            case DIV -> div(a, aAt, b, bAt, out, at, n);
            case MAXIMUM -> maximum(a, aAt, b, bAt, out, at, n);
            case MINIMUM -> minimum(a, aAt, b, bAt, out, at, n);
            case ABS_GRAD -> absGrad(a, aAt, b, bAt, out, at, n);
            case SQRT_GRAD -> sqrtGrad(a, aAt, b, bAt, out, at, n);
            case RSQRT_GRAD -> rsqrtGrad(a, aAt, b, bAt, out, at, n);
            case RECIPROCAL_GRAD -> reciprocalGrad(a, aAt, b, bAt, out, at, n);
            case LOG1P_GRAD -> log1pGrad(a, aAt, b, bAt, out, at, n);
            case TANH_GRAD -> tanhGrad(a, aAt, b, bAt, out, at, n);
            case SIGMOID_GRAD -> sigmoidGrad(a, aAt, b, bAt, out, at, n);
            case RELU_GRAD -> reluGrad(a, aAt, b, bAt, out, at, n);
            case GELU_GRAD -> {
                VectorUnary.bell(b, out, bAt, at, n);
                geluGradOfBell(a, aAt, b, bAt, out, at, n);
            }
            default ->
                throw new IllegalStateException(op + " is not a function of " + VectorBinary.class.getSimpleName());
        }
    }

    private static void add(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.add(w), result, i);
        }
    }

    private static void sub(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.sub(w), result, i);
        }
    }

    private static void mul(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.mul(w), result, i);
        }
    }

    private static void div(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.div(w), result, i);
        }
    }

    private static void maximum(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.max(w), result, i);
        }
    }

    private static void minimum(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.min(w), result, i);
        }
    }

    private static void absGrad(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(VectorMath.absGrad(v, w), result, i);
        }
    }

    private static void sqrtGrad(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.div(w.mul(2f)), result, i);
        }
    }

    private static void rsqrtGrad(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.mul(-0.5f).mul(w).mul(w).mul(w), result, i);
        }
    }

    private static void reciprocalGrad(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.neg().mul(w).mul(w), result, i);
        }
    }

    private static void log1pGrad(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.div(w.add(1f)), result, i);
        }
    }

    private static void tanhGrad(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.mul(w.mul(w).neg().add(1f)), result, i);
        }
    }

    private static void sigmoidGrad(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(v.mul(w).mul(w.neg().add(1f)), result, i);
        }
    }

    private static void reluGrad(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(left, i);
            FloatVector w = load(right, i);
            store(FloatVector.zero(VectorMath.SPECIES).blend(v, w.compare(VectorOperators.GT, 0f)), result, i);
        }
    }

    private static void geluGradOfBell(
            MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long at, int n) {
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            store(VectorMath.geluSlope(load(right, i), load(result, i)).mul(load(left, i)), result, i);
        }
    }
}

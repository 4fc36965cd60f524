package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.tenon.spi.LossOp;

/** A gradient times the slopes of losses of single elements, each a loop of its own, see {@link VectorUnary}. */
final class VectorLossGrads {
    private static final int WIDTH = VectorMath.WIDTH;

    private VectorLossGrads() {}

    /** By x. */
    static void apply(
            LossOp op,
            float p0,
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long at,
            int n) {
        switch (op) {
            case KL -> timesNegative(g, gAt, t, tAt, out, at, n);
            case KL_LOG -> klLog(g, gAt, t, tAt, out, at, n);
            case MSE -> mse(g, gAt, x, xAt, t, tAt, out, at, n);
            case L1 -> l1(g, gAt, x, xAt, t, tAt, out, at, n);
            case HUBER -> huber(p0, g, gAt, x, xAt, t, tAt, out, at, n);
            case SMOOTH_L1 -> smoothL1(p0, g, gAt, x, xAt, t, tAt, out, at, n);
            case BCE_LOGITS -> {
                VectorLosses.power(x, xAt, out, at, n);
                bceOfPower(g, gAt, x, xAt, t, tAt, out, at, n);
            }
        }
    }

    /** By the target. */
    static void ofTarget(
            LossOp op,
            float p0,
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long at,
            int n) {
        switch (op) {
            case KL -> {
                VectorUnary.log(t, out, tAt, at, n);
                klTargetOfLog(g, gAt, x, xAt, out, at, n);
            }
            case KL_LOG -> klLogTarget(g, gAt, x, xAt, t, tAt, out, at, n);
            // Of a difference, which has the other sign seen from the target.
            case MSE, L1, HUBER, SMOOTH_L1 -> apply(op, p0, g, gAt, t, tAt, x, xAt, out, at, n);
            case BCE_LOGITS -> timesNegative(g, gAt, x, xAt, out, at, n);
        }
    }

    private static void timesNegative(
            MemorySegment g, long gAt, MemorySegment v, long vAt, MemorySegment out, long at, int n) {
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment from = v.asSlice(vAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            store(load(from, i).neg().mul(load(gradient, i)), result, i);
        }
    }

    private static void klLog(MemorySegment g, long gAt, MemorySegment t, long tAt, MemorySegment out, long at, int n) {
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment from = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            store(VectorMath.exp(load(from, i)).neg().mul(load(gradient, i)), result, i);
        }
    }

    /** The logarithm of the target is in {@code out}. */
    private static void klTargetOfLog(
            MemorySegment g, long gAt, MemorySegment x, long xAt, MemorySegment out, long at, int n) {
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector slope = load(result, i).sub(load(left, i)).add(1f);
            store(slope.mul(load(gradient, i)), result, i);
        }
    }

    private static void klLogTarget(
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long at,
            int n) {
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector w = load(right, i);
            FloatVector slope = VectorMath.exp(w).mul(w.sub(load(left, i)).add(1f));
            store(slope.mul(load(gradient, i)), result, i);
        }
    }

    private static void mse(
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long at,
            int n) {
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector d = load(left, i).sub(load(right, i));
            store(d.add(d).mul(load(gradient, i)), result, i);
        }
    }

    private static void l1(
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long at,
            int n) {
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector d = load(left, i).sub(load(right, i));
            store(VectorMath.absGrad(load(gradient, i), d), result, i);
        }
    }

    private static void huber(
            float p0,
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long at,
            int n) {
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector d = load(left, i).sub(load(right, i));
            FloatVector slope = d.blend(p0, d.compare(VectorOperators.GT, p0));
            slope = slope.blend(-p0, d.compare(VectorOperators.LT, -p0));
            store(slope.mul(load(gradient, i)), result, i);
        }
    }

    private static void smoothL1(
            float p0,
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long at,
            int n) {
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector d = load(left, i).sub(load(right, i));
            FloatVector slope = d.div(p0).blend(1f, d.compare(VectorOperators.GE, p0));
            slope = slope.blend(-1f, d.compare(VectorOperators.LE, -p0));
            store(slope.mul(load(gradient, i)), result, i);
        }
    }

    /** {@code (1 - t) s(x) - t s(-x)} with the logistic function s, of {@code e^-|x|}, which is in {@code out}. */
    private static void bceOfPower(
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long at,
            int n) {
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector e = load(result, i);
            FloatVector w = load(right, i);
            VectorMask<Float> negative = load(left, i).compare(VectorOperators.LT, 0f);
            FloatVector rest = w.neg().add(1f);
            FloatVector weights = rest.blend(w.neg(), negative)
                    .sub(w.blend(rest.neg(), negative).mul(e));
            store(weights.div(e.add(1f)).mul(load(gradient, i)), result, i);
        }
    }
}

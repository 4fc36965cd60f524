package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.tenon.spi.LossOp;

/** The terms of losses of single elements, each a loop of its own, see {@link VectorUnary}. */
final class VectorLosses {
    private static final int WIDTH = VectorMath.WIDTH;

    private VectorLosses() {}

    static void apply(
            LossOp op,
            float p0,
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
                klOfLog(x, xAt, t, tAt, out, at, n);
            }
            case KL_LOG -> klLog(x, xAt, t, tAt, out, at, n);
            case MSE -> mse(x, xAt, t, tAt, out, at, n);
            case L1 -> l1(x, xAt, t, tAt, out, at, n);
            case HUBER -> huber(p0, x, xAt, t, tAt, out, at, n);
            case SMOOTH_L1 -> smoothL1(p0, x, xAt, t, tAt, out, at, n);
            case BCE_LOGITS -> {
                power(x, xAt, out, at, n);
                bceOfPower(x, xAt, t, tAt, out, at, n);
            }
        }
    }

    /** The logarithm of t is in {@code out}. */
    private static void klOfLog(
            MemorySegment x, long xAt, MemorySegment t, long tAt, MemorySegment out, long at, int n) {
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector w = load(right, i);
            FloatVector v = load(result, i).sub(load(left, i)).mul(w);
            store(v.blend(0f, w.compare(VectorOperators.EQ, 0f)), result, i);
        }
    }

    private static void klLog(MemorySegment x, long xAt, MemorySegment t, long tAt, MemorySegment out, long at, int n) {
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector w = load(right, i);
            FloatVector v = VectorMath.exp(w).mul(w.sub(load(left, i)));
            store(v.blend(0f, w.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY)), result, i);
        }
    }

    private static void mse(MemorySegment x, long xAt, MemorySegment t, long tAt, MemorySegment out, long at, int n) {
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector d = load(left, i).sub(load(right, i));
            store(d.mul(d), result, i);
        }
    }

    private static void l1(MemorySegment x, long xAt, MemorySegment t, long tAt, MemorySegment out, long at, int n) {
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            store(load(left, i).sub(load(right, i)).abs(), result, i);
        }
    }

    private static void huber(
            float p0, MemorySegment x, long xAt, MemorySegment t, long tAt, MemorySegment out, long at, int n) {
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector d = load(left, i).sub(load(right, i));
            FloatVector size = d.abs();
            FloatVector beyond = size.sub(0.5f * p0).mul(p0);
            store(beyond.blend(d.mul(d).mul(0.5f), size.compare(VectorOperators.LE, p0)), result, i);
        }
    }

    private static void smoothL1(
            float p0, MemorySegment x, long xAt, MemorySegment t, long tAt, MemorySegment out, long at, int n) {
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector d = load(left, i).sub(load(right, i));
            FloatVector size = d.abs();
            FloatVector within = d.mul(d).mul(0.5f).div(p0);
            store(size.sub(0.5f * p0).blend(within, size.compare(VectorOperators.LT, p0)), result, i);
        }
    }

    /** {@code e^-|x|}. */
    static void power(MemorySegment x, long xAt, MemorySegment out, long at, int n) {
        MemorySegment from = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            store(VectorMath.expBelow(load(from, i).abs().neg()), result, i);
        }
    }

    /**
     * What is left of x is taken apart, so that nothing large is lost against {@code log(1 + e)} for {@code e = e^-|x|}, which is in
     * {@code out}: {@code 2 artanh s} with {@code s = e / (2 + e)}, at most a third, the first eight terms of whose series are right to 2e-9.
     */
    private static void bceOfPower(
            MemorySegment x, long xAt, MemorySegment t, long tAt, MemorySegment out, long at, int n) {
        MemorySegment left = x.asSlice(xAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = t.asSlice(tAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector e = load(result, i);
            FloatVector s = e.div(e.add(2f));
            FloatVector z = s.mul(s);
            FloatVector p = FloatVector.broadcast(VectorMath.SPECIES, 2f / 15);
            p = p.fma(z, FloatVector.broadcast(VectorMath.SPECIES, 2f / 13));
            p = p.fma(z, FloatVector.broadcast(VectorMath.SPECIES, 2f / 11));
            p = p.fma(z, FloatVector.broadcast(VectorMath.SPECIES, 2f / 9));
            p = p.fma(z, FloatVector.broadcast(VectorMath.SPECIES, 2f / 7));
            p = p.fma(z, FloatVector.broadcast(VectorMath.SPECIES, 2f / 5));
            p = p.fma(z, FloatVector.broadcast(VectorMath.SPECIES, 2f / 3));
            p = p.fma(z, FloatVector.broadcast(VectorMath.SPECIES, 2f));
            FloatVector v = load(left, i);
            FloatVector w = load(right, i).neg();
            VectorMask<Float> positive = v.compare(VectorOperators.GE, 0f);
            store(w.blend(w.add(1f), positive).mul(v).add(p.mul(s)), result, i);
        }
    }
}

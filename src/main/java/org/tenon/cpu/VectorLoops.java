package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.LossOp;
import org.tenon.spi.UnaryOp;

/** {@link FloatLoops} in the Vector API. */
final class VectorLoops implements FloatLoops {
    @Override
    public int least() {
        return VectorMath.WIDTH;
    }

    @Override
    public int most() {
        return Math.min(Runs.PIECE, 256 * VectorMath.WIDTH);
    }

    @Override
    public boolean has(UnaryOp op) {
        return VectorUnary.has(op);
    }

    @Override
    public boolean has(BinaryOp op) {
        return VectorBinary.has(op);
    }

    @Override
    public boolean hasWhere() {
        return VectorWhere.isThere();
    }

    @Override
    public void unary(UnaryOp op, float p0, float p1, MemorySegment x, long xAt, MemorySegment out, long outAt, int n) {
        VectorUnary.apply(op, p0, p1, x, xAt, out, outAt, n);
    }

    @Override
    public void binary(
            BinaryOp op, MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long outAt, int n) {
        VectorBinary.apply(op, a, aAt, b, bAt, out, outAt, n);
    }

    @Override
    public void where(
            MemorySegment condition,
            long conditionAt,
            MemorySegment a,
            long aAt,
            MemorySegment b,
            long bAt,
            MemorySegment out,
            long outAt,
            int n) {
        VectorWhere.apply(condition, conditionAt, a, aAt, b, bAt, out, outAt, n);
    }

    @Override
    public void loss(
            LossOp op,
            float p0,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long outAt,
            int n) {
        VectorLosses.apply(op, p0, x, xAt, t, tAt, out, outAt, n);
    }

    @Override
    public void lossGrad(
            LossOp op,
            float p0,
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long outAt,
            int n) {
        VectorLossGrads.apply(op, p0, g, gAt, x, xAt, t, tAt, out, outAt, n);
    }

    @Override
    public void targetGrad(
            LossOp op,
            float p0,
            MemorySegment g,
            long gAt,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long outAt,
            int n) {
        VectorLossGrads.ofTarget(op, p0, g, gAt, x, xAt, t, tAt, out, outAt, n);
    }

    @Override
    public void descend(float lr, float decay, MemorySegment p, long pAt, MemorySegment g, long gAt, int n) {
        VectorUpdates.descend(lr, decay, p, pAt, g, gAt, n);
    }

    @Override
    public void descend(
            Descent descent, MemorySegment p, long pAt, MemorySegment g, long gAt, MemorySegment v, long vAt, int n) {
        VectorUpdates.descend(descent, p, pAt, g, gAt, v, vAt, n);
    }
}

package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.LossOp;
import org.tenon.spi.UnaryOp;

/**
 * Elementwise functions on runs of float32 in memory, without a pass through arrays. Positions and lengths count elements; a
 * length is a multiple of {@link #least} and at most {@link #most}. What is computed for an element depends on it alone. A result does not overlap an operand, but for what changes in place.
 */
interface FloatLoops {
    /** The least length. */
    int least();

    /**
     * The greatest, at most {@link Runs#PIECE}: a method that is called rarely and loops for long is compiled while it loops, and
     * then what comes before its loop is taken for rare, and not inlined.
     */
    int most();

    /** Whether the function is here; others go by {@link FloatOps}. */
    boolean has(UnaryOp op);

    /** Whether the function is here; others go by {@link FloatOps}. */
    boolean has(BinaryOp op);

    /** Whether {@link #where} is here. */
    boolean hasWhere();

    /** {@code out = op(x)}, with the scalars that some functions take. */
    void unary(UnaryOp op, float p0, float p1, MemorySegment x, long xAt, MemorySegment out, long outAt, int n);

    /** {@code out = op(a, b)}. */
    void binary(
            BinaryOp op, MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long outAt, int n);

    /** {@code out = condition ? a : b}; a condition is a byte, 0 or not. */
    void where(
            MemorySegment condition,
            long conditionAt,
            MemorySegment a,
            long aAt,
            MemorySegment b,
            long bAt,
            MemorySegment out,
            long outAt,
            int n);

    /** {@code out} = the terms of a loss. */
    void loss(
            LossOp op,
            float p0,
            MemorySegment x,
            long xAt,
            MemorySegment t,
            long tAt,
            MemorySegment out,
            long outAt,
            int n);

    /** {@code out = g} times the slope by x. */
    void lossGrad(
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
            int n);

    /** {@code out = g} times the slope by the target. */
    void targetGrad(
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
            int n);

    /** A step of gradient descent in place: {@code d = g + decay p; p -= lr d}. */
    void descend(float lr, float decay, MemorySegment p, long pAt, MemorySegment g, long gAt, int n);

    /** One with momentum: {@code v = momentum v + fresh (g + decay p); p -= lr v}. */
    void descend(
            Descent descent, MemorySegment p, long pAt, MemorySegment g, long gAt, MemorySegment v, long vAt, int n);
}

package org.tenon.spi;

/**
 * A loss of single elements.
 *
 * @param op which
 * @param p0 as {@link LossOp} says
 * @param divisor what the sum of the terms, and the gradient, is divided by; 1 where the terms stay as they are
 * @param target of the sizes of x
 */
public record ElementLoss(LossOp op, double p0, double divisor, Strided target) {
    /** The same against another target. */
    public ElementLoss with(Strided other) {
        return new ElementLoss(op, p0, divisor, other);
    }
}

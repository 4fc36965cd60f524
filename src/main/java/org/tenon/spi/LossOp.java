package org.tenon.spi;

/**
 * Losses of single elements, x against a target t. Each has a slope by either. {@code p0} is a number that some of them take.
 */
public enum LossOp {
    /** {@code t * (log t - x)}, 0 where {@code t = 0}: the terms of a KL divergence, of a log-probability x. */
    KL,
    /** {@code e^t * (t - x)}: as {@link #KL} with the target's logarithm; 0 where {@code t = -inf}. */
    KL_LOG,
    /** {@code (x - t)^2}. */
    MSE,
    /** {@code |x - t|}, whose slope at 0 is 0. */
    L1,
    /** With {@code d = x - t}: {@code d^2 / 2} up to p0, {@code p0 (|d| - p0 / 2)} beyond. */
    HUBER,
    /** With {@code d = x - t}: {@code d^2 / (2 p0)} up to p0, {@code |d| - p0 / 2} beyond. */
    SMOOTH_L1,
    /** {@code (1 - t) x + log(1 + e^-x)}: the cross entropy of a probability given as a logit. */
    BCE_LOGITS;

    /** Whether the slope by x is a function of the target alone. */
    public boolean isLinear() {
        return this == KL || this == KL_LOG;
    }
}

package org.tenon.spi;

/**
 * Reductions. Half types accumulate in float32. An empty row gives 0 for {@link #SUM}, NaN for {@link #MEAN}, -inf for
 * {@link #LOGSUMEXP}; the others are never asked for one.
 */
public enum ReduceOp {
    /** The sum. */
    SUM,
    /** The sum divided by the count; floating types only. */
    MEAN,
    /** The largest; NaN if any is NaN. */
    MAX,
    /** The smallest; NaN if any is NaN. */
    MIN,
    /** The position of the first largest, or of the first NaN; int64. */
    ARGMAX,
    /** The position of the first smallest, or of the first NaN; int64. */
    ARGMIN,
    /** {@code log(sum(exp(x)))}, from the maximum so that nothing overflows; all -inf gives -inf; floating types only. */
    LOGSUMEXP
}

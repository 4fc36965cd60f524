package org.tenon.spi;

/**
 * Dropout by the numbers of {@link RandomOp#BERNOULLI}: which elements stay is told by the seed, and need not be stored.
 *
 * @param p the probability with which an element is dropped
 * @param seed of the numbers
 * @param counter the first of them
 * @param drawn where a device finds both instead, two of int64, or null
 */
public record Dropout(double p, long seed, long counter, Strided drawn) {
    /** What those that stay are multiplied by, if any do. */
    public double rest() {
        return p == 1 ? 0 : 1 / (1 - p);
    }
}

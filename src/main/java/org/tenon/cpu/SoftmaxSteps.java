package org.tenon.cpu;

/** The two passes of a softmax and its result, each on a part of a row: elements {@code start} to {@code start + n}. */
interface SoftmaxSteps {
    /** The largest element of the part. */
    double max(long start, int n);

    /** The part's share of the sum of {@code e^(x - max)}; comes before {@link #write}. */
    double sum(long start, int n, double max);

    /** Writes the result. */
    void write(long start, int n, double max, double sum);
}

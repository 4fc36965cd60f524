package org.tenon.cpu;

/** The pass and the result of a softmax's gradient, each on a part of a row: elements {@code start} to {@code start + n}. */
interface SoftmaxGradSteps {
    /** The part's share of the sum of {@code g}, or for softmax of {@code g * y}. */
    double sum(long start, int n);

    /** Writes the gradient. */
    void write(long start, int n, double sum);
}

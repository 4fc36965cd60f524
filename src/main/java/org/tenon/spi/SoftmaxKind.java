package org.tenon.spi;

/** Which of the two. */
public enum SoftmaxKind {
    /** {@code y = (x - max) - log(sum(exp(x - max)))}; backward {@code dx = g - exp(y) * sum(g)}. */
    LOG_SOFTMAX,
    /** {@code y = exp(x - max) / sum(exp(x - max))}; backward {@code dx = y * (g - sum(g * y))}. */
    SOFTMAX
}

package org.tenon.spi;

/**
 * Elementwise functions of two inputs of one dtype. The result has that dtype, but for the comparisons, whose result is
 * bool. The {@code ..._GRAD} functions are fused derivatives: {@code a} is the incoming gradient, {@code b} what the op
 * saved, input {@code x} or output {@code y}.
 */
public enum BinaryOp {
    /** {@code a + b}. */
    ADD,
    /** {@code a - b}. */
    SUB,
    /** {@code a * b}. */
    MUL,
    /** {@code a / b}, floating types only. */
    DIV,
    /** {@code a^b}, floating types only. */
    POW,
    /** The larger; NaN if either is NaN. */
    MAXIMUM,
    /** The smaller; NaN if either is NaN. */
    MINIMUM,
    /** {@code a == b}; bool. */
    EQ,
    /** {@code a != b}; bool. */
    NE,
    /** {@code a < b}; bool. */
    LT,
    /** {@code a <= b}; bool. */
    LE,
    /** {@code a > b}; bool. */
    GT,
    /** {@code a >= b}; bool. */
    GE,
    /** {@code a * sign(x)}. */
    ABS_GRAD,
    /** {@code a / (2 y)}. */
    SQRT_GRAD,
    /** {@code -a y^3 / 2}. */
    RSQRT_GRAD,
    /** {@code -a y^2}. */
    RECIPROCAL_GRAD,
    /** {@code a / (1 + x)}. */
    LOG1P_GRAD,
    /** {@code a cos x}. */
    SIN_GRAD,
    /** {@code -a sin x}. */
    COS_GRAD,
    /** {@code a (1 - y^2)}. */
    TANH_GRAD,
    /** {@code a y (1 - y)}. */
    SIGMOID_GRAD,
    /** {@code a} where {@code y > 0}, else 0. */
    RELU_GRAD,
    /** The derivative of {@link UnaryOp#GELU} at x, times a. */
    GELU_GRAD,
    /** The derivative of {@link UnaryOp#GELU_TANH} at x, times a. */
    GELU_TANH_GRAD,
    /** {@code a s (1 + x (1 - s))} with {@code s = sigmoid x}. */
    SILU_GRAD,
    /** {@code a 2 / sqrt(pi) e^(-x^2)}. */
    ERF_GRAD;

    /** Whether the result is bool. */
    public boolean compares() {
        return switch (this) {
            case EQ, NE, LT, LE, GT, GE -> true;
            default -> false;
        };
    }
}

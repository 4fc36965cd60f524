package org.tenon.spi;

/**
 * Elementwise functions of one input. {@code p0} and {@code p1} are the scalars some of them take. The result has the
 * input's dtype, but for {@link #ISNAN} and {@link #NOT}, whose result is bool.
 */
public enum UnaryOp {
    /** {@code -x}. */
    NEG,
    /** {@code |x|}. */
    ABS,
    /** -1, 0 or 1; NaN gives NaN. */
    SIGN,
    /** {@code e^x}. */
    EXP,
    /** The natural logarithm. */
    LOG,
    /** {@code log(1 + x)}, accurate near 0. */
    LOG1P,
    /** The square root. */
    SQRT,
    /** {@code 1 / sqrt(x)}. */
    RSQRT,
    /** {@code 1 / x}. */
    RECIPROCAL,
    /** The sine of radians. */
    SIN,
    /** The cosine of radians. */
    COS,
    /** The hyperbolic tangent. */
    TANH,
    /** {@code 1 / (1 + e^-x)}. */
    SIGMOID,
    /** {@code max(x, 0)}; NaN gives NaN. */
    RELU,
    /** {@code x / 2 * (1 + erf(x / sqrt 2))}. */
    GELU,
    /** {@code x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))}. */
    GELU_TANH,
    /** {@code x * sigmoid(x)}. */
    SILU,
    /** The error function. */
    ERF,
    /** {@code x + p0}. */
    ADD_SCALAR,
    /** {@code x * p0}. */
    MUL_SCALAR,
    /** {@code x / p0}, floating types only. */
    DIV_SCALAR,
    /** {@code x^p0}, floating types only. */
    POW_SCALAR,
    /** {@code min(max(x, p0), p1)}; NaN gives NaN. */
    CLAMP,
    /** Whether x is NaN; bool. */
    ISNAN,
    /** Whether x is zero; bool. */
    NOT
}

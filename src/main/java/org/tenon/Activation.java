package org.tenon;

/** A function between two maps of a network. */
public enum Activation {
    /** None: {@code x}. */
    NONE,
    /** {@code max(x, 0)}. */
    RELU,
    /** The Gaussian error linear unit, {@code x / 2 * (1 + erf(x / sqrt 2))}. */
    GELU,
    /** The same by the hyperbolic tangent, {@code x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))}. */
    GELU_TANH,
    /** {@code x * sigmoid(x)}, also called swish. */
    SILU,
    /** The hyperbolic tangent. */
    TANH,
    /** {@code 1 / (1 + e^-x)}. */
    SIGMOID
}

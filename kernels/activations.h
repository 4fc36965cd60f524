// Activations and their derivatives, of floating types; Real is what they are computed in. The derivatives are times v; those of
// TANH and SIGMOID are at the function's result.
#define RELU(x, p, q) ((x) > 0 ? (x) : (x) == (x) ? (Real) 0 : (x))
#define GELU(x, p, q) ((Real) 0.5 * (x) * ((Real) 1 + CAT(error_, T)((x) * (Real) 0.70710678118654752440)))
#define GELU_TANH(x, p, q) \
    ((Real) 0.5 * (x) \
     * ((Real) 1 + CAT(tangent_, T)((Real) 0.79788456080286535588 * ((x) + (Real) 0.044715 * (x) * (x) * (x)))))
#define SILU(x, p, q) ((x) / ((Real) 1 + exp(-(x))))
#define TANH(x, p, q) CAT(tangent_, T)(x)
#define SIGMOID(x, p, q) ((Real) 1 / ((Real) 1 + exp(-(x))))

#define RELU_GRAD(v, w) ((w) > 0 ? (v) : (Real) 0)
#define GELU_GRAD(v, w) \
    ((v) * ((Real) 0.5 * ((Real) 1 + CAT(error_, T)((w) * (Real) 0.70710678118654752440)) \
            + (w) * (Real) 0.39894228040143267794 * exp((Real) -0.5 * (w) * (w))))
#define GELU_TANH_GRAD(v, w) ((v) * gelu_tanh_slope(w))
#define SILU_GRAD(v, w) ((v) * silu_slope(w))
#define TANH_GRAD(v, w) ((v) * ((Real) 1 - (w) * (w)))
#define SIGMOID_GRAD(v, w) ((v) * (w) * ((Real) 1 - (w)))

INLINE Real gelu_tanh_slope(Real w) {
    Real t = CAT(tangent_, T)((Real) 0.79788456080286535588 * (w + (Real) 0.044715 * w * w * w));
    Real inner = (Real) 0.79788456080286535588 * ((Real) 1 + (Real) 0.134145 * w * w);
    return (Real) 0.5 * ((Real) 1 + t) + (Real) 0.5 * w * ((Real) 1 - t * t) * inner;
}

// s (1 + w (1 - s)) with the sigmoid s of w. 1 - s is the sigmoid of -w: taken as a difference it has the error of s, times w.
INLINE Real silu_slope(Real w) {
    Real e = exp(-fabs(w));
    Real more = (Real) 1 / ((Real) 1 + e);
    Real less = e / ((Real) 1 + e);
    return (w > 0 ? more : less) * ((Real) 1 + w * (w > 0 ? less : more));
}

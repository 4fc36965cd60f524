// The terms of losses of single elements, x against a target t, and their slopes by x and by t. Which loss it is is the same for all
// threads. Needs Real.

// As org.tenon.gpu.ElementLosses numbers them.
#define KL 1
#define KL_LOG 2
#define MSE 3
#define L1 4
#define HUBER 5
#define SMOOTH_L1 6
#define BCE_LOGITS 7

#define SIGN_OF(d) ((d) > 0 ? (Real) 1 : (d) < 0 ? (Real) -1 : (d))

// 1 / (1 + e^-x), of both signs from a power that does not overflow.
INLINE Real logistic(Real x) {
    Real e = exp(-fabs(x));
    return (x < 0 ? e : (Real) 1) / (1 + e);
}

INLINE Real huber_term(Real d, Real p0) { return fabs(d) <= p0 ? (Real) 0.5 * d * d : p0 * (fabs(d) - (Real) 0.5 * p0); }
INLINE Real smooth_term(Real d, Real p0) { return fabs(d) < p0 ? (Real) 0.5 * d * d / p0 : fabs(d) - (Real) 0.5 * p0; }
// log(1 + e^-x) is -x and the logarithm for x: what is left of x is taken apart, so that nothing large is lost against it.
INLINE Real bce_term(Real x, Real t) { return (x < 0 ? -t * x : (1 - t) * x) + log1p(exp(-fabs(x))); }

#define EACH_TERM(value) \
    UNROLL \
    for (int k = 0; k < n; k++) { \
        v[k] = value; \
    } \
    break

// v = the terms of x = v.
INLINE void loss_terms(Real *v, const Real *t, int n, long loss, Real p0) {
    switch ((int) loss) {
    case KL: EACH_TERM(t[k] == 0 ? (Real) 0 : t[k] * (log(t[k]) - v[k]));
    case KL_LOG: EACH_TERM(t[k] == -INF ? (Real) 0 : exp(t[k]) * (t[k] - v[k]));
    case MSE: EACH_TERM((v[k] - t[k]) * (v[k] - t[k]));
    case L1: EACH_TERM(fabs(v[k] - t[k]));
    case HUBER: EACH_TERM(huber_term(v[k] - t[k], p0));
    case SMOOTH_L1: EACH_TERM(smooth_term(v[k] - t[k], p0));
    case BCE_LOGITS: EACH_TERM(bce_term(v[k], t[k]));
    }
}

// v = the slopes by x = v.
INLINE void loss_slopes(Real *v, const Real *t, int n, long loss, Real p0) {
    switch ((int) loss) {
    case KL: EACH_TERM(-t[k]);
    case KL_LOG: EACH_TERM(-exp(t[k]));
    case MSE: EACH_TERM(2 * (v[k] - t[k]));
    case L1: EACH_TERM(SIGN_OF(v[k] - t[k]));
    case HUBER: EACH_TERM(fabs(v[k] - t[k]) > p0 ? p0 * SIGN_OF(v[k] - t[k]) : v[k] - t[k]);
    case SMOOTH_L1: EACH_TERM(fabs(v[k] - t[k]) < p0 ? (v[k] - t[k]) / p0 : SIGN_OF(v[k] - t[k]));
    case BCE_LOGITS: EACH_TERM((1 - t[k]) * logistic(v[k]) - t[k] * logistic(-v[k]));
    }
}

// v = the slopes by t, of x = v.
INLINE void target_slopes(Real *v, const Real *t, int n, long loss, Real p0) {
    switch ((int) loss) {
    case KL: EACH_TERM(log(t[k]) - v[k] + 1);
    case KL_LOG: EACH_TERM(exp(t[k]) * (t[k] - v[k] + 1));
    case BCE_LOGITS: EACH_TERM(-v[k]);
    default:
        // Losses of the difference.
        loss_slopes(v, t, n, loss, p0);
        UNROLL
        for (int k = 0; k < n; k++) {
            v[k] = -v[k];
        }
    }
}

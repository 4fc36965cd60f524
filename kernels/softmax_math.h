// What the forms of softmax.cuda.k compute: exponentials, and what is known of a part of a row.
#define ID_SOFTMAX 1
#define ID_LOG_SOFTMAX 2
#define IS_LOG (CAT(ID_, OP) == ID_LOG_SOFTMAX)

typedef REAL_OF(WIDE) Real;

#if ID(WIDE) == ID_f64
#define term_of_sum(d) exp(d)
#define exponential(d) exp(d)
#else
// e^d = 2^(d log2(e)), of a difference that is already rounded. In a sum that has a 1 in it what is below 2^-126 is nothing.
INLINE Real term_of_sum(Real d) { return EXP2_OR_ZERO(d * 1.44269504088896341f); }
INLINE Real exponential(Real d) { return EXP2(d * 1.44269504088896341f); }
#endif

// NaN need not be asked for here: x - max is NaN for it, and so are the sum and with it the whole row.
INLINE Real larger(Real v, Real w) { return fmax(v, w); }

// The maximum of a part of a row, and the sum of exponentials of the distances from it: one slot of 64 bits in float32.
typedef struct {
    alignas(2 * sizeof(Real)) Real top;
    Real sum;
} Known;

INLINE Known nothing_known(void) {
    Known none;
    none.top = -INF;
    none.sum = 0;
    return none;
}

// Where all is -inf so far distances are from 0, so that no NaN comes in that a later maximum would make wrong.
INLINE Real base_of(Real top) { return top == -INF ? (Real) 0 : top; }

INLINE Known joined(Known v, Known w) {
    Known both;
    both.top = larger(v.top, w.top);
    Real base = base_of(both.top);
    both.sum = v.sum * term_of_sum(v.top - base) + w.sum * term_of_sum(w.top - base);
    return both;
}

// Sums of neighbours, then of those, which is the order everywhere; n is a power of two up to 32.
INLINE Real sum_of(const Real *v, int n) {
    Real sums[64];
    UNROLL
    for (int k = 0; k < n; k++) {
        sums[k] = v[k];
    }
    UNROLL
    for (int k = 0; k < n - 1; k++) {
        sums[n + k] = sums[2 * k] + sums[2 * k + 1];
    }
    return sums[2 * n - 2];
}

// Takes n elements more into what is known, n a power of two up to 32; -inf stands for none.
INLINE Known with(Known all, const Real *v, int n) {
    Known more;
    more.top = all.top;
    UNROLL
    for (int k = 0; k < n; k++) {
        more.top = larger(more.top, v[k]);
    }
    Real base = base_of(more.top);
    Real term[32];
    UNROLL
    for (int k = 0; k < n; k++) {
        term[k] = term_of_sum(v[k] - base);
    }
    more.sum = all.sum * term_of_sum(all.top - base) + sum_of(term, n);
    return more;
}

#if IS_LOG
// What a row's elements are turned into, given what is known of it.
#define REST(all) log((all).sum)
#define RESULT(x, top, rest) (((x) - (top)) - (rest))
#define TERM(g, y) (g)
#define SLOPE(g, y, sum) ((g) - exponential(y) * (sum))
#else
#define REST(all) RECIPROCAL((all).sum)
#define RESULT(x, top, rest) (exponential((x) - (top)) * (rest))
#define TERM(g, y) ((g) * (y))
#define SLOPE(g, y, sum) ((y) * ((g) - (sum)))
#endif

// The same over `lanes` neighbouring lanes of a warp, a power of two; all of them get it, with the same bits.
INLINE Real top_of_lanes(Real v, int lanes) {
    for (int far = lanes / 2; far > 0; far /= 2) {
        v = larger(v, __shfl_xor_sync(0xFFFFFFFFu, v, far));
    }
    return v;
}
INLINE Real sum_of_lanes(Real v, int lanes) {
    for (int far = lanes / 2; far > 0; far /= 2) {
        v += __shfl_xor_sync(0xFFFFFFFFu, v, far);
    }
    return v;
}
INLINE Known known_of_lanes(Known v, int lanes) {
    for (int far = lanes / 2; far > 0; far /= 2) {
        Known other;
        other.top = __shfl_xor_sync(0xFFFFFFFFu, v.top, far);
        other.sum = __shfl_xor_sync(0xFFFFFFFFu, v.sum, far);
        v = joined(v, other);
    }
    return v;
}

// What the forms of softmax for groups compute: exponentials, and what is known of a part of a row.
#include "sums.h"

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
    PAIRED Real top;
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

// Writes it for a row, as a pair.
INLINE void write_known(GLOBAL MEM_OF(U) *out, long offset, long row, Known all) {
    STORE_AS(U, out, offset + 2 * row, all.top);
    STORE_AS(U, out, offset + 2 * row + 1, all.sum);
}

// What is subtracted from the distances of log-softmax, or what the exponentials of softmax are multiplied by.
INLINE Real rest_of(Known all, long is_log) { return is_log ? log(all.sum) : RECIPROCAL(all.sum); }

// The results of n elements, in their place.
INLINE void results(Real *v, int n, Real top, Real rest, long is_log) {
    if (is_log) {
        UNROLL
        for (int k = 0; k < n; k++) {
            v[k] = v[k] - top - rest;
        }
    } else {
        UNROLL
        for (int k = 0; k < n; k++) {
            v[k] = exponential(v[k] - top) * rest;
        }
    }
}

// What the backward adds up of an element.
INLINE Real term_of(Real g, Real y, long is_log) { return is_log ? g : g * y; }

// The slopes of n elements, in the place of the gradients g.
INLINE void slopes(Real *g, const Real *y, int n, Real sum, long is_log) {
    if (is_log) {
        UNROLL
        for (int k = 0; k < n; k++) {
            g[k] -= exponential(y[k]) * sum;
        }
    } else {
        UNROLL
        for (int k = 0; k < n; k++) {
            g[k] = y[k] * (g[k] - sum);
        }
    }
}

#ifdef HAS_WARPS
// The same over `lanes` neighbouring lanes of a warp, as sum_of_lanes.
INLINE Real top_of_lanes(Real v, int lanes) {
    for (int far = lanes / 2; far > 0; far /= 2) {
        v = larger(v, __shfl_xor_sync(0xFFFFFFFFu, v, far));
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
#endif

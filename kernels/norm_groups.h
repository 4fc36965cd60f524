// Rows for groups without warps. What is in registers is h, and in the backward g * weight beside it; the tensors' own elements are
// what local memory has.
#include "groups.h"

// (v - middle) of n turns, 0 beyond the end.
INLINE void centre(Seat at, long turn, int n, long length, Real middle, Real *v) {
    UNROLL
    for (int k = 0; k < n * CHUNK; k++) {
        v[k] -= middle;
    }
    cut_turns(at, turn, n, length, 0, v);
}

// The sum of squares of n turns.
INLINE Real squares_of(const Real *v, int n) {
    Real term[32];
    UNROLL
    for (int k = 0; k < n * CHUNK; k++) {
        term[k] = v[k] * v[k];
    }
    return sum_of(term, n * CHUNK);
}

// n turns of h become those of the result.
INLINE void weigh_and_store(
        Source w, Source b, Target y, Seat at, long turn, int n, Real factor, const Norm *a, Real *v) {
    UNROLL
    for (int u = 0; u < n; u++) {
        Real *own = v + u * CHUNK;
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            own[k] *= factor;
        }
        if (a->has_weight) {
            Real factors[CHUNK];
            load_turns(w, at, turn + u, 1, 0, factors);
            UNROLL
            for (int k = 0; k < CHUNK; k++) {
                own[k] *= factors[k];
            }
        }
        if (a->has_bias) {
            Real terms[CHUNK];
            load_turns(b, at, turn + u, 1, 0, terms);
            UNROLL
            for (int k = 0; k < CHUNK; k++) {
                own[k] += terms[k];
            }
        }
    }
    store_turns(y, at, turn, n, v);
}

#if !defined(BACKWARD) || !BACKWARD
KERNEL void norm_group(
        GLOBAL MEM_OF(T) *out,
        GLOBAL MEM_OF(WIDE) *mean,
        GLOBAL MEM_OF(WIDE) *scale,
        GLOBAL const MEM_OF(T) *in,
        GLOBAL const MEM_OF(T) *weight,
        GLOBAL const MEM_OF(T) *bias,
        const Norm a) {
    LOCAL Real sums[PLACES];
    LOCAL Real squares[PLACES];
    HOLDS(held);
    Seat at = seat_of(a.across);
    // A row beyond the last has no elements: no thread leaves before a barrier.
    long length = at.row < a.rows ? a.length : 0;
    Source x = source_of(in, a.x_offset, a.rows * a.length, at.row * a.length, length);
    Source w = source_of(weight, a.weight_offset, a.length, 0, length);
    Source b = source_of(bias, a.bias_offset, a.length, 0, length);
    Target y = target_of(out, a.out_offset + at.row * a.length, length);
    Real v[KEEP];
    load_turns(x, at, 0, KEPT, 0, v);
    Real sum = sum_of(v, KEEP);
#ifdef HOLD
    for (long i = 0; is_within(at, i, length); i += BATCH) {
        Real more[BATCH * CHUNK];
        load_more(x, at, i, 0, held, more);
        sum += sum_of(more, BATCH * CHUNK);
    }
#endif
    Real middle = 0;
    if (a.centred) {
        JOIN(sum, sum_of_few, sums, at);
        middle = sum / (Real) a.length;
    }
    centre(at, 0, KEPT, length, middle, v);
    Real square = squares_of(v, KEPT);
#ifdef HOLD
    for (long i = 0; is_within(at, i, length); i += BATCH) {
        Real more[BATCH * CHUNK];
        load_again(x, at, i, 0, held, more);
        centre(at, KEPT + i, BATCH, length, middle, more);
        square += squares_of(more, BATCH);
    }
#endif
    JOIN(square, sum_of_few, squares, at);
    Real factor = scale_of(square, &a);
    if (at.lane == 0 && at.row < a.rows) {
        write_row(mean, scale, at.row, middle, factor, &a);
    }
    weigh_and_store(w, b, y, at, 0, KEPT, factor, &a, v);
#ifdef HOLD
    for (long i = 0; is_within(at, i, length); i += BATCH) {
        Real more[BATCH * CHUNK];
        load_again(x, at, i, 0, held, more);
        centre(at, KEPT + i, BATCH, length, middle, more);
        weigh_and_store(w, b, y, at, KEPT + i, BATCH, factor, &a, more);
    }
#endif
}
#endif

// g * weight in the place of g, and h in that of x, of n turns, both 0 beyond the end.
INLINE void prepare(
        Source w, Seat at, long turn, int n, long length, Real middle, Real factor, long has_weight, Real *g, Real *x) {
    UNROLL
    for (int u = 0; u < n; u++) {
        if (has_weight) {
            Real factors[CHUNK];
            load_turns(w, at, turn + u, 1, 0, factors);
            UNROLL
            for (int k = 0; k < CHUNK; k++) {
                g[u * CHUNK + k] *= factors[k];
            }
        }
    }
    centre(at, turn, n, length, middle, x);
    UNROLL
    for (int k = 0; k < n * CHUNK; k++) {
        x[k] *= factor;
    }
}

INLINE Real products_of(const Real *v, const Real *w, int n) {
    Real term[32];
    UNROLL
    for (int k = 0; k < n * CHUNK; k++) {
        term[k] = v[k] * w[k];
    }
    return sum_of(term, n * CHUNK);
}

INLINE void slope_and_store(
        Target d, Seat at, long turn, int n, Real factor, Real least, Real along, Real *g, const Real *h) {
    UNROLL
    for (int k = 0; k < n * CHUNK; k++) {
        g[k] = factor * (g[k] - least - h[k] * along);
    }
    store_turns(d, at, turn, n, g);
}

#if !defined(BACKWARD) || BACKWARD
KERNEL void norm_group_grad(
        GLOBAL MEM_OF(T) *dx,
        GLOBAL const MEM_OF(T) *gradient,
        GLOBAL const MEM_OF(T) *in,
        GLOBAL const MEM_OF(T) *weight,
        GLOBAL const MEM_OF(WIDE) *mean,
        GLOBAL const MEM_OF(WIDE) *scale,
        const Norm a) {
    LOCAL Real products[PLACES];
    LOCAL Real sums[PLACES];
    HOLDS(held_x);
    HOLDS(held_g);
    Seat at = seat_of(a.across);
    long length = at.row < a.rows ? a.length : 0;
    Source x = source_of(in, a.x_offset, a.rows * a.length, at.row * a.length, length);
    Source g = source_of(gradient, a.g_offset, a.rows * a.length, at.row * a.length, length);
    Source w = source_of(weight, a.weight_offset, a.length, 0, length);
    Target d = target_of(dx, a.out_offset + at.row * a.length, length);
    Real middle = a.centred && length > 0 ? (Real) LOAD_AS(WIDE, mean, a.mean_offset + at.row) : (Real) 0;
    Real factor = length > 0 ? (Real) LOAD_AS(WIDE, scale, a.scale_offset + at.row) : (Real) 0;
    Real h[KEEP];
    Real slope[KEEP];
    load_turns(x, at, 0, KEPT, 0, h);
    load_turns(g, at, 0, KEPT, 0, slope);
    prepare(w, at, 0, KEPT, length, middle, factor, a.has_weight, slope, h);
    Real product = products_of(slope, h, KEPT);
    Real sum = sum_of(slope, KEEP);
#ifdef HOLD
    for (long i = 0; is_within(at, i, length); i += BATCH) {
        Real more_h[BATCH * CHUNK];
        Real more[BATCH * CHUNK];
        load_more(x, at, i, 0, held_x, more_h);
        load_more(g, at, i, 0, held_g, more);
        prepare(w, at, KEPT + i, BATCH, length, middle, factor, a.has_weight, more, more_h);
        product += products_of(more, more_h, BATCH);
        sum += sum_of(more, BATCH * CHUNK);
    }
#endif
    JOIN(product, sum_of_few, products, at);
    Real along = product / (Real) a.length;
    Real least = 0;
    if (a.centred) {
        JOIN(sum, sum_of_few, sums, at);
        least = sum / (Real) a.length;
    }
    slope_and_store(d, at, 0, KEPT, factor, least, along, slope, h);
#ifdef HOLD
    for (long i = 0; is_within(at, i, length); i += BATCH) {
        Real more_h[BATCH * CHUNK];
        Real more[BATCH * CHUNK];
        load_again(x, at, i, 0, held_x, more_h);
        load_again(g, at, i, 0, held_g, more);
        prepare(w, at, KEPT + i, BATCH, length, middle, factor, a.has_weight, more, more_h);
        slope_and_store(d, at, KEPT + i, BATCH, factor, least, along, more, more_h);
    }
#endif
}
#endif

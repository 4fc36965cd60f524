// Rows whose elements are neighbours, for groups without warps.
#include "groups.h"

#if !defined(BACKWARD) || !BACKWARD
KERNEL void softmax_group(GLOBAL MEM_OF(U) *out, GLOBAL const MEM_OF(T) *in, const Softmax a) {
    LOCAL Real tops[PLACES];
    LOCAL Real sums[PLACES];
    HOLDS(held);
    Seat at = seat_of(a.across);
    // A row beyond the last has no elements: no thread leaves before a barrier.
    long length = at.row < a.rows ? a.length : 0;
    Source x = source_of(in, a.x_offset, a.rows * a.length, at.row * a.length, length);
    Real v[KEEP];
    load_turns(x, at, 0, KEPT, -INF, v);
    Known all = with(nothing_known(), v, KEEP);
#ifdef HOLD
    for (long i = 0; is_within(at, i, length); i += BATCH) {
        Real w[BATCH * CHUNK];
        load_more(x, at, i, -INF, held, w);
        all = with(all, w, BATCH * CHUNK);
    }
#endif
    // Once all know the maximum each scales its own sum.
    Real own = all.top;
    JOIN(all.top, top_of_few, tops, at);
    all.sum *= term_of_sum(own - base_of(all.top));
    JOIN(all.sum, sum_of_few, sums, at);
    if (a.known_only) {
        if (at.lane == 0 && at.row < a.rows) {
            write_known(out, a.out_offset, at.row, all);
        }
        return;
    }
    Real rest = rest_of(all, a.is_log);
    Target y = target_of(out, a.out_offset + at.row * a.length, length);
    results(v, KEEP, all.top, rest, a.is_log);
    store_turns(y, at, 0, KEPT, v);
#ifdef HOLD
    for (long i = 0; is_within(at, i, length); i += BATCH) {
        Real w[BATCH * CHUNK];
        load_again(x, at, i, 0, held, w);
        results(w, BATCH * CHUNK, all.top, rest, a.is_log);
        store_turns(y, at, KEPT + i, BATCH, w);
    }
#endif
}
#endif

#if !defined(BACKWARD) || BACKWARD
KERNEL void softmax_group_grad(
        GLOBAL MEM_OF(U) *dx, GLOBAL const MEM_OF(T) *gradient, GLOBAL const MEM_OF(T) *output, const Softmax a) {
    LOCAL Real sums[PLACES];
    HOLDS(held_g);
    HOLDS(held_y);
    Seat at = seat_of(a.across);
    long length = at.row < a.rows ? a.length : 0;
    Source g = source_of(gradient, a.x_offset, a.rows * a.length, at.row * a.length, length);
    Source y = source_of(output, a.y_offset, a.rows * a.length, at.row * a.length, length);
    Real v[KEEP];
    Real w[KEEP];
    load_turns(g, at, 0, KEPT, 0, v);
    load_turns(y, at, 0, KEPT, 0, w);
    Real term[KEEP];
    UNROLL
    for (int k = 0; k < KEEP; k++) {
        term[k] = term_of(v[k], w[k], a.is_log);
    }
    Real sum = sum_of(term, KEEP);
#ifdef HOLD
    for (long i = 0; is_within(at, i, length); i += BATCH) {
        Real more[BATCH * CHUNK];
        Real with_y[BATCH * CHUNK];
        load_more(g, at, i, 0, held_g, more);
        // The sum of g alone asks for y only where that is kept.
        if (!a.is_log || i < HOLD) {
            load_more(y, at, i, 0, held_y, with_y);
        }
        UNROLL
        for (int k = 0; k < BATCH * CHUNK; k++) {
            more[k] = term_of(more[k], with_y[k], a.is_log);
        }
        sum += sum_of(more, BATCH * CHUNK);
    }
#endif
    JOIN(sum, sum_of_few, sums, at);
    Target d = target_of(dx, a.out_offset + at.row * a.length, length);
    slopes(v, w, KEEP, sum, a.is_log);
    store_turns(d, at, 0, KEPT, v);
#ifdef HOLD
    for (long i = 0; is_within(at, i, length); i += BATCH) {
        Real more[BATCH * CHUNK];
        Real with_y[BATCH * CHUNK];
        load_again(g, at, i, 0, held_g, more);
        load_again(y, at, i, 0, held_y, with_y);
        slopes(more, with_y, BATCH * CHUNK, sum, a.is_log);
        store_turns(d, at, KEPT + i, BATCH, more);
    }
#endif
}
#endif

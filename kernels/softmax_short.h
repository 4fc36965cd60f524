// Rows of up to 32 * KEEP elements, in registers.
#include "seats.h"

KERNEL void softmax_short(GLOBAL MEM_OF(U) *out, GLOBAL const MEM_OF(T) *in, const Softmax a) {
    Seat at = seat_of(a.across);
    // A row beyond the last has no elements: every lane is wanted by the others.
    long length = at.row < a.rows ? a.length : 0;
    Real v[KEEP];
    load_row(
            source_of(in, a.x_offset, a.rows * a.length, at.row * a.length, length),
            at,
            ALIGNED(T, a.x_offset, a.length),
            -INF,
            v);
    Real top = -INF;
    UNROLL
    for (int k = 0; k < KEEP; k++) {
        top = larger(top, v[k]);
    }
    top = top_of_lanes(top, at.across);
    Known all;
    all.top = top;
    Real term[KEEP];
    UNROLL
    for (int k = 0; k < KEEP; k++) {
        // Of -inf, which stands beyond the end, this is 0, or the whole row is NaN.
        term[k] = term_of_sum(v[k] - top);
    }
    all.sum = sum_of_lanes(sum_of(term, KEEP), at.across);
    if (a.known_only) {
        if (at.lane == 0 && at.row < a.rows) {
            write_known(out, a.out_offset, at.row, all);
        }
        return;
    }
    results(v, KEEP, top, rest_of(all, a.is_log), a.is_log);
    store_row(
            target_of(out, a.out_offset + at.row * a.length, length), at, ALIGNED(U, a.out_offset, a.length), v);
}

KERNEL void softmax_short_grad(
        GLOBAL MEM_OF(U) *dx, GLOBAL const MEM_OF(T) *gradient, GLOBAL const MEM_OF(T) *output, const Softmax a) {
    Seat at = seat_of(a.across);
    long length = at.row < a.rows ? a.length : 0;
    Real g[KEEP];
    Real y[KEEP];
    load_row(
            source_of(gradient, a.x_offset, a.rows * a.length, at.row * a.length, length),
            at,
            ALIGNED(T, a.x_offset, a.length),
            0,
            g);
    load_row(
            source_of(output, a.y_offset, a.rows * a.length, at.row * a.length, length),
            at,
            ALIGNED(T, a.y_offset, a.length),
            0,
            y);
    Real term[KEEP];
    UNROLL
    for (int k = 0; k < KEEP; k++) {
        term[k] = term_of(g[k], y[k], a.is_log);
    }
    Real sum = sum_of_lanes(sum_of(term, KEEP), at.across);
    slopes(g, y, KEEP, sum, a.is_log);
    store_row(
            target_of(dx, a.out_offset + at.row * a.length, length), at, ALIGNED(U, a.out_offset, a.length), g);
}

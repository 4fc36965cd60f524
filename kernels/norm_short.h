// Rows of up to 32 * KEEP elements, in registers.
#include "seats.h"

// 0 in the place of what is beyond the row's end.
INLINE void cut_row(Real *v, Seat at, int length) {
    UNROLL
    for (int i = 0; i < CHUNKS; i++) {
        cut(v + i * CHUNK, clamped(length - (i * at.across + at.lane) * CHUNK, 0, CHUNK), 0);
    }
}

INLINE void load_tensor(GLOBAL const MEM_OF(T) *in, long offset, Seat at, long length, const Norm *a, Real *v) {
    load_row(
            source_of(in, offset, a->rows * a->length, at.row * a->length, length),
            at,
            ALIGNED(T, offset, a->length),
            0,
            v);
}

// The same of a weight or a bias, which all rows share.
INLINE void load_factor(GLOBAL const MEM_OF(T) *in, long offset, Seat at, long length, Real *v) {
    load_row(source_of(in, offset, length, 0, length), at, ALIGNED(T, offset, 0), 0, v);
}

KERNEL void norm_short(
        GLOBAL MEM_OF(T) *out,
        GLOBAL MEM_OF(WIDE) *mean,
        GLOBAL MEM_OF(WIDE) *scale,
        GLOBAL const MEM_OF(T) *in,
        GLOBAL const MEM_OF(T) *weight,
        GLOBAL const MEM_OF(T) *bias,
        const Norm a) {
    Seat at = seat_of(a.across);
    // A row beyond the last has no elements: every lane is wanted by the others.
    long length = at.row < a.rows ? a.length : 0;
    Real v[KEEP];
    load_tensor(in, a.x_offset, at, length, &a, v);
    Real middle = 0;
    if (a.centred) {
        middle = sum_of_lanes(sum_of(v, KEEP), at.across) / (Real) a.length;
        UNROLL
        for (int k = 0; k < KEEP; k++) {
            v[k] -= middle;
        }
        cut_row(v, at, (int) length);
    }
    Real term[KEEP];
    UNROLL
    for (int k = 0; k < KEEP; k++) {
        term[k] = v[k] * v[k];
    }
    Real factor = scale_of(sum_of_lanes(sum_of(term, KEEP), at.across), &a);
    if (at.lane == 0 && at.row < a.rows) {
        write_row(mean, scale, at.row, middle, factor, &a);
    }
    UNROLL
    for (int k = 0; k < KEEP; k++) {
        v[k] *= factor;
    }
    if (a.has_weight) {
        Real w[KEEP];
        load_factor(weight, a.weight_offset, at, a.length, w);
        UNROLL
        for (int k = 0; k < KEEP; k++) {
            v[k] *= w[k];
        }
    }
    if (a.has_bias) {
        Real b[KEEP];
        load_factor(bias, a.bias_offset, at, a.length, b);
        UNROLL
        for (int k = 0; k < KEEP; k++) {
            v[k] += b[k];
        }
    }
    store_row(
            target_of(out, a.out_offset + at.row * a.length, length), at, ALIGNED(T, a.out_offset, a.length), v);
}

KERNEL void norm_short_grad(
        GLOBAL MEM_OF(T) *dx,
        GLOBAL const MEM_OF(T) *gradient,
        GLOBAL const MEM_OF(T) *in,
        GLOBAL const MEM_OF(T) *weight,
        GLOBAL const MEM_OF(WIDE) *mean,
        GLOBAL const MEM_OF(WIDE) *scale,
        const Norm a) {
    Seat at = seat_of(a.across);
    long length = at.row < a.rows ? a.length : 0;
    Real slope[KEEP];
    load_tensor(gradient, a.g_offset, at, length, &a, slope);
    if (a.has_weight) {
        Real w[KEEP];
        load_factor(weight, a.weight_offset, at, a.length, w);
        UNROLL
        for (int k = 0; k < KEEP; k++) {
            slope[k] *= w[k];
        }
    }
    Real h[KEEP];
    load_tensor(in, a.x_offset, at, length, &a, h);
    Real middle = a.centred && length > 0 ? (Real) LOAD_AS(WIDE, mean, a.mean_offset + at.row) : (Real) 0;
    Real factor = length > 0 ? (Real) LOAD_AS(WIDE, scale, a.scale_offset + at.row) : (Real) 0;
    Real term[KEEP];
    UNROLL
    for (int k = 0; k < KEEP; k++) {
        h[k] = (h[k] - middle) * factor;
        term[k] = slope[k] * h[k];
    }
    // Beyond the end is a slope of 0 where there is a weight as well, unless something there is infinite or NaN.
    cut_row(term, at, (int) length);
    Real along = sum_of_lanes(sum_of(term, KEEP), at.across) / (Real) a.length;
    Real least = a.centred ? sum_of_lanes(sum_of(slope, KEEP), at.across) / (Real) a.length : (Real) 0;
    UNROLL
    for (int k = 0; k < KEEP; k++) {
        slope[k] = factor * (slope[k] - least - h[k] * along);
    }
    store_row(
            target_of(dx, a.out_offset + at.row * a.length, length), at, ALIGNED(T, a.out_offset, a.length), slope);
}

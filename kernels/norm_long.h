// A block for a row, whose elements stay in dynamic shared memory, with `keep`, or are read again for each pass.
#include "kept.h"

// A row of a tensor, and the same counted from the first slot of the result on.
typedef struct {
    Source from_start, from_slot;
    vec4_i32 *kept;
} Operand;

INLINE Operand operand_of(
        GLOBAL const MEM_OF(T) *in, long offset, long rows, long row, Target y, vec4_i32 *kept) {
    Operand o;
    o.from_start = source_of(in, offset, rows * y.length, row * y.length, y.length);
    o.from_slot = source_of(in, offset, rows * y.length, row * y.length - y.behind, end_of(y));
    o.kept = kept;
    return o;
}

// A chunk of it counted from its first element, 0 beyond its end.
INLINE void load_first(Operand o, long chunk, long keep, Real *v) {
    if (keep) {
        kept_elements(o.kept, chunk, 0, o.from_start.length, v);
        cut(v, clamped(o.from_start.length - chunk * CHUNK, 0, CHUNK), 0);
    } else {
        load_batch<1>(o.from_start, chunk, 0, 0, o.kept, 0, v);
    }
}

// A chunk of it that is a slot of the result.
INLINE void load_last(Operand o, long chunk, int behind, long keep, Real *v) {
    if (keep) {
        kept_elements(o.kept, chunk, behind, o.from_start.length, v);
    } else {
        load_batch<1>(o.from_slot, chunk, 0, behind, o.kept, 0, v);
    }
}

KERNEL void norm_long(
        GLOBAL MEM_OF(T) *out,
        GLOBAL MEM_OF(WIDE) *mean,
        GLOBAL MEM_OF(WIDE) *scale,
        GLOBAL const MEM_OF(T) *in,
        GLOBAL const MEM_OF(T) *weight,
        GLOBAL const MEM_OF(T) *bias,
        const Norm a) {
    LOCAL Real sums[WARPS];
    LOCAL Real squares[WARPS];
    Target y = target_of(out, a.out_offset + GROUP * a.length, a.length);
    Operand x = operand_of(in, a.x_offset, a.rows, GROUP, y, DYNAMIC_SHARED(vec4_i32));
    Operand w = operand_of(weight, a.weight_offset, 1, 0, y, 0);
    Operand b = operand_of(bias, a.bias_offset, 1, 0, y, 0);
    Real middle = 0;
    if (a.centred || a.keep) {
        Real sum = 0;
        for (long c = THREAD; c * CHUNK < a.length; c += BATCH * BLOCK) {
            Real v[BATCH * CHUNK];
            load_batch<BATCH>(x.from_start, c, 0, 0, x.kept, a.keep, v);
            sum += sum_of(v, BATCH * CHUNK);
        }
        sum = sum_of_block(sum, sums);
        middle = a.centred ? sum / (Real) a.length : (Real) 0;
    }
    Real square = 0;
    for (long c = THREAD; c * CHUNK < a.length; c += BLOCK) {
        Real v[CHUNK];
        load_first(x, c, a.keep, v);
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            v[k] -= middle;
        }
        cut(v, clamped(a.length - c * CHUNK, 0, CHUNK), 0);
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            v[k] *= v[k];
        }
        square += sum_of(v, CHUNK);
    }
    Real factor = scale_of(sum_of_block(square, squares), &a);
    if (THREAD == 0) {
        write_row(mean, scale, GROUP, middle, factor, &a);
    }
    for (long c = THREAD; c * CHUNK < end_of(y); c += BLOCK) {
        Real v[CHUNK];
        load_last(x, c, y.behind, a.keep, v);
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            v[k] = (v[k] - middle) * factor;
        }
        if (a.has_weight) {
            Real factors[CHUNK];
            load_last(w, c, y.behind, 0, factors);
            UNROLL
            for (int k = 0; k < CHUNK; k++) {
                v[k] *= factors[k];
            }
        }
        if (a.has_bias) {
            Real terms[CHUNK];
            load_last(b, c, y.behind, 0, terms);
            UNROLL
            for (int k = 0; k < CHUNK; k++) {
                v[k] += terms[k];
            }
        }
        store_chunk(y, c, v);
    }
}

// g * weight in the place of g.
INLINE void weigh(Operand w, long chunk, const Norm *a, Real *g, int from_slot, int behind) {
    if (a->has_weight) {
        Real factors[CHUNK];
        if (from_slot) {
            load_last(w, chunk, behind, 0, factors);
        } else {
            load_first(w, chunk, 0, factors);
        }
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            g[k] *= factors[k];
        }
    }
}

KERNEL void norm_long_grad(
        GLOBAL MEM_OF(T) *dx,
        GLOBAL const MEM_OF(T) *gradient,
        GLOBAL const MEM_OF(T) *in,
        GLOBAL const MEM_OF(T) *weight,
        GLOBAL const MEM_OF(WIDE) *mean,
        GLOBAL const MEM_OF(WIDE) *scale,
        const Norm a) {
    LOCAL Real products[WARPS];
    LOCAL Real sums[WARPS];
    Target y = target_of(dx, a.out_offset + GROUP * a.length, a.length);
    vec4_i32 *kept = DYNAMIC_SHARED(vec4_i32);
    Operand x = operand_of(in, a.x_offset, a.rows, GROUP, y, kept);
    Operand g = operand_of(
            gradient, a.g_offset, a.rows, GROUP, y, kept + (a.length + CHUNK - 1) / CHUNK * IN_SLOTS);
    Operand w = operand_of(weight, a.weight_offset, 1, 0, y, 0);
    Real middle = a.centred ? (Real) LOAD_AS(WIDE, mean, a.mean_offset + GROUP) : (Real) 0;
    Real factor = LOAD_AS(WIDE, scale, a.scale_offset + GROUP);
    Real product = 0;
    Real sum = 0;
    for (long c = THREAD; c * CHUNK < a.length; c += PAIR * BLOCK) {
        Real v[PAIR * CHUNK];
        Real slope[PAIR * CHUNK];
        load_batch<PAIR>(x.from_start, c, 0, 0, x.kept, a.keep, v);
        load_batch<PAIR>(g.from_start, c, 0, 0, g.kept, a.keep, slope);
        UNROLL
        for (int u = 0; u < PAIR; u++) {
            long chunk = c + u * BLOCK;
            weigh(w, chunk, &a, slope + u * CHUNK, 0, 0);
            Real term[CHUNK];
            UNROLL
            for (int k = 0; k < CHUNK; k++) {
                term[k] = slope[u * CHUNK + k] * ((v[u * CHUNK + k] - middle) * factor);
            }
            cut(term, clamped(a.length - chunk * CHUNK, 0, CHUNK), 0);
            product += sum_of(term, CHUNK);
            sum += sum_of(slope + u * CHUNK, CHUNK);
        }
    }
    Real along = sum_of_block(product, products) / (Real) a.length;
    Real least = a.centred ? sum_of_block(sum, sums) / (Real) a.length : (Real) 0;
    for (long c = THREAD; c * CHUNK < end_of(y); c += BLOCK) {
        Real v[CHUNK];
        Real slope[CHUNK];
        load_last(x, c, y.behind, a.keep, v);
        load_last(g, c, y.behind, a.keep, slope);
        weigh(w, c, &a, slope, 1, y.behind);
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            slope[k] = factor * (slope[k] - least - (v[k] - middle) * factor * along);
        }
        store_chunk(y, c, slope);
    }
}

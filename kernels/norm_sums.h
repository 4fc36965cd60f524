// What the kernels of norms share: their arguments, what is known of a row, and the kernels that add up rows.
#include "sums.h"
typedef struct {
    long rows, length, centred, has_weight, has_bias, eps, slices, each;
    long x_offset, g_offset, weight_offset, bias_offset, mean_offset, scale_offset, out_offset, bias_out_offset, parts_offset;
    long across, keep;
} Norm;

typedef ACC_OF(T) Acc;

INLINE Acc scale_of(Acc squares, const Norm *a) {
    return (Acc) 1 / sqrt(squares / (Acc) a->length + NUMBER_OF(WIDE, a->eps));
}

INLINE void write_row(
        GLOBAL MEM_OF(WIDE) *mean, GLOBAL MEM_OF(WIDE) *scale, long row, Acc middle, Acc factor, const Norm *a) {
    STORE_AS(WIDE, scale, a->scale_offset + row, factor);
    if (a->centred) {
        STORE_AS(WIDE, mean, a->mean_offset + row, middle);
    }
}

#if !defined(VECTORIZED) && !defined(KEEP) && !defined(LONG)
// WIDTH columns of a thread are as many as fill a slot, where all rows lie at slots; U is T then.
#ifdef WIDTH
#include "words.h"

INLINE void load_columns(GLOBAL const MEM_OF(T) *x, long at, Real *v) {
    uint w[IN_WORDS];
    UNROLL
    for (int i = 0; i < IN_SLOTS; i++) {
        load_slot((GLOBAL const vec4_i32 *) (x + at) + i, w + 4 * i);
    }
    unpack(w, v);
}
#else
#define WIDTH 1
#define load_columns(x, at, v) ((v)[0] = LOAD_AS(T, x, at))
#endif

// A thread for WIDTH columns of each slice of `each` rows: their sums of g * h, and after those of all slices their sums of g.
KERNEL void norm_columns(
        GLOBAL long *workspace,
        GLOBAL const MEM_OF(T) *gradient,
        GLOBAL const MEM_OF(T) *in,
        GLOBAL const MEM_OF(WIDE) *mean,
        GLOBAL const MEM_OF(WIDE) *scale,
        const Norm a) {
    GLOBAL Acc *parts = (GLOBAL Acc *) (workspace + a.parts_offset);
    long i = GROUP * BLOCK + THREAD;
    long across = a.length / WIDTH;
    if (i < a.slices * across) {
        long slice = i / across;
        long column = (i - slice * across) * WIDTH;
        long end = (slice + 1) * a.each < a.rows ? (slice + 1) * a.each : a.rows;
        Acc products[WIDTH];
        Acc sums[WIDTH];
        for (int k = 0; k < WIDTH; k++) {
            products[k] = 0;
            sums[k] = 0;
        }
        for (long row = slice * a.each; row < end; row++) {
            Acc g[WIDTH];
            Acc x[WIDTH];
            load_columns(gradient, a.g_offset + row * a.length + column, g);
            load_columns(in, a.x_offset + row * a.length + column, x);
            Acc middle = a.centred ? (Acc) LOAD_AS(WIDE, mean, a.mean_offset + row) : (Acc) 0;
            Acc factor = LOAD_AS(WIDE, scale, a.scale_offset + row);
            for (int k = 0; k < WIDTH; k++) {
                products[k] += g[k] * ((x[k] - middle) * factor);
                sums[k] += g[k];
            }
        }
        for (int k = 0; k < WIDTH; k++) {
            parts[slice * a.length + column + k] = products[k];
            parts[(a.slices + slice) * a.length + column + k] = sums[k];
        }
    }
}

// A group has ACROSS columns, whose slices its threads share out, in order.
#define ACROSS (BLOCK < 32 ? BLOCK : 32)
#define DOWN (BLOCK / ACROSS)

KERNEL void norm_total(
        GLOBAL MEM_OF(T) *dweight, GLOBAL MEM_OF(T) *dbias, GLOBAL const long *workspace, const Norm a) {
    LOCAL Acc shared[2][BLOCK];
    GLOBAL const Acc *parts = (GLOBAL const Acc *) (workspace + a.parts_offset);
    long column = GROUP * ACROSS + THREAD % ACROSS;
    Acc products = 0;
    Acc sum = 0;
    for (long slice = THREAD / ACROSS; column < a.length && slice < a.slices; slice += DOWN) {
        products += parts[slice * a.length + column];
        sum += parts[(a.slices + slice) * a.length + column];
    }
    shared[0][THREAD] = products;
    shared[1][THREAD] = sum;
    BARRIER();
    if (THREAD < ACROSS && column < a.length) {
        for (int i = 1; i < DOWN; i++) {
            products += shared[0][THREAD + i * ACROSS];
            sum += shared[1][THREAD + i * ACROSS];
        }
        if (a.has_weight) {
            STORE_AS(T, dweight, a.out_offset + column, products);
        }
        if (a.has_bias) {
            STORE_AS(T, dbias, a.bias_out_offset + column, sum);
        }
    }
}
#endif

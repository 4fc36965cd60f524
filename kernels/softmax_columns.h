// Along an axis that is not the last: a row's elements are `inner` apart, and its neighbours lie beside them. A thread does
// WIDTH neighbouring rows, which is 1, or as many as fill a slot where all lie at slots; `across` threads do neighbours,
// `down` threads (a power of two) share the same rows, and a block does several `outer` at once where one has too few for it. With
// `keep` a thread keeps what it read in dynamic shared memory, or in local memory for HOLD turns of `down` elements.
#include "words.h"
#define BATCH 4
#if WIDTH > 1
#define HELD IN_SLOTS
typedef vec4_i32 Held[HELD];
#else
#define HELD 1
typedef MEM_OF(T) Held[HELD];
#endif

#ifndef HOLD
#define KEEPS(name, before) Held *name = DYNAMIC_SHARED(Held) + (before)
#elif HOLD > 0
#define KEEPS(name, before) LOCAL Held name[HOLD * BLOCK]
#else
#define KEEPS(name, before) TO_LOCAL Held *name = 0
#endif

typedef struct {
    // The first row; element j of it is at start + j * step, and there are none where the length is 0.
    long row, start, step, length;
    int down;
} Place;

INLINE Place place_of(const Softmax *a) {
    int across = (int) a->across, down = (int) a->down;
    int together = BLOCK / (across * down);
    int outer = THREAD / (across * down);
    long columns = a->inner / WIDTH;
    long tiles = (columns + across - 1) / across;
    long column = GROUP % tiles * across + THREAD % across;
    long block = GROUP / tiles * together + outer;
    Place p;
    p.row = block * a->inner + column * WIDTH;
    p.start = block * a->length * a->inner + column * WIDTH;
    p.step = a->inner;
    p.length = outer < together && block < a->rows / a->inner && column < columns ? a->length : 0;
    p.down = THREAD / across % down;
    return p;
}

// Element j of each of the rows.
INLINE void load_held(GLOBAL const MEM_OF(T) *x, long at, Held held) {
#if WIDTH > 1
    UNROLL
    for (int i = 0; i < IN_SLOTS; i++) {
        held[i] = ((GLOBAL const vec4_i32 *) (x + at))[i];
    }
#else
    held[0] = x[at];
#endif
}

INLINE void held_elements(const Held held, Real *v) {
#if WIDTH > 1
    uint w[IN_WORDS];
    UNROLL
    for (int i = 0; i < IN_SLOTS; i++) {
        words_of(held[i], w + 4 * i);
    }
    unpack(w, v);
#else
    v[0] = (Real) CAT(VALUE_, T)(held[0]);
#endif
}

INLINE void store_held(GLOBAL MEM_OF(U) *y, long at, const Real *v) {
#if WIDTH > 1
    uint w[OUT_WORDS];
    pack_out(v, w);
    UNROLL
    for (int i = 0; i < OUT_SLOTS; i++) {
        store_words((GLOBAL vec4_i32 *) (y + at) + i, w + 4 * i);
    }
#else
    STORE_AS(U, y, at, v[0]);
#endif
}

// BATCH elements of each row, from turn i on; each turn has `down` elements, one of them this thread's.
INLINE void load_turns(
        GLOBAL const MEM_OF(T) *x, Place p, long i, long down, Real none, TO_LOCAL Held *kept, long keep, Real v[BATCH][WIDTH]) {
    Held held[BATCH];
    UNROLL
    for (int u = 0; u < BATCH; u++) {
        long j = (i + u) * down + p.down;
        if (j < p.length) {
            load_held(x, p.start + j * p.step, held[u]);
        }
    }
    UNROLL
    for (int u = 0; u < BATCH; u++) {
        if ((i + u) * down + p.down < p.length) {
            held_elements(held[u], v[u]);
            if (keep) {
                UNROLL
                for (int k = 0; k < HELD; k++) {
                    kept[(i + u) * BLOCK + THREAD][k] = held[u][k];
                }
            }
        } else {
            UNROLL
            for (int k = 0; k < WIDTH; k++) {
                v[u][k] = none;
            }
        }
    }
}

// The same elements again, from where they were kept or from where they are.
INLINE void load_again(
        GLOBAL const MEM_OF(T) *x, Place p, long i, long j, TO_LOCAL const Held *kept, long keep, Real *v) {
    Held held;
    if (keep) {
        UNROLL
        for (int k = 0; k < HELD; k++) {
            held[k] = kept[i * BLOCK + THREAD][k];
        }
    } else {
        load_held(x, p.start + j * p.step, held);
    }
    held_elements(held, v);
}

#if !defined(BACKWARD) || !BACKWARD
KERNEL void softmax_columns(GLOBAL MEM_OF(U) *out, GLOBAL const MEM_OF(T) *in, const Softmax a) {
    LOCAL Known known[WIDTH][BLOCK];
    KEEPS(kept, 0);
    Place p = place_of(&a);
    GLOBAL const MEM_OF(T) *x = in + a.x_offset;
    Known all[WIDTH];
    UNROLL
    for (int k = 0; k < WIDTH; k++) {
        all[k] = nothing_known();
    }
    for (long i = 0; i * a.down + p.down < p.length; i += BATCH) {
        Real v[BATCH][WIDTH];
        load_turns(x, p, i, a.down, -INF, kept, a.keep, v);
        UNROLL
        for (int k = 0; k < WIDTH; k++) {
            Real row[BATCH];
            UNROLL
            for (int u = 0; u < BATCH; u++) {
                row[u] = v[u][k];
            }
            all[k] = with(all[k], row, BATCH);
        }
    }
    if (a.down > 1) {
        UNROLL
        for (int k = 0; k < WIDTH; k++) {
            known[k][THREAD] = all[k];
        }
        BARRIER();
        for (long far = a.down / 2; far > 0; far /= 2) {
            if (p.down < far && p.length > 0) {
                UNROLL
                for (int k = 0; k < WIDTH; k++) {
                    known[k][THREAD] = joined(known[k][THREAD], known[k][THREAD + far * a.across]);
                }
            }
            BARRIER();
        }
        UNROLL
        for (int k = 0; k < WIDTH; k++) {
            all[k] = known[k][THREAD - p.down * a.across];
        }
    }
    if (a.known_only) {
        if (p.down == 0 && p.length > 0) {
            UNROLL
            for (int k = 0; k < WIDTH; k++) {
                write_known(out, a.out_offset, p.row + k, all[k]);
            }
        }
        return;
    }
    Real rest[WIDTH];
    UNROLL
    for (int k = 0; k < WIDTH; k++) {
        rest[k] = rest_of(all[k], a.is_log);
    }
    long j = p.down;
    for (long i = 0; j < p.length; i++, j += a.down) {
        Real v[WIDTH];
        load_again(x, p, i, j, kept, a.keep, v);
        UNROLL
        for (int k = 0; k < WIDTH; k++) {
            results(v + k, 1, all[k].top, rest[k], a.is_log);
        }
        store_held(out + a.out_offset, p.start + j * p.step, v);
    }
}
#endif

#if !defined(BACKWARD) || BACKWARD
KERNEL void softmax_columns_grad(
        GLOBAL MEM_OF(U) *dx, GLOBAL const MEM_OF(T) *gradient, GLOBAL const MEM_OF(T) *output, const Softmax a) {
    LOCAL Real known[WIDTH][BLOCK];
    KEEPS(kept_g, 0);
    KEEPS(kept_y, (a.length + a.down - 1) / a.down * BLOCK);
    Place p = place_of(&a);
    GLOBAL const MEM_OF(T) *g = gradient + a.x_offset;
    GLOBAL const MEM_OF(T) *y = output + a.y_offset;
    Real sum[WIDTH];
    UNROLL
    for (int k = 0; k < WIDTH; k++) {
        sum[k] = 0;
    }
    for (long i = 0; i * a.down + p.down < p.length; i += BATCH) {
        Real v[BATCH][WIDTH];
        Real w[BATCH][WIDTH];
        load_turns(g, p, i, a.down, 0, kept_g, a.keep, v);
        if (!a.is_log || a.keep) {
            load_turns(y, p, i, a.down, 0, kept_y, a.keep, w);
        }
        UNROLL
        for (int k = 0; k < WIDTH; k++) {
            Real row[BATCH];
            UNROLL
            for (int u = 0; u < BATCH; u++) {
                row[u] = term_of(v[u][k], w[u][k], a.is_log);
            }
            sum[k] += sum_of(row, BATCH);
        }
    }
    if (a.down > 1) {
        UNROLL
        for (int k = 0; k < WIDTH; k++) {
            known[k][THREAD] = sum[k];
        }
        BARRIER();
        for (long far = a.down / 2; far > 0; far /= 2) {
            if (p.down < far && p.length > 0) {
                UNROLL
                for (int k = 0; k < WIDTH; k++) {
                    known[k][THREAD] += known[k][THREAD + far * a.across];
                }
            }
            BARRIER();
        }
        UNROLL
        for (int k = 0; k < WIDTH; k++) {
            sum[k] = known[k][THREAD - p.down * a.across];
        }
    }
    long j = p.down;
    for (long i = 0; j < p.length; i++, j += a.down) {
        Real v[WIDTH];
        Real w[WIDTH];
        load_again(g, p, i, j, kept_g, a.keep, v);
        load_again(y, p, i, j, kept_y, a.keep, w);
        UNROLL
        for (int k = 0; k < WIDTH; k++) {
            slopes(v + k, w + k, 1, sum[k], a.is_log);
        }
        store_held(dx + a.out_offset, p.start + j * p.step, v);
    }
}
#endif

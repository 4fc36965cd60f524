// Rows for groups without warps, in the shared sources: `across` threads, a power of two, do a row, and a group has as many rows
// as it has room for. Chunk c of a row is number c / across of thread c % across, counted from the row's own first element on, so
// that bits do not depend on where in memory a row lies. A thread keeps its first KEEP elements in registers; a row that has more
// of them goes on in turns of one chunk a thread, of which HOLD stay in local memory, where only the thread that wrote them
// reads, and those after them are read again. BACKWARD, 0 or 1, leaves one of a file's two kernels, each of which has its own local
// memory.
#include "words.h"
#define KEPT (KEEP / CHUNK)
// The chunks that a thread asks for before it uses the first.
#if CHUNK == 8
#define BATCH 2
#else
#define BATCH 4
#endif

#if defined(HOLD) && HOLD > 0
#define HOLDS(name) LOCAL vec4_i32 name[HOLD * IN_SLOTS * BLOCK]
#else
#define HOLDS(name) TO_LOCAL vec4_i32 *name = 0
#endif

typedef struct {
    long row;
    int lane, across;
} Seat;

INLINE Seat seat_of(long across) {
    Seat s;
    s.across = (int) across;
    s.lane = THREAD & (s.across - 1);
    s.row = GROUP * (BLOCK / s.across) + THREAD / s.across;
    return s;
}

INLINE long chunk_of(Seat at, long turn) { return at.lane + turn * at.across; }

// The elements of n turns, with all reads of each batch before its first use; `none` stands beyond the end.
INLINE void load_turns(Source s, Seat at, long turn, int n, Real none, Real *v) {
    UNROLL
    for (int first = 0; first < n; first += BATCH) {
        uint w[BATCH][IN_WORDS + 4];
        int whole[BATCH];
        UNROLL
        for (int u = 0; u < BATCH; u++) {
            if (first + u < n) {
                whole[u] = is_whole(s, chunk_of(at, turn + first + u));
                load_words(s, chunk_of(at, turn + first + u), whole[u], w[u]);
            }
        }
        UNROLL
        for (int u = 0; u < BATCH; u++) {
            if (first + u < n) {
                elements_of(
                        s, chunk_of(at, turn + first + u), whole[u], w[u], none, 0, v + (first + u) * CHUNK);
            }
        }
    }
}

#ifdef HOLD
// Turn KEPT + i and the BATCH - 1 after it, of which those that have a place in local memory go there.
INLINE void load_more(Source s, Seat at, long i, Real none, TO_LOCAL vec4_i32 *held, Real *v) {
    load_turns(s, at, KEPT + i, BATCH, none, v);
    UNROLL
    for (int u = 0; u < BATCH; u++) {
        if (i + u < HOLD) {
            uint w[IN_WORDS];
            pack_in(v + u * CHUNK, w);
            UNROLL
            for (int k = 0; k < IN_SLOTS; k++) {
                keep_slot(held + ((i + u) * IN_SLOTS + k) * BLOCK + THREAD, w + 4 * k);
            }
        }
    }
}

// The same elements again, from where they were kept or from where they are.
INLINE void load_again(Source s, Seat at, long i, Real none, TO_LOCAL const vec4_i32 *held, Real *v) {
    if (i >= HOLD) {
        load_turns(s, at, KEPT + i, BATCH, none, v);
        return;
    }
    UNROLL
    for (int u = 0; u < BATCH; u++) {
        if (i + u < HOLD) {
            uint w[IN_WORDS];
            UNROLL
            for (int k = 0; k < IN_SLOTS; k++) {
                words_of(held[((i + u) * IN_SLOTS + k) * BLOCK + THREAD], w + 4 * k);
            }
            unpack(w, v + u * CHUNK);
        } else {
            load_turns(s, at, KEPT + i + u, 1, none, v + u * CHUNK);
        }
    }
}

INLINE int is_within(Seat at, long i, long length) { return chunk_of(at, KEPT + i) * CHUNK < length; }
#endif

// Puts `none` in the place of what is beyond the end, of n turns.
INLINE void cut_turns(Seat at, long turn, int n, long length, Real none, Real *v) {
    UNROLL
    for (int u = 0; u < n; u++) {
        cut(v + u * CHUNK, clamped(length - chunk_of(at, turn + u) * CHUNK, 0, CHUNK), none);
    }
}

// Writes n turns: slots where the row starts at one, else element by element.
INLINE void store_turns(Target y, Seat at, long turn, int n, const Real *v) {
    UNROLL
    for (int u = 0; u < n; u++) {
        long chunk = chunk_of(at, turn + u);
        if (y.behind == 0) {
            store_chunk(y, chunk, v + u * CHUNK);
        } else {
            int left = clamped(y.length - chunk * CHUNK, 0, CHUNK);
            GLOBAL MEM_OF(U) *to = y.row + chunk * CHUNK;
            UNROLL
            for (int k = 0; k < CHUNK; k++) {
                if (k < left) {
                    STORE_AS(U, to, k, v[u * CHUNK + k]);
                }
            }
        }
    }
}

// What the threads of a row know is joined by FAN at a time: two barriers for a group of 256, of which the second is for the
// results of the first. The order is fixed, and all threads get the same bits.
#define FAN 16
#define PLACES (BLOCK + BLOCK / FAN)

INLINE Real sum_of_few(TO_LOCAL const Real *from, int n, int step) {
    Real v[FAN];
    UNROLL
    for (int k = 0; k < FAN; k++) {
        v[k] = k < n ? from[k * step] : (Real) 0;
    }
    return sum_of(v, FAN);
}

INLINE Real top_of_few(TO_LOCAL const Real *from, int n, int step) {
    Real top = from[0];
    UNROLL
    for (int k = 1; k < FAN; k++) {
        top = fmax(top, k < n ? from[k * step] : top);
    }
    return top;
}

// `shared` has PLACES, and nobody else has used or will use them. All threads of the group come here.
#define JOIN(v, of_few, shared, at) \
    do { \
        if ((at).across > 1) { \
            int first_ = THREAD - (at).lane; \
            int parts_ = (at).across / FAN; \
            shared[THREAD] = (v); \
            BARRIER(); \
            if (parts_ <= 1) { \
                (v) = of_few(shared + first_, (at).across, 1); \
            } else { \
                if ((at).lane < parts_) { \
                    shared[BLOCK + first_ / FAN + (at).lane] = of_few(shared + first_ + (at).lane, FAN, parts_); \
                } \
                BARRIER(); \
                (v) = of_few(shared + BLOCK + first_ / FAN, parts_, 1); \
            } \
        } \
    } while (0)

// A row for a block: chunk c of it is number c / BLOCK of thread c % BLOCK, and may stay in dynamic shared memory.
#include "words.h"
#define WARPS (BLOCK / 32)
// The chunks that a thread asks for before it uses the first.
#if CHUNK == 4
#define BATCH 4
#else
#define BATCH 2
#endif
// The same where there are two tensors to be read.
#define PAIR 2

INLINE void keep_chunk(vec4_i32 *kept, long chunk, const uint *w) {
    UNROLL
    for (int i = 0; i < IN_SLOTS; i++) {
        keep_slot(kept + chunk * IN_SLOTS + i, w + 4 * i);
    }
}

// The elements from CHUNK * chunk - behind on, as far as there are any; the others mean nothing.
INLINE void kept_elements(const vec4_i32 *kept, long chunk, int behind, long length, Real *v) {
    if (behind == 0) {
        uint w[IN_WORDS];
        UNROLL
        for (int i = 0; i < IN_SLOTS; i++) {
            load_slot(kept + chunk * IN_SLOTS + i, w + 4 * i);
        }
        unpack(w, v);
    } else {
        long first = chunk * CHUNK - behind;
        const MEM_OF(T) *x = (const MEM_OF(T) *) kept + first;
        int low = clamped(-first, 0, CHUNK - 1), high = clamped(length - 1 - first, 0, CHUNK - 1);
        UNROLL
        for (int k = 0; k < CHUNK; k++) {
            v[k] = (Real) LOAD_AS(T, x, clamped(k, low, high));
        }
    }
}

// `batch` chunks, BLOCK apart, with all their reads before the first use; those that are to be kept are.
template <int batch>
INLINE void load_batch(Source s, long chunk, Real none, int lowest, vec4_i32 *kept, long keep, Real *v) {
    uint w[batch][IN_WORDS + 4];
    int whole[batch];
    UNROLL
    for (int u = 0; u < batch; u++) {
        whole[u] = is_whole(s, chunk + u * BLOCK);
        load_words(s, chunk + u * BLOCK, whole[u], w[u]);
    }
    UNROLL
    for (int u = 0; u < batch; u++) {
        elements_of(s, chunk + u * BLOCK, whole[u], w[u], none, lowest, v + u * CHUNK);
        if (keep && (chunk + u * BLOCK) * CHUNK < s.length) {
            if (!whole[u]) {
                pack_in(v + u * CHUNK, w[u]);
            }
            keep_chunk(kept, chunk + u * BLOCK, w[u]);
        }
    }
}

// The sum over the block, in every thread; `shared` has room for one of each warp, and nobody else uses it since a barrier.
INLINE Real sum_of_block(Real v, Real *shared) {
    v = sum_of_lanes(v, 32);
    if (THREAD % 32 == 0) {
        shared[THREAD / 32] = v;
    }
    BARRIER();
    return sum_of_lanes(shared[THREAD % WARPS], WARPS);
}

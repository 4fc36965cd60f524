// A row for a block, or a part of it for each block of a cluster, which then reads what the others know of theirs from their
// shared memory. With `keep` the elements stay in dynamic shared memory and are read once, else twice.
#ifndef CLUSTER
#define CLUSTER 1
#endif
#include "kept.h"

// This block's part of its row, in elements: a multiple of CHUNK, but for the last.
typedef struct {
    long start, length;
} Part;

INLINE Part part_of(const Softmax *a) {
    long row = GROUP / CLUSTER;
    long each = ((a->length + CHUNK - 1) / CHUNK + CLUSTER - 1) / CLUSTER * CHUNK;
    long begin = GROUP % CLUSTER * each;
    begin = begin < a->length ? begin : a->length;
    long rest = a->length - begin;
    Part p;
    p.start = row * a->length + begin;
    p.length = rest < each ? rest : each;
    return p;
}

#if CLUSTER > 1
// Gives every thread what the blocks of the cluster know, in the order of their ranks.
#define SHARE(mine, parts) \
    do { \
        CLUSTER_WAIT(); \
        if (THREAD < CLUSTER) { \
            *CLUSTER_MAP(&parts[GROUP % CLUSTER], THREAD) = (mine); \
        } \
        CLUSTER_BARRIER(); \
        (mine) = parts[THREAD % CLUSTER]; \
    } while (0)
#endif

KERNEL void softmax_rows(GLOBAL MEM_OF(U) *out, GLOBAL const MEM_OF(T) *in, const Softmax a) {
    LOCAL Known warps[WARPS];
#if CLUSTER > 1
    LOCAL Known parts[CLUSTER];
    // The others' shared memory is there once all have started, which is waited for when it is wanted.
    CLUSTER_ARRIVE();
#endif
    vec4_i32 *kept = DYNAMIC_SHARED(vec4_i32);
    Part part = part_of(&a);
    Source x = source_of(in, a.x_offset, a.rows * a.length, part.start, part.length);
    Known all = nothing_known();
    for (long c = THREAD; c * CHUNK < part.length; c += BATCH * BLOCK) {
        Real v[BATCH * CHUNK];
        load_batch<BATCH>(x, c, -INF, 0, kept, a.keep, v);
        all = with(all, v, BATCH * CHUNK);
    }
    all = known_of_lanes(all, 32);
    if (THREAD % 32 == 0) {
        warps[THREAD / 32] = all;
    }
    BARRIER();
    all = known_of_lanes(warps[THREAD % WARPS], WARPS);
#if CLUSTER > 1
    SHARE(all, parts);
    all = known_of_lanes(all, CLUSTER);
#endif
    if (a.known_only) {
        if (THREAD == 0 && GROUP % CLUSTER == 0) {
            write_known(out, a.out_offset, GROUP / CLUSTER, all);
        }
        return;
    }
    Real rest = rest_of(all, a.is_log);
    Target y = target_of(out, a.out_offset + part.start, part.length);
    if (a.keep) {
        for (long c = THREAD; c * CHUNK < end_of(y); c += BLOCK) {
            Real v[CHUNK];
            kept_elements(kept, c, y.behind, part.length, v);
            results(v, CHUNK, all.top, rest, a.is_log);
            store_chunk(y, c, v);
        }
    } else {
        // Read as it is written: from the first slot of the result on.
        x = source_of(in, a.x_offset, a.rows * a.length, part.start - y.behind, end_of(y));
        for (long c = THREAD; c * CHUNK < x.length; c += BATCH * BLOCK) {
            Real v[BATCH * CHUNK];
            load_batch<BATCH>(x, c, 0, y.behind, kept, 0, v);
            results(v, BATCH * CHUNK, all.top, rest, a.is_log);
            UNROLL
            for (int u = 0; u < BATCH; u++) {
                store_chunk(y, c + u * BLOCK, v + u * CHUNK);
            }
        }
    }
}

KERNEL void softmax_rows_grad(
        GLOBAL MEM_OF(U) *dx, GLOBAL const MEM_OF(T) *gradient, GLOBAL const MEM_OF(T) *output, const Softmax a) {
    LOCAL Real warps[WARPS];
#if CLUSTER > 1
    LOCAL Real parts[CLUSTER];
    CLUSTER_ARRIVE();
#endif
    Part part = part_of(&a);
    vec4_i32 *kept_g = DYNAMIC_SHARED(vec4_i32);
    vec4_i32 *kept_y = kept_g + (part.length + CHUNK - 1) / CHUNK * IN_SLOTS;
    Source g = source_of(gradient, a.x_offset, a.rows * a.length, part.start, part.length);
    Source y = source_of(output, a.y_offset, a.rows * a.length, part.start, part.length);
    Real sum = 0;
    for (long c = THREAD; c * CHUNK < part.length; c += PAIR * BLOCK) {
        Real v[PAIR * CHUNK];
        Real w[PAIR * CHUNK];
        load_batch<PAIR>(g, c, 0, 0, kept_g, a.keep, v);
        // The sum of g alone asks for y only where that is kept.
        if (!a.is_log || a.keep) {
            load_batch<PAIR>(y, c, 0, 0, kept_y, a.keep, w);
        }
        UNROLL
        for (int k = 0; k < PAIR * CHUNK; k++) {
            v[k] = term_of(v[k], w[k], a.is_log);
        }
        sum += sum_of(v, PAIR * CHUNK);
    }
    sum = sum_of_block(sum, warps);
#if CLUSTER > 1
    SHARE(sum, parts);
    sum = sum_of_lanes(sum, CLUSTER);
#endif
    Target d = target_of(dx, a.out_offset + part.start, part.length);
    if (a.keep) {
        for (long c = THREAD; c * CHUNK < end_of(d); c += BLOCK) {
            Real v[CHUNK];
            Real w[CHUNK];
            kept_elements(kept_g, c, d.behind, part.length, v);
            kept_elements(kept_y, c, d.behind, part.length, w);
            slopes(v, w, CHUNK, sum, a.is_log);
            store_chunk(d, c, v);
        }
    } else {
        g = source_of(gradient, a.x_offset, a.rows * a.length, part.start - d.behind, end_of(d));
        y = source_of(output, a.y_offset, a.rows * a.length, part.start - d.behind, end_of(d));
        for (long c = THREAD; c * CHUNK < g.length; c += PAIR * BLOCK) {
            Real v[PAIR * CHUNK];
            Real w[PAIR * CHUNK];
            load_batch<PAIR>(g, c, 0, d.behind, kept_g, 0, v);
            load_batch<PAIR>(y, c, 0, d.behind, kept_y, 0, w);
            slopes(v, w, PAIR * CHUNK, sum, a.is_log);
            UNROLL
            for (int u = 0; u < PAIR; u++) {
                store_chunk(d, c + u * BLOCK, v + u * CHUNK);
            }
        }
    }
}

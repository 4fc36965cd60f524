// The executor itself: what kernels can do on it, and what it reports.
#include "../../../kernels/portable.host.h"

#include <vector>

#include "../../check.h"

#define WARP 0xFFFFFFFFu

// ---- kernels

namespace reversed {
ENTRY_KERNEL void reversed(int *out, int count) {
    LOCAL_ARRAY(int, shared, [64]);
    shared[THREAD] = THREAD;
    BARRIER();
    if (GROUP * 64 + THREAD < count) {
        out[GROUP * 64 + THREAD] = (int) GROUP * 64 + shared[63 - THREAD];
    }
}
}
ENTRY(reversed, 64)

namespace no_barrier {
ENTRY_KERNEL void no_barrier(int *out) {
    LOCAL_ARRAY(int, shared, [64]);
    shared[THREAD] = THREAD;
    out[THREAD] = shared[63 - THREAD];
}
}
ENTRY(no_barrier, 64)

namespace early_return {
ENTRY_KERNEL void early_return() {
    if (THREAD == 5) {
        return;
    }
    BARRIER();
}
}
ENTRY(early_return, 0)

namespace two_barriers {
ENTRY_KERNEL void two_barriers() {
    if (THREAD % 2 == 0) {
        BARRIER();
    } else {
        BARRIER();
    }
}
}
ENTRY(two_barriers, 0)

namespace unset {
ENTRY_KERNEL void unset(float *out) {
    LOCAL_ARRAY(float, shared, [4]);
    out[GROUP * 4 + THREAD] = shared[THREAD];
    shared[THREAD] = 1;
}
}
ENTRY(unset, 4)

namespace too_much {
ENTRY_KERNEL void too_much() {
    LOCAL_ARRAY(double, shared, [8192]);
    shared[THREAD] = 0;
}
}
ENTRY(too_much, 0)

namespace warps {
ENTRY_KERNEL void warps(int *out) {
    int lane = THREAD % 32;
    int v = THREAD;
    for (int reach = 16; reach > 0; reach /= 2) {
        v += __shfl_xor_sync(WARP, v, reach);
    }
    int *to = out + THREAD * 8;
    to[0] = v;
    to[1] = __shfl_sync(WARP, THREAD, 3);
    to[2] = __shfl_up_sync(WARP, THREAD, 1);
    to[3] = __shfl_down_sync(WARP, THREAD, 2, 8);
    to[4] = (int) __ballot_sync(WARP, lane < 5);
    to[5] = __any_sync(WARP, lane == 31) * 2 + __all_sync(WARP, lane < 31);
    // The two halves of a warp by themselves, one of them more often.
    if (lane < 16) {
        to[6] = __shfl_sync(0x0000FFFFu, THREAD, 15);
        to[6] += __shfl_sync(0x0000FFFFu, THREAD, 0);
    } else {
        to[6] = __shfl_sync(0xFFFF0000u, THREAD, 31);
    }
    __syncwarp();
    to[7] = (int) __shfl_sync(WARP, (double) THREAD + 0.5, 1, 4);
}
}
ENTRY(warps, 0)

namespace mask_without_me {
ENTRY_KERNEL void mask_without_me() { __syncwarp(0xFFFFFFFEu); }
}
ENTRY(mask_without_me, 0)

namespace masks_overlap {
ENTRY_KERNEL void masks_overlap() { __syncwarp(THREAD < 8 ? 0xFFu : 0xFF80u); }
}
ENTRY(masks_overlap, 0)

namespace ops_differ {
ENTRY_KERNEL void ops_differ() {
    if (THREAD < 4) {
        __syncwarp();
    } else {
        __ballot_sync(WARP, 1);
    }
}
}
ENTRY(ops_differ, 0)

namespace lane_gone {
ENTRY_KERNEL void lane_gone() {
    if (THREAD != 9) {
        __syncwarp();
    }
}
}
ENTRY(lane_gone, 0)

namespace counted {
ENTRY_KERNEL void counted(int *out) { out[THREAD] = __syncthreads_count(THREAD % 3 == 0); }
}
ENTRY(counted, 0)

namespace dynamic {
ENTRY_KERNEL void dynamic(float *out, int beyond) {
    float *shared = DYNAMIC_SHARED(float);
    LOCAL_ARRAY(float, more, [1]);
    out[THREAD] = shared[THREAD];
    shared[THREAD + beyond] = 2;
    more[0] = 1;
}
}
ENTRY(dynamic, 0)

// The sum over a cluster: each block's part is read by the others.
namespace cluster_sum {
ENTRY_KERNEL void cluster_sum(long *out) {
    LOCAL_ARRAY(long, part, [1]);
    if (THREAD == 0) {
        part[0] = GROUP + 1;
    }
    CLUSTER_BARRIER();
    long sum = 0;
    for (int rank = 0; rank < CLUSTER_SIZE; rank++) {
        sum += CLUSTER_MAP(part, rank)[0];
    }
    CLUSTER_ARRIVE();
    out[GROUP * 8 + THREAD] = sum * 100 + CLUSTER_RANK;
    CLUSTER_WAIT();
}
}
ENTRY_CLUSTER(cluster_sum, 8, 4)

namespace cluster_gone {
ENTRY_KERNEL void cluster_gone() {
    if (GROUP != 1) {
        CLUSTER_BARRIER();
    }
}
}
ENTRY_CLUSTER(cluster_gone, 4, 2)

namespace cluster_leaves {
ENTRY_KERNEL void cluster_leaves(long *out) {
    LOCAL_ARRAY(long, part, [1]);
    part[0] = GROUP;
    CLUSTER_BARRIER();
    if (GROUP == 1) {
        // Block 0 is done by now where threads run in order, and its shared memory gone.
        for (int i = 0; i < 3; i++) {
            host::yield();
        }
        out[0] = CLUSTER_MAP(part, 0)[0];
    }
}
}
ENTRY_CLUSTER(cluster_leaves, 1, 2)

namespace hands_over {
ENTRY_KERNEL void hands_over(int *turn, int *out) {
    // Each thread waits for the one before.
    while (__atomic_load_n(turn, __ATOMIC_RELAXED) != THREAD) {
        host::yield();
    }
    out[THREAD] = THREAD;
    __atomic_store_n(turn, THREAD + 1, __ATOMIC_RELAXED);
}
}
ENTRY(hands_over, 0)

namespace outside {
ENTRY_KERNEL void outside(int *out, int at) {
    LOCAL_ARRAY(int, shared, [10]);
    LOCAL_ARRAY(int, next, [10]);
    shared[0] = next[0] = at;
    out[0] = shared[at];
}
}
ENTRY(outside, 0)

namespace in_three {
ENTRY_KERNEL void in_three(int *out) {
    int block = (int) (blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z));
    int thread = (int) (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z));
    out[block * (int) (blockDim.x * blockDim.y * blockDim.z) + thread]++;
}
}
ENTRY(in_three, 0)

// ---- tests

template <class... A> static void launch(const char *name, host::Dim3 grid, host::Dim3 block, std::size_t shared, A... a) {
    const void *params[] = {&a..., nullptr};
    const host::Entry *entry = host::find(name);
    if (check::that(entry != nullptr, std::string(name) + " is registered")) {
        host::launch(*entry, grid, block, const_cast<void *const *>(params), shared);
    }
}

template <class... A> static std::string error(const char *name, host::Dim3 grid, host::Dim3 block, std::size_t shared, A... a) {
    try {
        launch(name, grid, block, shared, a...);
    } catch (const host::KernelError &e) {
        return e.what();
    }
    return "no error";
}

static void equal(const std::string &what, long got, long wanted) {
    check::that(got == wanted, what + " is " + std::to_string(got) + ", not " + std::to_string(wanted));
}

static void blocks() {
    std::vector<int> out(150);
    launch("reversed", 3, 64, 0, out.data(), 150);
    for (int i = 0; i < 150; i++) {
        equal("reversed[" + std::to_string(i) + "]", out[i], i / 64 * 64 + 63 - i % 64);
    }
    std::vector<int> each(2 * 3 * 2 * 24);
    launch("in_three", {2, 3, 2}, {4, 3, 2}, 0, each.data());
    for (int v : each) {
        equal("in_three", v, 1);
    }
    std::vector<int> votes(40);
    launch("counted", 1, 40, 0, votes.data());
    for (int v : votes) {
        equal("counted", v, 14);
    }
    std::vector<int> order(100);
    int turn = 0;
    launch("hands_over", 1, 100, 0, &turn, order.data());
    equal("turn", turn, 100);
    std::vector<float> unset(8);
    launch("unset", 2, 4, 0, unset.data());
    for (float v : unset) {
        check::that(v != v, "shared memory starts as NaN");
    }
}

static void missingBarrier() {
    host::Options before = host::options();
    std::vector<int> forward(64), reverse(64), shuffled(64);
    host::setOptions({host::Order::forward, 0, 1});
    launch("no_barrier", 1, 64, 0, forward.data());
    host::setOptions({host::Order::reverse, 0, 1});
    launch("no_barrier", 1, 64, 0, reverse.data());
    host::setOptions({host::Order::shuffled, 7, 1});
    launch("no_barrier", 1, 64, 0, shuffled.data());
    check::that(forward != reverse, "a missing barrier shows in reverse order");
    check::that(forward != shuffled, "a missing barrier shows in shuffled order");
    host::setOptions(before);
}

static void errors() {
    check::contains(
            error("early_return", 2, 8, 0),
            ": waits at the barrier of line ");
    check::contains(error("early_return", 2, 8, 0), " for thread 5, which returned; all must reach it");
    check::contains(error("two_barriers", 1, 8, 0), ": is at the barrier of line ");
    check::contains(error("two_barriers", 1, 8, 0), " while others wait at that of line ");
    check::contains(error("mask_without_me", 1, 1, 0), "thread 0: calls a warp operation with a mask that its own lane");
    check::contains(error("masks_overlap", 1, 16, 0), "waits at a warp operation for thread 7, which returned");
    check::contains(error("ops_differ", 1, 32, 0), "calls a warp operation while lanes of its mask wait in another one");
    check::contains(error("lane_gone", 1, 32, 0), "waits at a warp operation for thread 9, which returned");
    check::contains(error("cluster_gone", 2, 4, 0), "waits at the cluster's barrier for thread 0 of block 1");
    check::contains(error("too_much", 1, 1, 0), "shared arrays take 65536 B; at most 49152");
    check::contains(error("early_return", 1, 2000, 0), "a block of 2000 threads; 1 to 1024");
    check::contains(error("early_return", 0, 8, 0), "a grid of 0 blocks");
    check::contains(error("reversed", 1, 32, 0, (int *) nullptr, 0), "it is compiled for 64");
    check::contains(error("cluster_gone", 3, 4, 0), "a cluster of 2 blocks in a grid of 3");
    check::contains(error("early_return", 1, 1, 300000), "300000 B of shared memory; at most 232448");
    // And the executor is as before.
    check::contains(error("early_return", 1, 5, 0), "no error");
}

static void warpOperations() {
    std::vector<int> out(64 * 8);
    launch("warps", 1, 64, 0, out.data());
    for (int t = 0; t < 64; t++) {
        const int *of = &out[t * 8];
        int lane = t % 32, first = t - lane;
        equal("sum of a warp", of[0], 32 * first + 496);
        equal("lane 3", of[1], first + 3);
        equal("up", of[2], lane == 0 ? t : t - 1);
        equal("down in eights", of[3], lane % 8 < 6 ? t + 2 : t);
        equal("ballot", of[4], 31);
        equal("any, all", of[5], 2);
        equal("half a warp", of[6], lane < 16 ? 2 * first + 15 : first + 31);
        equal("doubles in fours", of[7], t / 4 * 4 + 1);
    }
}

static void sharedMemory() {
    std::vector<float> out(16);
    launch("dynamic", 1, 16, 64, out.data(), 0);
    for (float v : out) {
        check::that(v != v, "dynamic shared memory starts as NaN");
    }
}

static void clusters() {
    std::vector<long> out(64);
    launch("cluster_sum", 8, 8, 0, out.data());
    for (int i = 0; i < 64; i++) {
        int block = i / 8;
        equal("cluster_sum", out[i], (block < 4 ? 10 : 26) * 100 + block % 4);
    }
}

static void parameters() {
    const host::Entry *entry = host::find("reversed");
    equal("parameters", entry->params, 2);
    equal("bytes of a pointer", (long) entry->sizes[0], 8);
    equal("bytes of an int", (long) entry->sizes[1], 4);
    check::that(host::find("nothing") == nullptr, "a kernel that does not exist is not found");
    check::that(host::entries() >= 10, "kernels are known");
}

// Each half type's every value, and floats around each rounding border, against long double.
static void halves() {
    for (int i = 0; i < 65536; i++) {
        float v = half_to_f32((ushort) i);
        int exponent = i >> 10 & 31;
        long double wanted = ldexpl(exponent ? 1024 + (i & 1023) : i & 1023, (exponent ? exponent : 1) - 25);
        bool nan = exponent == 31 && (i & 1023);
        if (!check::that(nan ? v != v : exponent == 31 ? isinf(v) : fabsl(v) == wanted, "half " + std::to_string(i))) {
            return;
        }
        check::that(nan || f32_to_half(v) == i, "half " + std::to_string(i) + " and back");
        if (exponent < 31 && i < 0x7BFF) {
            float next = half_to_f32((ushort) (i + 1));
            float middle = (v + next) / 2;
            equal("halfway", f32_to_half(middle), i + (i & 1));
            equal("below halfway", f32_to_half(nextafterf(middle, 0)), i);
            equal("above halfway", f32_to_half(nextafterf(middle, 1e9f)), i + 1);
        }
    }
    equal("overflow", f32_to_half(65520), 0x7C00);
    equal("no overflow", f32_to_half(nextafterf(65520, 0)), 0x7BFF);
    equal("negative", f32_to_half(-1.5f), 0xBE00);
    equal("infinity", f32_to_half(-INFINITY), 0xFC00);
    check::that((f32_to_half(NAN) & 0x7FFF) > 0x7C00, "NaN stays NaN");
}

int main(int count, char **names) {
    std::string only = count > 1 ? names[1] : "";
    // These end the process, under AddressSanitizer, and do not reach the end.
    if (only == "outside") {
        int out = 0;
        launch("outside", 1, 1, 0, &out, 10);
        return 0;
    } else if (only == "dynamic") {
        float out[16];
        launch("dynamic", 1, 16, 64, out, 1);
        return 0;
    } else if (only == "left") {
        long out = 0;
        launch("cluster_leaves", 2, 1, 0, &out);
        return 0;
    }
    blocks();
    missingBarrier();
    errors();
    warpOperations();
    sharedMemory();
    clusters();
    parameters();
    halves();
    return check::end();
}

// Kernels for the driver's own tests.
#include "../../host/host.h"

#include <unistd.h>

namespace {
// y[i] = a * x[i] + y[i], and the type of each parameter has another size.
void simcuda_axpy(float *y, const float *x, double a, int n) {
    const host::Place &p = *host::place;
    long i = (long) p.block.x * p.threads.x + p.thread.x;
    if (i < n) {
        y[i] = (float) (a * x[i] + y[i]);
    }
}

// Sums the numbers of the threads of a block over its shared memory, dynamic, with barriers.
void simcuda_sum(int *out) {
    const host::Place &p = *host::place;
    int *shared = static_cast<int *>(host::dynamicShared());
    unsigned thread = p.thread.x;
    shared[thread] = (int) thread;
    host::barrier(0, __LINE__);
    for (unsigned half = p.threads.x / 2; half > 0; half /= 2) {
        if (thread < half) {
            shared[thread] += shared[thread + half];
        }
        host::barrier(1, __LINE__);
    }
    if (thread == 0) {
        out[p.block.x] = shared[0];
    }
}

void simcuda_sleep(int *out, int milliseconds) {
    usleep((useconds_t) milliseconds * 1000);
    *out = *out + 1;
}

void simcuda_store(volatile int *at, int value) { *at = value; }

// 1 / x would be compiled to comparisons.
void simcuda_divide(int *out, int by) { *out = 1000 / by; }

void simcuda_trap() { host::trap("told to"); }

// The rank in its cluster of each block.
void simcuda_ranks(int *out) {
    const host::Place &p = *host::place;
    host::clusterBarrier();
    if (p.thread.x == 0) {
        out[p.block.x] = (int) (p.clusterRank + 100 * p.clusterSize);
    }
}

#define ENTRY(name, cluster) \
    const host::Entry name##_entry = {#name, 0, cluster, host::Thunk<decltype(&name)>::count, \
            host::Thunk<decltype(&name)>::sizes, &host::Thunk<decltype(&name)>::call<&name>}; \
    const host::Registration name##_registration(&name##_entry);
ENTRY(simcuda_axpy, 1)
ENTRY(simcuda_sum, 1)
ENTRY(simcuda_sleep, 1)
ENTRY(simcuda_store, 1)
ENTRY(simcuda_divide, 1)
ENTRY(simcuda_trap, 1)
ENTRY(simcuda_ranks, 1)
} // namespace

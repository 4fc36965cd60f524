// Makes the kernels that nvcc compiles known by their names, as those of the host are; included before each of their sources.
#pragma once

#include "../host/host.h"

namespace device {

// Starts a kernel with the grid and block of the launch that is under way.
void start(const void *kernel, void *const *params);

}  // namespace device

#define ENTRY(NAME, BLOCK) ENTRY_CLUSTER(NAME, BLOCK, 1)
#define ENTRY_CLUSTER(NAME, BLOCK, CLUSTER) \
    namespace NAME { \
    static void host_start(void *const *params) { device::start((const void *) &NAME, params); } \
    typedef host::Thunk<decltype(&NAME)> host_thunk; \
    static const host::Entry host_entry = { \
        #NAME, BLOCK, CLUSTER, host_thunk::count, host_thunk::sizes, &host_start}; \
    static const host::Registration host_registration(&host_entry); \
    }

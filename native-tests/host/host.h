// Kernels on the host: what a compiled kernel and what its caller see of the executor.
//
// A launch runs its blocks one after another (on several OS threads where asked for), the blocks of a cluster together.
// Each thread of a block is a fiber that runs until it waits: at a barrier, for the lanes of its warp, for its cluster.
// So every barrier is a real one, and a kernel that forgets one computes something else when the fibers run in another
// order. Reported as KernelError, with kernel, block and thread:
//
//   - a thread that returned while others wait for it; threads of a block at different barriers
//   - lanes of a warp that call different operations, or that are not in their own mask
//   - block, cluster or shared memory that no device has
//
// Shared memory is filled with NaN (bytes of 0xFF) at the start of each block; built with AddressSanitizer, an access
// outside a shared array is reported like any other.
//
// Build everything with -std=c++17 -ffp-contract=off -fno-strict-aliasing, and link executor.cpp, fiber.cpp and switch.S.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace host {

// ---------------------------------------------------------------------------------------------------- for callers

struct Dim3 {
    unsigned x = 1, y = 1, z = 1;
    Dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
    std::size_t count() const { return std::size_t(x) * y * z; }
};

// A kernel as it was compiled.
struct Entry {
    const char *name;
    int block;                  // the threads of a block it is compiled for; 0: any
    int cluster;                // the blocks of a cluster it is compiled for; 1: none
    int params;                 // how many parameters it has
    const std::size_t *sizes;   // the bytes of each
    void (*call)(void *const *params);
};

class KernelError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// The kernel of that name among all that are linked in, or null.
const Entry *find(const char *name);

// All of them, in the order of their names: entry(0) .. entry(entries() - 1).
std::size_t entries();
const Entry &entry(std::size_t number);

// Memory that kernels can use: of exactly so many bytes, so that a sanitizer sees what lies after them.
void *allocate(std::size_t bytes);
void release(void *memory);

// Runs a whole launch and returns when it is done. `params` are pointers to the parameters' values, as cuLaunchKernel
// takes them. `cluster` 0 means the entry's own. Throws KernelError; what the launch had written until then stays.
void launch(
        const Entry &entry,
        Dim3 grid,
        Dim3 block,
        void *const *params,
        std::size_t sharedBytes = 0,
        unsigned cluster = 0);

enum class Order { forward, reverse, shuffled };

// How launches run from now on. TENON_HOST_ORDER=forward|reverse|shuffled:SEED and TENON_HOST_WORKERS=N in the environment set what a
// program starts with; else it is forward, and one worker under a sanitizer, one for each processor without.
struct Options {
    Order order;        // of the threads of a block between two barriers
    unsigned seed;      // of the shuffled order
    int workers;        // OS threads that run blocks
};
Options options();
void setOptions(const Options &options);

// What a device of compute capability 9.0 has.
constexpr unsigned MOST_THREADS = 1024;
constexpr unsigned MOST_CLUSTER = 16;
constexpr std::size_t MOST_STATIC_SHARED = 48 * 1024;
constexpr std::size_t MOST_SHARED = 227 * 1024;

// ---------------------------------------------------------------------------------------------------- for kernels

// Where a thread is.
struct Place {
    Dim3 thread, block, blocks, threads;    // threadIdx, blockIdx, gridDim, blockDim
    unsigned clusterRank, clusterSize;
};
// Of the thread that runs now.
extern __thread const Place *place;

inline int lane() {
    const Place &p = *place;
    return (p.thread.x + p.threads.x * (p.thread.y + p.threads.y * p.thread.z)) % 32;
}

// Waits for all threads of the block. `site` tells one barrier of a kernel from another.
void barrier(int site, int line);
// The same, counting those (or joining by and, or) whose `predicate` is not 0.
int barrierCount(int site, int line, int predicate);

// A shared array of the block; `site` tells one of a kernel from another.
void *sharedArray(int site, std::size_t bytes, std::size_t alignment);
template <class A> A &shared(int site) { return *static_cast<A *>(sharedArray(site, sizeof(A), alignof(A))); }

// The dynamic shared memory of the launch.
void *dynamicShared();
std::size_t dynamicSharedBytes();

// Lets the other threads of the block (and cluster) run: for loops that wait for what another thread writes.
void yield();

// Ends the launch with an error, as __trap() does.
[[noreturn]] void trap(const std::string &why);

// ---- warps of 32

enum class WarpOp { sync, shuffle, vote, matrices };

// Waits until all lanes of `mask` are here, and gives what each of them brought. A lane that is not in the mask, or does
// not exist, brought 0xFF bytes. Returns the lanes that took part.
unsigned exchange(WarpOp op, unsigned mask, std::uint64_t mine, std::uint64_t all[32]);

template <class T> std::uint64_t toBits(T v) {
    static_assert(sizeof(T) <= 8, "a lane gives eight bytes at most");
    std::uint64_t bits = 0;
    std::memcpy(&bits, &v, sizeof v);
    return bits;
}
template <class T> T fromBits(std::uint64_t bits) {
    T v;
    std::memcpy(&v, &bits, sizeof v);
    return v;
}

// `from` is the lane within its part of `width` lanes that is read; a lane outside [0, width) is one's own.
template <class T> T shuffle(unsigned mask, T v, int from, int width) {
    std::uint64_t all[32];
    exchange(WarpOp::shuffle, mask, toBits(v), all);
    return from < 0 || from >= width ? v : fromBits<T>(all[lane() / width * width + from]);
}

// ---- clusters

// Waits for all threads of all blocks of the cluster; or says that it is here, and waits for the others later.
void clusterBarrier();
void clusterArrive();
void clusterWait();

// The address, in block `rank` of the cluster, of what lies at `p` in the shared memory of this block.
void *sharedOf(const void *p, unsigned rank);
template <class T> T *mapShared(T *p, unsigned rank) { return static_cast<T *>(sharedOf(p, rank)); }

// ---------------------------------------------------------------------------------------------------- registration

// Calls a kernel with parameters of the types that it was written with.
template <class F> struct Thunk;
template <class... A> struct Thunk<void (*)(A...)> {
    static constexpr int count = sizeof...(A);
    static inline const std::size_t sizes[sizeof...(A) + 1] = {sizeof(A)...};

    template <void (*kernel)(A...)> static void call(void *const *params) {
        call<kernel>(params, std::index_sequence_for<A...>());
    }

private:
    template <void (*kernel)(A...), std::size_t... I>
    static void call(void *const *params, std::index_sequence<I...>) {
        (void) params;
        kernel(*static_cast<const A *>(params[I])...);
    }
};

// Makes a kernel known to find(). The entry must stay.
class Registration {
public:
    explicit Registration(const Entry *entry);
};

}  // namespace host

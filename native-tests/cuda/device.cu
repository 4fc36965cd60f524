// What native-tests/host/executor.cpp is for the host, on a CUDA device: the tests of kernels call it unchanged.
#include <map>

#include "../host/host.h"
#include "entry.h"

namespace {

std::map<std::string, const host::Entry *> &known() {
    static std::map<std::string, const host::Entry *> all;
    return all;
}

dim3 grid, block;
std::size_t sharedNow;
host::Options current{host::Order::forward, 0, 1};

void check(cudaError_t status, const std::string &what) {
    if (status != cudaSuccess) {
        throw host::KernelError(what + ": " + cudaGetErrorString(status));
    }
}

}  // namespace

namespace device {

void start(const void *kernel, void *const *params) {
    if (sharedNow > 0) {
        check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(sharedNow)), "cudaFuncSetAttribute");
    }
    check(cudaLaunchKernel(kernel, grid, block, const_cast<void **>(params), sharedNow, nullptr), "cudaLaunchKernel");
}

}  // namespace device

namespace host {

Registration::Registration(const Entry *entry) { known()[entry->name] = entry; }

const Entry *find(const char *name) {
    auto at = known().find(name);
    return at == known().end() ? nullptr : at->second;
}

std::size_t entries() { return known().size(); }
const Entry &entry(std::size_t number) { return *std::next(known().begin(), long(number))->second; }

// Seen by the host, too: the tests fill it and read it.
void *allocate(std::size_t bytes) {
    void *memory = nullptr;
    check(cudaMallocManaged(&memory, bytes == 0 ? 1 : bytes), "cudaMallocManaged");
    return memory;
}

void release(void *memory) { cudaFree(memory); }

// A cluster is part of the kernel as it was compiled.
void launch(const Entry &entry, Dim3 blocks, Dim3 threads, void *const *params, std::size_t sharedBytes, unsigned) {
    sharedNow = sharedBytes;
    grid = dim3(blocks.x, blocks.y, blocks.z);
    block = dim3(threads.x, threads.y, threads.z);
    entry.call(params);
    check(cudaDeviceSynchronize(), entry.name);
}

// A device has an order of its own; the tests still ask for the same bits each time.
Options options() { return current; }
void setOptions(const Options &options) { current = options; }

}  // namespace host

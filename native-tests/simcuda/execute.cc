// Running kernels that are compiled for the host, by the executor of native-tests/host.
#include "driver.h"

#include "../host/host.h"

#include <csignal>
#include <cstring>
#include <ucontext.h>

const HostKernel *find_kernel(const std::string &name) {
    return reinterpret_cast<const HostKernel *>(host::find(name.c_str()));
}

size_t count_kernels() { return host::entries(); }

static const host::Entry &entry_of(const HostKernel *kernel) {
    return *reinterpret_cast<const host::Entry *>(kernel);
}

bool same_params(const HostKernel *kernel, const Entry &entry) {
    const host::Entry &own = entry_of(kernel);
    bool same = own.params == (int) entry.params.size();
    for (int i = 0; same && i < own.params; i++) {
        same = own.sizes[i] == entry.params[(size_t) i].bytes;
    }
    if (!same) {
        say("the parameters of '%s' are not those of the kernel compiled for the host", entry.name.c_str());
    }
    return same;
}

CUresult execute(const HostKernel *kernel, Dim grid, Dim block, Dim cluster, void *const *params, size_t shared) {
    auto dims = [](Dim d) { return host::Dim3(d.x, d.y, d.z); };
    // The executor knows clusters along x alone.
    if (cluster.y != 1 || cluster.z != 1) {
        say("a cluster of %u x %u x %u blocks: only clusters along x are run here", cluster.x, cluster.y, cluster.z);
        return CUDA_ERROR_LAUNCH_FAILED;
    }
    try {
        host::launch(entry_of(kernel), dims(grid), dims(block), params, shared, cluster.x);
        return CUDA_SUCCESS;
    } catch (const std::exception &error) {
        say("%s", error.what());
        return strstr(error.what(), "illegal address") ? CUDA_ERROR_ILLEGAL_ADDRESS : CUDA_ERROR_LAUNCH_FAILED;
    }
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)

// A signal within a kernel is made to look as if the faulting instruction had called one of these, which throw: the
// executor catches it where it started the thread. Others' signals go to who had them before, such as a JVM.
namespace {
__thread unsigned long long fault_address;

__attribute__((force_align_arg_pointer, noinline)) void illegal_address() {
    char text[64];
    snprintf(text, sizeof text, "illegal address 0x%llx", fault_address);
    host::trap(text);
}

__attribute__((force_align_arg_pointer, noinline)) void division_by_zero() {
    host::trap("integer division by zero");
}

struct sigaction before[NSIG];

void pass_on(int signal, siginfo_t *info, void *context) {
    struct sigaction &old = before[signal];
    if (old.sa_flags & SA_SIGINFO) {
        old.sa_sigaction(signal, info, context);
    } else if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN) {
        sigaction(signal, &old, nullptr);
    } else {
        old.sa_handler(signal);
    }
}

void on_signal(int signal, siginfo_t *info, void *context) {
    if (!host::place || info->si_code <= 0) {
        pass_on(signal, info, context);
        return;
    }
    auto *registers = static_cast<ucontext_t *>(context)->uc_mcontext.gregs;
    fault_address = reinterpret_cast<uintptr_t>(info->si_addr);
    registers[REG_RSP] -= 8;
    *reinterpret_cast<long long *>(registers[REG_RSP]) = registers[REG_RIP];
    registers[REG_RIP] = reinterpret_cast<long long>(signal == SIGFPE ? &division_by_zero : &illegal_address);
}
} // namespace

void catch_illegal_accesses() {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (int signal : {SIGSEGV, SIGBUS, SIGFPE}) {
        sigaction(signal, &action, &before[signal]);
    }
}

#else

// A sanitizer reports it better.
void catch_illegal_accesses() {}

#endif

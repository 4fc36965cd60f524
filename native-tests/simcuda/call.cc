// Counting of calls, and the errors that tests ask for.
#include "driver.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {
std::mutex calls_lock;
std::atomic<bool> any_injected{false};
std::atomic<long> kernels_run{0};

// Made on first use: functions are called before this file's own initialisers might have run.
std::vector<Call *> &calls() {
    static std::vector<Call *> all;
    return all;
}
std::vector<Injected> &faults() {
    static std::vector<Injected> all;
    return all;
}

// cuMemAlloc_v2 and cuMemAlloc are one kind.
std::string plain_name(std::string name) {
    for (const char *suffix : {"_ptsz", "_ptds"}) {
        size_t at = name.rfind(suffix);
        if (at != std::string::npos && at + strlen(suffix) == name.size()) {
            name.resize(at);
        }
    }
    size_t n = name.size();
    if (n > 3 && name[n - 3] == '_' && name[n - 2] == 'v' && name[n - 1] >= '0' && name[n - 1] <= '9') {
        name.resize(n - 3);
    }
    return name;
}
} // namespace

void say(const char *format, ...) {
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "simcuda: %s\n", text);
}

Call::Call(const char *name) : name(name), plain(plain_name(name)) {
    std::lock_guard<std::mutex> held(calls_lock);
    calls().push_back(this);
}

CUresult Call::enter() {
    count.fetch_add(1, std::memory_order_relaxed);
    if (settings.log) {
        say("%s", name);
    }
    if (!any_injected.load(std::memory_order_relaxed)) {
        return CUDA_SUCCESS;
    }
    CUresult error = injected(plain);
    if (error && is_sticky(error)) {
        if (Context *context = current()) {
            context->lose(error);
        }
    }
    return error;
}

// For functions that only exist: says so once, as who calls one wants to know.
CUresult not_supported(Call &call) {
    CUresult error = call.enter();
    if (call.count.load() == 1) {
        say("%s is not supported", call.name);
    }
    return error ? error : CUDA_ERROR_NOT_SUPPORTED;
}

// Faults count down from when they were asked for, so that a test need not know what ran before.
CUresult injected(const std::string &plain) {
    std::lock_guard<std::mutex> held(calls_lock);
    CUresult error = CUDA_SUCCESS;
    auto &all = faults();
    for (auto &fault : all) {
        if (fault.call == plain && fault.nth > 0 && --fault.nth == 0) {
            error = fault.error;
            if (fault.repeat) {
                fault.nth = 1;
            }
        }
    }
    all.erase(std::remove_if(all.begin(), all.end(), [](const Injected &f) { return f.nth <= 0; }), all.end());
    any_injected = !all.empty();
    return error;
}

CUresult next_kernel() {
    kernels_run.fetch_add(1, std::memory_order_relaxed);
    return any_injected.load(std::memory_order_relaxed) ? injected("kernel") : CUDA_SUCCESS;
}

// ---- for tests

API simcuda_fail(const char *call, int nth, int error) {
    if (!call || nth == 0) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    std::lock_guard<std::mutex> held(calls_lock);
    // A negative number: that call and all after it.
    faults().push_back({plain_name(call), nth < 0 ? -(long) nth : nth, error, nth < 0});
    any_injected = true;
    return CUDA_SUCCESS;
}

API simcuda_reset() {
    {
        std::lock_guard<std::mutex> held(calls_lock);
        faults().clear();
        any_injected = false;
        for (Call *call : calls()) {
            call->count = 0;
        }
        kernels_run = 0;
    }
    Locked held(state);
    for (auto &device : devices) {
        device->limit = settings.memory;
    }
    return CUDA_SUCCESS;
}

extern "C" __attribute__((visibility("default"))) long simcuda_count(const char *call) {
    std::string plain = plain_name(call);
    if (plain == "kernel") {
        return kernels_run;
    }
    std::lock_guard<std::mutex> held(calls_lock);
    long sum = 0;
    for (Call *known : calls()) {
        if (known->plain == plain) {
            sum += known->count;
        }
    }
    return sum;
}

// How many faults were asked for and did not happen yet.
extern "C" __attribute__((visibility("default"))) int simcuda_pending_faults() {
    std::lock_guard<std::mutex> held(calls_lock);
    int n = 0;
    for (auto &fault : faults()) {
        n += !fault.repeat;
    }
    return n;
}

// Copies a text with its terminator into a buffer as far as it fits; answers the length that it has.
static long copy_text(const std::string &text, char *buffer, long size) {
    if (buffer && size > 0) {
        size_t n = std::min(text.size(), size_t(size - 1));
        memcpy(buffer, text.data(), n);
        buffer[n] = 0;
    }
    return (long) text.size();
}

// Lines of "NAME COUNT" for every kind that was called, sorted by name.
extern "C" __attribute__((visibility("default"))) long simcuda_calls(char *buffer, long size) {
    std::map<std::string, long> sums;
    {
        std::lock_guard<std::mutex> held(calls_lock);
        for (Call *known : calls()) {
            sums[known->plain] += known->count;
        }
    }
    if (kernels_run) {
        sums["kernel"] = kernels_run;
    }
    std::string text;
    for (auto &entry : sums) {
        if (entry.second) {
            text += entry.first + " " + std::to_string(entry.second) + "\n";
        }
    }
    return copy_text(text, buffer, size);
}

// Lines of "KIND ADDRESS BYTES" of all memory that is allocated.
extern "C" __attribute__((visibility("default"))) long simcuda_allocations(char *buffer, long size) {
    std::string text;
    {
        Locked held(state);
        text = describe_allocations();
    }
    return copy_text(text, buffer, size);
}

// Limits the memory of every device, at once and until the next reset; of devices not there yet, for good.
API simcuda_memory_limit(unsigned long long bytes) {
    Locked held(state);
    if (devices.empty()) {
        settings.memory = bytes;
    }
    for (auto &device : devices) {
        device->limit = bytes;
    }
    return CUDA_SUCCESS;
}

API simcuda_delay(int microseconds) {
    settings.delay = microseconds;
    return CUDA_SUCCESS;
}

#define LIVE(name, expression) \
    extern "C" __attribute__((visibility("default"))) long simcuda_live_##name() { \
        Locked held(state); \
        return (long) (expression); \
    }
LIVE(allocations, count_allocations(true))
LIVE(host_allocations, count_allocations(false))
LIVE(modules, count_modules())
LIVE(streams, count_streams())
LIVE(events, count_events())
LIVE(graphs, count_graphs())

// Bytes of device memory that are allocated, over all devices.
extern "C" __attribute__((visibility("default"))) long long simcuda_live_bytes() {
    Locked held(state);
    long long sum = 0;
    for (auto &device : devices) {
        sum += (long long) device->used;
    }
    return sum;
}

// Writes beside allocations or into freed ones that were noticed.
extern "C" __attribute__((visibility("default"))) long simcuda_damage() {
    Locked held(state);
    return (long) damage();
}

// Kernels that are compiled into this library.
extern "C" __attribute__((visibility("default"))) long simcuda_kernels() {
    return (long) count_kernels();
}

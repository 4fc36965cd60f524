// Memory: what is allocated where, with guards around it, and freed blocks kept for a while to see who still writes them.
#include "driver.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
constexpr bool SANITIZED = true;
#else
constexpr bool SANITIZED = false;
#endif

namespace {
constexpr size_t ALIGNMENT = 512;
constexpr size_t GUARD = 512;
constexpr unsigned char GUARD_BYTE = 0xA5;
// All ones: NaN in every floating type.
constexpr unsigned char POISON = 0xFF;
// Filling more than this would cost the pages of memory that nobody touches.
constexpr size_t POISON_WHOLE = size_t(64) << 20;
constexpr size_t POISON_EDGE = size_t(1) << 20;
constexpr size_t QUARANTINE = size_t(64) << 20;

auto &allocations = *new std::map<uintptr_t, Allocation>();
size_t damages = 0;

struct Freed {
    unsigned char *block;
    size_t bytes, total;
};
auto &quarantine = *new std::deque<Freed>();
size_t quarantined = 0;

size_t rounded(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

void poison(unsigned char *at, size_t bytes) {
    if (bytes <= POISON_WHOLE) {
        memset(at, POISON, bytes);
    } else {
        memset(at, POISON, POISON_EDGE);
        memset(at + bytes - POISON_EDGE, POISON, POISON_EDGE);
    }
}

bool all_bytes(const unsigned char *at, size_t bytes, unsigned char value) {
    return bytes == 0 || (*at == value && memcmp(at, at + 1, bytes - 1) == 0);
}

// The guard before, and the one behind, which begins at the very end.
bool guards_whole(const Allocation &a) {
    if (SANITIZED || !a.block) {
        return true;
    }
    auto *base = reinterpret_cast<const unsigned char *>(a.base);
    return all_bytes(a.block, GUARD, GUARD_BYTE)
            && all_bytes(base + a.bytes, rounded(a.bytes) - a.bytes + GUARD, GUARD_BYTE);
}

void check_freed(const Freed &freed) {
    if (!all_bytes(freed.block, freed.total, POISON)) {
        damages++;
        say("memory at %p of %zu bytes was written after it was freed", (void *) (freed.block + GUARD), freed.bytes);
    }
}

void drop_oldest() {
    Freed freed = quarantine.front();
    quarantine.pop_front();
    quarantined -= freed.total;
    check_freed(freed);
    free(freed.block);
}

void give_back(const Allocation &a) {
    if (SANITIZED) {
        free(a.block);
        return;
    }
    size_t total = rounded(a.bytes) + 2 * GUARD;
    if (total > QUARANTINE / 4) {
        poison(a.block, total);
        free(a.block);
        return;
    }
    memset(a.block, POISON, total);
    quarantine.push_back({a.block, a.bytes, total});
    quarantined += total;
    while (quarantined > QUARANTINE) {
        drop_oldest();
    }
}

void write_guards(const Allocation &a) {
    memset(a.block, GUARD_BYTE, GUARD);
    memset(a.block + GUARD + a.bytes, GUARD_BYTE, rounded(a.bytes) - a.bytes + GUARD);
}

// Once for each time.
void report_guards(const Allocation &a) {
    damages++;
    write_guards(a);
    say("bytes beside the allocation at %p of %zu bytes were written", (void *) a.base, a.bytes);
    if (a.context) {
        a.context->lose(CUDA_ERROR_ILLEGAL_ADDRESS);
    }
}
} // namespace

Allocation *allocation_at(uintptr_t address) {
    auto at = allocations.upper_bound(address);
    if (at == allocations.begin()) {
        return nullptr;
    }
    --at;
    return address - at->second.base < at->second.bytes ? &at->second : nullptr;
}

bool is_device_range(CUdeviceptr address, size_t bytes) {
    Allocation *a = allocation_at(address);
    return a && bytes <= a->bytes - (address - a->base);
}

CUresult allocate(Context *context, Kind kind, size_t bytes, Allocation **result) {
    Allocation a;
    a.bytes = bytes;
    a.kind = kind;
    a.context = context;
    a.device = context->device;
    bool counts = kind == Kind::DEVICE || kind == Kind::MANAGED;
    size_t taken = rounded(bytes);
    if (taken < bytes || (counts && (taken > a.device->limit || a.device->used > a.device->limit - taken))) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    void *block = nullptr;
    if (posix_memalign(&block, ALIGNMENT, SANITIZED ? bytes : taken + 2 * GUARD) != 0) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    a.block = static_cast<unsigned char *>(block);
    if (SANITIZED) {
        a.base = reinterpret_cast<uintptr_t>(block);
        poison(a.block, bytes);
    } else {
        a.base = reinterpret_cast<uintptr_t>(a.block + GUARD);
        write_guards(a);
        poison(a.block + GUARD, bytes);
    }
    if (counts) {
        a.device->used += taken;
    }
    *result = &(allocations[a.base] = a);
    return CUDA_SUCCESS;
}

void release(uintptr_t base) {
    auto at = allocations.find(base);
    Allocation a = at->second;
    allocations.erase(at);
    if (!guards_whole(a)) {
        report_guards(a);
    }
    if (a.kind == Kind::DEVICE || a.kind == Kind::MANAGED) {
        a.device->used -= rounded(a.bytes);
    }
    if (a.block) {
        give_back(a);
    }
}

void forget_allocations(Context *context) {
    std::vector<uintptr_t> bases;
    for (auto &entry : allocations) {
        if (entry.second.context == context) {
            bases.push_back(entry.first);
        }
    }
    for (uintptr_t base : bases) {
        release(base);
    }
}

void check_guards(Context *context) {
    for (auto &entry : allocations) {
        if (entry.second.context == context && !guards_whole(entry.second)) {
            report_guards(entry.second);
        }
    }
}

size_t damage() {
    for (auto &entry : allocations) {
        if (!guards_whole(entry.second)) {
            report_guards(entry.second);
        }
    }
    for (const Freed &freed : quarantine) {
        check_freed(freed);
    }
    return damages;
}

size_t count_allocations(bool device_memory) {
    size_t n = 0;
    for (auto &entry : allocations) {
        bool host = entry.second.kind == Kind::HOST || entry.second.kind == Kind::REGISTERED;
        n += host != device_memory;
    }
    return n;
}

std::string describe_allocations() {
    static const char *const NAMES[] = {"device", "host", "registered", "managed"};
    std::string text;
    for (auto &entry : allocations) {
        char line[96];
        snprintf(line, sizeof line, "%s 0x%llx %zu\n", NAMES[(int) entry.second.kind],
                (unsigned long long) entry.second.base, entry.second.bytes);
        text += line;
    }
    return text;
}

// ---- the calls

static CUresult allocate_device(Context *context, Kind kind, CUdeviceptr *result, size_t bytes) {
    NEEDS(result && bytes > 0);
    Locked held(state);
    if (CUresult error = refuse_unsafe(context)) {
        return error;
    }
    Allocation *a;
    if (CUresult error = allocate(context, kind, bytes, &a)) {
        return error;
    }
    *result = a->base;
    return CUDA_SUCCESS;
}

API cuMemAlloc_v2(CUdeviceptr *result, size_t bytes) {
    ENTER(cuMemAlloc_v2);
    return allocate_device(context, Kind::DEVICE, result, bytes);
}

API cuMemAllocManaged(CUdeviceptr *result, size_t bytes, unsigned flags) {
    ENTER(cuMemAllocManaged);
    NEEDS(flags == CU_MEM_ATTACH_GLOBAL || flags == CU_MEM_ATTACH_HOST);
    return allocate_device(context, Kind::MANAGED, result, bytes);
}

API cuMemAllocPitch_v2(CUdeviceptr *result, size_t *pitch, size_t width, size_t height, unsigned element) {
    ENTER(cuMemAllocPitch_v2);
    NEEDS(pitch && width > 0 && height > 0 && (element == 4 || element == 8 || element == 16));
    *pitch = rounded(width);
    return allocate_device(context, Kind::DEVICE, result, *pitch * height);
}

// Waits for the device, as the documentation has it.
API cuMemFree_v2(CUdeviceptr address) {
    ENTER(cuMemFree_v2);
    if (!address) {
        return CUDA_SUCCESS;
    }
    Locked held(state);
    if (CUresult error = refuse_unsafe(context)) {
        return error;
    }
    Allocation *a = allocation_at(address);
    if (!a || a->base != address || a->kind == Kind::HOST || a->kind == Kind::REGISTERED) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    wait_for_context(a->context, held);
    a = allocation_at(address);
    if (!a || a->base != address) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    release(address);
    return context->error;
}

static CUresult allocate_host(Context *context, void **result, size_t bytes, unsigned flags) {
    NEEDS(result && bytes > 0 && flags < 8);
    Locked held(state);
    if (CUresult error = refuse_unsafe(context)) {
        return error;
    }
    Allocation *a;
    if (CUresult error = allocate(context, Kind::HOST, bytes, &a)) {
        return error;
    }
    a->flags = flags;
    *result = reinterpret_cast<void *>(a->base);
    return CUDA_SUCCESS;
}

API cuMemAllocHost_v2(void **result, size_t bytes) {
    ENTER(cuMemAllocHost_v2);
    return allocate_host(context, result, bytes, 0);
}

API cuMemHostAlloc(void **result, size_t bytes, unsigned flags) {
    ENTER(cuMemHostAlloc);
    return allocate_host(context, result, bytes, flags);
}

API cuMemFreeHost(void *address) {
    ENTER(cuMemFreeHost);
    Locked held(state);
    auto base = reinterpret_cast<uintptr_t>(address);
    Allocation *a = allocation_at(base);
    if (!a || a->base != base || a->kind != Kind::HOST) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    wait_for_context(a->context, held);
    release(base);
    return context->error;
}

API cuMemHostRegister_v2(void *address, size_t bytes, unsigned flags) {
    ENTER(cuMemHostRegister_v2);
    NEEDS(address && bytes > 0 && flags < 16);
    Locked held(state);
    auto base = reinterpret_cast<uintptr_t>(address);
    auto next = allocations.lower_bound(base);
    if (allocation_at(base) || (next != allocations.end() && next->first < base + bytes)) {
        return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    }
    Allocation a;
    a.base = base;
    a.bytes = bytes;
    a.kind = Kind::REGISTERED;
    a.context = context;
    a.device = context->device;
    a.flags = flags;
    allocations[base] = a;
    return CUDA_SUCCESS;
}

API cuMemHostUnregister(void *address) {
    ENTER(cuMemHostUnregister);
    Locked held(state);
    auto base = reinterpret_cast<uintptr_t>(address);
    Allocation *a = allocation_at(base);
    if (!a || a->base != base || a->kind != Kind::REGISTERED) {
        return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    }
    wait_for_context(context, held);
    release(base);
    return context->error;
}

API cuMemHostGetDevicePointer_v2(CUdeviceptr *result, void *address, unsigned flags) {
    ENTER(cuMemHostGetDevicePointer_v2);
    NEEDS(result && flags == 0);
    Locked held(state);
    Allocation *a = allocation_at(reinterpret_cast<uintptr_t>(address));
    NEEDS(a && (a->kind == Kind::HOST || a->kind == Kind::REGISTERED));
    *result = reinterpret_cast<uintptr_t>(address);
    return CUDA_SUCCESS;
}

API cuMemHostGetFlags(unsigned *flags, void *address) {
    ENTER(cuMemHostGetFlags);
    NEEDS(flags);
    Locked held(state);
    Allocation *a = allocation_at(reinterpret_cast<uintptr_t>(address));
    NEEDS(a && a->kind == Kind::HOST);
    *flags = a->flags;
    return CUDA_SUCCESS;
}

API cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    ENTER(cuMemGetInfo_v2);
    NEEDS(free_bytes && total);
    Locked held(state);
    Device *device = context->device;
    *total = device->limit;
    *free_bytes = device->used < device->limit ? device->limit - device->used : 0;
    return CUDA_SUCCESS;
}

API cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *bytes, CUdeviceptr address) {
    ENTER(cuMemGetAddressRange_v2);
    Locked held(state);
    Allocation *a = allocation_at(address);
    if (!a) {
        return CUDA_ERROR_NOT_FOUND;
    }
    if (base) {
        *base = a->base;
    }
    if (bytes) {
        *bytes = a->bytes;
    }
    return CUDA_SUCCESS;
}

API cuPointerGetAttribute(void *result, int which, CUdeviceptr address) {
    ENTER(cuPointerGetAttribute);
    NEEDS(result);
    Locked held(state);
    Allocation *a = allocation_at(address);
    NEEDS(a);
    bool host = a->kind == Kind::HOST || a->kind == Kind::REGISTERED;
    switch (which) {
        case CU_POINTER_ATTRIBUTE_CONTEXT: *(Context **) result = a->context; return CUDA_SUCCESS;
        case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
            *(int *) result = host ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
            return CUDA_SUCCESS;
        case CU_POINTER_ATTRIBUTE_DEVICE_POINTER: *(CUdeviceptr *) result = address; return CUDA_SUCCESS;
        case CU_POINTER_ATTRIBUTE_HOST_POINTER:
            NEEDS(a->kind != Kind::DEVICE);
            *(CUdeviceptr *) result = address;
            return CUDA_SUCCESS;
        case CU_POINTER_ATTRIBUTE_IS_MANAGED: *(int *) result = a->kind == Kind::MANAGED; return CUDA_SUCCESS;
        case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: *(int *) result = a->device->ordinal; return CUDA_SUCCESS;
        case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR: *(CUdeviceptr *) result = a->base; return CUDA_SUCCESS;
        case CU_POINTER_ATTRIBUTE_RANGE_SIZE: *(size_t *) result = a->bytes; return CUDA_SUCCESS;
        default: return CUDA_ERROR_NOT_SUPPORTED;
    }
}

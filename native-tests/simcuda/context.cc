// Contexts, and which one each thread has current.
#include "driver.h"

#include <algorithm>

namespace {
thread_local std::vector<Context *> stack;
std::vector<Context *> contexts;
unsigned long long next_id = 1;

Context *make(Device *device, bool primary, unsigned flags) {
    Context *context = new Context();
    context->device = device;
    context->primary = primary;
    context->flags = flags;
    context->id = next_id++;
    contexts.push_back(context);
    return context;
}

void activate(Context *context) {
    context->active = true;
    context->error = 0;
    context->legacy = std::make_shared<Stream>(context, 0, 0);
    context->legacy->legacy = true;
}

CUcontext handle(Context *context) { return reinterpret_cast<CUcontext>(context); }

Context *context_of(CUcontext handle) {
    auto *context = reinterpret_cast<Context *>(handle);
    return std::find(contexts.begin(), contexts.end(), context) == contexts.end() ? nullptr : context;
}
} // namespace

Context *current() { return stack.empty() ? nullptr : stack.back(); }

bool is_sticky(CUresult error) {
    switch (error) {
        case CUDA_ERROR_ECC_UNCORRECTABLE:
        case 220:
        case CUDA_ERROR_ILLEGAL_ADDRESS:
        case CUDA_ERROR_LAUNCH_TIMEOUT:
        case CUDA_ERROR_ASSERT:
        case CUDA_ERROR_HARDWARE_STACK_ERROR:
        case 715:
        case 716:
        case 717:
        case 718:
        case CUDA_ERROR_LAUNCH_FAILED: return true;
        default: return false;
    }
}

CUresult check_context(Context *context) {
    if (!context) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    if (!context->active) {
        return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    }
    return context->error.load();
}

void Context::lose(CUresult why) {
    CUresult none = 0;
    error.compare_exchange_strong(none, why);
}

std::vector<std::shared_ptr<Stream>> Context::all_streams() const {
    auto all = streams;
    if (legacy) {
        all.push_back(legacy);
    }
    return all;
}

void tear_down(Context *context, Locked &held) {
    context->active = false;
    auto streams = context->all_streams();
    context->streams.clear();
    context->legacy = nullptr;
    context->peers.clear();
    context->captures.clear();
    for (auto &stream : streams) {
        stream->destroyed = true;
        stream->capture = nullptr;
    }
    held.unlock();
    for (auto &stream : streams) {
        stream->wait();
    }
    streams.clear();
    held.lock();
    forget_modules(context);
    forget_events(context);
    forget_graphs(context);
    forget_pools(context);
    forget_allocations(context);
    context->error = 0;
}

// ---- primary contexts

API cuDevicePrimaryCtxRetain(CUcontext *result, CUdevice ordinal) {
    DRIVER(cuDevicePrimaryCtxRetain);
    NEEDS(result);
    Locked held(state);
    Device *device = device_of(ordinal);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    if (!device->primary) {
        device->primary = make(device, true, device->flags);
    }
    if (!device->primary->active) {
        device->primary->flags = device->flags;
        activate(device->primary);
    }
    device->retained++;
    *result = handle(device->primary);
    return CUDA_SUCCESS;
}

API cuDevicePrimaryCtxRelease_v2(CUdevice ordinal) {
    DRIVER(cuDevicePrimaryCtxRelease_v2);
    Locked held(state);
    Device *device = device_of(ordinal);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    if (device->retained == 0) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    if (--device->retained == 0) {
        tear_down(device->primary, held);
    }
    return CUDA_SUCCESS;
}

// Destroys what the context has; those who retained it must still release it.
API cuDevicePrimaryCtxReset_v2(CUdevice ordinal) {
    DRIVER(cuDevicePrimaryCtxReset_v2);
    Locked held(state);
    Device *device = device_of(ordinal);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    if (device->primary && device->primary->active) {
        tear_down(device->primary, held);
        if (device->retained > 0) {
            activate(device->primary);
        }
    }
    return CUDA_SUCCESS;
}

API cuDevicePrimaryCtxSetFlags_v2(CUdevice ordinal, unsigned flags) {
    DRIVER(cuDevicePrimaryCtxSetFlags_v2);
    NEEDS(!(flags & ~CU_CTX_FLAGS_MASK));
    Locked held(state);
    Device *device = device_of(ordinal);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    device->flags = flags;
    if (device->primary) {
        device->primary->flags = flags;
    }
    return CUDA_SUCCESS;
}

API cuDevicePrimaryCtxGetState(CUdevice ordinal, unsigned *flags, int *active) {
    DRIVER(cuDevicePrimaryCtxGetState);
    NEEDS(flags && active);
    Locked held(state);
    Device *device = device_of(ordinal);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *flags = device->flags;
    *active = device->primary && device->primary->active;
    return CUDA_SUCCESS;
}

// ---- contexts of one's own

API cuCtxCreate_v2(CUcontext *result, unsigned flags, CUdevice ordinal) {
    DRIVER(cuCtxCreate_v2);
    NEEDS(result && !(flags & ~CU_CTX_FLAGS_MASK));
    Locked held(state);
    Device *device = device_of(ordinal);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    Context *context = make(device, false, flags);
    activate(context);
    stack.push_back(context);
    *result = handle(context);
    return CUDA_SUCCESS;
}

API cuCtxDestroy_v2(CUcontext which) {
    DRIVER(cuCtxDestroy_v2);
    Locked held(state);
    Context *context = context_of(which);
    if (!context || !context->active) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    // The primary context is released, not destroyed.
    if (context->primary) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    if (current() == context) {
        stack.pop_back();
    }
    tear_down(context, held);
    return CUDA_SUCCESS;
}

// ---- the current context of a thread

API cuCtxSetCurrent(CUcontext which) {
    DRIVER(cuCtxSetCurrent);
    Locked held(state);
    if (!which) {
        if (!stack.empty()) {
            stack.pop_back();
        }
        return CUDA_SUCCESS;
    }
    Context *context = context_of(which);
    if (!context) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    if (!context->active) {
        return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    }
    if (stack.empty()) {
        stack.push_back(context);
    } else {
        stack.back() = context;
    }
    return CUDA_SUCCESS;
}

API cuCtxGetCurrent(CUcontext *result) {
    DRIVER(cuCtxGetCurrent);
    NEEDS(result);
    *result = handle(current());
    return CUDA_SUCCESS;
}

API cuCtxPushCurrent_v2(CUcontext which) {
    DRIVER(cuCtxPushCurrent_v2);
    Locked held(state);
    Context *context = context_of(which);
    if (!context) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    if (!context->active) {
        return CUDA_ERROR_CONTEXT_IS_DESTROYED;
    }
    stack.push_back(context);
    return CUDA_SUCCESS;
}

API cuCtxPopCurrent_v2(CUcontext *result) {
    DRIVER(cuCtxPopCurrent_v2);
    if (stack.empty()) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    if (result) {
        *result = handle(current());
    }
    stack.pop_back();
    return CUDA_SUCCESS;
}

API cuCtxGetDevice(CUdevice *device) {
    DRIVER(cuCtxGetDevice);
    NEEDS(device);
    Context *context = current();
    if (!context) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    *device = context->device->ordinal;
    return CUDA_SUCCESS;
}

API cuCtxGetFlags(unsigned *flags) {
    ENTER(cuCtxGetFlags);
    NEEDS(flags);
    *flags = context->flags;
    return CUDA_SUCCESS;
}

API cuCtxGetId(CUcontext which, unsigned long long *id) {
    DRIVER(cuCtxGetId);
    NEEDS(id);
    Locked held(state);
    Context *context = which ? context_of(which) : current();
    if (!context || !context->active) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    *id = context->id;
    return CUDA_SUCCESS;
}

API cuCtxGetApiVersion(CUcontext which, unsigned *version) {
    DRIVER(cuCtxGetApiVersion);
    NEEDS(version);
    Locked held(state);
    if (!(which ? context_of(which) : current())) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    *version = 3020;
    return CUDA_SUCCESS;
}

API cuCtxSynchronize() {
    ENTER(cuCtxSynchronize);
    Locked held(state);
    if (CUresult error = refuse_broad(context)) {
        return error;
    }
    wait_for_context(context, held);
    check_guards(context);
    return context->error;
}

API cuCtxGetStreamPriorityRange(int *least, int *greatest) {
    ENTER(cuCtxGetStreamPriorityRange);
    if (least) {
        *least = 0;
    }
    if (greatest) {
        *greatest = -5;
    }
    return CUDA_SUCCESS;
}

API cuCtxGetCacheConfig(int *config) {
    ENTER(cuCtxGetCacheConfig);
    NEEDS(config);
    *config = 0;
    return CUDA_SUCCESS;
}

API cuCtxSetCacheConfig(int config) {
    ENTER(cuCtxSetCacheConfig);
    NEEDS(config >= 0 && config <= 3);
    return CUDA_SUCCESS;
}

API cuCtxGetSharedMemConfig(int *config) {
    ENTER(cuCtxGetSharedMemConfig);
    NEEDS(config);
    *config = 1;
    return CUDA_SUCCESS;
}

API cuCtxSetSharedMemConfig(int config) {
    ENTER(cuCtxSetSharedMemConfig);
    NEEDS(config >= 0 && config <= 2);
    return CUDA_SUCCESS;
}

API cuCtxGetLimit(size_t *value, int which) {
    ENTER(cuCtxGetLimit);
    NEEDS(value);
    switch (which) {
        case 0: *value = 1024; return CUDA_SUCCESS;
        case 1: *value = 1 << 20; return CUDA_SUCCESS;
        case 2: *value = 8 << 20; return CUDA_SUCCESS;
        default: return CUDA_ERROR_UNSUPPORTED_LIMIT;
    }
}

API cuCtxEnablePeerAccess(CUcontext peer, unsigned flags) {
    ENTER(cuCtxEnablePeerAccess);
    NEEDS(flags == 0);
    Locked held(state);
    Context *other = context_of(peer);
    if (!other || !other->active || other == context) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    if (other->device == context->device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    auto &peers = context->peers;
    if (std::find(peers.begin(), peers.end(), other) != peers.end()) {
        return CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED;
    }
    peers.push_back(other);
    return CUDA_SUCCESS;
}

API cuCtxDisablePeerAccess(CUcontext peer) {
    ENTER(cuCtxDisablePeerAccess);
    Locked held(state);
    auto &peers = context->peers;
    auto at = std::find(peers.begin(), peers.end(), context_of(peer));
    if (at == peers.end()) {
        return CUDA_ERROR_PEER_ACCESS_NOT_ENABLED;
    }
    peers.erase(at);
    return CUDA_SUCCESS;
}

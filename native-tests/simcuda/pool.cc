// Memory in the order of a stream. It is there when the call returns, and gone when the stream has come to where it was freed.
#include "driver.h"

#include <algorithm>

struct Pool {
    Device *device = nullptr;
    Context *context = nullptr;
    bool standard = false;
    unsigned long long threshold = 0;
    int reuse[3] = {1, 1, 1};
    unsigned long long used = 0, high = 0;
};

namespace {
auto &pools = *new std::vector<std::unique_ptr<Pool>>();

Pool *pool_of(CUmemoryPool handle) {
    for (auto &pool : pools) {
        if (pool.get() == reinterpret_cast<Pool *>(handle)) {
            return pool.get();
        }
    }
    return nullptr;
}

Pool *standard_pool(Device *device) {
    for (auto &pool : pools) {
        if (pool->standard && pool->device == device) {
            return pool.get();
        }
    }
    auto pool = std::make_unique<Pool>();
    pool->device = device;
    pool->standard = true;
    pools.push_back(std::move(pool));
    return pools.back().get();
}

// Freeing that is still to run gives its memory back first, as a pool reuses what its stream freed.
CUresult allocate_async(Context *context, Pool *pool, CUdeviceptr *result, size_t bytes, CUstream where) {
    NEEDS(result && bytes > 0 && pool);
    Locked held(state);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (CUresult error = refuse_capture(stream.get())) {
        return error;
    }
    Allocation *a;
    CUresult error = allocate(context, Kind::DEVICE, bytes, &a);
    if (error == CUDA_ERROR_OUT_OF_MEMORY && !stream->idle()) {
        held.unlock();
        stream->wait();
        held.lock();
        error = allocate(context, Kind::DEVICE, bytes, &a);
    }
    if (error) {
        return error;
    }
    a->pool = pool;
    pool->used += bytes;
    pool->high = std::max(pool->high, pool->used);
    *result = a->base;
    return CUDA_SUCCESS;
}
} // namespace

void forget_pools(Context *context) {
    for (auto at = pools.begin(); at != pools.end();) {
        bool gone = (*at)->context == context;
        at = gone ? pools.erase(at) : std::next(at);
    }
}

API cuMemAllocAsync(CUdeviceptr *result, size_t bytes, CUstream stream) {
    ENTER(cuMemAllocAsync);
    Pool *pool;
    {
        Locked held(state);
        pool = standard_pool(context->device);
    }
    return allocate_async(context, pool, result, bytes, stream);
}

API cuMemAllocFromPoolAsync(CUdeviceptr *result, size_t bytes, CUmemoryPool handle, CUstream stream) {
    ENTER(cuMemAllocFromPoolAsync);
    Pool *pool;
    {
        Locked held(state);
        pool = pool_of(handle);
    }
    return allocate_async(context, pool, result, bytes, stream);
}

API cuMemFreeAsync(CUdeviceptr address, CUstream where) {
    ENTER(cuMemFreeAsync);
    Locked held(state);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (CUresult error = refuse_capture(stream.get())) {
        return error;
    }
    Allocation *a = allocation_at(address);
    NEEDS(a && a->base == address && a->kind == Kind::DEVICE && !a->freeing);
    a->freeing = true;
    return submit(stream, mark([address] {
                      Locked inside(state);
                      Allocation *gone = allocation_at(address);
                      if (gone && gone->base == address && gone->freeing) {
                          if (gone->pool) {
                              gone->pool->used -= gone->bytes;
                          }
                          release(address);
                      }
                      return CUDA_SUCCESS;
                  }),
            held);
}

API cuDeviceGetDefaultMemPool(CUmemoryPool *result, CUdevice ordinal) {
    DRIVER(cuDeviceGetDefaultMemPool);
    NEEDS(result);
    Locked held(state);
    Device *device = device_of(ordinal);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *result = reinterpret_cast<CUmemoryPool>(standard_pool(device));
    return CUDA_SUCCESS;
}

API cuDeviceGetMemPool(CUmemoryPool *result, CUdevice ordinal) {
    DRIVER(cuDeviceGetMemPool);
    return cuDeviceGetDefaultMemPool(result, ordinal);
}

API cuMemPoolCreate(CUmemoryPool *result, const CUmemPoolProps *properties) {
    ENTER(cuMemPoolCreate);
    NEEDS(result && properties && properties->allocType == 1);
    Locked held(state);
    Device *device = device_of(properties->location.id);
    if (!device) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    auto pool = std::make_unique<Pool>();
    pool->device = device;
    pool->context = context;
    *result = reinterpret_cast<CUmemoryPool>(pool.get());
    pools.push_back(std::move(pool));
    return CUDA_SUCCESS;
}

API cuMemPoolDestroy(CUmemoryPool handle) {
    ENTER(cuMemPoolDestroy);
    Locked held(state);
    Pool *pool = pool_of(handle);
    NEEDS(pool && !pool->standard && pool->used == 0);
    pools.erase(std::find_if(pools.begin(), pools.end(), [&](auto &one) { return one.get() == pool; }));
    return CUDA_SUCCESS;
}

API cuMemPoolTrimTo(CUmemoryPool handle, size_t) {
    ENTER(cuMemPoolTrimTo);
    Locked held(state);
    NEEDS(pool_of(handle));
    return CUDA_SUCCESS;
}

API cuMemPoolSetAttribute(CUmemoryPool handle, int which, void *value) {
    ENTER(cuMemPoolSetAttribute);
    Locked held(state);
    Pool *pool = pool_of(handle);
    NEEDS(pool && value);
    switch (which) {
        case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
        case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
        case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
            pool->reuse[which - 1] = *(int *) value;
            return CUDA_SUCCESS;
        case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
            pool->threshold = *(unsigned long long *) value;
            return CUDA_SUCCESS;
        case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
        case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
            NEEDS(*(unsigned long long *) value == 0);
            pool->high = pool->used;
            return CUDA_SUCCESS;
        default: return CUDA_ERROR_INVALID_VALUE;
    }
}

API cuMemPoolGetAttribute(CUmemoryPool handle, int which, void *value) {
    ENTER(cuMemPoolGetAttribute);
    Locked held(state);
    Pool *pool = pool_of(handle);
    NEEDS(pool && value);
    switch (which) {
        case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
        case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
        case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
            *(int *) value = pool->reuse[which - 1];
            return CUDA_SUCCESS;
        case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
            *(unsigned long long *) value = pool->threshold;
            return CUDA_SUCCESS;
        // Nothing is kept beyond what is used.
        case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
        case CU_MEMPOOL_ATTR_USED_MEM_CURRENT: *(unsigned long long *) value = pool->used; return CUDA_SUCCESS;
        case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
        case CU_MEMPOOL_ATTR_USED_MEM_HIGH: *(unsigned long long *) value = pool->high; return CUDA_SUCCESS;
        default: return CUDA_ERROR_INVALID_VALUE;
    }
}

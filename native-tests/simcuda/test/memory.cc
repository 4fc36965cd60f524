#include "test.h"

#include <numeric>

void test_memory() {
    Session session;
    size_t before = 0, after = 0, total = 0;
    OK(cuMemGetInfo_v2(&before, &total));
    THAT(total == size_t(4) << 30 && before == total);
    CUdeviceptr a = 0, b = 0;
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemAlloc_v2(&a, 0));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemAlloc_v2(nullptr, 4));
    OK(cuMemAlloc_v2(&a, 1000));
    OK(cuMemAlloc_v2(&b, 1));
    THAT(a % 512 == 0 && b % 512 == 0);
    OK(cuMemGetInfo_v2(&after, &total));
    THAT(before - after == 1024 + 512);
    THAT(simcuda_live_allocations() == 2 && simcuda_live_bytes() == 1536);
    char text[400];
    THAT(simcuda_allocations(text, sizeof text) > 0);
    check::contains(text, " 1000\n");
    THAT(simcuda_allocations(nullptr, 0) == (long) strlen(text));

    // Fresh memory is no zeros.
    std::vector<unsigned char> bytes(1000, 0);
    OK(cuMemcpyDtoH_v2(bytes.data(), a, 1000));
    THAT(bytes[0] == 0xFF && bytes[999] == 0xFF);

    CUdeviceptr base = 0;
    size_t size = 0;
    OK(cuMemGetAddressRange_v2(&base, &size, a + 999));
    THAT(base == a && size == 1000);
    GIVES(CUDA_ERROR_NOT_FOUND, cuMemGetAddressRange_v2(&base, &size, a + 1000));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(a + 512));
    OK(cuMemFree_v2(0));
    OK(cuMemFree_v2(a));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(a));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2(bytes.data(), a, 1));
    OK(cuMemFree_v2(b));

    // A limit.
    GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&a, (size_t(4) << 30) + 1));
    GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&a, SIZE_MAX));
    OK(simcuda_memory_limit(4096));
    OK(cuMemAlloc_v2(&a, 4096));
    GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&b, 1));
    OK(cuMemFree_v2(a));
    OK(cuMemAlloc_v2(&b, 1));
    OK(cuMemFree_v2(b));
    OK(simcuda_memory_limit(size_t(4) << 30));

    // Host memory.
    void *host = nullptr;
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemHostAlloc(&host, 0, 0));
    OK(cuMemHostAlloc(&host, 100, 2));
    THAT(simcuda_live_host_allocations() == 1);
    OK(cuMemHostGetDevicePointer_v2(&a, host, 0));
    int type = 0;
    OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, a));
    THAT(type == CU_MEMORYTYPE_HOST);
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(a));
    OK(cuMemFreeHost(host));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFreeHost(host));
    std::vector<char> own(5000);
    OK(cuMemHostRegister_v2(own.data(), own.size(), 0));
    GIVES(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, cuMemHostRegister_v2(own.data() + 10, 10, 0));
    OK(cuMemHostUnregister(own.data()));
    GIVES(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, cuMemHostUnregister(own.data()));
    THAT(simcuda_live_host_allocations() == 0);
    OK(cuMemAllocManaged(&a, 64, CU_MEM_ATTACH_GLOBAL));
    *reinterpret_cast<int *>(a) = 7;
    int seven = 0;
    OK(cuMemcpyDtoH_v2(&seven, a, 4));
    THAT(seven == 7);
    OK(cuMemFree_v2(a));
}

static std::vector<int> numbers(int n, int from) {
    std::vector<int> all((size_t) n);
    std::iota(all.begin(), all.end(), from);
    return all;
}

void test_copies() {
    Session session;
    constexpr int N = 1000;
    constexpr size_t BYTES = N * sizeof(int);
    std::vector<int> in = numbers(N, 5), out(N);
    Buffer a(BYTES), b(BYTES);
    OK(cuMemcpyHtoD_v2(a.at, in.data(), BYTES));
    OK(cuMemcpyDtoD_v2(b.at, a.at, BYTES));
    OK(cuMemcpyDtoH_v2(out.data(), b.at, BYTES));
    THAT(out == in);
    OK(cuMemcpy(b.at, (CUdeviceptr) out.data(), 0));
    OK(cuMemcpy((CUdeviceptr) out.data(), a.at + 4, 4));
    THAT(out[0] == 6);

    // Out of range, from either end.
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.at, in.data(), BYTES + 1));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.at + 1, in.data(), BYTES));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.at - 1, in.data(), 1));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2(out.data(), a.at + BYTES, 1));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2(out.data(), 0, 1));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.at, nullptr, 1));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoD_v2(a.at, b.at + 1, BYTES));
    // The device's memory is not the host's.
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(a.at, (void *) b.at, 4));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2((CUdeviceptr) out.data(), in.data(), 4));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2((void *) b.at, a.at, 4));

    OK(cuMemsetD32_v2(a.at, 0x01020304, N));
    OK(cuMemsetD16_v2(a.at + 2, 0x0506, 1));
    OK(cuMemsetD8_v2(a.at + 4, 9, 1));
    OK(cuMemcpyDtoH_v2(out.data(), a.at, BYTES));
    THAT(out[0] == 0x05060304 && out[1] == 0x01020309 && out[N - 1] == 0x01020304);
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemsetD32_v2(a.at + 2, 0, 1));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemsetD32_v2(a.at, 0, N + 1));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemsetD32_v2(a.at, 0, SIZE_MAX / 2));
    OK(cuMemsetD2D8_v2(a.at, 40, 0, 4, 2));
    OK(cuMemcpyDtoH_v2(out.data(), a.at, BYTES));
    THAT(out[0] == 0 && out[10] == 0 && out[20] == 0x01020304 && out[1] == 0x01020309);

    CUDA_MEMCPY2D c;
    memset(&c, 0, sizeof c);
    c.srcMemoryType = CU_MEMORYTYPE_HOST;
    c.srcHost = in.data();
    c.srcPitch = 40;
    c.srcY = 1;
    c.dstMemoryType = CU_MEMORYTYPE_DEVICE;
    c.dstDevice = b.at;
    c.dstXInBytes = 4;
    c.dstPitch = 80;
    c.WidthInBytes = 8;
    c.Height = 3;
    OK(cuMemcpy2D_v2(&c));
    OK(cuMemcpyDtoH_v2(out.data(), b.at, BYTES));
    THAT(out[1] == in[10] && out[2] == in[11] && out[3] == in[3] && out[41] == in[30]);
    c.Height = 51;
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpy2D_v2(&c));

    // Memory that is not pinned may be used again at once; pinned memory is read when the stream comes to it.
    CUstream stream;
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    int *pinned = nullptr;
    OK(cuMemHostAlloc((void **) &pinned, 4, 0));
    simcuda_delay(20000);
    int pageable = 1;
    *pinned = 1;
    OK(cuMemcpyHtoDAsync_v2(a.at, &pageable, 4, stream));
    OK(cuMemcpyHtoDAsync_v2(a.at + 4, pinned, 4, stream));
    pageable = 2;
    *pinned = 2;
    OK(cuMemcpyDtoHAsync_v2(out.data(), a.at, 8, stream));
    THAT(out[0] == 1 && out[1] == 2);
    OK(cuMemcpyDtoHAsync_v2(pinned, a.at, 4, stream));
    GIVES(CUDA_ERROR_NOT_READY, cuStreamQuery(stream));
    OK(cuStreamSynchronize(stream));
    THAT(*pinned == 1);
    simcuda_delay(0);
    OK(cuMemFreeHost(pinned));
    OK(cuStreamDestroy_v2(stream));

    // Between devices.
    CUcontext other;
    OK(cuDevicePrimaryCtxRetain(&other, 1));
    OK(cuCtxPushCurrent_v2(other));
    Buffer far(BYTES);
    OK(cuMemcpyPeer(far.at, other, a.at, session.context, BYTES));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyPeer(far.at, session.context, a.at, session.context, BYTES));
    OK(cuMemcpyDtoH_v2(out.data(), far.at, 4));
    THAT(out[0] == 1);
    OK(cuCtxPopCurrent_v2(nullptr));
    OK(cuDevicePrimaryCtxRelease_v2(1));

    // Sizes beyond 32 bits.
    constexpr size_t BIG = (size_t(1) << 32) / 2 + 4096;
    Buffer big(BIG);
    OK(cuMemcpyHtoD_v2(big.at + BIG - 4, in.data(), 4));
    OK(cuMemcpyDtoH_v2(out.data(), big.at + BIG - 4, 4));
    THAT(out[0] == in[0]);
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(big.at + BIG - 3, in.data(), 4));
}

void test_pools() {
    Session session;
    CUstream stream;
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    CUmemoryPool pool;
    OK(cuDeviceGetDefaultMemPool(&pool, 0));
    unsigned long long threshold = 12345, used = 0;
    OK(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold));
    threshold = 0;
    OK(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold));
    THAT(threshold == 12345);
    OK(simcuda_memory_limit(4096));
    CUdeviceptr a, b;
    OK(cuMemAllocAsync(&a, 4096, stream));
    OK(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
    THAT(used == 4096);
    simcuda_delay(5000);
    OK(cuMemsetD32Async(a, 7, 1024, stream));
    OK(cuMemFreeAsync(a, stream));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFreeAsync(a, stream));
    // What the stream has yet to free can be had again.
    OK(cuMemAllocAsync(&b, 4096, stream));
    GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAllocAsync(&a, 1, stream));
    OK(cuMemFreeAsync(b, stream));
    OK(cuStreamSynchronize(stream));
    simcuda_delay(0);
    OK(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
    THAT(used == 0 && simcuda_live_allocations() == 0);
    OK(simcuda_memory_limit(size_t(4) << 30));
    OK(cuStreamDestroy_v2(stream));
}

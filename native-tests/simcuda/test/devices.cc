#include "test.h"

static int attribute(int which) {
    int value = -1;
    OK(cuDeviceGetAttribute(&value, which, 0));
    return value;
}

void test_devices() {
    int n = 0;
    GIVES(CUDA_ERROR_NOT_INITIALIZED, cuDeviceGetCount(&n));
    CUdeviceptr pointer;
    GIVES(CUDA_ERROR_NOT_INITIALIZED, cuMemAlloc_v2(&pointer, 4));
    OK(cuDriverGetVersion(&n));
    THAT(n == 12060);
    GIVES(CUDA_ERROR_INVALID_VALUE, cuInit(1));
    OK(cuInit(0));
    OK(cuInit(0));
    OK(cuDeviceGetCount(&n));
    THAT(n == 2);
    CUdevice device = -1;
    OK(cuDeviceGet(&device, 1));
    THAT(device == 1);
    GIVES(CUDA_ERROR_INVALID_DEVICE, cuDeviceGet(&device, 2));
    GIVES(CUDA_ERROR_INVALID_DEVICE, cuDeviceGet(&device, -1));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuDeviceGet(nullptr, 0));
    char name[100];
    OK(cuDeviceGetName(name, sizeof name, 0));
    THAT(std::string(name) == "Tenon stand-in driver (no GPU)");
    OK(cuDeviceGetName(name, 6, 0));
    THAT(std::string(name) == "Tenon");
    THAT(attribute(75) == 9 && attribute(76) == 0);
    THAT(attribute(CU_DEVICE_ATTRIBUTE_WARP_SIZE) == 32);
    THAT(attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK) == 1024);
    THAT(attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X) == 2147483647);
    THAT(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK) == 48 * 1024);
    THAT(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN) == 227 * 1024);
    THAT(attribute(CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH) == 1);
    GIVES(CUDA_ERROR_INVALID_VALUE, cuDeviceGetAttribute(&n, 0, 0));
    GIVES(CUDA_ERROR_INVALID_DEVICE, cuDeviceGetAttribute(&n, 1, 7));
    size_t bytes = 0;
    OK(cuDeviceTotalMem_v2(&bytes, 0));
    THAT(bytes == size_t(4) << 30);
    CUuuid first, second;
    OK(cuDeviceGetUuid(&first, 0));
    OK(cuDeviceGetUuid(&second, 1));
    THAT(memcmp(&first, &second, sizeof first) != 0);
    OK(cuDeviceGetPCIBusId(name, sizeof name, 1));
    OK(cuDeviceGetByPCIBusId(&device, name));
    THAT(device == 1);
    OK(cuDeviceCanAccessPeer(&n, 0, 1));
    THAT(n == 1);
    OK(cuDeviceCanAccessPeer(&n, 0, 0));
    THAT(n == 0);

    const char *text = nullptr;
    OK(cuGetErrorName(700, &text));
    THAT(std::string(text) == "CUDA_ERROR_ILLEGAL_ADDRESS");
    OK(cuGetErrorString(2, &text));
    THAT(std::string(text) == "out of memory");
    GIVES(CUDA_ERROR_INVALID_VALUE, cuGetErrorName(123456, &text));
    THAT(text == nullptr);

    // A function that only exists.
    GIVES(CUDA_ERROR_NOT_SUPPORTED, cuArrayCreate_v2(nullptr, nullptr));
    THAT(simcuda_count("cuArrayCreate") == 1);
    void *function = nullptr;
    int status = -1;
    OK(cuGetProcAddress_v2("cuMemAlloc", &function, 12060, 0, &status));
    THAT(function == (void *) &cuMemAlloc_v2 && status == 0);
    OK(cuGetProcAddress_v2("cuLaunchKernelEx", &function, 12000, 0, &status));
    THAT(function == (void *) &cuLaunchKernelEx);
    OK(cuGetProcAddress_v2("cuNoSuchThing", &function, 12060, 0, &status));
    THAT(function == nullptr && status == 1);
    GIVES(CUDA_ERROR_NOT_FOUND, cuGetProcAddress_v2("cuNoSuchThing", &function, 12060, 0, nullptr));
    OK(cuGetProcAddress_v2("cuMemAlloc", &function, 13000, 0, &status));
    THAT(function == nullptr && status == 2);
    THAT(simcuda_kernels() > 1000);
}

void test_contexts() {
    CUcontext none = (CUcontext) 1, first, again, second, own;
    CUdeviceptr pointer;
    OK(cuCtxGetCurrent(&none));
    THAT(none == nullptr);
    GIVES(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc_v2(&pointer, 4));
    GIVES(CUDA_ERROR_INVALID_CONTEXT, cuCtxSynchronize());
    GIVES(CUDA_ERROR_INVALID_CONTEXT, cuCtxPopCurrent_v2(&none));
    GIVES(CUDA_ERROR_INVALID_CONTEXT, cuDevicePrimaryCtxRelease_v2(0));
    GIVES(CUDA_ERROR_INVALID_DEVICE, cuDevicePrimaryCtxRetain(&first, 9));
    unsigned flags;
    int active = -1;
    OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
    THAT(active == 0);

    OK(cuDevicePrimaryCtxRetain(&first, 0));
    OK(cuDevicePrimaryCtxRetain(&again, 0));
    THAT(first == again);
    OK(cuDevicePrimaryCtxRetain(&second, 1));
    THAT(first != second);
    OK(cuCtxSetCurrent(first));
    OK(cuMemAlloc_v2(&pointer, 4));
    std::thread([&] {
        CUcontext mine = first;
        OK(cuCtxGetCurrent(&mine));
        THAT(mine == nullptr);
        CUdeviceptr other;
        GIVES(CUDA_ERROR_INVALID_CONTEXT, cuMemAlloc_v2(&other, 4));
        OK(cuCtxPushCurrent_v2(second));
        CUdevice device = -1;
        OK(cuCtxGetDevice(&device));
        THAT(device == 1);
        OK(cuCtxPushCurrent_v2(first));
        OK(cuMemFree_v2(pointer));
        OK(cuCtxPopCurrent_v2(&mine));
        THAT(mine == first);
        OK(cuCtxGetCurrent(&mine));
        THAT(mine == second);
        OK(cuCtxPopCurrent_v2(nullptr));
    }).join();
    OK(cuCtxEnablePeerAccess(second, 0));
    GIVES(CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED, cuCtxEnablePeerAccess(second, 0));
    OK(cuCtxDisablePeerAccess(second));
    GIVES(CUDA_ERROR_PEER_ACCESS_NOT_ENABLED, cuCtxDisablePeerAccess(second));

    // The last release destroys it, for whoever has it current.
    OK(cuMemAlloc_v2(&pointer, 1000));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    OK(cuCtxSynchronize());
    OK(cuDevicePrimaryCtxRelease_v2(0));
    OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
    THAT(active == 0);
    GIVES(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuCtxSynchronize());
    GIVES(CUDA_ERROR_CONTEXT_IS_DESTROYED, cuCtxSetCurrent(first));
    THAT(simcuda_live_allocations() == 0);
    OK(cuCtxSetCurrent(nullptr));
    OK(cuDevicePrimaryCtxRelease_v2(1));

    OK(cuCtxCreate_v2(&own, 0, 0));
    OK(cuCtxGetCurrent(&again));
    THAT(own == again);
    OK(cuMemAlloc_v2(&pointer, 1000));
    OK(cuCtxDestroy_v2(own));
    THAT(simcuda_live_allocations() == 0);
    OK(cuCtxGetCurrent(&again));
    THAT(again == nullptr);
    GIVES(CUDA_ERROR_INVALID_CONTEXT, cuCtxDestroy_v2(own));
    GIVES(CUDA_ERROR_INVALID_CONTEXT, cuCtxSetCurrent((CUcontext) &own));
}

#include "test.h"

#ifdef __SANITIZE_ADDRESS__
constexpr bool SANITIZED = true;
#else
constexpr bool SANITIZED = false;
#endif

// A kernel meets an error: nothing at the launch, the same error ever after, until the context is made anew.
static void lost(const char *kernel, CUresult error, CUdeviceptr at, int number) {
    {
        CUcontext context;
        OK(cuDevicePrimaryCtxRetain(&context, 0));
        OK(cuCtxSetCurrent(context));
        CUmodule module;
        OK(cuModuleLoadData(&module, probes().c_str()));
        CUfunction function;
        OK(cuModuleGetFunction(&function, module, kernel));
        CUstream stream;
        OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
        CUevent event;
        OK(cuEventCreate(&event, 0));
        void *params[] = {&at, &number};
        simcuda_delay(10000);
        OK(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream, params, nullptr));
        OK(cuEventRecord(event, stream));
        simcuda_delay(0);
        GIVES(error, cuStreamSynchronize(stream));
        GIVES(error, cuCtxSynchronize());
        GIVES(error, cuEventQuery(event));
        GIVES(error, cuStreamQuery(stream));
        CUdeviceptr more;
        GIVES(error, cuMemAlloc_v2(&more, 4));
        GIVES(error, cuMemFree_v2(more));
        GIVES(error, cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream, params, nullptr));
        GIVES(error, cuModuleUnload(module));
        // What does not need the context still works.
        int n;
        OK(cuDeviceGetCount(&n));
        const char *text;
        OK(cuGetErrorName(error, &text));
        OK(cuDevicePrimaryCtxReset_v2(0));
        OK(cuCtxSynchronize());
        GIVES(CUDA_ERROR_INVALID_HANDLE, cuModuleUnload(module));
        GIVES(CUDA_ERROR_INVALID_HANDLE, cuStreamQuery(stream));
        OK(cuMemAlloc_v2(&more, 4));
        OK(cuMemFree_v2(more));
        OK(cuCtxSetCurrent(nullptr));
        OK(cuDevicePrimaryCtxRelease_v2(0));
    }
    Session usable;
    Buffer memory(4);
}

void test_errors() {
    lost("simcuda_trap", CUDA_ERROR_LAUNCH_FAILED, 0, 0);
    // A sanitizer ends the process where a device would report.
    if (!SANITIZED) {
        lost("simcuda_store", CUDA_ERROR_ILLEGAL_ADDRESS, 0, 1);
        lost("simcuda_store", CUDA_ERROR_ILLEGAL_ADDRESS, 0x7123456789ABCDEFull, 1);
        int unused = 0;
        lost("simcuda_divide", CUDA_ERROR_LAUNCH_FAILED, (CUdeviceptr) &unused, 0);
    }

    // A write just behind an allocation.
    if (!SANITIZED) {
        long before = simcuda_damage();
        Session session;
        Buffer memory(4);
        CUdeviceptr behind = memory.at + 4;
        int number = 1;
        void *params[] = {&behind, &number};
        OK(cuLaunchKernel(session.function("simcuda_store"), 1, 1, 1, 1, 1, 1, 0, nullptr, params, nullptr));
        GIVES(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
        THAT(simcuda_damage() > before);
        // It was noticed; nothing else is to be found at the end.
        OK(cuMemAlloc_v2(&behind, 4) == CUDA_ERROR_ILLEGAL_ADDRESS ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE);
    }
}

void test_faults() {
    OK(simcuda_reset());
    Session session;
    CUdeviceptr at[5];
    OK(simcuda_fail("cuMemAlloc", 3, CUDA_ERROR_OUT_OF_MEMORY));
    THAT(simcuda_pending_faults() == 1);
    OK(cuMemAlloc_v2(&at[0], 4));
    OK(cuMemAlloc_v2(&at[1], 4));
    GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&at[2], 4));
    THAT(simcuda_pending_faults() == 0);
    OK(cuMemAlloc_v2(&at[2], 4));
    THAT(simcuda_count("cuMemAlloc") == 4 && simcuda_count("cuMemAlloc_v2") == 4);
    THAT(simcuda_live_allocations() == 3);
    // From the second on.
    OK(simcuda_fail("cuMemAlloc_v2", -2, CUDA_ERROR_OUT_OF_MEMORY));
    OK(cuMemAlloc_v2(&at[3], 4));
    GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&at[4], 4));
    GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&at[4], 4));
    OK(simcuda_reset());
    THAT(simcuda_count("cuMemAlloc") == 0);
    OK(cuMemAlloc_v2(&at[4], 4));
    GIVES(CUDA_ERROR_INVALID_VALUE, simcuda_fail("cuMemAlloc", 0, 2));

    char text[1000];
    THAT(simcuda_calls(text, sizeof text) > 0);
    THAT(std::string(text) == "cuMemAlloc 1\n");

    // The second kernel meets an error while it runs.
    CUfunction trap = session.function("simcuda_sum");
    Buffer out(4);
    void *params[] = {&out.at};
    OK(simcuda_fail("kernel", 2, CUDA_ERROR_ILLEGAL_ADDRESS));
    OK(cuLaunchKernel(trap, 1, 1, 1, 1, 1, 1, 4, nullptr, params, nullptr));
    OK(cuCtxSynchronize());
    OK(cuLaunchKernel(trap, 1, 1, 1, 1, 1, 1, 4, nullptr, params, nullptr));
    GIVES(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
    THAT(simcuda_count("kernel") == 2);
    OK(cuDevicePrimaryCtxReset_v2(0));

    // An error of that kind at a call loses the context too.
    OK(simcuda_fail("cuCtxSynchronize", 1, CUDA_ERROR_LAUNCH_FAILED));
    GIVES(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
    GIVES(CUDA_ERROR_LAUNCH_FAILED, cuMemAlloc_v2(&at[0], 4));
    OK(cuDevicePrimaryCtxReset_v2(0));
    OK(simcuda_reset());
}

#include "test.h"

#include <chrono>

namespace {
void run(CUfunction function, CUstream stream, CUdeviceptr at, int number) {
    void *params[] = {&at, &number};
    OK(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream, params, nullptr));
}

int value(CUdeviceptr at) {
    int v = 0;
    OK(cuMemcpyDtoH_v2(&v, at, 4));
    return v;
}

void add_letter(void *text) { static_cast<std::string *>(text)->push_back('h'); }

void add_status(CUstream, int status, void *text) {
    static_cast<std::string *>(text)->append("c" + std::to_string(status));
}
} // namespace

void test_streams() {
    Session session;
    CUfunction sleep = session.function("simcuda_sleep");
    CUfunction store = session.function("simcuda_store");
    Buffer a(4), b(4);
    OK(cuMemsetD32_v2(a.at, 0, 1));
    OK(cuMemsetD32_v2(b.at, 0, 1));
    CUstream free_a, free_b, blocking;
    GIVES(CUDA_ERROR_INVALID_VALUE, cuStreamCreate(&free_a, 2));
    OK(cuStreamCreate(&free_a, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&free_b, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&blocking, 0));
    OK(cuCtxSynchronize());
    THAT(simcuda_live_streams() == 3);
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize((CUstream) &free_a));

    // A launch returns before the kernel is done; work of one stream is in order, of two is not.
    auto start = std::chrono::steady_clock::now();
    run(sleep, free_a, a.at, 100);
    run(sleep, free_a, a.at, 0);
    THAT(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(80));
    GIVES(CUDA_ERROR_NOT_READY, cuStreamQuery(free_a));
    run(store, free_b, b.at, 5);
    OK(cuStreamSynchronize(free_b));
    GIVES(CUDA_ERROR_NOT_READY, cuStreamQuery(free_a));
    // The default stream does not wait for a non-blocking one.
    THAT(value(b.at) == 5);
    GIVES(CUDA_ERROR_NOT_READY, cuStreamQuery(free_a));
    OK(cuStreamSynchronize(free_a));
    OK(cuStreamQuery(free_a));
    THAT(value(a.at) == 2);

    // But it waits for a blocking one, and that for it.
    run(sleep, blocking, a.at, 50);
    THAT(value(a.at) == 3);
    run(sleep, nullptr, a.at, 50);
    run(store, blocking, a.at, 100);
    OK(cuStreamSynchronize(blocking));
    THAT(value(a.at) == 100);
    run(sleep, (CUstream) 2, a.at, 20);
    OK(cuStreamSynchronize((CUstream) 2));
    THAT(value(a.at) == 101);

    // Functions of the host take their turn.
    std::string text;
    run(sleep, free_a, a.at, 20);
    OK(cuLaunchHostFunc(free_a, add_letter, &text));
    OK(cuStreamAddCallback(free_a, add_status, &text, 0));
    THAT(text.empty());
    OK(cuStreamSynchronize(free_a));
    THAT(text == "hc0");

    // Freeing waits for the device.
    CUdeviceptr gone;
    OK(cuMemAlloc_v2(&gone, 4));
    OK(cuMemsetD32_v2(gone, 0, 1));
    run(sleep, free_a, gone, 50);
    OK(cuMemFree_v2(gone));
    OK(cuStreamQuery(free_a));

    // A stream may be destroyed while it works.
    run(sleep, free_a, a.at, 30);
    OK(cuStreamDestroy_v2(free_a));
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuStreamQuery(free_a));
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuStreamDestroy_v2(nullptr));
    OK(cuCtxSynchronize());
    THAT(value(a.at) == 103);

    // Many threads, one stream each.
    Buffer sums(8 * 4);
    OK(cuMemsetD32_v2(sums.at, 0, 8));
    OK(cuCtxSynchronize());
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++) {
        threads.emplace_back([&, t] {
            OK(cuCtxSetCurrent(session.context));
            CUstream mine;
            OK(cuStreamCreate(&mine, CU_STREAM_NON_BLOCKING));
            for (int i = 0; i < 200; i++) {
                run(sleep, mine, sums.at + 4 * (unsigned) t, 0);
                if (i % 20 == 0) {
                    OK(cuStreamSynchronize(mine));
                }
            }
            OK(cuStreamDestroy_v2(mine));
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    for (int t = 0; t < 8; t++) {
        THAT(value(sums.at + 4 * (unsigned) t) == 200);
    }
}

void test_events() {
    Session session;
    CUfunction sleep = session.function("simcuda_sleep");
    Buffer a(4);
    OK(cuMemsetD32_v2(a.at, 0, 1));
    OK(cuCtxSynchronize());
    CUstream one, two;
    OK(cuStreamCreate(&one, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&two, CU_STREAM_NON_BLOCKING));
    CUevent start, end, untimed;
    GIVES(CUDA_ERROR_INVALID_VALUE, cuEventCreate(&start, 64));
    OK(cuEventCreate(&start, 0));
    OK(cuEventCreate(&end, 0));
    OK(cuEventCreate(&untimed, CU_EVENT_DISABLE_TIMING));
    // What was never recorded is done.
    OK(cuEventQuery(start));
    OK(cuEventSynchronize(start));
    OK(cuStreamWaitEvent(two, start, 0));
    float milliseconds = -1;
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&milliseconds, start, end));

    OK(cuEventRecord(start, one));
    run(sleep, one, a.at, 40);
    OK(cuEventRecord(end, one));
    OK(cuEventRecord(untimed, one));
    GIVES(CUDA_ERROR_NOT_READY, cuEventQuery(end));
    GIVES(CUDA_ERROR_NOT_READY, cuEventElapsedTime(&milliseconds, start, end));
    // The other stream waits, and the host does not.
    OK(cuStreamWaitEvent(two, end, 0));
    int seen = 0;
    int *pinned;
    OK(cuMemHostAlloc((void **) &pinned, 4, 0));
    OK(cuMemcpyDtoHAsync_v2(pinned, a.at, 4, two));
    GIVES(CUDA_ERROR_NOT_READY, cuStreamQuery(two));
    OK(cuStreamSynchronize(two));
    THAT(*pinned == 1);
    OK(cuEventSynchronize(end));
    OK(cuEventElapsedTime(&milliseconds, start, end));
    THAT(milliseconds >= 39 && milliseconds < 5000);
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuEventElapsedTime(&milliseconds, start, untimed));

    // Recording anew does not move what others already wait for.
    run(sleep, one, a.at, 30);
    OK(cuEventRecord(end, one));
    OK(cuStreamWaitEvent(two, end, 0));
    run(sleep, one, a.at, 300);
    OK(cuEventRecord(end, one));
    OK(cuMemcpyDtoHAsync_v2(&seen, a.at, 4, two));
    THAT(seen == 2);
    GIVES(CUDA_ERROR_NOT_READY, cuStreamQuery(one));
    // Destroying an event does not stop what it does.
    OK(cuEventDestroy_v2(end));
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuEventQuery(end));
    OK(cuStreamSynchronize(one));
    OK(cuEventDestroy_v2(start));
    OK(cuEventDestroy_v2(untimed));
    THAT(simcuda_live_events() == 0);
    OK(cuMemFreeHost(pinned));
}

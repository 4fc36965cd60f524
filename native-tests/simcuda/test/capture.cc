#include "test.h"

void test_capture() {
    Session session;
    CUfunction sleep = session.function("simcuda_sleep");
    CUfunction store = session.function("simcuda_store");
    Buffer a(4), b(4);
    OK(cuMemsetD32_v2(a.at, 0, 1));
    OK(cuMemsetD32_v2(b.at, 0, 1));
    OK(cuCtxSynchronize());
    CUstream one, two;
    OK(cuStreamCreate(&one, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&two, CU_STREAM_NON_BLOCKING));
    CUevent fork, join;
    OK(cuEventCreate(&fork, CU_EVENT_DISABLE_TIMING));
    OK(cuEventCreate(&join, CU_EVENT_DISABLE_TIMING));
    auto run = [&](CUfunction function, CUstream stream, CUdeviceptr at, int number) {
        void *params[] = {&at, &number};
        return cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream, params, nullptr);
    };
    auto value = [&](CUdeviceptr at) {
        int v = -1;
        OK(cuMemcpyDtoH_v2(&v, at, 4));
        return v;
    };
    CUgraph graph = nullptr;
    CUgraphExec ready = nullptr;
    int status = -1;
    GIVES(CUDA_ERROR_ILLEGAL_STATE, cuStreamEndCapture(one, &graph));
    GIVES(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamBeginCapture_v2(nullptr, 0));

    // Nothing runs while it is captured; each launch of the graph runs it all, on two streams joined by events.
    OK(cuStreamBeginCapture_v2(one, CU_STREAM_CAPTURE_MODE_RELAXED));
    GIVES(CUDA_ERROR_ILLEGAL_STATE, cuStreamBeginCapture_v2(one, 0));
    OK(run(sleep, one, a.at, 0));
    OK(cuEventRecord(fork, one));
    OK(cuStreamWaitEvent(two, fork, 0));
    OK(cuMemcpyDtoDAsync_v2(b.at, a.at, 4, two));
    OK(cuStreamIsCapturing(two, &status));
    THAT(status == CU_STREAM_CAPTURE_STATUS_ACTIVE);
    OK(cuEventRecord(join, two));
    OK(cuStreamWaitEvent(one, join, 0));
    OK(run(sleep, one, a.at, 0));
    GIVES(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, cuStreamEndCapture(two, &graph));
    OK(cuStreamEndCapture(one, &graph));
    OK(cuStreamIsCapturing(two, &status));
    THAT(status == CU_STREAM_CAPTURE_STATUS_NONE);
    THAT(value(a.at) == 0);
    size_t n = 0;
    OK(cuGraphGetNodes(graph, nullptr, &n));
    THAT(n == 3);
    CUgraphNode nodes[3];
    OK(cuGraphGetNodes(graph, nodes, &n));
    OK(cuGraphNodeGetType(nodes[0], &status));
    THAT(status == 0);
    OK(cuGraphNodeGetType(nodes[1], &status));
    THAT(status == 1);
    OK(cuGraphInstantiateWithFlags(&ready, graph, 0));
    OK(cuGraphDestroy(graph));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuGraphDestroy(graph));
    for (int i = 0; i < 3; i++) {
        OK(cuGraphLaunch(ready, two));
    }
    OK(cuStreamSynchronize(two));
    THAT(value(a.at) == 6 && value(b.at) == 5);
    OK(cuGraphExecDestroy(ready));
    THAT(simcuda_live_graphs() == 0);

    // What may not be captured ends the capture.
    CUdeviceptr more;
    auto broken = [&](CUresult why, auto call) {
        OK(cuStreamBeginCapture_v2(one, CU_STREAM_CAPTURE_MODE_GLOBAL));
        OK(run(store, one, a.at, 77));
        GIVES(why, call());
        GIVES(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, run(store, one, a.at, 78));
        OK(cuStreamIsCapturing(one, &status));
        THAT(status == CU_STREAM_CAPTURE_STATUS_INVALIDATED);
        GIVES(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(one, &graph));
        THAT(graph == nullptr);
    };
    broken(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, [&] { return cuStreamSynchronize(one); });
    broken(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, [&] { return cuStreamQuery(one); });
    broken(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, [&] { return cuCtxSynchronize(); });
    broken(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, [&] { return cuMemAlloc_v2(&more, 4); });
    broken(CUDA_ERROR_CAPTURED_EVENT, [&] {
        OK(cuEventRecord(fork, one));
        return cuEventSynchronize(fork);
    });
    broken(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, [&] {
        OK(cuEventRecord(join, two));
        return cuStreamWaitEvent(one, join, 0);
    });
    THAT(value(a.at) == 6);
    // A blocking stream that captures keeps the default stream from working.
    CUstream blocking;
    OK(cuStreamCreate(&blocking, 0));
    OK(cuStreamBeginCapture_v2(blocking, CU_STREAM_CAPTURE_MODE_RELAXED));
    GIVES(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, run(store, nullptr, a.at, 1));
    GIVES(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(blocking, &graph));
    // Work of another stream that was not joined.
    OK(cuStreamBeginCapture_v2(one, CU_STREAM_CAPTURE_MODE_RELAXED));
    OK(cuEventRecord(fork, one));
    OK(cuStreamWaitEvent(two, fork, 0));
    OK(run(store, two, a.at, 1));
    GIVES(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(one, &graph));
    // In the relaxed mode too the context cannot be waited for.
    OK(cuStreamBeginCapture_v2(one, CU_STREAM_CAPTURE_MODE_RELAXED));
    GIVES(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuCtxSynchronize());
    GIVES(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(one, &graph));
    OK(cuCtxSynchronize());
    // In the relaxed mode memory may be had.
    OK(cuStreamBeginCapture_v2(one, CU_STREAM_CAPTURE_MODE_RELAXED));
    OK(cuMemAlloc_v2(&more, 4));
    OK(cuStreamEndCapture(one, &graph));
    n = 99;
    OK(cuGraphGetNodes(graph, nullptr, &n));
    THAT(n == 0);
    std::thread([&] {
        OK(cuCtxSetCurrent(session.context));
        OK(cuStreamBeginCapture_v2(one, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    }).join();
    OK(cuMemFree_v2(more));
    GIVES(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, cuStreamEndCapture(one, &graph));
    OK(cuStreamDestroy_v2(one));
}

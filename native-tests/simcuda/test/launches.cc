#include "test.h"

void test_launches() {
    Session session;
    CUfunction axpy = session.function("simcuda_axpy");
    constexpr int N = 10000;
    std::vector<float> x(N, 2), y(N, 1);
    Buffer dx(N * 4), dy(N * 4);
    OK(cuMemcpyHtoD_v2(dx.at, x.data(), N * 4));
    OK(cuMemcpyHtoD_v2(dy.at, y.data(), N * 4));
    double a = 3;
    int n = N;
    void *params[] = {&dy.at, &dx.at, &a, &n};
    auto launch = [&](unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared) {
        return cuLaunchKernel(axpy, gx, gy, gz, bx, by, bz, shared, nullptr, params, nullptr);
    };
    OK(launch(40, 1, 1, 256, 1, 1, 0));
    // The values of the parameters were taken.
    a = 1000;
    n = 0;
    OK(cuMemcpyDtoH_v2(y.data(), dy.at, N * 4));
    THAT(y[0] == 7 && y[N - 1] == 7);
    // The same as one block of memory.
    struct {
        CUdeviceptr y, x;
        double a;
        int n;
    } packed = {dy.at, dx.at, 1, N};
    size_t size = 28;
    void *extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &size, CU_LAUNCH_PARAM_END};
    OK(cuLaunchKernel(axpy, 40, 1, 1, 256, 1, 1, 0, nullptr, nullptr, extra));
    OK(cuMemcpyDtoH_v2(y.data(), dy.at, N * 4));
    THAT(y[0] == 9 && y[N - 1] == 9);
    size = 27;
    GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(axpy, 40, 1, 1, 256, 1, 1, 0, nullptr, nullptr, extra));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(axpy, 40, 1, 1, 256, 1, 1, 0, nullptr, params, extra));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(axpy, 40, 1, 1, 256, 1, 1, 0, nullptr, nullptr, nullptr));
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuLaunchKernel(nullptr, 1, 1, 1, 1, 1, 1, 0, nullptr, params, nullptr));
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuLaunchKernel(axpy, 1, 1, 1, 1, 1, 1, 0, (CUstream) params, params, nullptr));

    GIVES(CUDA_ERROR_INVALID_VALUE, launch(0, 1, 1, 1, 1, 1, 0));
    GIVES(CUDA_ERROR_INVALID_VALUE, launch(1, 65536, 1, 1, 1, 1, 0));
    GIVES(CUDA_ERROR_INVALID_VALUE, launch(1, 1, 65536, 1, 1, 1, 0));
    GIVES(CUDA_ERROR_INVALID_VALUE, launch(2147483648u, 1, 1, 1, 1, 1, 0));
    GIVES(CUDA_ERROR_INVALID_VALUE, launch(1, 1, 1, 0, 1, 1, 0));
    GIVES(CUDA_ERROR_INVALID_VALUE, launch(1, 1, 1, 1025, 1, 1, 0));
    GIVES(CUDA_ERROR_INVALID_VALUE, launch(1, 1, 1, 1, 1, 65, 0));
    GIVES(CUDA_ERROR_INVALID_VALUE, launch(1, 1, 1, 64, 32, 1, 0));
    // More threads than it was compiled for.
    GIVES(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, launch(1, 1, 1, 257, 1, 1, 0));
    unsigned standard = 48 * 1024 - 4000;
    OK(launch(1, 1, 1, 1, 1, 1, standard));
    GIVES(CUDA_ERROR_INVALID_VALUE, launch(1, 1, 1, 1, 1, 1, standard + 1));
    OK(cuFuncSetAttribute(axpy, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 100000));
    OK(launch(1, 1, 1, 1, 1, 1, 100000));
    GIVES(CUDA_ERROR_INVALID_VALUE, launch(1, 1, 1, 1, 1, 1, 100001));

    // Barriers and shared memory; many blocks.
    CUfunction sum = session.function("simcuda_sum");
    constexpr int BLOCKS = 1000;
    Buffer out(BLOCKS * 4);
    void *one[] = {&out.at};
    OK(cuLaunchKernel(sum, BLOCKS, 1, 1, 128, 1, 1, 128 * 4, nullptr, one, nullptr));
    std::vector<int> sums(BLOCKS);
    OK(cuMemcpyDtoH_v2(sums.data(), out.at, BLOCKS * 4));
    THAT(sums == std::vector<int>(BLOCKS, 127 * 64));

    // Clusters.
    CUfunction ranks = session.function("simcuda_ranks");
    CUlaunchAttribute attribute;
    memset(&attribute, 0, sizeof attribute);
    attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    attribute.value.cluster.x = 4;
    attribute.value.cluster.y = attribute.value.cluster.z = 1;
    CUlaunchConfig config;
    memset(&config, 0, sizeof config);
    config.gridDimX = 8;
    config.gridDimY = config.gridDimZ = config.blockDimY = config.blockDimZ = 1;
    config.blockDimX = 64;
    config.attrs = &attribute;
    config.numAttrs = 1;
    OK(cuLaunchKernelEx(&config, ranks, one, nullptr));
    OK(cuMemcpyDtoH_v2(sums.data(), out.at, 32));
    THAT(sums[0] == 400 && sums[3] == 403 && sums[4] == 400 && sums[7] == 403);
    config.gridDimX = 6;
    GIVES(CUDA_ERROR_INVALID_CLUSTER_SIZE, cuLaunchKernelEx(&config, ranks, one, nullptr));
    config.gridDimX = 16;
    attribute.value.cluster.x = 16;
    GIVES(CUDA_ERROR_INVALID_CLUSTER_SIZE, cuLaunchKernelEx(&config, ranks, one, nullptr));
    OK(cuFuncSetAttribute(ranks, CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1));
    OK(cuLaunchKernelEx(&config, ranks, one, nullptr));
    OK(cuMemcpyDtoH_v2(sums.data(), out.at, 64));
    THAT(sums[15] == 1615);
    // .reqntid asks for exactly 64 threads.
    config.blockDimX = 32;
    GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernelEx(&config, ranks, one, nullptr));

    int blocks = -1, grid = -1;
    OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, sum, 1024, 0));
    THAT(blocks == 2);
    OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, sum, 32, 0));
    THAT(blocks == 32);
    OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, sum, 1024, 60000));
    THAT(blocks == 0);
    OK(cuOccupancyMaxPotentialBlockSize(&grid, &blocks, axpy, nullptr, 0, 0));
    THAT(blocks == 256 && grid == 8 * 8);
}

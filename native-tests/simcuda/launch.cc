// Launches, and the limits that they are checked against.
#include "driver.h"

#include <algorithm>
#include <cstring>

namespace {
struct Shape {
    Dim grid, block, cluster{0, 0, 0};
    size_t shared = 0;
};

struct KernelWork final : Work {
    const HostKernel *kernel;
    Shape shape;
    std::vector<unsigned char> values;
    std::vector<void *> params;
    CUresult run() override {
        if (CUresult error = next_kernel()) {
            return error;
        }
        return execute(kernel, shape.grid, shape.block, shape.cluster, params.data(), shape.shared);
    }
    int type() const override { return 0; }
};

CUresult check_block(const Function &function, const Dim &block) {
    NEEDS(block.x > 0 && block.y > 0 && block.z > 0);
    NEEDS(block.x <= 1024 && block.y <= 1024 && block.z <= 64 && block.count() <= 1024);
    const Entry &entry = function.entry;
    if (block.count() > entry.max_threads) {
        return CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
    }
    const Dim &required = entry.required_block;
    if (required.count() > 0 && (block.x != required.x || block.y != required.y || block.z != required.z)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
}

// The cluster comes with the launch or with the kernel; both must agree.
CUresult check_cluster(const Function &function, Shape *shape) {
    Dim &cluster = shape->cluster;
    const Dim &own = function.entry.cluster;
    if (own.count() > 0) {
        if (cluster.count() > 0 && (cluster.x != own.x || cluster.y != own.y || cluster.z != own.z)) {
            return CUDA_ERROR_INVALID_CLUSTER_SIZE;
        }
        cluster = own;
    }
    if (cluster.count() == 0) {
        cluster = Dim{1, 1, 1};
        return CUDA_SUCCESS;
    }
    if (cluster.count() > 1 && settings.major < 9) {
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    unsigned most = function.big_clusters ? 16 : 8;
    if (function.entry.max_cluster) {
        most = std::min(most, function.entry.max_cluster);
    }
    bool divides = shape->grid.x % cluster.x == 0 && shape->grid.y % cluster.y == 0 && shape->grid.z % cluster.z == 0;
    return cluster.count() <= most && divides ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CLUSTER_SIZE;
}

CUresult check(const Function &function, Shape *shape) {
    const Dim &grid = shape->grid;
    NEEDS(grid.x > 0 && grid.y > 0 && grid.z > 0);
    NEEDS(grid.x <= 2147483647u && grid.y <= 65535 && grid.z <= 65535);
    if (CUresult error = check_block(function, shape->block)) {
        return error;
    }
    NEEDS(shape->shared <= (size_t) function.max_dynamic);
    return check_cluster(function, shape);
}

// Copies the values of the parameters, from pointers to each, or from one block of all of them.
CUresult take_params(const Function &function, void **kernel_params, void **extra, KernelWork *work) {
    const Entry &entry = function.entry;
    work->values.resize(entry.param_bytes + 8);
    auto *values = work->values.data();
    if (extra) {
        NEEDS(!kernel_params);
        const void *buffer = nullptr;
        size_t bytes = 0;
        for (void **at = extra; *at != CU_LAUNCH_PARAM_END; at += 2) {
            if (*at == CU_LAUNCH_PARAM_BUFFER_POINTER) {
                buffer = at[1];
            } else if (*at == CU_LAUNCH_PARAM_BUFFER_SIZE) {
                bytes = *static_cast<size_t *>(at[1]);
            } else {
                return CUDA_ERROR_INVALID_VALUE;
            }
        }
        NEEDS(entry.param_bytes == 0 || (buffer && bytes >= entry.param_bytes));
        memcpy(values, buffer, entry.param_bytes);
    } else if (!entry.params.empty()) {
        NEEDS(kernel_params);
        for (size_t i = 0; i < entry.params.size(); i++) {
            NEEDS(kernel_params[i]);
            memcpy(values + entry.params[i].offset, kernel_params[i], entry.params[i].bytes);
        }
    }
    for (const Param &param : entry.params) {
        work->params.push_back(values + param.offset);
    }
    return CUDA_SUCCESS;
}

CUresult launch(Context *context, CUfunction handle, Shape shape, CUstream where, void **params, void **extra,
        bool cooperative) {
    Locked held(state);
    Function *function = function_of(handle);
    if (!function || function->module->context != context) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (CUresult error = check(*function, &shape)) {
        return error;
    }
    // Blocks are run one after another: such a grid could not wait for itself.
    if (cooperative) {
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    auto work = std::make_shared<KernelWork>();
    work->kernel = function->kernel;
    work->shape = shape;
    if (CUresult error = take_params(*function, params, extra, work.get())) {
        return error;
    }
    return submit(stream, std::move(work), held);
}
} // namespace

API cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
        unsigned block_y, unsigned block_z, unsigned shared, CUstream stream, void **params, void **extra) {
    ENTER(cuLaunchKernel);
    Shape shape;
    shape.grid = {grid_x, grid_y, grid_z};
    shape.block = {block_x, block_y, block_z};
    shape.shared = shared;
    return launch(context, function, shape, stream, params, extra, false);
}

API cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **params, void **extra) {
    ENTER(cuLaunchKernelEx);
    NEEDS(config && (config->numAttrs == 0 || config->attrs));
    Shape shape;
    shape.grid = {config->gridDimX, config->gridDimY, config->gridDimZ};
    shape.block = {config->blockDimX, config->blockDimY, config->blockDimZ};
    shape.shared = config->sharedMemBytes;
    bool cooperative = false;
    for (unsigned i = 0; i < config->numAttrs; i++) {
        const CUlaunchAttribute &attribute = config->attrs[i];
        switch (attribute.id) {
            case CU_LAUNCH_ATTRIBUTE_IGNORE:
            case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
            case CU_LAUNCH_ATTRIBUTE_PRIORITY: break;
            case CU_LAUNCH_ATTRIBUTE_COOPERATIVE: cooperative = attribute.value.number != 0; break;
            case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
                shape.cluster = {attribute.value.cluster.x, attribute.value.cluster.y, attribute.value.cluster.z};
                if (shape.cluster.count() == 0) {
                    return CUDA_ERROR_INVALID_CLUSTER_SIZE;
                }
                break;
            default: return CUDA_ERROR_NOT_SUPPORTED;
        }
    }
    return launch(context, function, shape, config->hStream, params, extra, cooperative);
}

// ---- how many blocks fit, by threads, shared memory and blocks alone

static CUresult occupancy(int *blocks, CUfunction handle, int threads, size_t shared) {
    NEEDS(blocks && threads > 0 && threads <= 1024);
    Locked held(state);
    Function *function = function_of(handle);
    if (!function) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    size_t taken = function->entry.shared + shared + 1024;
    int by_threads = 2048 / ((threads + 31) / 32 * 32);
    int by_shared = (int) (233472 / taken);
    bool fits = threads <= (int) function->entry.max_threads && shared <= (size_t) function->max_dynamic;
    *blocks = fits ? std::min({32, by_threads, by_shared}) : 0;
    return CUDA_SUCCESS;
}

API cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int threads, size_t shared) {
    ENTER(cuOccupancyMaxActiveBlocksPerMultiprocessor);
    return occupancy(blocks, function, threads, shared);
}

API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
        int *blocks, CUfunction function, int threads, size_t shared, unsigned flags) {
    ENTER(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags);
    NEEDS(flags <= 1);
    return occupancy(blocks, function, threads, shared);
}

API cuOccupancyMaxPotentialBlockSize(
        int *grid, int *block, CUfunction handle, size_t (*shared_for)(int), size_t shared, int limit) {
    ENTER(cuOccupancyMaxPotentialBlockSize);
    NEEDS(grid && block && limit >= 0);
    int most = 0;
    {
        Locked held(state);
        Function *function = function_of(handle);
        if (!function) {
            return CUDA_ERROR_INVALID_HANDLE;
        }
        most = (int) function->entry.max_threads;
    }
    if (limit > 0) {
        most = std::min(most, limit);
    }
    *grid = *block = 0;
    int best = 0;
    for (int threads = most; threads > 0; threads -= threads % 32 ? threads % 32 : 32) {
        int blocks = 0;
        if (CUresult error = occupancy(&blocks, handle, threads, shared_for ? shared_for(threads) : shared)) {
            return error;
        }
        if (blocks * threads > best) {
            best = blocks * threads;
            *block = threads;
            *grid = blocks * settings.multiprocessors;
        }
    }
    return CUDA_SUCCESS;
}

API cuOccupancyAvailableDynamicSMemPerBlock(size_t *shared, CUfunction handle, int blocks, int threads) {
    ENTER(cuOccupancyAvailableDynamicSMemPerBlock);
    NEEDS(shared && blocks > 0 && blocks <= 32 && threads > 0 && threads <= 1024 && blocks * threads <= 2048);
    Locked held(state);
    Function *function = function_of(handle);
    if (!function) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    size_t each = (size_t) (233472 / blocks) - 1024;
    each = std::min(each, (size_t) 232448);
    *shared = each > function->entry.shared ? each - function->entry.shared : 0;
    return CUDA_SUCCESS;
}

API cuOccupancyMaxActiveClusters(int *clusters, CUfunction handle, const CUlaunchConfig *config) {
    ENTER(cuOccupancyMaxActiveClusters);
    NEEDS(clusters && config);
    unsigned size = 1;
    for (unsigned i = 0; i < config->numAttrs; i++) {
        if (config->attrs[i].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) {
            auto &c = config->attrs[i].value.cluster;
            size = c.x * c.y * c.z;
        }
    }
    NEEDS(size > 0 && size <= 16);
    int blocks = 0;
    int threads = (int) (config->blockDimX * config->blockDimY * config->blockDimZ);
    if (CUresult error = occupancy(&blocks, handle, threads, config->sharedMemBytes)) {
        return error;
    }
    *clusters = blocks * settings.multiprocessors / (int) size;
    return CUDA_SUCCESS;
}

// Modules: a text of PTX names kernels, which are found here by these names among those compiled for the host.
#include "driver.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>

namespace {
auto &modules = *new std::unordered_map<Module *, std::unique_ptr<Module>>();
// Of all modules: a launch looks its function up.
auto &functions = *new std::unordered_map<Function *, Module *>();

constexpr int STATIC_SHARED = 49152;
constexpr int OPTIN_SHARED = 232448;

Module *module_of(CUmodule handle) {
    auto at = modules.find(reinterpret_cast<Module *>(handle));
    return at == modules.end() ? nullptr : at->second.get();
}

void forget(Module *module) {
    for (auto &entry : module->functions) {
        functions.erase(entry.second.get());
    }
    modules.erase(module);
}

// ---- the log of the compiler, where the caller wants it

struct Log {
    void **buffer = nullptr, **size = nullptr;

    void write(const std::string &text) {
        if (!size) {
            return;
        }
        size_t room = reinterpret_cast<size_t>(*size);
        size_t n = 0;
        if (buffer && *buffer && room > 0) {
            n = std::min(text.size(), room - 1);
            memcpy(*buffer, text.data(), n);
            static_cast<char *>(*buffer)[n] = 0;
        }
        *size = reinterpret_cast<void *>(n);
    }
};

struct Options {
    Log info, error;
    void **wall = nullptr;

    void write(const std::string &errors, const std::string &infos) {
        error.write(errors);
        info.write(infos);
    }
};

CUresult read_options(unsigned n, const int *options, void **values, Options *result) {
    NEEDS(n == 0 || (options && values));
    for (unsigned i = 0; i < n; i++) {
        NEEDS(options[i] >= 0 && options[i] < CU_JIT_NUM_OPTIONS);
        switch (options[i]) {
            case CU_JIT_WALL_TIME: result->wall = &values[i]; break;
            case CU_JIT_INFO_LOG_BUFFER: result->info.buffer = &values[i]; break;
            case CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES: result->info.size = &values[i]; break;
            case CU_JIT_ERROR_LOG_BUFFER: result->error.buffer = &values[i]; break;
            case CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES: result->error.size = &values[i]; break;
            default: break;
        }
    }
    return CUDA_SUCCESS;
}

CUresult load(Context *context, CUmodule *result, const void *image, Options &options) {
    NEEDS(result && image);
    auto *bytes = static_cast<const unsigned char *>(image);
    unsigned magic = 0;
    // Texts end with a zero, and so may be shorter than four bytes.
    for (int i = 0; i < 4 && (i == 0 || bytes[i - 1]); i++) {
        magic |= (unsigned) bytes[i] << (8 * i);
    }
    if (magic == 0x464C457F || magic == 0xBA55ED50) {
        say("a module is machine code; only PTX can be loaded here");
        options.write("", "");
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    std::string text(static_cast<const char *>(image));
    if (text.find(".version") == std::string::npos) {
        options.write("", "");
        return CUDA_ERROR_INVALID_IMAGE;
    }
    auto start = std::chrono::steady_clock::now();
    auto module = std::make_unique<Module>();
    module->context = context;
    module->ptx = parse_ptx(text);
    std::chrono::duration<float, std::milli> took = std::chrono::steady_clock::now() - start;
    if (options.wall) {
        float milliseconds = took.count();
        memcpy(options.wall, &milliseconds, sizeof milliseconds);
    }
    options.write(module->ptx.error, "ptxas info    : " + std::to_string(module->ptx.entries.size()) + " entries");
    if (module->ptx.result) {
        return module->ptx.result;
    }
    Locked held(state);
    if (CUresult error = refuse_unsafe(context)) {
        return error;
    }
    *result = reinterpret_cast<CUmodule>(module.get());
    modules[module.get()] = std::move(module);
    return CUDA_SUCCESS;
}

const Entry *entry_of(const Module &module, const char *name) {
    for (const Entry &entry : module.ptx.entries) {
        if (entry.name == name) {
            return &entry;
        }
    }
    return nullptr;
}

CUresult function(Module *module, const char *name, Function **result) {
    auto &known = module->functions[name];
    if (!known) {
        const Entry *entry = entry_of(*module, name);
        const HostKernel *kernel = entry ? find_kernel(name) : nullptr;
        if (!entry || !kernel || !same_params(kernel, *entry)) {
            module->functions.erase(name);
            if (entry && !kernel) {
                say("the module has an entry '%s', but no kernel of that name is compiled for the host", name);
            }
            return CUDA_ERROR_NOT_FOUND;
        }
        known = std::make_unique<Function>();
        known->module = module;
        known->entry = *entry;
        known->kernel = kernel;
        known->ptx_version = module->ptx.target;
        known->binary_version = settings.major * 10 + settings.minor;
        known->max_dynamic = STATIC_SHARED - (int) std::min(entry->shared, (size_t) STATIC_SHARED);
        functions[known.get()] = module;
    }
    *result = known.get();
    return CUDA_SUCCESS;
}
} // namespace

Function *function_of(CUfunction handle) {
    auto *function = reinterpret_cast<Function *>(handle);
    return functions.count(function) ? function : nullptr;
}

void forget_modules(Context *context) {
    std::vector<Module *> gone;
    for (auto &entry : modules) {
        if (entry.second->context == context) {
            gone.push_back(entry.first);
        }
    }
    for (Module *module : gone) {
        forget(module);
    }
}

size_t count_modules() { return modules.size(); }

// ---- the calls

API cuModuleLoadData(CUmodule *result, const void *image) {
    ENTER(cuModuleLoadData);
    Options none;
    return load(context, result, image, none);
}

API cuModuleLoadDataEx(CUmodule *result, const void *image, unsigned n, int *options, void **values) {
    ENTER(cuModuleLoadDataEx);
    Options wanted;
    if (CUresult error = read_options(n, options, values, &wanted)) {
        return error;
    }
    return load(context, result, image, wanted);
}

API cuModuleLoad(CUmodule *result, const char *file) {
    ENTER(cuModuleLoad);
    NEEDS(result && file);
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        return CUDA_ERROR_FILE_NOT_FOUND;
    }
    std::stringstream text;
    text << in.rdbuf();
    Options none;
    return load(context, result, text.str().c_str(), none);
}

API cuModuleUnload(CUmodule handle) {
    ENTER(cuModuleUnload);
    Locked held(state);
    Module *module = module_of(handle);
    if (!module) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    wait_for_context(module->context, held);
    forget(module);
    return context->error;
}

API cuModuleGetLoadingMode(int *mode) {
    DRIVER(cuModuleGetLoadingMode);
    NEEDS(mode);
    *mode = 2;
    return CUDA_SUCCESS;
}

API cuModuleGetFunction(CUfunction *result, CUmodule handle, const char *name) {
    ENTER(cuModuleGetFunction);
    NEEDS(result && name);
    Locked held(state);
    Module *module = module_of(handle);
    if (!module) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    Function *found;
    if (CUresult error = function(module, name, &found)) {
        return error;
    }
    *result = reinterpret_cast<CUfunction>(found);
    return CUDA_SUCCESS;
}

API cuModuleGetFunctionCount(unsigned *count, CUmodule handle) {
    ENTER(cuModuleGetFunctionCount);
    NEEDS(count);
    Locked held(state);
    Module *module = module_of(handle);
    if (!module) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    *count = (unsigned) module->ptx.entries.size();
    return CUDA_SUCCESS;
}

API cuModuleGetGlobal_v2(CUdeviceptr *, size_t *, CUmodule handle, const char *name) {
    ENTER(cuModuleGetGlobal_v2);
    NEEDS(name);
    Locked held(state);
    Module *module = module_of(handle);
    if (!module) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    auto &globals = module->ptx.globals;
    // The kernels of the host would not see the memory that the answer names.
    return std::find(globals.begin(), globals.end(), name) == globals.end() ? CUDA_ERROR_NOT_FOUND
                                                                            : CUDA_ERROR_NOT_SUPPORTED;
}

#define FUNCTION(handle) \
    Locked held(state); \
    Function *function = function_of(handle); \
    if (!function) return CUDA_ERROR_INVALID_HANDLE

API cuFuncGetModule(CUmodule *result, CUfunction handle) {
    ENTER(cuFuncGetModule);
    NEEDS(result);
    FUNCTION(handle);
    *result = reinterpret_cast<CUmodule>(function->module);
    return CUDA_SUCCESS;
}

API cuFuncGetName(const char **name, CUfunction handle) {
    ENTER(cuFuncGetName);
    NEEDS(name);
    FUNCTION(handle);
    *name = function->entry.name.c_str();
    return CUDA_SUCCESS;
}

API cuFuncGetParamInfo(CUfunction handle, size_t number, size_t *offset, size_t *bytes) {
    ENTER(cuFuncGetParamInfo);
    NEEDS(offset);
    FUNCTION(handle);
    NEEDS(number < function->entry.params.size());
    *offset = function->entry.params[number].offset;
    if (bytes) {
        *bytes = function->entry.params[number].bytes;
    }
    return CUDA_SUCCESS;
}

API cuFuncGetAttribute(int *value, int which, CUfunction handle) {
    ENTER(cuFuncGetAttribute);
    NEEDS(value);
    FUNCTION(handle);
    switch (which) {
        case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = (int) function->entry.max_threads; break;
        case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: *value = (int) function->entry.shared; break;
        case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES: *value = 0; break;
        case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES: *value = 0; break;
        case CU_FUNC_ATTRIBUTE_NUM_REGS: *value = 32; break;
        case CU_FUNC_ATTRIBUTE_PTX_VERSION: *value = function->ptx_version; break;
        case CU_FUNC_ATTRIBUTE_BINARY_VERSION: *value = function->binary_version; break;
        case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA: *value = 0; break;
        case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: *value = function->max_dynamic; break;
        case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT: *value = function->carveout; break;
        case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET: *value = 0; break;
        case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH: *value = (int) function->entry.cluster.x; break;
        case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT: *value = (int) function->entry.cluster.y; break;
        case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH: *value = (int) function->entry.cluster.z; break;
        case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED: *value = function->big_clusters; break;
        case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE: *value = function->policy; break;
        default: return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
}

API cuFuncSetAttribute(CUfunction handle, int which, int value) {
    ENTER(cuFuncSetAttribute);
    FUNCTION(handle);
    switch (which) {
        case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
            NEEDS(value >= 0 && value <= OPTIN_SHARED - (int) function->entry.shared);
            function->max_dynamic = value;
            return CUDA_SUCCESS;
        case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
            NEEDS(value >= -1 && value <= 100);
            function->carveout = value;
            return CUDA_SUCCESS;
        case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
            NEEDS(settings.major >= 9);
            function->big_clusters = value != 0;
            return CUDA_SUCCESS;
        case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
            NEEDS(value >= 0 && value <= 2);
            function->policy = value;
            return CUDA_SUCCESS;
        default: return CUDA_ERROR_INVALID_VALUE;
    }
}

API cuFuncSetCacheConfig(CUfunction handle, int config) {
    ENTER(cuFuncSetCacheConfig);
    NEEDS(config >= 0 && config <= 3);
    FUNCTION(handle);
    return CUDA_SUCCESS;
}

API cuFuncSetSharedMemConfig(CUfunction handle, int config) {
    ENTER(cuFuncSetSharedMemConfig);
    NEEDS(config >= 0 && config <= 2);
    FUNCTION(handle);
    return CUDA_SUCCESS;
}

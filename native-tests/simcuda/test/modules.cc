#include "test.h"

#include <cstdio>

static CUresult load(const std::string &text, std::string *log = nullptr) {
    char error[300] = "?";
    int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void *values[] = {error, (void *) sizeof error};
    CUmodule module = nullptr;
    CUresult result = cuModuleLoadDataEx(&module, text.c_str(), 2, options, values);
    THAT((size_t) values[1] == strlen(error));
    if (log) {
        *log = error;
    }
    if (!result) {
        OK(cuModuleUnload(module));
    }
    return result;
}

static std::string replaced(std::string text, const std::string &what, const std::string &by) {
    text.replace(text.find(what), what.size(), by);
    return text;
}

void test_modules() {
    Session session;
    std::string log;
    GIVES(CUDA_ERROR_INVALID_IMAGE, load("no program"));
    GIVES(CUDA_ERROR_INVALID_IMAGE, load(""));
    GIVES(CUDA_ERROR_NO_BINARY_FOR_GPU, load("\x7f" "ELF"));
    GIVES(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, load(replaced(probes(), ".version 7.8", ".version 9.0"), &log));
    check::contains(log, "PTX 9.0 is newer than this driver's 8.5");
    GIVES(CUDA_ERROR_INVALID_PTX, load(replaced(probes(), "sm_80", "sm_100"), &log));
    check::contains(log, "sm_100");
    GIVES(CUDA_ERROR_INVALID_PTX, load(replaced(probes(), "sm_80", "sm_80a")));
    OK(load(replaced(probes(), "sm_80", "sm_90a")));
    GIVES(CUDA_ERROR_INVALID_PTX, load(replaced(probes(), "ret; }", "ret; "), &log));
    check::contains(log, "does not end");
    GIVES(CUDA_ERROR_INVALID_PTX, load(replaced(probes(), ".param .f64", ".parm .f64"), &log));
    check::contains(log, "line 15; fatal: '.param' was expected");
    OK(load(probes(), &log));
    THAT(log.empty());
    // A buffer that is too small is filled as far as it goes.
    char small[8];
    int options[] = {CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_ERROR_LOG_BUFFER};
    void *values[] = {(void *) sizeof small, small};
    CUmodule module;
    GIVES(CUDA_ERROR_INVALID_PTX,
            cuModuleLoadDataEx(&module, replaced(probes(), "sm_80", "sm_100").c_str(), 2, options, values));
    THAT(std::string(small) == "ptxas a" && (size_t) values[0] == 7);
    GIVES(CUDA_ERROR_FILE_NOT_FOUND, cuModuleLoad(&module, "no/such/file.ptx"));

    OK(cuModuleLoadData(&module, probes().c_str()));
    THAT(simcuda_live_modules() == 1);
    CUfunction function = nullptr, same = nullptr;
    GIVES(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&function, module, "simcuda_nothing"));
    // Declared, but no kernel of that name is compiled for the host.
    GIVES(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&function, module, "simcuda_missing"));
    OK(cuModuleGetFunction(&function, module, "simcuda_axpy"));
    OK(cuModuleGetFunction(&same, module, "simcuda_axpy"));
    THAT(function == same);
    CUdeviceptr at;
    size_t size;
    GIVES(CUDA_ERROR_NOT_FOUND, cuModuleGetGlobal_v2(&at, &size, module, "nothing"));
    GIVES(CUDA_ERROR_NOT_SUPPORTED, cuModuleGetGlobal_v2(&at, &size, module, "simcuda_table"));

    auto get = [&](int which) {
        int value = -1;
        OK(cuFuncGetAttribute(&value, which, function));
        return value;
    };
    THAT(get(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK) == 256);
    THAT(get(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES) == 4000);
    THAT(get(CU_FUNC_ATTRIBUTE_PTX_VERSION) == 80 && get(CU_FUNC_ATTRIBUTE_BINARY_VERSION) == 90);
    THAT(get(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES) == 0);
    int value;
    GIVES(CUDA_ERROR_INVALID_VALUE, cuFuncGetAttribute(&value, 99, function));
    GIVES(CUDA_ERROR_INVALID_VALUE, cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_NUM_REGS, 3));
    int all = 227 * 1024 - 4000;
    GIVES(CUDA_ERROR_INVALID_VALUE,
            cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, all + 1));
    OK(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, all));
    THAT(get(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) == all);
    size_t offset = 0;
    OK(cuFuncGetParamInfo(function, 3, &offset, &size));
    THAT(offset == 24 && size == 4);
    GIVES(CUDA_ERROR_INVALID_VALUE, cuFuncGetParamInfo(function, 4, &offset, &size));

    OK(cuModuleUnload(module));
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuModuleUnload(module));
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuFuncGetAttribute(&value, 0, function));
    GIVES(CUDA_ERROR_INVALID_HANDLE, cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
    // Parameters that are not those of the kernel compiled for the host.
    OK(cuModuleLoadData(&module, replaced(probes(), ".param .f64", ".param .f32").c_str()));
    GIVES(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&function, module, "simcuda_axpy"));
    OK(cuModuleUnload(module));
}

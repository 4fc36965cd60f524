// Finding functions by name, for programs that bind them one by one.
#include "driver.h"

#include <dlfcn.h>

#include <cstring>

namespace {
// This library and no other, whatever else the process has loaded.
void *own_symbol(const std::string &name) {
    static void *self = [] {
        Dl_info info;
        return dladdr(reinterpret_cast<void *>(&own_symbol), &info) ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD)
                                                                    : nullptr;
    }();
    return self ? dlsym(self, name.c_str()) : nullptr;
}

// The newest version of a function. The versions before CUDA 4 took addresses of 32 bits.
void *newest(const std::string &name) {
    for (const char *suffix : {"_v4", "_v3", "_v2", ""}) {
        // These need arguments that older callers do not give; who wants them names them.
        if ((name == "cuCtxCreate" || name == "cuGraphInstantiate") && strcmp(suffix, "_v2") != 0) {
            continue;
        }
        if (void *found = own_symbol(name + suffix)) {
            return found;
        }
    }
    return nullptr;
}
} // namespace

API cuGetProcAddress_v2(const char *symbol, void **function, int version, unsigned long long flags, int *status) {
    ANY(cuGetProcAddress_v2);
    NEEDS(symbol && function && flags <= 2);
    *function = version > settings.driver ? nullptr : newest(symbol);
    if (status) {
        *status = *function ? 0 : version > settings.driver ? 2 : 1;
    }
    return *function || status ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

API cuGetProcAddress(const char *symbol, void **function, int version, unsigned long long flags) {
    ANY(cuGetProcAddress);
    NEEDS(symbol && function && flags <= 2);
    *function = version > settings.driver ? nullptr : newest(symbol);
    return *function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

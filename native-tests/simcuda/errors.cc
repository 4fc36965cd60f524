// Names and texts of errors.
#include "driver.h"

namespace {
struct Known {
    CUresult code;
    const char *name, *text;
};
const Known KNOWN[] = {
#define ERROR(code, name, text) {code, #name, text},
#include "errors.inc"
#undef ERROR
};

const Known *known(CUresult code) {
    for (const Known &one : KNOWN) {
        if (one.code == code) {
            return &one;
        }
    }
    return nullptr;
}
} // namespace

API cuGetErrorName(CUresult error, const char **name) {
    ANY(cuGetErrorName);
    NEEDS(name);
    const Known *one = known(error);
    *name = one ? one->name : nullptr;
    return one ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

API cuGetErrorString(CUresult error, const char **text) {
    ANY(cuGetErrorString);
    NEEDS(text);
    const Known *one = known(error);
    *text = one ? one->text : nullptr;
    return one ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

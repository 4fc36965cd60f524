// Copies and fills. Ranges of device memory are checked when the call is made; the copy runs in its stream.
#include "driver.h"

#include <cstring>

namespace {
enum class Side { HOST, DEVICE, ANY };

struct Place {
    unsigned char *at;
    bool device;
    bool pinned;
};

// Whether a pointer may be used as `side` says for so many bytes.
CUresult locate(CUdeviceptr address, size_t bytes, Side side, Place *place) {
    Allocation *a = allocation_at(address);
    place->at = reinterpret_cast<unsigned char *>(address);
    place->device = a && (a->kind == Kind::DEVICE || a->kind == Kind::MANAGED);
    place->pinned = a != nullptr;
    if (a && bytes > a->bytes - (address - a->base)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (side == Side::DEVICE && !a) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    // The device's own memory is no host memory: only here would it seem to work.
    if (side == Side::HOST && (!address || (a && a->kind == Kind::DEVICE))) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    return address ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

struct Copy final : Work {
    unsigned char *to;
    const unsigned char *from;
    size_t bytes;
    std::vector<unsigned char> staged;
    CUresult run() override {
        memmove(to, staged.empty() ? from : staged.data(), bytes);
        return CUDA_SUCCESS;
    }
    int type() const override { return 1; }
};

constexpr size_t STAGED = size_t(1) << 26;

CUresult copy(Context *context, CUdeviceptr to, Side to_side, CUdeviceptr from, Side from_side, size_t bytes,
        CUstream where, bool wait) {
    if (bytes == 0) {
        return CUDA_SUCCESS;
    }
    Locked held(state);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    Place source, target;
    if (CUresult error = locate(to, bytes, to_side, &target)) {
        return error;
    }
    if (CUresult error = locate(from, bytes, from_side, &source)) {
        return error;
    }
    auto work = std::make_shared<Copy>();
    work->to = target.at;
    work->from = source.at;
    work->bytes = bytes;
    if (wait) {
        if (CUresult error = refuse_unsafe(context)) {
            return error;
        }
        return submit_and_wait(stream, std::move(work), held);
    }
    if (stream->capture) {
        return submit(stream, std::move(work), held);
    }
    // Memory that is not pinned is read before the call returns; what is written to it is there when the call returns.
    if (!target.device && !target.pinned) {
        return submit_and_wait(stream, std::move(work), held);
    }
    if (!source.device && !source.pinned) {
        if (bytes > STAGED) {
            return submit_and_wait(stream, std::move(work), held);
        }
        work->staged.assign(source.at, source.at + bytes);
    }
    return submit(stream, std::move(work), held);
}

CUdeviceptr address(const void *p) { return reinterpret_cast<uintptr_t>(p); }

struct Fill final : Work {
    unsigned char *to;
    size_t pitch, width, height;
    unsigned value;
    unsigned size;
    CUresult run() override {
        for (size_t row = 0; row < height; row++) {
            unsigned char *at = to + row * pitch;
            if (size == 1) {
                memset(at, (int) value, width);
                continue;
            }
            for (size_t i = 0; i < width; i++) {
                memcpy(at + i * size, &value, size);
            }
        }
        return CUDA_SUCCESS;
    }
    int type() const override { return 2; }
};

CUresult fill(Context *context, CUdeviceptr to, size_t pitch, unsigned value, unsigned size, size_t width,
        size_t height, CUstream where, bool wait) {
    if (width == 0 || height == 0) {
        return CUDA_SUCCESS;
    }
    NEEDS(to % size == 0 && (height == 1 || pitch >= width * size));
    Locked held(state);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    size_t rows = 0, bytes = 0;
    NEEDS(!__builtin_mul_overflow(width, (size_t) size, &bytes));
    NEEDS(!__builtin_mul_overflow(height - 1, pitch, &rows) && !__builtin_add_overflow(rows, bytes, &bytes));
    Place target;
    if (CUresult error = locate(to, bytes, Side::DEVICE, &target)) {
        return error;
    }
    auto work = std::make_shared<Fill>();
    work->to = target.at;
    work->pitch = pitch;
    work->width = width;
    work->height = height;
    work->value = value;
    work->size = size;
    // A fill without a stream of its own does not wait for the device; it runs in the default stream.
    if (wait && stream->legacy) {
        if (CUresult error = refuse_unsafe(context)) {
            return error;
        }
    }
    return submit(stream, std::move(work), held);
}
} // namespace

// ---- from and to the host, and within devices

#define COPY(name, params, to, to_side, from, from_side, where, wait) \
    API name params { \
        ENTER(name); \
        return copy(context, to, Side::to_side, from, Side::from_side, bytes, where, wait); \
    }
COPY(cuMemcpyHtoD_v2, (CUdeviceptr to, const void *from, size_t bytes), to, DEVICE, address(from), HOST, nullptr, true)
COPY(cuMemcpyDtoH_v2, (void *to, CUdeviceptr from, size_t bytes), address(to), HOST, from, DEVICE, nullptr, true)
COPY(cuMemcpy, (CUdeviceptr to, CUdeviceptr from, size_t bytes), to, ANY, from, ANY, nullptr, true)
COPY(cuMemcpyHtoDAsync_v2, (CUdeviceptr to, const void *from, size_t bytes, CUstream where), to, DEVICE,
        address(from), HOST, where, false)
COPY(cuMemcpyDtoHAsync_v2, (void *to, CUdeviceptr from, size_t bytes, CUstream where), address(to), HOST, from,
        DEVICE, where, false)
COPY(cuMemcpyAsync, (CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream where), to, ANY, from, ANY, where, false)
// Within the device nobody waits for a copy, not even for the one without a stream.
COPY(cuMemcpyDtoD_v2, (CUdeviceptr to, CUdeviceptr from, size_t bytes), to, DEVICE, from, DEVICE, nullptr, false)
COPY(cuMemcpyDtoDAsync_v2, (CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream where), to, DEVICE, from, DEVICE,
        where, false)

// Between contexts: both ends must be the memory they are said to be. What the other context has queued before is done
// before.
static CUresult copy_peer(Context *context, CUdeviceptr to, CUcontext to_context, CUdeviceptr from,
        CUcontext from_context, size_t bytes, CUstream where, bool wait) {
    {
        Locked held(state);
        Allocation *target = allocation_at(to), *source = allocation_at(from);
        NEEDS(bytes == 0 || (target && source));
        NEEDS(bytes == 0
                || (target->context == reinterpret_cast<Context *>(to_context)
                        && source->context == reinterpret_cast<Context *>(from_context)));
    }
    return copy(context, to, Side::DEVICE, from, Side::DEVICE, bytes, where, wait);
}

API cuMemcpyPeer(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context, size_t bytes) {
    ENTER(cuMemcpyPeer);
    return copy_peer(context, to, to_context, from, from_context, bytes, nullptr, true);
}

API cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_context, CUdeviceptr from, CUcontext from_context, size_t bytes,
        CUstream where) {
    ENTER(cuMemcpyPeerAsync);
    return copy_peer(context, to, to_context, from, from_context, bytes, where, false);
}

// ---- rectangles

namespace {
struct Rectangle final : Work {
    unsigned char *to;
    const unsigned char *from;
    size_t to_pitch, from_pitch, width, height;
    CUresult run() override {
        for (size_t row = 0; row < height; row++) {
            memmove(to + row * to_pitch, from + row * from_pitch, width);
        }
        return CUDA_SUCCESS;
    }
    int type() const override { return 1; }
};

CUresult side_of(int type, Side *side) {
    switch (type) {
        case CU_MEMORYTYPE_HOST: *side = Side::HOST; return CUDA_SUCCESS;
        case CU_MEMORYTYPE_DEVICE: *side = Side::DEVICE; return CUDA_SUCCESS;
        case CU_MEMORYTYPE_UNIFIED: *side = Side::ANY; return CUDA_SUCCESS;
        default: return CUDA_ERROR_NOT_SUPPORTED;
    }
}

CUresult copy_2d(Context *context, const CUDA_MEMCPY2D *c, CUstream where, bool wait) {
    NEEDS(c);
    if (c->WidthInBytes == 0 || c->Height == 0) {
        return CUDA_SUCCESS;
    }
    Side to_side, from_side;
    if (CUresult error = side_of(c->dstMemoryType, &to_side)) {
        return error;
    }
    if (CUresult error = side_of(c->srcMemoryType, &from_side)) {
        return error;
    }
    size_t to_pitch = c->dstPitch ? c->dstPitch : c->WidthInBytes;
    size_t from_pitch = c->srcPitch ? c->srcPitch : c->WidthInBytes;
    NEEDS(to_pitch >= c->WidthInBytes + c->dstXInBytes && from_pitch >= c->WidthInBytes + c->srcXInBytes);
    CUdeviceptr to = (to_side == Side::HOST ? address(c->dstHost) : c->dstDevice) + c->dstY * to_pitch + c->dstXInBytes;
    CUdeviceptr from =
            (from_side == Side::HOST ? address(c->srcHost) : c->srcDevice) + c->srcY * from_pitch + c->srcXInBytes;
    Locked held(state);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    Place target, source;
    if (CUresult error = locate(to, (c->Height - 1) * to_pitch + c->WidthInBytes, to_side, &target)) {
        return error;
    }
    if (CUresult error = locate(from, (c->Height - 1) * from_pitch + c->WidthInBytes, from_side, &source)) {
        return error;
    }
    auto work = std::make_shared<Rectangle>();
    work->to = target.at;
    work->from = source.at;
    work->to_pitch = to_pitch;
    work->from_pitch = from_pitch;
    work->width = c->WidthInBytes;
    work->height = c->Height;
    if (!stream->capture && (wait || !target.pinned || !source.pinned)) {
        return submit_and_wait(stream, std::move(work), held);
    }
    return submit(stream, std::move(work), held);
}
} // namespace

API cuMemcpy2D_v2(const CUDA_MEMCPY2D *c) {
    ENTER(cuMemcpy2D_v2);
    return copy_2d(context, c, nullptr, true);
}

API cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D *c) {
    ENTER(cuMemcpy2DUnaligned_v2);
    return copy_2d(context, c, nullptr, true);
}

API cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *c, CUstream where) {
    ENTER(cuMemcpy2DAsync_v2);
    return copy_2d(context, c, where, false);
}

// ---- fills

API cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t n) {
    ENTER(cuMemsetD8_v2);
    return fill(context, to, 0, value, 1, n, 1, nullptr, true);
}

API cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t n) {
    ENTER(cuMemsetD16_v2);
    return fill(context, to, 0, value, 2, n, 1, nullptr, true);
}

API cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t n) {
    ENTER(cuMemsetD32_v2);
    return fill(context, to, 0, value, 4, n, 1, nullptr, true);
}

API cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t n, CUstream where) {
    ENTER(cuMemsetD8Async);
    return fill(context, to, 0, value, 1, n, 1, where, false);
}

API cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t n, CUstream where) {
    ENTER(cuMemsetD16Async);
    return fill(context, to, 0, value, 2, n, 1, where, false);
}

API cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t n, CUstream where) {
    ENTER(cuMemsetD32Async);
    return fill(context, to, 0, value, 4, n, 1, where, false);
}

API cuMemsetD2D8_v2(CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height) {
    ENTER(cuMemsetD2D8_v2);
    return fill(context, to, pitch, value, 1, width, height, nullptr, true);
}

API cuMemsetD2D32_v2(CUdeviceptr to, size_t pitch, unsigned value, size_t width, size_t height) {
    ENTER(cuMemsetD2D32_v2);
    return fill(context, to, pitch, value, 4, width, height, nullptr, true);
}

API cuMemsetD2D8Async(CUdeviceptr to, size_t pitch, unsigned char value, size_t width, size_t height, CUstream where) {
    ENTER(cuMemsetD2D8Async);
    return fill(context, to, pitch, value, 1, width, height, where, false);
}

API cuMemsetD2D32Async(CUdeviceptr to, size_t pitch, unsigned value, size_t width, size_t height, CUstream where) {
    ENTER(cuMemsetD2D32Async);
    return fill(context, to, pitch, value, 4, width, height, where, false);
}

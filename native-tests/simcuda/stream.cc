// Streams: queues with threads, and the order between them.
#include "driver.h"

#include <algorithm>
#include <chrono>
#include <unistd.h>

namespace {
unsigned long long next_stream = 1;

// The stream of a thread of its own that the handle 2 means.
thread_local std::map<unsigned long long, std::shared_ptr<Stream>> own_streams;

void push_wait(Stream &stream, const std::shared_ptr<Stream> &other) {
    uint64_t position = other->submitted();
    if (!other->done(position)) {
        stream.push(work([other, position] {
            other->wait(position);
            return CUDA_SUCCESS;
        }));
    }
}
} // namespace

// ---- the queue

Stream::Stream(Context *context, unsigned flags, int priority)
        : context(context), flags(flags), priority(priority), id(next_stream++) {}

Stream::~Stream() {
    {
        Locked held(lock);
        stopping = true;
        more.notify_all();
    }
    if (worker.joinable()) {
        worker.join();
    }
}

uint64_t Stream::push(WorkPtr work) {
    Locked held(lock);
    if (!worker.joinable()) {
        worker = std::thread([this] { loop(); });
    }
    queue.push_back(std::move(work));
    uint64_t position = ++pushed;
    if (asleep) {
        more.notify_one();
    }
    return position;
}

void Stream::loop() {
    Locked held(lock);
    while (true) {
        while (queue.empty() || running) {
            if (stopping && queue.empty()) {
                return;
            }
            asleep = true;
            more.wait(held);
            asleep = false;
        }
        run(held);
    }
}

// Runs the first piece of work without the lock.
void Stream::run(Locked &held) {
    running = true;
    WorkPtr work = std::move(queue.front());
    queue.pop_front();
    held.unlock();
    if (settings.delay > 0) {
        usleep((useconds_t) settings.delay);
    }
    if (!context->error || work->always()) {
        if (CUresult error = work->run()) {
            context->lose(error);
        }
    }
    work = nullptr;
    held.lock();
    running = false;
    ++finished;
    if (waiting > 0) {
        progress.notify_all();
    }
}

void Stream::wait(uint64_t position) {
    if (done(position)) {
        return;
    }
    Locked held(lock);
    while (!done(position)) {
        if (!running && !queue.empty()) {
            run(held);
        } else {
            waiting++;
            progress.wait(held);
            waiting--;
        }
    }
    if (!queue.empty() && !running && asleep) {
        more.notify_one();
    }
}

// ---- submitting

std::shared_ptr<Stream> stream_of(CUstream handle, Context *context) {
    auto value = reinterpret_cast<uintptr_t>(handle);
    if (value <= 1) {
        return context->legacy;
    }
    if (value == 2) {
        auto &own = own_streams[context->id];
        if (!own || own->destroyed) {
            own = std::make_shared<Stream>(context, 0, 0);
            context->streams.push_back(own);
        }
        return own;
    }
    for (auto &stream : context->streams) {
        if (stream.get() == reinterpret_cast<Stream *>(handle)) {
            return stream;
        }
    }
    return nullptr;
}

// The default stream and the streams that are not non-blocking wait for each other.
static CUresult push_order(const std::shared_ptr<Stream> &stream) {
    Context *context = stream->context;
    if (stream->legacy) {
        for (auto &other : context->streams) {
            if (other->blocking() && other->capture) {
                return other->capture->refuse(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
            }
        }
        for (auto &other : context->streams) {
            if (other->blocking()) {
                push_wait(*stream, other);
            }
        }
    } else if (stream->blocking()) {
        push_wait(*stream, context->legacy);
    }
    return CUDA_SUCCESS;
}

CUresult submit(const std::shared_ptr<Stream> &stream, WorkPtr work, Locked &) {
    if (auto &capture = stream->capture) {
        if (capture->broken) {
            return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        }
        stream->before.resize(capture->nodes.size(), false);
        stream->before.push_back(true);
        capture->nodes.push_back(std::move(work));
        return CUDA_SUCCESS;
    }
    if (CUresult error = push_order(stream)) {
        return error;
    }
    stream->push(std::move(work));
    return CUDA_SUCCESS;
}

CUresult submit_and_wait(const std::shared_ptr<Stream> &stream, WorkPtr work, Locked &held) {
    if (CUresult error = refuse_capture(stream.get())) {
        return error;
    }
    if (CUresult error = push_order(stream)) {
        return error;
    }
    uint64_t position = stream->push(std::move(work));
    Context *context = stream->context;
    held.unlock();
    stream->wait(position);
    held.lock();
    return context->error;
}

void wait_for_context(Context *context, Locked &held) {
    auto streams = context->all_streams();
    std::vector<uint64_t> positions;
    for (auto &stream : streams) {
        positions.push_back(stream->submitted());
    }
    held.unlock();
    for (size_t i = 0; i < streams.size(); i++) {
        streams[i]->wait(positions[i]);
    }
    streams.clear();
    held.lock();
}

size_t count_streams() {
    size_t n = 0;
    for (auto &device : devices) {
        n += device->primary ? device->primary->streams.size() : 0;
    }
    return n;
}

// ---- the calls

static CUresult create(Context *context, CUstream *result, unsigned flags, int priority) {
    NEEDS(result && !(flags & ~CU_STREAM_NON_BLOCKING));
    Locked held(state);
    auto stream = std::make_shared<Stream>(context, flags, std::max(-5, std::min(0, priority)));
    context->streams.push_back(stream);
    *result = reinterpret_cast<CUstream>(stream.get());
    return CUDA_SUCCESS;
}

API cuStreamCreate(CUstream *result, unsigned flags) {
    ENTER(cuStreamCreate);
    return create(context, result, flags, 0);
}

API cuStreamCreateWithPriority(CUstream *result, unsigned flags, int priority) {
    ENTER(cuStreamCreateWithPriority);
    return create(context, result, flags, priority);
}

API cuStreamDestroy_v2(CUstream handle) {
    ENTER(cuStreamDestroy_v2);
    std::shared_ptr<Stream> stream;
    {
        Locked held(state);
        stream = reinterpret_cast<uintptr_t>(handle) > 2 ? stream_of(handle, context) : nullptr;
        if (!stream) {
            return CUDA_ERROR_INVALID_HANDLE;
        }
        if (stream->capture) {
            stream->capture->broken = true;
        }
        auto &all = context->streams;
        all.erase(std::find(all.begin(), all.end(), stream));
        stream->destroyed = true;
    }
    stream->wait();
    return CUDA_SUCCESS;
}

#define STREAM(handle) \
    Locked held(state); \
    auto stream = stream_of(handle, context); \
    if (!stream) return CUDA_ERROR_INVALID_HANDLE

API cuStreamQuery(CUstream handle) {
    ENTER(cuStreamQuery);
    STREAM(handle);
    if (CUresult error = refuse_capture(stream.get())) {
        return error;
    }
    bool idle = stream->idle();
    if (stream->legacy) {
        for (auto &other : context->streams) {
            idle = idle && (!other->blocking() || other->idle());
        }
    }
    return context->error ? context->error.load() : idle ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

API cuStreamSynchronize(CUstream handle) {
    ENTER(cuStreamSynchronize);
    STREAM(handle);
    if (CUresult error = refuse_capture(stream.get())) {
        return error;
    }
    std::vector<std::shared_ptr<Stream>> all{stream};
    if (stream->legacy) {
        for (auto &other : context->streams) {
            if (other->blocking()) {
                all.push_back(other);
            }
        }
    }
    held.unlock();
    for (auto &one : all) {
        one->wait();
    }
    return context->error;
}

API cuStreamGetCtx(CUstream handle, CUcontext *result) {
    ENTER(cuStreamGetCtx);
    NEEDS(result);
    STREAM(handle);
    *result = reinterpret_cast<CUcontext>(stream->context);
    return CUDA_SUCCESS;
}

API cuStreamGetFlags(CUstream handle, unsigned *flags) {
    ENTER(cuStreamGetFlags);
    NEEDS(flags);
    STREAM(handle);
    *flags = stream->flags;
    return CUDA_SUCCESS;
}

API cuStreamGetPriority(CUstream handle, int *priority) {
    ENTER(cuStreamGetPriority);
    NEEDS(priority);
    STREAM(handle);
    *priority = stream->priority;
    return CUDA_SUCCESS;
}

API cuStreamGetId(CUstream handle, unsigned long long *id) {
    ENTER(cuStreamGetId);
    NEEDS(id);
    STREAM(handle);
    *id = stream->id;
    return CUDA_SUCCESS;
}

API cuLaunchHostFunc(CUstream handle, CUhostFn function, void *data) {
    ENTER(cuLaunchHostFunc);
    NEEDS(function);
    STREAM(handle);
    return submit(stream, work([function, data] {
                      function(data);
                      return CUDA_SUCCESS;
                  }),
            held);
}

API cuStreamAddCallback(CUstream handle, CUstreamCallback callback, void *data, unsigned flags) {
    ENTER(cuStreamAddCallback);
    NEEDS(callback && flags == 0);
    STREAM(handle);
    if (CUresult error = refuse_capture(stream.get())) {
        return error;
    }
    return submit(stream, mark([=] {
                      callback(handle, context->error, data);
                      return CUDA_SUCCESS;
                  }),
            held);
}

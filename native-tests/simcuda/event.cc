// Events: marks in streams.
#include "driver.h"

#include <chrono>

namespace {
// One recording of an event. Events may be recorded anew while someone waits for the recording before.
struct Recording {
    std::shared_ptr<Stream> stream;
    uint64_t position = 0;
    std::atomic<long long> nanos{0};

    bool done() const { return stream->done(position); }
};

struct Event {
    Context *context = nullptr;
    unsigned flags = 0;
    std::shared_ptr<Recording> last;
    std::shared_ptr<Capture> capture;
    std::vector<bool> before;
};

// Lives as long as the process: streams may still run when it ends.
auto &events = *new std::unordered_map<Event *, std::unique_ptr<Event>>();

Event *event_of(CUevent handle) {
    auto at = events.find(reinterpret_cast<Event *>(handle));
    return at == events.end() ? nullptr : at->second.get();
}

long long now() {
    using namespace std::chrono;
    return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}
} // namespace

size_t count_events() { return events.size(); }

void forget_events(Context *context) {
    for (auto at = events.begin(); at != events.end();) {
        at = at->second->context == context ? events.erase(at) : std::next(at);
    }
}

#define EVENT(handle) \
    Locked held(state); \
    Event *event = event_of(handle); \
    if (!event) return CUDA_ERROR_INVALID_HANDLE

API cuEventCreate(CUevent *result, unsigned flags) {
    ENTER(cuEventCreate);
    NEEDS(result && !(flags & ~(CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS)));
    NEEDS(!(flags & CU_EVENT_INTERPROCESS) || flags & CU_EVENT_DISABLE_TIMING);
    auto event = std::make_unique<Event>();
    event->context = context;
    event->flags = flags;
    Locked held(state);
    *result = reinterpret_cast<CUevent>(event.get());
    events[event.get()] = std::move(event);
    return CUDA_SUCCESS;
}

API cuEventDestroy_v2(CUevent handle) {
    ENTER(cuEventDestroy_v2);
    EVENT(handle);
    events.erase(event);
    return CUDA_SUCCESS;
}

static CUresult record(Context *context, CUevent handle, CUstream where, unsigned flags) {
    NEEDS(!(flags & ~CU_EVENT_RECORD_EXTERNAL));
    EVENT(handle);
    auto stream = stream_of(where, context);
    if (!stream || event->context != context) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (stream->capture && !flags) {
        if (stream->capture->broken) {
            return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        }
        event->capture = stream->capture;
        event->before = stream->before;
        return CUDA_SUCCESS;
    }
    auto recording = std::make_shared<Recording>();
    recording->stream = stream;
    CUresult error = submit(stream, mark([recording] {
                                recording->nanos = now();
                                return CUDA_SUCCESS;
                            }),
            held);
    if (error) {
        return error;
    }
    recording->position = stream->submitted();
    event->last = recording;
    event->capture = nullptr;
    return CUDA_SUCCESS;
}

API cuEventRecord(CUevent handle, CUstream stream) {
    ENTER(cuEventRecord);
    return record(context, handle, stream, 0);
}

API cuEventRecordWithFlags(CUevent handle, CUstream stream, unsigned flags) {
    ENTER(cuEventRecordWithFlags);
    return record(context, handle, stream, flags);
}

API cuEventQuery(CUevent handle) {
    ENTER(cuEventQuery);
    EVENT(handle);
    if (event->capture) {
        return event->capture->refuse(CUDA_ERROR_CAPTURED_EVENT);
    }
    bool done = !event->last || event->last->done();
    return context->error ? context->error.load() : done ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

API cuEventSynchronize(CUevent handle) {
    ENTER(cuEventSynchronize);
    EVENT(handle);
    if (event->capture) {
        return event->capture->refuse(CUDA_ERROR_CAPTURED_EVENT);
    }
    auto recording = event->last;
    held.unlock();
    if (recording) {
        recording->stream->wait(recording->position);
    }
    return context->error;
}

static CUresult elapsed(float *milliseconds, CUevent from, CUevent to) {
    NEEDS(milliseconds);
    Locked held(state);
    Event *start = event_of(from);
    Event *end = event_of(to);
    if (!start || !end) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (start->capture || end->capture) {
        return CUDA_ERROR_CAPTURED_EVENT;
    }
    if (!start->last || !end->last || (start->flags | end->flags) & CU_EVENT_DISABLE_TIMING) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (!start->last->done() || !end->last->done()) {
        return CUDA_ERROR_NOT_READY;
    }
    *milliseconds = (float) ((double) (end->last->nanos - start->last->nanos) * 1e-6);
    return CUDA_SUCCESS;
}

API cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
    ENTER(cuEventElapsedTime);
    return elapsed(milliseconds, start, end);
}

API cuEventElapsedTime_v2(float *milliseconds, CUevent start, CUevent end) {
    ENTER(cuEventElapsedTime_v2);
    return elapsed(milliseconds, start, end);
}

// In a capture an event brings the work before it, and where it must, the stream into the capture.
static CUresult wait_captured(const std::shared_ptr<Stream> &stream, Event *event) {
    if (event->capture->broken) {
        return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    }
    if (stream->legacy) {
        return event->capture->refuse(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    }
    if (stream->capture && stream->capture != event->capture) {
        stream->capture->broken = true;
        return event->capture->refuse(CUDA_ERROR_STREAM_CAPTURE_MERGE);
    }
    if (!stream->capture) {
        stream->capture = event->capture;
        stream->before.clear();
        event->capture->streams.push_back(stream);
    }
    stream->before.resize(std::max(stream->before.size(), event->before.size()), false);
    for (size_t i = 0; i < event->before.size(); i++) {
        stream->before[i] = stream->before[i] || event->before[i];
    }
    return CUDA_SUCCESS;
}

API cuStreamWaitEvent(CUstream where, CUevent handle, unsigned flags) {
    ENTER(cuStreamWaitEvent);
    NEEDS(!(flags & ~CU_EVENT_WAIT_EXTERNAL));
    EVENT(handle);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (event->capture) {
        return wait_captured(stream, event);
    }
    auto recording = event->last;
    if (!recording) {
        return CUDA_SUCCESS;
    }
    if (stream->capture && !flags) {
        return stream->capture->refuse(CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
    }
    if (recording->stream == stream || recording->done()) {
        return CUDA_SUCCESS;
    }
    return submit(stream, work([recording] {
                      recording->stream->wait(recording->position);
                      return CUDA_SUCCESS;
                  }),
            held);
}

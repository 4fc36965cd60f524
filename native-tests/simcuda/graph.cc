// Recording what is submitted to streams, and running it again as one piece of work.
#include "driver.h"

#include <algorithm>

namespace {
struct Graph {
    Context *context = nullptr;
    std::vector<WorkPtr> nodes;
};

auto &graphs = *new std::unordered_map<Graph *, std::unique_ptr<Graph>>();
// What is ready to be launched, apart from the graph that it was made from.
auto &ready = *new std::unordered_map<Graph *, std::unique_ptr<Graph>>();
unsigned long long next_capture = 1;

template <class H>
Graph *find(std::unordered_map<Graph *, std::unique_ptr<Graph>> &all, H handle) {
    auto at = all.find(reinterpret_cast<Graph *>(handle));
    return at == all.end() ? nullptr : at->second.get();
}

Graph *add(std::unordered_map<Graph *, std::unique_ptr<Graph>> &all, Context *context, std::vector<WorkPtr> nodes) {
    auto graph = std::make_unique<Graph>();
    graph->context = context;
    graph->nodes = std::move(nodes);
    Graph *result = graph.get();
    all[result] = std::move(graph);
    return result;
}

CUresult instantiate(Context *context, CUgraphExec *result, CUgraph handle) {
    NEEDS(result);
    Locked held(state);
    Graph *graph = find(graphs, handle);
    NEEDS(graph);
    *result = reinterpret_cast<CUgraphExec>(add(ready, context, graph->nodes));
    return CUDA_SUCCESS;
}

// Takes all streams out of a capture.
void end(Context *context, const std::shared_ptr<Capture> &capture) {
    for (auto &stream : capture->streams) {
        stream->capture = nullptr;
        stream->before.clear();
    }
    auto &all = context->captures;
    all.erase(std::remove(all.begin(), all.end(), capture), all.end());
}

bool joined(const Capture &capture, const Stream &origin) {
    return origin.before.size() >= capture.nodes.size()
            ? std::find(origin.before.begin(), origin.before.end(), false) == origin.before.end()
            : false;
}
} // namespace

CUresult refuse_capture(Stream *stream) {
    if (stream->capture) {
        return stream->capture->refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    }
    if (stream->legacy) {
        for (auto &other : stream->context->streams) {
            if (other->capture && other->blocking()) {
                return other->capture->refuse(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
            }
        }
    }
    return CUDA_SUCCESS;
}

CUresult refuse_unsafe(Context *context) {
    for (auto &capture : context->captures) {
        if (capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL
                || (capture->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
                        && capture->thread == std::this_thread::get_id())) {
            return capture->refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        }
    }
    return CUDA_SUCCESS;
}

CUresult refuse_broad(Context *context) {
    CUresult result = CUDA_SUCCESS;
    for (auto &capture : context->captures) {
        result = capture->refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    }
    return result;
}

size_t count_graphs() { return graphs.size() + ready.size(); }

void forget_graphs(Context *context) {
    for (auto *all : {&graphs, &ready}) {
        for (auto at = all->begin(); at != all->end();) {
            at = at->second->context == context ? all->erase(at) : std::next(at);
        }
    }
}

// ---- capture

API cuStreamBeginCapture_v2(CUstream where, int mode) {
    ENTER(cuStreamBeginCapture_v2);
    NEEDS(mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED);
    Locked held(state);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (stream->legacy) {
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    if (stream->capture) {
        return CUDA_ERROR_ILLEGAL_STATE;
    }
    auto capture = std::make_shared<Capture>();
    capture->origin = stream.get();
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    capture->id = next_capture++;
    capture->streams.push_back(stream);
    stream->capture = capture;
    stream->before.clear();
    context->captures.push_back(capture);
    return CUDA_SUCCESS;
}

API cuStreamEndCapture(CUstream where, CUgraph *result) {
    ENTER(cuStreamEndCapture);
    NEEDS(result);
    *result = nullptr;
    Locked held(state);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    auto capture = stream->capture;
    if (!capture) {
        return CUDA_ERROR_ILLEGAL_STATE;
    }
    if (capture->origin != stream.get()) {
        return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    }
    if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && capture->thread != std::this_thread::get_id()) {
        return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    }
    bool whole = joined(*capture, *stream);
    end(context, capture);
    if (capture->broken) {
        return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    }
    if (!whole) {
        return CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    }
    *result = reinterpret_cast<CUgraph>(add(graphs, context, std::move(capture->nodes)));
    return CUDA_SUCCESS;
}

static CUresult capture_status(Context *context, CUstream where, int *status, unsigned long long *id) {
    NEEDS(status);
    Locked held(state);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    auto &capture = stream->capture;
    *status = !capture ? CU_STREAM_CAPTURE_STATUS_NONE
            : capture->broken ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                              : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    if (id && capture) {
        *id = capture->id;
    }
    return CUDA_SUCCESS;
}

API cuStreamIsCapturing(CUstream where, int *status) {
    ENTER(cuStreamIsCapturing);
    return capture_status(context, where, status, nullptr);
}

// Without the nodes: an answer to where they are wanted is not given.
API cuStreamGetCaptureInfo_v2(CUstream where, int *status, unsigned long long *id, CUgraph *graph,
        const CUgraphNode **dependencies, size_t *count) {
    ENTER(cuStreamGetCaptureInfo_v2);
    if (graph || dependencies || count) {
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    return capture_status(context, where, status, id);
}

API cuThreadExchangeStreamCaptureMode(int *mode) {
    ENTER(cuThreadExchangeStreamCaptureMode);
    NEEDS(mode && *mode >= 0 && *mode <= CU_STREAM_CAPTURE_MODE_RELAXED);
    static thread_local int own = CU_STREAM_CAPTURE_MODE_GLOBAL;
    std::swap(own, *mode);
    return CUDA_SUCCESS;
}

// ---- graphs

API cuGraphCreate(CUgraph *result, unsigned flags) {
    ENTER(cuGraphCreate);
    NEEDS(result && flags == 0);
    Locked held(state);
    *result = reinterpret_cast<CUgraph>(add(graphs, context, {}));
    return CUDA_SUCCESS;
}

API cuGraphClone(CUgraph *result, CUgraph handle) {
    ENTER(cuGraphClone);
    NEEDS(result);
    Locked held(state);
    Graph *graph = find(graphs, handle);
    NEEDS(graph);
    *result = reinterpret_cast<CUgraph>(add(graphs, context, graph->nodes));
    return CUDA_SUCCESS;
}

API cuGraphDestroy(CUgraph handle) {
    ENTER(cuGraphDestroy);
    Locked held(state);
    return graphs.erase(reinterpret_cast<Graph *>(handle)) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

API cuGraphGetNodes(CUgraph handle, CUgraphNode *nodes, size_t *count) {
    ENTER(cuGraphGetNodes);
    NEEDS(count);
    Locked held(state);
    Graph *graph = find(graphs, handle);
    NEEDS(graph);
    if (nodes) {
        for (size_t i = 0; i < *count; i++) {
            nodes[i] = i < graph->nodes.size() ? reinterpret_cast<CUgraphNode>(graph->nodes[i].get()) : nullptr;
        }
        *count = std::min(*count, graph->nodes.size());
    } else {
        *count = graph->nodes.size();
    }
    return CUDA_SUCCESS;
}

API cuGraphNodeGetType(CUgraphNode node, int *type) {
    ENTER(cuGraphNodeGetType);
    NEEDS(node && type);
    Locked held(state);
    for (auto &entry : graphs) {
        for (auto &work : entry.second->nodes) {
            if (work.get() == reinterpret_cast<Work *>(node)) {
                *type = work->type();
                return CUDA_SUCCESS;
            }
        }
    }
    return CUDA_ERROR_INVALID_VALUE;
}

API cuGraphInstantiateWithFlags(CUgraphExec *result, CUgraph graph, unsigned long long) {
    ENTER(cuGraphInstantiateWithFlags);
    return instantiate(context, result, graph);
}

// The older form: nothing ever fails at a node, so the log stays empty.
API cuGraphInstantiate_v2(CUgraphExec *result, CUgraph graph, CUgraphNode *node, char *log, size_t size) {
    ENTER(cuGraphInstantiate_v2);
    if (node) {
        *node = nullptr;
    }
    if (log && size > 0) {
        *log = 0;
    }
    return instantiate(context, result, graph);
}

API cuGraphExecDestroy(CUgraphExec handle) {
    ENTER(cuGraphExecDestroy);
    Locked held(state);
    return ready.erase(reinterpret_cast<Graph *>(handle)) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

API cuGraphUpload(CUgraphExec handle, CUstream where) {
    ENTER(cuGraphUpload);
    Locked held(state);
    NEEDS(find(ready, handle));
    return stream_of(where, context) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

API cuGraphLaunch(CUgraphExec handle, CUstream where) {
    ENTER(cuGraphLaunch);
    Locked held(state);
    Graph *graph = find(ready, handle);
    NEEDS(graph);
    auto stream = stream_of(where, context);
    if (!stream) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (CUresult error = refuse_capture(stream.get())) {
        return error;
    }
    return submit(stream, work([nodes = graph->nodes]() -> CUresult {
                      for (auto &node : nodes) {
                          if (CUresult error = node->run()) {
                              return error;
                          }
                      }
                      return CUDA_SUCCESS;
                  }),
            held);
}

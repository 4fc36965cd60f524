// The state of the driver. One lock guards all of it but the streams' queues; nobody waits for a stream while holding it.
#pragma once
#include "abi.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct Context;
struct Stream;
struct Capture;

extern std::mutex state;
using Locked = std::unique_lock<std::mutex>;

// ---- settings, from the environment

struct Settings {
    int devices = 1;
    size_t memory = size_t(4) << 30;
    int driver = 12060;
    int major = 9, minor = 0;
    int multiprocessors = 8;
    int delay = 0;
    bool log = false;
};
extern Settings settings;
extern bool initialised;

// ---- devices and contexts

struct Device {
    int ordinal = 0;
    size_t limit = 0;
    size_t used = 0;
    Context *primary = nullptr;
    int retained = 0;
    unsigned flags = 0;
};
extern std::vector<std::unique_ptr<Device>> devices;
Device *device_of(CUdevice ordinal);

// A context object lives for ever: a thread may have it current after it was destroyed.
struct Context {
    Device *device = nullptr;
    bool primary = false;
    bool active = false;
    unsigned flags = 0;
    unsigned long long id = 0;
    std::atomic<CUresult> error{0};
    std::shared_ptr<Stream> legacy;
    std::vector<std::shared_ptr<Stream>> streams;
    std::vector<Context *> peers;
    std::vector<std::shared_ptr<Capture>> captures;

    void lose(CUresult why);
    std::vector<std::shared_ptr<Stream>> all_streams() const;
};
Context *current();
bool is_sticky(CUresult error);
// Frees all that a context owns; the caller holds the lock.
void tear_down(Context *context, Locked &held);

// ---- memory

enum class Kind { DEVICE, HOST, REGISTERED, MANAGED };

struct Pool;

struct Allocation {
    uintptr_t base = 0;
    size_t bytes = 0;
    Kind kind = Kind::DEVICE;
    Context *context = nullptr;
    Device *device = nullptr;
    Pool *pool = nullptr;
    unsigned flags = 0;
    unsigned char *block = nullptr;
    // To be freed when its stream comes to it.
    bool freeing = false;
};

// Both need the lock.
Allocation *allocation_at(uintptr_t address);
bool is_device_range(CUdeviceptr address, size_t bytes);
CUresult allocate(Context *context, Kind kind, size_t bytes, Allocation **result);
void release(uintptr_t base);
// Looks at the bytes around all allocations of a context, and loses it where a kernel wrote them.
void check_guards(Context *context);
void forget_pools(Context *context);
void forget_allocations(Context *context);
size_t count_allocations(bool device_memory);
size_t damage();
std::string describe_allocations();

// ---- streams

// A piece of work; run() answers an error that loses the context.
struct Work {
    virtual ~Work() = default;
    virtual CUresult run() = 0;
    // Whether it must run although the context is lost, such as a mark.
    virtual bool always() const { return false; }
    // As a node of a graph: a kernel is 0, a copy 1, a fill 2, a function of the host 3.
    virtual int type() const { return 3; }
};
using WorkPtr = std::shared_ptr<Work>;

template <class F>
struct WorkOf final : Work {
    F body;
    bool must;
    WorkOf(F body, bool must) : body(std::move(body)), must(must) {}
    CUresult run() override { return body(); }
    bool always() const override { return must; }
};
template <class F>
WorkPtr work(F body) {
    return std::make_shared<WorkOf<F>>(std::move(body), false);
}
template <class F>
WorkPtr mark(F body) {
    return std::make_shared<WorkOf<F>>(std::move(body), true);
}

// Work that is being recorded. Nodes are in the order of the calls, which is an order they may run in.
struct Capture {
    Stream *origin = nullptr;
    int mode = 0;
    std::thread::id thread;
    bool broken = false;
    unsigned long long id = 0;
    std::vector<WorkPtr> nodes;
    std::vector<std::shared_ptr<Stream>> streams;

    CUresult refuse(CUresult why) {
        broken = true;
        return why;
    }
};

// An in-order queue with a thread of its own. Who waits for it runs its work too.
struct Stream {
    Context *context;
    unsigned flags;
    int priority;
    unsigned long long id;
    bool legacy = false;
    bool destroyed = false;
    // Guarded by the driver's lock: the capture that it takes part in, and the nodes that are before its next one.
    std::shared_ptr<Capture> capture;
    std::vector<bool> before;

    Stream(Context *context, unsigned flags, int priority);
    ~Stream();
    uint64_t push(WorkPtr work);
    uint64_t submitted() const { return pushed.load(); }
    bool done(uint64_t position) const { return finished.load() >= position; }
    void wait(uint64_t position);
    void wait() { wait(submitted()); }
    bool idle() const { return done(submitted()); }
    bool blocking() const { return !legacy && !(flags & CU_STREAM_NON_BLOCKING); }

private:
    std::mutex lock;
    std::condition_variable more, progress;
    std::deque<WorkPtr> queue;
    std::thread worker;
    bool stopping = false;
    bool running = false;
    bool asleep = false;
    int waiting = 0;
    std::atomic<uint64_t> pushed{0}, finished{0};

    void loop();
    void run(Locked &held);
};

// The stream of a handle in the current context, or null; needs the lock.
std::shared_ptr<Stream> stream_of(CUstream handle, Context *context);
// Puts work into a stream, or the stream's capture, after what it must wait for by the rules of the default stream.
CUresult submit(const std::shared_ptr<Stream> &stream, WorkPtr work, Locked &held);
// As above without a capture, and then waits without the lock.
CUresult submit_and_wait(const std::shared_ptr<Stream> &stream, WorkPtr work, Locked &held);
void wait_for_context(Context *context, Locked &held);
void forget_events(Context *context);
size_t count_streams();
size_t count_events();

// ---- kernels

struct Dim {
    unsigned x = 1, y = 1, z = 1;
    unsigned long long count() const { return (unsigned long long) x * y * z; }
};

struct Param {
    size_t offset, bytes;
};

// What the text of a module says of one kernel.
struct Entry {
    std::string name;
    std::vector<Param> params;
    size_t param_bytes = 0;
    unsigned max_threads = 1024;
    Dim required_block{0, 0, 0};
    Dim cluster{0, 0, 0};
    unsigned max_cluster = 0;
    size_t shared = 0;
};

struct Ptx {
    int version = 0;
    int target = 0;
    char target_kind = 0;
    std::vector<Entry> entries;
    std::vector<std::string> globals;
    std::string error;
    CUresult result = CUDA_SUCCESS;
};
// The kernel of that name that is compiled into this library, or null.
struct HostKernel;
const HostKernel *find_kernel(const std::string &name);
size_t count_kernels();
// Whether a text declares the parameters that the host's kernel has; says so where not.
bool same_params(const HostKernel *kernel, const Entry &entry);
// Runs a kernel to its end; answers what a device would.
CUresult execute(const HostKernel *kernel, Dim grid, Dim block, Dim cluster, void *const *params, size_t shared);
// From then on, an access to memory that is not there ends the kernel, not the process.
void catch_illegal_accesses();

Ptx parse_ptx(const std::string &text);
int newest_ptx(int driver);

struct Module;

struct Function {
    Module *module = nullptr;
    Entry entry;
    const HostKernel *kernel = nullptr;
    int ptx_version = 0;
    int binary_version = 0;
    int max_dynamic = 0;
    int carveout = -1;
    bool big_clusters = false;
    int policy = 0;
    Dim cluster{0, 0, 0};
};

struct Module {
    Context *context = nullptr;
    Ptx ptx;
    std::map<std::string, std::unique_ptr<Function>> functions;
};
Function *function_of(CUfunction handle);
void forget_modules(Context *context);
size_t count_modules();

// ---- capture

// What a call that may not be captured answers; 0 where nothing is captured. Needs the lock.
CUresult refuse_capture(Stream *stream);
// The same for calls that are unsafe while any stream captures in the strict modes.
CUresult refuse_unsafe(Context *context);
// The same for calls that wait for all streams: whatever the mode, one that captures cannot be waited for.
CUresult refuse_broad(Context *context);
size_t count_graphs();
void forget_graphs(Context *context);

// ---- calls

struct Injected {
    std::string call;
    long nth;
    CUresult error;
    bool repeat;
};

// One exported function: how often it was called, and whether the next call must fail.
struct Call {
    const char *name;
    std::string plain;
    std::atomic<long> count{0};

    explicit Call(const char *name);
    CUresult enter();
};
// The error that this call of a kind was told to meet, else 0.
CUresult injected(const std::string &plain);
CUresult not_supported(Call &call);
// A kernel about to run counts as the kind "kernel".
CUresult next_kernel();
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Begins every function: ANY counts, DRIVER needs cuInit, ENTER a context that is not lost, which it names `context`.
#define ANY(name) \
    static Call call_(#name); \
    if (CUresult early_ = call_.enter()) return early_
#define DRIVER(name) \
    ANY(name); \
    if (!initialised) return CUDA_ERROR_NOT_INITIALIZED
#define ENTER(name) \
    DRIVER(name); \
    Context *context = current(); \
    if (CUresult early_ = check_context(context)) return early_
CUresult check_context(Context *context);
#define NEEDS(condition) \
    if (!(condition)) return CUDA_ERROR_INVALID_VALUE

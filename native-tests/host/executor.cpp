#include "host.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "fiber.h"

#if defined(__SANITIZE_ADDRESS__)
#define HOST_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOST_ASAN
#endif
#if __has_feature(thread_sanitizer)
#define HOST_SANITIZED
#endif
#endif
#if defined(HOST_ASAN)
#define HOST_SANITIZED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void) (p), (void) (n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void) (p), (void) (n))
#endif

namespace host {

__thread const Place *place = nullptr;

namespace {

constexpr std::size_t REDZONE = 128;
constexpr std::size_t MOST_KEPT_FIBERS = 4096;
constexpr int UNSET = 0xFF;

std::string text(unsigned long v) { return std::to_string(v); }

// ---- where shared arrays lie: the same in every block of a cluster, so that addresses can be mapped

struct SharedArray {
    int site;
    std::size_t at, bytes;
};

struct SharedLayout {
    std::vector<SharedArray> arrays;
    std::size_t used = 0;
    std::size_t payload = 0;
};

// The shared memory of one block.
class Arena {
public:
    explicit Arena(std::size_t bytes = 0) : memory(bytes + REDZONE), length(bytes) {}
    char *data() { return memory.data() + (REDZONE - std::uintptr_t(memory.data()) % REDZONE); }
    const char *data() const { return const_cast<Arena *>(this)->data(); }
    std::size_t size() const { return length; }

private:
    std::vector<char> memory;
    std::size_t length;
};

// Fibers that no launch uses now: a stack is dear to make.
class Pool {
public:
    std::unique_ptr<Fiber> take() {
        std::lock_guard<std::mutex> guard(lock);
        if (idle.empty()) {
            return std::make_unique<Fiber>();
        }
        std::unique_ptr<Fiber> last = std::move(idle.back());
        idle.pop_back();
        return last;
    }
    void give(std::unique_ptr<Fiber> fiber) {
        std::lock_guard<std::mutex> guard(lock);
        if (idle.size() < MOST_KEPT_FIBERS) {
            idle.push_back(std::move(fiber));
        }
    }

private:
    std::mutex lock;
    std::vector<std::unique_ptr<Fiber>> idle;
};

Pool &pool() {
    static Pool *all = new Pool;
    return *all;
}

struct Block;

struct Thread {
    enum State { ready, atBarrier, atWarp, atCluster, done };

    Place place;
    State state = ready;
    Block *block = nullptr;
    unsigned number = 0;
    unsigned warpMask = 0;              // of the operation it waits for
    std::uint64_t *received = nullptr;  // where the lanes' values go
    unsigned tookPart = 0;
    bool clusterArrived = false;
    unsigned clusterGeneration = 0;     // of the barrier it arrived at
    int votes = 0;                      // what the barrier counted
    Fiber *fiber = nullptr;
};

// Lanes that wait for each other. Parts of a warp may wait in several, with masks that overlap, as long as each lane comes
// to each in the end.
struct Meeting {
    unsigned mask = 0, arrived = 0;
    WarpOp op = WarpOp::sync;
    std::uint64_t brought[32];
};

struct Warp {
    Meeting meetings[32];
};

struct Block {
    Dim3 index;
    unsigned rank = 0;
    std::vector<Thread> threads;
    std::vector<Warp> warps;
    unsigned returned = 0;
    // The barrier that some wait at.
    unsigned arrived = 0;
    int site = 0, line = 0, votes = 0;
    Arena shared;
};

struct Launch {
    const Entry &entry;
    Dim3 grid, block;
    void *const *params;
    std::size_t sharedBytes;
    unsigned cluster;
    Options options;
};

std::string dims(const Dim3 &d) {
    return d.y == 1 && d.z == 1 ? text(d.x) : "(" + text(d.x) + "," + text(d.y) + "," + text(d.z) + ")";
}

std::string index(const Dim3 &d) {
    return d.y == 0 && d.z == 0 ? text(d.x) : "(" + text(d.x) + "," + text(d.y) + "," + text(d.z) + ")";
}

Dim3 at(std::size_t number, const Dim3 &sizes) {
    return Dim3(
            unsigned(number % sizes.x),
            unsigned(number / sizes.x % sizes.y),
            unsigned(number / sizes.x / sizes.y));
}

// One OS thread that runs clusters of blocks.
class Worker {
public:
    explicit Worker(const Launch &launch);
    ~Worker();

    // Runs cluster `number` of the grid to its end. Throws KernelError.
    void run(std::size_t number);

    Thread *now = nullptr;

    void wait(Thread::State state);
    [[noreturn]] void fail(const std::string &what);
    void release(Block &block);
    void arriveAtCluster(Thread &thread);
    void *array(int site, std::size_t bytes, std::size_t alignment);
    void *dynamic();
    const Launch &launch;
    std::vector<Block> blocks;
    unsigned clusterGeneration = 0;
    unsigned clusterArrivals = 0;

private:
    static void body(void *thread);
    void place_(std::size_t number);
    void clear(Block &block);
    void arrange();
    std::string describe(const Thread &thread) const;
    std::string deadlock() const;

    SharedLayout layout;
    std::vector<Thread *> order;
    std::vector<std::unique_ptr<Fiber>> fibers;
    std::mt19937 random;
    std::string error;
};

__thread Worker *worker = nullptr;

std::size_t arenaBytes(const Launch &launch) {
    // Room for every array and the redzones between them.
    return MOST_SHARED + launch.sharedBytes + 64 * 2 * REDZONE;
}

Worker::Worker(const Launch &launch) : launch(launch), random(launch.options.seed) {
    std::size_t threads = launch.block.count();
    blocks.resize(launch.cluster);
    for (Block &block : blocks) {
        block.threads.resize(threads);
        block.warps.resize((threads + 31) / 32);
        block.shared = Arena(arenaBytes(launch));
        for (Thread &thread : block.threads) {
            fibers.push_back(pool().take());
            thread.fiber = fibers.back().get();
            thread.block = &block;
            thread.number = unsigned(&thread - block.threads.data());
            order.push_back(&thread);
        }
    }
}

Worker::~Worker() {
    for (Block &block : blocks) {
        ASAN_UNPOISON_MEMORY_REGION(block.shared.data(), block.shared.size());
    }
    for (std::unique_ptr<Fiber> &fiber : fibers) {
        pool().give(std::move(fiber));
    }
}

void Worker::clear(Block &block) {
    ASAN_UNPOISON_MEMORY_REGION(block.shared.data(), block.shared.size());
    std::size_t used = layout.used == 0 ? block.shared.size() : layout.used;
    std::memset(block.shared.data(), UNSET, used);
    ASAN_POISON_MEMORY_REGION(block.shared.data(), block.shared.size());
    ASAN_UNPOISON_MEMORY_REGION(block.shared.data() + REDZONE, launch.sharedBytes);
    for (const SharedArray &array : layout.arrays) {
        ASAN_UNPOISON_MEMORY_REGION(block.shared.data() + array.at, array.bytes);
    }
}

void Worker::place_(std::size_t number) {
    for (unsigned rank = 0; rank < launch.cluster; rank++) {
        Block &block = blocks[rank];
        block.index = at(number * launch.cluster + rank, launch.grid);
        block.rank = rank;
        block.returned = 0;
        block.arrived = 0;
        block.votes = 0;
        for (Warp &warp : block.warps) {
            for (Meeting &meeting : warp.meetings) {
                meeting.arrived = 0;
            }
        }
        clear(block);
        for (Thread &thread : block.threads) {
            thread.place.thread = at(thread.number, launch.block);
            thread.place.threads = launch.block;
            thread.place.block = block.index;
            thread.place.blocks = launch.grid;
            thread.place.clusterRank = rank;
            thread.place.clusterSize = launch.cluster;
            thread.state = Thread::ready;
            thread.clusterArrived = false;
            thread.fiber->start(body, &thread);
        }
    }
    clusterGeneration = 0;
    clusterArrivals = 0;
}

void Worker::arrange() {
    if (launch.options.order == Order::shuffled) {
        std::shuffle(order.begin(), order.end(), random);
    }
}

void Worker::run(std::size_t number) {
    worker = this;
    error.clear();
    place_(number);
    std::size_t left = order.size();
    while (left > 0) {
        arrange();
        bool moved = false;
        for (std::size_t i = 0; i < order.size(); i++) {
            Thread *thread = order[launch.options.order == Order::reverse ? order.size() - 1 - i : i];
            if (thread->state != Thread::ready) {
                continue;
            }
            moved = true;
            now = thread;
            host::place = &thread->place;
            if (!thread->fiber->resume()) {
                thread->state = Thread::done;
                if (++thread->block->returned == thread->block->threads.size()) {
                    // Another block that still looks into this one's shared memory finds that it is gone.
                    ASAN_POISON_MEMORY_REGION(thread->block->shared.data(), thread->block->shared.size());
                }
                left--;
            }
            now = nullptr;
            host::place = nullptr;
            if (!error.empty()) {
                throw KernelError(error);
            }
        }
        if (!moved) {
            throw KernelError(deadlock());
        }
    }
}

void Worker::body(void *thread) {
    (void) thread;
    // Thrown and caught on the fiber's own stack, so that its frames are left as they should be.
    try {
        worker->launch.entry.call(worker->launch.params);
    } catch (const KernelError &e) {
        worker->error = e.what();
    }
}

void Worker::wait(Thread::State state) {
    Thread *self = now;
    self->state = state;
    self->fiber->suspend();
}

std::string Worker::describe(const Thread &thread) const {
    return std::string(launch.entry.name) + ": block " + index(thread.place.block) + ", thread "
            + index(thread.place.thread) + ": ";
}

void Worker::fail(const std::string &what) {
    throw KernelError(describe(*now) + what);
}

// No thread can go on: somebody waits for a thread that will not come.
std::string Worker::deadlock() const {
    const Thread *waits = nullptr;
    const Thread *gone = nullptr;
    for (const Block &block : blocks) {
        for (const Thread &thread : block.threads) {
            if (thread.state != Thread::done && waits == nullptr) {
                waits = &thread;
            }
        }
    }
    const Block &block = *waits->block;
    bool wide = waits->state == Thread::atCluster;
    for (const Block &other : blocks) {
        for (const Thread &thread : other.threads) {
            bool expected = wide || (&other == &block
                    && (waits->state != Thread::atWarp
                        || (thread.number / 32 == waits->number / 32 && waits->warpMask >> thread.number % 32 & 1)));
            if (expected && thread.state == Thread::done && gone == nullptr) {
                gone = &thread;
            }
        }
    }
    std::string where = waits->state == Thread::atBarrier ? "the barrier of line " + text(unsigned(block.line))
            : waits->state == Thread::atWarp             ? "a warp operation"
                                                         : "the cluster's barrier";
    std::string who = gone == nullptr ? "another thread that waits elsewhere"
            : gone->block == &block  ? "thread " + index(gone->place.thread) + ", which returned"
                                     : "thread " + index(gone->place.thread) + " of block " + index(gone->place.block)
                            + ", which returned";
    return describe(*waits) + "waits at " + where + " for " + who + "; all must reach it";
}

void Worker::release(Block &block) {
    block.arrived = 0;
    int votes = block.votes;
    block.votes = 0;
    for (Thread &thread : block.threads) {
        thread.votes = votes;
        if (thread.state == Thread::atBarrier) {
            thread.state = Thread::ready;
        }
    }
}

void *Worker::dynamic() { return now->block->shared.data() + REDZONE; }

void *Worker::array(int site, std::size_t bytes, std::size_t alignment) {
    Block &block = *now->block;
    for (const SharedArray &array : layout.arrays) {
        if (array.site == site) {
            return block.shared.data() + array.at;
        }
    }
    alignment = std::max<std::size_t>(alignment, 16);
    std::size_t from = layout.used == 0 ? REDZONE + launch.sharedBytes + REDZONE : layout.used;
    std::size_t start = (from + alignment - 1) / alignment * alignment;
    if (alignment > REDZONE) {
        fail("a shared array is aligned to " + text(alignment) + " B; at most " + text(REDZONE));
    }
    layout.payload += bytes;
    if (layout.payload > MOST_STATIC_SHARED) {
        fail("shared arrays take " + text(layout.payload) + " B; at most " + text(MOST_STATIC_SHARED));
    }
    layout.used = start + bytes + REDZONE;
    layout.arrays.push_back({site, start, bytes});
    for (Block &each : blocks) {
        if (each.returned < each.threads.size()) {
            ASAN_UNPOISON_MEMORY_REGION(each.shared.data() + start, bytes);
        }
    }
    return block.shared.data() + start;
}

void Worker::arriveAtCluster(Thread &thread) {
    if (thread.clusterArrived) {
        fail("arrives twice at the cluster's barrier; wait for the others first");
    }
    thread.clusterArrived = true;
    thread.clusterGeneration = clusterGeneration;
    if (++clusterArrivals == order.size()) {
        clusterArrivals = 0;
        clusterGeneration++;
        for (Thread *each : order) {
            if (each->state == Thread::atCluster) {
                each->state = Thread::ready;
            }
        }
    }
}

// ---- options and the registry

Options initial() {
    Options options{Order::forward, 0, 1};
#if !defined(HOST_SANITIZED)
    options.workers = int(std::max(1u, std::thread::hardware_concurrency()));
#endif
    if (const char *order = std::getenv("TENON_HOST_ORDER")) {
        std::string name = order;
        std::string seed = name.find(':') == std::string::npos ? "0" : name.substr(name.find(':') + 1);
        name = name.substr(0, name.find(':'));
        if (name != "forward" && name != "reverse" && name != "shuffled") {
            throw std::invalid_argument("TENON_HOST_ORDER is " + name + "; forward, reverse or shuffled:SEED");
        }
        options.order = name == "reverse" ? Order::reverse : name == "shuffled" ? Order::shuffled : Order::forward;
        options.seed = unsigned(std::stoul(seed));
    }
    if (const char *workers = std::getenv("TENON_HOST_WORKERS")) {
        options.workers = std::max(1, std::atoi(workers));
    }
    return options;
}

std::mutex optionsLock;
Options &current() {
    static Options options = initial();
    return options;
}

std::vector<const Entry *> &registry() {
    static std::vector<const Entry *> entries;
    return entries;
}

bool sorted = false;

const std::vector<const Entry *> &sortedRegistry() {
    static std::mutex lock;
    std::lock_guard<std::mutex> guard(lock);
    std::vector<const Entry *> &all = registry();
    if (!sorted) {
        std::sort(all.begin(), all.end(), [](const Entry *a, const Entry *b) {
            return std::strcmp(a->name, b->name) < 0;
        });
        for (std::size_t i = 1; i < all.size(); i++) {
            if (std::strcmp(all[i - 1]->name, all[i]->name) == 0) {
                throw std::logic_error(std::string("two kernels are called ") + all[i]->name);
            }
        }
        sorted = true;
    }
    return all;
}

void check(const Launch &launch) {
    auto bad = [&](const std::string &what) { throw KernelError(std::string(launch.entry.name) + ": " + what); };
    std::size_t threads = launch.block.count();
    if (threads == 0 || threads > MOST_THREADS) {
        bad("a block of " + text(threads) + " threads; 1 to " + text(MOST_THREADS));
    }
    if (launch.entry.block != 0 && threads != std::size_t(launch.entry.block)) {
        bad("a block of " + text(threads) + " threads; it is compiled for " + text(unsigned(launch.entry.block)));
    }
    if (launch.grid.count() == 0 || launch.grid.x > 0x7FFFFFFFu || launch.grid.y > 65535 || launch.grid.z > 65535) {
        bad("a grid of " + dims(launch.grid) + " blocks; 1 to 2147483647, 65535, 65535");
    }
    if (launch.sharedBytes > MOST_SHARED) {
        bad(text(launch.sharedBytes) + " B of shared memory; at most " + text(MOST_SHARED));
    }
    if (launch.cluster > MOST_CLUSTER || launch.grid.x % launch.cluster != 0) {
        bad("a cluster of " + text(launch.cluster) + " blocks in a grid of " + dims(launch.grid) + "; at most "
            + text(MOST_CLUSTER) + ", dividing the grid");
    }
}

}  // namespace

// ---------------------------------------------------------------------------------------------------- for callers

Registration::Registration(const Entry *entry) {
    registry().push_back(entry);
    sorted = false;
}

void *allocate(std::size_t bytes) { return std::malloc(bytes); }
void release(void *memory) { std::free(memory); }

const Entry *find(const char *name) {
    const std::vector<const Entry *> &all = sortedRegistry();
    auto at = std::lower_bound(all.begin(), all.end(), name, [](const Entry *e, const char *n) {
        return std::strcmp(e->name, n) < 0;
    });
    return at != all.end() && std::strcmp((*at)->name, name) == 0 ? *at : nullptr;
}

std::size_t entries() { return sortedRegistry().size(); }

const Entry &entry(std::size_t number) { return *sortedRegistry().at(number); }

Options options() {
    std::lock_guard<std::mutex> guard(optionsLock);
    return current();
}

void setOptions(const Options &options) {
    std::lock_guard<std::mutex> guard(optionsLock);
    current() = options;
}

void launch(
        const Entry &entry,
        Dim3 grid,
        Dim3 block,
        void *const *params,
        std::size_t sharedBytes,
        unsigned cluster) {
    unsigned together = cluster == 0 ? unsigned(std::max(1, entry.cluster)) : cluster;
    const Launch launch{entry, grid, block, params, sharedBytes, together, options()};
    check(launch);
    std::size_t clusters = grid.count() / together;
    // A few blocks are done sooner than another thread starts.
    std::size_t workers = std::min(std::size_t(std::max(1, launch.options.workers)), clusters / 4);
    if (workers <= 1) {
        Worker only(launch);
        for (std::size_t i = 0; i < clusters; i++) {
            only.run(launch.options.order == Order::reverse ? clusters - 1 - i : i);
        }
        return;
    }
    std::atomic<std::size_t> next{0};
    std::mutex lock;
    std::string error;
    auto work = [&] {
        try {
            Worker mine(launch);
            for (std::size_t i = next++; i < clusters; i = next++) {
                mine.run(i);
            }
        } catch (const std::exception &e) {
            next = clusters;
            std::lock_guard<std::mutex> guard(lock);
            error = error.empty() ? e.what() : error;
        }
    };
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < workers; i++) {
        others.emplace_back(work);
    }
    work();
    for (std::thread &each : others) {
        each.join();
    }
    if (!error.empty()) {
        throw KernelError(error);
    }
}

// ---------------------------------------------------------------------------------------------------- for kernels

void barrier(int site, int line) { barrierCount(site, line, 0); }

int barrierCount(int site, int line, int predicate) {
    Worker &w = *worker;
    Thread &self = *w.now;
    Block &block = *self.block;
    if (block.arrived > 0 && block.site != site) {
        w.fail("is at the barrier of line " + text(unsigned(line)) + " while others wait at that of line "
               + text(unsigned(block.line)) + "; all threads of a block must reach the same one");
    }
    block.site = site;
    block.line = line;
    block.votes += predicate != 0;
    if (++block.arrived == block.threads.size()) {
        w.release(block);
    } else {
        w.wait(Thread::atBarrier);
    }
    return self.votes;
}

void *sharedArray(int site, std::size_t bytes, std::size_t alignment) {
    return worker->array(site, bytes, alignment);
}

void *dynamicShared() { return worker->dynamic(); }

std::size_t dynamicSharedBytes() { return worker->launch.sharedBytes; }

void yield() { worker->wait(Thread::ready); }

void trap(const std::string &why) { worker->fail(why); }

unsigned exchange(WarpOp op, unsigned mask, std::uint64_t mine, std::uint64_t all[32]) {
    Worker &w = *worker;
    Thread &self = *w.now;
    Block &block = *self.block;
    unsigned lane = self.number % 32;
    std::size_t warp = self.number / 32;
    std::size_t lanes = std::min<std::size_t>(32, block.threads.size() - warp * 32);
    unsigned there = lanes == 32 ? 0xFFFFFFFFu : (1u << lanes) - 1;
    mask &= there;
    if (!(mask >> lane & 1)) {
        w.fail("calls a warp operation with a mask that its own lane is not in");
    }
    Meeting *found = nullptr;
    for (Meeting &each : block.warps[warp].meetings) {
        if (each.arrived != 0 && each.mask == mask) {
            found = &each;
        }
    }
    for (Meeting &each : block.warps[warp].meetings) {
        if (found == nullptr && each.arrived == 0) {
            found = &each;
        }
    }
    Meeting &meeting = *found;
    if (meeting.arrived != 0 && meeting.op != op) {
        w.fail("calls a warp operation while lanes of its mask wait in another one");
    }
    meeting.mask = mask;
    meeting.op = op;
    meeting.arrived |= 1u << lane;
    meeting.brought[lane] = mine;
    self.received = all;
    self.warpMask = mask;
    if (meeting.arrived != mask) {
        w.wait(Thread::atWarp);
        return mask;
    }
    for (unsigned i = 0; i < 32; i++) {
        if (!(mask >> i & 1)) {
            std::memset(&meeting.brought[i], UNSET, sizeof meeting.brought[i]);
        }
    }
    for (unsigned i = 0; i < 32; i++) {
        if (mask >> i & 1) {
            Thread &each = block.threads[warp * 32 + i];
            std::memcpy(each.received, meeting.brought, sizeof meeting.brought);
            each.state = Thread::ready;
        }
    }
    meeting.arrived = 0;
    return mask;
}

void clusterArrive() { worker->arriveAtCluster(*worker->now); }

void clusterWait() {
    Worker &w = *worker;
    Thread &self = *w.now;
    if (!self.clusterArrived) {
        w.fail("waits at the cluster's barrier without having arrived");
    }
    if (self.clusterGeneration == w.clusterGeneration) {
        w.wait(Thread::atCluster);
    }
    self.clusterArrived = false;
}

void clusterBarrier() {
    clusterArrive();
    clusterWait();
}

void *sharedOf(const void *p, unsigned rank) {
    Worker &w = *worker;
    const Block &mine = *w.now->block;
    std::size_t distance = std::size_t(static_cast<const char *>(p) - mine.shared.data());
    if (distance >= mine.shared.size()) {
        w.fail("maps an address that is not in its shared memory");
    }
    if (rank >= w.blocks.size()) {
        w.fail("maps to block " + text(rank) + " of a cluster of " + text(w.blocks.size()));
    }
    return w.blocks[rank].shared.data() + distance;
}

}  // namespace host

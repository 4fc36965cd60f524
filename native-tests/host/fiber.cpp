#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#if !defined(HOST_UCONTEXT) && !defined(__x86_64__) && !defined(__aarch64__)
#define HOST_UCONTEXT
#endif
#if defined(HOST_UCONTEXT)
#include <ucontext.h>
#else
extern "C" void host_switch(void **save, void *load);
extern "C" void host_begin();
#endif

#if defined(__SANITIZE_ADDRESS__)
#define HOST_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOST_ASAN
#endif
#endif
#if defined(HOST_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace host {

namespace {
// Only pages that are touched cost memory. A sanitizer's reports are written on the stack of the fiber that fails.
constexpr std::size_t STACK = 256 * 1024;
}  // namespace

struct Fiber::Context {
    char *memory = nullptr;
    std::size_t page = 0;
#if defined(HOST_UCONTEXT)
    ucontext_t caller, own;
#else
    void *caller = nullptr;
    void *own = nullptr;
#endif
#if defined(HOST_ASAN)
    void *callerFake = nullptr;
    void *ownFake = nullptr;
    const void *callerStack = nullptr;
    std::size_t callerBytes = 0;
#endif

    char *stack() const { return memory + page; }
};

Fiber::Fiber() : context(new Context) {
    context->page = std::size_t(sysconf(_SC_PAGESIZE));
    void *memory = mmap(
            nullptr,
            STACK + context->page,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
            -1,
            0);
    if (memory == MAP_FAILED) {
        delete context;
        throw std::bad_alloc();
    }
    context->memory = static_cast<char *>(memory);
    // A kernel that overruns its stack ends here.
    mprotect(memory, context->page, PROT_NONE);
}

Fiber::~Fiber() {
    munmap(context->memory, STACK + context->page);
    delete context;
}

#if defined(HOST_UCONTEXT)
namespace {
void enterHalves(unsigned low, unsigned high, unsigned codeLow, unsigned codeHigh) {
    auto join = [](unsigned a, unsigned b) { return std::uintptr_t(std::uint64_t(b) << 32 | a); };
    reinterpret_cast<void (*)(void *)>(join(codeLow, codeHigh))(reinterpret_cast<void *>(join(low, high)));
}
}  // namespace
#endif

void Fiber::start(void (*newBody)(void *), void *newArgument) {
    body = newBody;
    argument = newArgument;
    ended = false;
#if defined(HOST_ASAN)
    // Frames that were given up in the middle left their marks.
    __asan_unpoison_memory_region(context->stack(), STACK);
    context->ownFake = nullptr;
#endif
#if defined(HOST_UCONTEXT)
    getcontext(&context->own);
    context->own.uc_stack.ss_sp = context->stack();
    context->own.uc_stack.ss_size = STACK;
    context->own.uc_link = nullptr;
    std::uint64_t self = std::uintptr_t(this);
    std::uint64_t code = std::uintptr_t(&Fiber::enter);
    makecontext(
            &context->own,
            reinterpret_cast<void (*)()>(enterHalves),
            4,
            unsigned(self),
            unsigned(self >> 32),
            unsigned(code),
            unsigned(code >> 32));
#else
    void **top = reinterpret_cast<void **>(context->stack() + STACK);
#if defined(__x86_64__)
    // r15 r14 r13 r12 rbx rbp, the address that ret takes, and two words so that calls find the stack aligned.
    void **sp = top - 9;
    std::memset(sp, 0, 9 * sizeof(void *));
    sp[2] = reinterpret_cast<void *>(&Fiber::enter);
    sp[3] = this;
    sp[6] = reinterpret_cast<void *>(&host_begin);
#else
    // x19 .. x30, d8 .. d15.
    void **sp = top - 20;
    std::memset(sp, 0, 20 * sizeof(void *));
    sp[0] = this;
    sp[1] = reinterpret_cast<void *>(&Fiber::enter);
    sp[11] = reinterpret_cast<void *>(&host_begin);
#endif
    context->own = sp;
#endif
}

bool Fiber::resume() {
#if defined(HOST_ASAN)
    __sanitizer_start_switch_fiber(&context->callerFake, context->stack(), STACK);
#endif
#if defined(HOST_UCONTEXT)
    swapcontext(&context->caller, &context->own);
#else
    host_switch(&context->caller, context->own);
#endif
#if defined(HOST_ASAN)
    __sanitizer_finish_switch_fiber(context->callerFake, nullptr, nullptr);
#endif
    return !ended;
}

void Fiber::suspend() {
#if defined(HOST_ASAN)
    __sanitizer_start_switch_fiber(ended ? nullptr : &context->ownFake, context->callerStack, context->callerBytes);
#endif
#if defined(HOST_UCONTEXT)
    swapcontext(&context->own, &context->caller);
#else
    host_switch(&context->own, context->caller);
#endif
#if defined(HOST_ASAN)
    __sanitizer_finish_switch_fiber(context->ownFake, &context->callerStack, &context->callerBytes);
#endif
}

void Fiber::enter(void *fiber) {
    Fiber *self = static_cast<Fiber *>(fiber);
#if defined(HOST_ASAN)
    __sanitizer_finish_switch_fiber(nullptr, &self->context->callerStack, &self->context->callerBytes);
#endif
    self->body(self->argument);
    self->ended = true;
    self->suspend();
    std::abort();
}

}  // namespace host

// A stack of its own and what runs on it: the least that the executor needs.
#pragma once

#include <cstddef>

namespace host {

class Fiber {
public:
    Fiber();
    ~Fiber();
    Fiber(const Fiber &) = delete;
    Fiber &operator=(const Fiber &) = delete;

    // Makes the next resume() start body(argument) from the top, whatever it did before.
    void start(void (*body)(void *), void *argument);

    // Goes on with the fiber, until it suspends itself or its body ends. Returns whether it is not done.
    bool resume();

    // From within the fiber: back to who resumed it.
    void suspend();

private:
    struct Context;
    [[noreturn]] static void enter(void *fiber);

    Context *context;
    void (*body)(void *) = nullptr;
    void *argument = nullptr;
    bool ended = true;
};

}  // namespace host

// Assertions of the native tests: a failed one is counted and printed, and the test goes on.
#pragma once

#include <cstdio>
#include <string>

namespace check {

inline long passed = 0, failed = 0;
constexpr long MOST_PRINTED = 40;

inline bool that(bool holds, const std::string &what) {
    if (holds) {
        passed++;
    } else if (++failed <= MOST_PRINTED) {
        std::printf("FAILED: %s\n", what.c_str());
        std::fflush(stdout);
    }
    return holds;
}

inline bool contains(const std::string &text, const std::string &part) {
    return that(text.find(part) != std::string::npos, "\"" + text + "\" must contain \"" + part + "\"");
}

// The closing line, and the exit status.
inline int end() {
    if (failed > MOST_PRINTED) {
        std::printf("... and %ld more\n", failed - MOST_PRINTED);
    }
    std::printf("%ld passed, %ld failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace check

// matmul.k: every tile, plain and transposed operands.
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

struct Shape {
    long batch, m, n, depth;
};

void product(const Variant &v, const Shape &s, bool repeats) {
    Type type = v.type("T");
    bool down = v.has("X_DOWN"), across = v.has("Y_DOWN");
    Numbers numbers(41);
    // One more than needed between lines, so that a wrong stride shows.
    long xLine = (down ? s.m : s.depth) + 1, yLine = (across ? s.depth : s.n) + 1;
    Layout x{{s.batch, s.m, s.depth}, {xLine * (down ? s.depth : s.m), down ? 1 : xLine, down ? xLine : 1}, 3};
    Layout y{{s.batch, s.depth, s.n}, {yLine * (across ? s.n : s.depth), across ? 1 : yLine, across ? yLine : 1}, 2};
    if (repeats) {
        y.strides[0] = 0;
    }
    auto length = [](const Layout &l) { return l.count() == 0 ? l.offset : l.length(); };
    Buffer left(type, length(x), x.offset), right(type, length(y), y.offset), out(type, s.batch * s.m * s.n + 1, 1);
    for (long i = 0; i < x.count(); i++) {
        left.set(x.at(i), numbers.uniform(-1, 1));
    }
    for (long i = 0; i < y.count(); i++) {
        right.set(y.at(i), numbers.uniform(-1, 1));
    }
    if (s.m > 1 && s.depth > 1) {
        left.set(x.at(s.depth), INFINITY);
        left.set(x.at(0), NAN);
    }
    Arguments a{{&out, &left, &right},
                {s.batch, s.m, s.n, s.depth, x.offset, y.offset, 1, x.strides[0], x.strides[1], x.strides[2],
                 y.strides[0], y.strides[1], y.strides[2]}};
    long tileM = v.number("TILE_M"), tileN = v.number("TILE_N");
    run(v, s.batch * ((s.m + tileM - 1) / tileM) * ((s.n + tileN - 1) / tileN), a);
    std::vector<Reference> wanted;
    for (long b = 0; b < s.batch; b++) {
        for (long i = 0; i < s.m; i++) {
            for (long j = 0; j < s.n; j++) {
                Reference r;
                for (long k = 0; k < s.depth; k++) {
                    L term = left.get(x.at((b * s.m + i) * s.depth + k)) * right.get(y.at((b * s.depth + k) * s.n + j));
                    r.value += term;
                    r.scale += std::fabs(term);
                }
                wanted.push_back(r);
            }
        }
    }
    compare(v, "matmul", out, Layout::dense({long(wanted.size())}, 1), wanted, 4,
            std::to_string(s.batch) + " x [" + std::to_string(s.m) + "," + std::to_string(s.depth) + "] by ["
                    + std::to_string(s.depth) + "," + std::to_string(s.n) + "]");
}

const Group GROUP("matmul", [] {
    for (const Variant &v : variants("matmul", "matmul")) {
        long m = v.number("TILE_M"), n = v.number("TILE_N"), k = v.number("TILE_K");
        for (const Shape &s : std::vector<Shape>{
                     {1, 1, 1, 1},
                     {2, m, n, k},
                     {1, m - 1, n + 1, k + 1},
                     {1, m + 1, n - 1, k - 1},
                     {1, 3, 2 * n + 5, 2 * k + 3},
                     {2, 7, 5, 3},
                     {1, 2, 3, 0}}) {
            product(v, s, false);
        }
        product(v, {3, 5, 9, 20}, true);
    }
});

}  // namespace

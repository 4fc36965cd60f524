// unary.k and binary.k.
#include <algorithm>
#include <cmath>

#include "test.h"

namespace {

typedef long double L;
const L INF_ = INFINITY;
const L ROOT_2_PI = 0.797884560802865355879892119868763737L;
const L ROOT_HALF = 0.707106781186547524400844362104849039L;
const L PI = 3.14159265358979323846264338327950288L;

L sigmoid(L x) { return 1 / (1 + std::exp(-x)); }
L wrapped(Type type, L v) {
    // Exact in 128 bits, then cut.
    __int128 wide = (__int128) v;
    return type == i64 ? (L) (long) wide : (L) (int) wide;
}

struct Function {
    L low, high;    // where inputs come from
    L bound;        // in ULP, of float32 and float64
    bool specials;  // whether infinities, NaN and zeros are tried
    std::function<Reference(L, L, L)> of;
};

const std::map<std::string, Function> UNARY = {
        {"NEG", {-1e4L, 1e4L, 0, true, [](L x, L, L) { return Reference{-x}; }}},
        {"ABS", {-1e4L, 1e4L, 0, true, [](L x, L, L) { return Reference{std::fabs(x)}; }}},
        {"SIGN", {-2, 2, 0, true, [](L x, L, L) { return Reference{x > 0 ? 1 : x < 0 ? -1 : x}; }}},
        {"EXP", {-80, 80, 1, true, [](L x, L, L) { return Reference{std::exp(x)}; }}},
        {"LOG", {1e-4L, 1e4L, 1, true, [](L x, L, L) { return Reference{std::log(x)}; }}},
        {"LOG1P", {-0.99L, 10, 1, true, [](L x, L, L) { return Reference{std::log1p(x)}; }}},
        {"SQRT", {0, 1e4L, 0.5L, true, [](L x, L, L) { return Reference{std::sqrt(x)}; }}},
        {"RSQRT", {1e-3L, 1e4L, 1.5L, true, [](L x, L, L) { return Reference{1 / std::sqrt(x)}; }}},
        {"RECIPROCAL", {-100, 100, 0.5L, true, [](L x, L, L) { return Reference{1 / x}; }}},
        {"SIN", {-100, 100, 1, true, [](L x, L, L) { return Reference{std::sin(x)}; }}},
        {"COS", {-100, 100, 1, true, [](L x, L, L) { return Reference{std::cos(x)}; }}},
        {"TANH", {-12, 12, 2, true, [](L x, L, L) { return Reference{std::tanh(x)}; }}},
        {"SIGMOID", {-80, 80, 2.5L, true, [](L x, L, L) { return Reference{sigmoid(x)}; }}},
        {"RELU", {-5, 5, 0, true, [](L x, L, L) { return Reference{x > 0 ? x : x == x ? 0 : x}; }}},
        {"GELU",
         {-8, 8, 3, false,
          [](L x, L, L) {
              return Reference{0.5L * x * std::erfc(-x * ROOT_HALF), std::fabs(x)};
          }}},
        {"GELU_TANH",
         {-8, 8, 3, false,
          [](L x, L, L) {
              return Reference{0.5L * x * (1 + std::tanh(ROOT_2_PI * (x + 0.044715L * x * x * x))), std::fabs(x)};
          }}},
        {"SILU", {-80, 80, 3, false, [](L x, L, L) { return Reference{x * sigmoid(x)}; }}},
        {"ERF", {-5, 5, 1, true, [](L x, L, L) { return Reference{std::erf(x)}; }}},
        {"ADD_SCALAR", {-100, 100, 0.5L, true, [](L x, L p, L) { return Reference{x + p}; }}},
        {"MUL_SCALAR", {-100, 100, 0.5L, true, [](L x, L p, L) { return Reference{x * p}; }}},
        {"DIV_SCALAR", {-100, 100, 0.5L, true, [](L x, L p, L) { return Reference{x / p}; }}},
        {"POW_SCALAR", {1e-3L, 100, 1, true, [](L x, L p, L) { return Reference{std::pow(x, p)}; }}},
        {"CLAMP", {-5, 5, 0, true, [](L x, L p, L q) { return Reference{x < p ? p : x > q ? q : x}; }}},
        {"ISNAN", {-5, 5, 0, true, [](L x, L, L) { return Reference{L(x != x)}; }}},
        {"NOT", {-1, 1, 0, true, [](L x, L, L) { return Reference{L(x == 0)}; }}}};

struct Pair {
    L lowA, highA, lowB, highB;
    L bound;
    bool specials;
    std::function<Reference(L, L)> of;
};

Reference geluSlope(L a, L x) {
    return {a * (0.5L * std::erfc(-x * ROOT_HALF) + x * std::exp(-0.5L * x * x) / std::sqrt(2 * PI)),
            std::fabs(a)};
}

Reference geluTanhSlope(L a, L x) {
    L t = std::tanh(ROOT_2_PI * (x + 0.044715L * x * x * x));
    L inner = ROOT_2_PI * (1 + 3 * 0.044715L * x * x);
    // 1 - t^2 is left with the error of t at 1.
    return {a * (0.5L * (1 + t) + 0.5L * x * (1 - t * t) * inner), std::fabs(a) * (1 + std::fabs(x * inner))};
}

const std::map<std::string, Pair> BINARY = {
        {"ADD", {-100, 100, -100, 100, 0.5L, true, [](L a, L b) { return Reference{a + b}; }}},
        {"SUB", {-100, 100, -100, 100, 0.5L, true, [](L a, L b) { return Reference{a - b}; }}},
        {"MUL", {-100, 100, -100, 100, 0.5L, true, [](L a, L b) { return Reference{a * b}; }}},
        {"DIV", {-100, 100, -100, 100, 0.5L, true, [](L a, L b) { return Reference{a / b}; }}},
        {"POW", {0, 20, -4, 4, 1, true, [](L a, L b) { return Reference{std::pow(a, b)}; }}},
        {"MAXIMUM", {-5, 5, -5, 5, 0, true, [](L a, L b) { return Reference{a > b || a != a ? a : b}; }}},
        {"MINIMUM", {-5, 5, -5, 5, 0, true, [](L a, L b) { return Reference{a < b || a != a ? a : b}; }}},
        {"EQ", {-2, 2, -2, 2, 0, true, [](L a, L b) { return Reference{L(a == b)}; }}},
        {"NE", {-2, 2, -2, 2, 0, true, [](L a, L b) { return Reference{L(a != b)}; }}},
        {"LT", {-2, 2, -2, 2, 0, true, [](L a, L b) { return Reference{L(a < b)}; }}},
        {"LE", {-2, 2, -2, 2, 0, true, [](L a, L b) { return Reference{L(a <= b)}; }}},
        {"GT", {-2, 2, -2, 2, 0, true, [](L a, L b) { return Reference{L(a > b)}; }}},
        {"GE", {-2, 2, -2, 2, 0, true, [](L a, L b) { return Reference{L(a >= b)}; }}},
        {"ABS_GRAD", {-5, 5, -5, 5, 0, false, [](L a, L x) { return Reference{x > 0 ? a : x < 0 ? -a : 0}; }}},
        {"SQRT_GRAD", {-5, 5, 0.1L, 10, 1, false, [](L a, L y) { return Reference{a / (2 * y)}; }}},
        {"RSQRT_GRAD", {-5, 5, 0.1L, 10, 3, false, [](L a, L y) { return Reference{-0.5L * a * y * y * y}; }}},
        {"RECIPROCAL_GRAD", {-5, 5, -10, 10, 2, false, [](L a, L y) { return Reference{-a * y * y}; }}},
        {"LOG1P_GRAD", {-5, 5, -0.5L, 10, 1.5L, false, [](L a, L x) { return Reference{a / (1 + x)}; }}},
        {"SIN_GRAD", {-5, 5, -10, 10, 2, false, [](L a, L x) { return Reference{a * std::cos(x)}; }}},
        {"COS_GRAD", {-5, 5, -10, 10, 2, false, [](L a, L x) { return Reference{-a * std::sin(x)}; }}},
        {"TANH_GRAD", {-5, 5, -1, 1, 2, false, [](L a, L y) { return Reference{a * (1 - y * y), std::fabs(a)}; }}},
        {"SIGMOID_GRAD", {-5, 5, 0, 1, 3, false, [](L a, L y) { return Reference{a * y * (1 - y)}; }}},
        {"RELU_GRAD", {-5, 5, -5, 5, 0, false, [](L a, L y) { return Reference{y > 0 ? a : 0}; }}},
        {"GELU_GRAD", {-5, 5, -6, 6, 3, false, geluSlope}},
        {"GELU_TANH_GRAD", {-5, 5, -6, 6, 2.5L, false, geluTanhSlope}},
        {"SILU_GRAD",
         {-5, 5, -20, 20, 4, false,
          [](L a, L x) {
              // Near the zero of the slope 1 and x s(-x) cancel.
              return Reference{a * sigmoid(x) * (1 + x * sigmoid(-x)),
                               std::fabs(a) * sigmoid(x) * (1 + std::fabs(x) * sigmoid(-x))};
          }}},
        {"ERF_GRAD",
         {-5, 5, -4, 4, 3, false,
          [](L a, L x) {
              return Reference{a * 2 / std::sqrt(PI) * std::exp(-x * x), std::fabs(a) * std::exp(-x * x) * (1 + x * x)};
          }}}};

// What may come out of integer operations: computed exactly and wrapped, as the kernels promise.
L integer(const std::string &op, Type type, L a, L b) {
    return op == "ADD" ? (type == b8 ? std::min<L>(1, a + b) : wrapped(type, a + b))
            : op == "SUB" ? wrapped(type, a - b)
            : op == "MUL" ? (type == i64 ? (L) (long) ((unsigned long) (long) a * (unsigned long) (long) b) : wrapped(type, a * b))
                          : BINARY.at(op).of(a, b).value;
}

const L SPECIALS[] = {0, -0.0L, 1, -1, INF_, -INF_, NAN, 1e-30L, -1e-30L, 0.5L, 2};
constexpr int SPECIAL = sizeof SPECIALS / sizeof *SPECIALS;

void fill(Buffer &b, Numbers &numbers, L low, L high, bool specials) {
    for (long at = b.offset, n = 0; at < b.length; at++) {
        bool special = specials && n < SPECIAL && isFloat(b.type);
        L v = special ? SPECIALS[n] : numbers.uniform(low, high);
        n++;
        if (b.type == b8) {
            v = L(numbers.below(2));
        } else if (b.type == i64 || b.type == i32) {
            // Small ones, and some that wrap.
            v = numbers.below(8) == 0 ? (L) (b.type == i64 ? (long) numbers.next() : (int) numbers.next())
                                      : std::floor(v);
        }
        b.set(at, v);
    }
}

long lowest(const Layout &l) {
    long low = l.offset;
    for (std::size_t d = 0; d < l.sizes.size(); d++) {
        low += l.strides[d] < 0 ? (l.sizes[d] - 1) * l.strides[d] : 0;
    }
    return low;
}

const std::vector<long> BOX = {3, 5, 7};

// Layouts of the input (or two) and the output.
const std::vector<std::vector<Layout>> &shapes() {
    static const std::vector<std::vector<Layout>> all = {
            {Layout::dense({1}), Layout::dense({1}), Layout::dense({1})},
            {Layout::dense({255}), Layout::dense({255}, 1), Layout::dense({255}, 3)},
            {Layout::dense({256}, 5), Layout::dense({256}), Layout::dense({256})},
            {Layout::dense({257}), Layout::repeated({257}, 0, 2), Layout::dense({257}, 1)},
            {Layout::transposed(BOX), Layout::dense(BOX), Layout::dense(BOX)},
            {Layout::gapped(BOX, 1, 2), Layout::repeated(BOX, 1), Layout::gapped(BOX, 2, 1)},
            {Layout::backwards(BOX, 3), Layout::transposed(BOX, 1), Layout::transposed(BOX, 2)},
            {Layout::dense({2, 1, 2, 1, 3, 2, 2, 2}), Layout::transposed({2, 1, 2, 1, 3, 2, 2, 2}),
             Layout::gapped({2, 1, 2, 1, 3, 2, 2, 2}, 1)}};
    return all;
}

std::vector<std::vector<Layout>> denseShapes() {
    std::vector<std::vector<Layout>> all;
    for (long count : {1L, 3L, 4L, 5L, 8L, 1023L, 1024L, 1029L}) {
        all.push_back({Layout::dense({count}), Layout::dense({count}, 4), Layout::dense({count}, 8)});
    }
    return all;
}

void unary(const Variant &v, const std::vector<std::vector<Layout>> &shapes, long each) {
    const Function &f = UNARY.at(v.op());
    Type in = v.type("T"), out = v.type("U");
    Numbers numbers(11);
    std::vector<std::pair<L, L>> scalars = {{1.75L, 3.5L}};
    if (v.op() == "CLAMP") {
        scalars.push_back({-2, INF_});
    } else if (v.op() == "POW_SCALAR") {
        scalars = {{0.5L, 0}, {3, 0}, {-1, 0}, {0, 0}};
    }
    for (const std::vector<Layout> &shape : shapes) {
        for (auto [p, q] : scalars) {
            if (!isFloat(in)) {
                p = std::floor(p);
                q = std::isinf(q) ? 1000 : std::floor(q);
            }
            const Layout &from = shape[0], &to = shape[2];
            Buffer x(in, from.length(), lowest(from));
            Buffer y(out, to.length(), lowest(to));
            fill(x, numbers, f.low, f.high, f.specials);
            Arguments a{{&y, &x}, {from.count(), long(from.sizes.size()), from.offset, to.offset, bits(in, p), bits(in, q)}};
            a.axes(from.sizes).axes(from.strides).axes(to.strides);
            run(v, groupsFor((from.count() + each - 1) / each, v), a);
            std::vector<Reference> wanted;
            for (long i = 0; i < from.count(); i++) {
                L value = x.get(from.at(i));
                if (isFloat(in)) {
                    wanted.push_back(f.of(value, p, q));
                } else if (v.op() == "MUL_SCALAR" || v.op() == "ADD_SCALAR") {
                    wanted.push_back({integer(v.op().substr(0, 3), in, value, p)});
                } else if (v.op() == "NEG" || v.op() == "ABS") {
                    wanted.push_back({v.op() == "ABS" && value >= 0 ? value : wrapped(in, -value)});
                } else {
                    wanted.push_back(f.of(value, p, q));
                }
            }
            compare(v, "unary " + v.op(), y, to, wanted, f.bound, std::to_string(from.count()) + " elements");
        }
    }
}

void binary(const Variant &v, const std::vector<std::vector<Layout>> &shapes, long each) {
    const Pair &f = BINARY.at(v.op());
    Type in = v.type("T"), out = v.type("U");
    Numbers numbers(12);
    for (const std::vector<Layout> &shape : shapes) {
        const Layout &left = shape[0], &right = shape[1], &to = shape[2];
        Buffer x(in, left.length(), lowest(left));
        Buffer y(in, right.length(), lowest(right));
        Buffer z(out, to.length(), lowest(to));
        fill(x, numbers, f.lowA, f.highA, f.specials);
        fill(y, numbers, f.lowB, f.highB, f.specials);
        Arguments a{{&z, &x, &y}, {left.count(), long(left.sizes.size()), left.offset, right.offset, to.offset}};
        a.axes(left.sizes).axes(left.strides).axes(right.strides).axes(to.strides);
        run(v, groupsFor((left.count() + each - 1) / each, v), a);
        std::vector<Reference> wanted;
        for (long i = 0; i < left.count(); i++) {
            L p = x.get(left.at(i)), q = y.get(right.at(i));
            wanted.push_back(isFloat(in) ? f.of(p, q) : Reference{integer(v.op(), in, p, q)});
        }
        compare(v, "binary " + v.op(), z, to, wanted, f.bound, std::to_string(left.count()) + " elements");
    }
}

const Group GROUP_UNARY("unary", [] {
    for (const Variant &v : variants("unary", "unary")) {
        unary(v, shapes(), 1);
    }
    for (const Variant &v : variants("unary", "unary_dense")) {
        unary(v, denseShapes(), 4);
    }
});

const Group GROUP_BINARY("binary", [] {
    for (const Variant &v : variants("binary", "binary")) {
        binary(v, shapes(), 1);
    }
    for (const Variant &v : variants("binary", "binary_dense")) {
        binary(v, denseShapes(), 4);
    }
});

}  // namespace

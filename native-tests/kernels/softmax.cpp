// softmax.k and softmax.cuda.k: rows and columns, forward and backward, in every form.
#include <algorithm>
#include <cmath>
#include <memory>

#include "test.h"

namespace {

typedef long double L;

// Rows by number: plain ones, and those whose result is all NaN or holds infinities.
void fill(Buffer &x, long rows, long length, const std::function<long(long, long)> &at) {
    Numbers numbers(31);
    for (long r = 0; r < rows; r++) {
        long kind = rows < 9 ? r * 3 : r;
        L base = kind % 9 == 2 ? 9000 : kind % 9 == 5 ? -9000 : 0;
        L spread = kind % 9 == 3 ? 60 : kind % 9 == 1 ? 0 : 8;
        for (long j = 0; j < length; j++) {
            x.set(at(r, j), base + numbers.uniform(-spread, spread));
        }
        long some = numbers.below(length);
        if (kind % 9 == 4) {
            x.set(at(r, some), NAN);
        } else if (kind % 9 == 6) {
            x.set(at(r, some), INFINITY);
        } else if (kind % 9 == 7) {
            x.set(at(r, some), -INFINITY);
        } else if (kind % 9 == 8) {
            for (long j = 0; j < length; j++) {
                x.set(at(r, j), -INFINITY);
            }
        }
    }
}

// How many rows of which length, where they lie, and how they are launched.
struct Shape {
    long rows, length, inner = 1;
    long x = 3, y = 2, out = 1;  // offsets
    long across = 0, down = 1, keep = 0;  // across 0: the form for CPUs
    bool is_log = false, known = false;
    long groups = 0, shared = 0;

    std::string text() const {
        return std::to_string(rows) + " rows of " + std::to_string(length) + ", inner " + std::to_string(inner)
                + (across == 0 ? "" : ", " + std::to_string(across) + " by " + std::to_string(down)
                        + (keep ? ", kept" : "") + ", offsets " + std::to_string(x) + " " + std::to_string(y) + " "
                        + std::to_string(out));
    }

    void launch(const Variant &v, std::vector<const Buffer *> buffers) const {
        Arguments a{buffers, {rows, length, inner, x, y, out, across, down, keep, is_log, known}};
        run(v, groups, a, 1, shared);
    }
};

// The maximum of each row and its sum of exponentials, as pairs.
void known(const Variant &v, Shape s) {
    long rows = s.rows, length = s.length, inner = s.inner;
    s.known = true;
    s.keep = s.shared = 0;
    auto at = [&](long r, long j) { return r / inner * length * inner + r % inner + j * inner; };
    Buffer x(v.type("T"), rows * length + s.x, s.x), pairs(v.type("U"), 2 * rows + s.out, s.out);
    fill(x, rows, length, [&](long r, long j) { return s.x + at(r, j); });
    s.launch(v, {&pairs, &x});
    std::vector<Reference> wanted;
    for (long r = 0; r < rows; r++) {
        L top = -INFINITY, sum = 0;
        for (long j = 0; j < length; j++) {
            top = std::fmax(top, x.get(s.x + at(r, j)));
        }
        for (long j = 0; j < length; j++) {
            sum += std::exp(x.get(s.x + at(r, j)) - top);
        }
        // Of a row of -inf alone either gives NaN in the end.
        bool none = top == -INFINITY && s.across > 0 && v.kernel != "softmax_short";
        wanted.push_back({top});
        wanted.push_back(none ? Reference{std::isnan(x.get(s.x + at(r, 0))) ? L(NAN) : 0} : Reference{sum, sum * 4});
    }
    compare(v, v.kernel + " known", pairs, Layout::dense({2 * rows}, s.out), wanted, 2, s.text());
}

void forward(const Variant &v, const Shape &s) {
    if (s.across == 0 && v.op() == "KNOWN") {
        known(v, s);
        return;
    }
    long rows = s.rows, length = s.length, inner = s.inner;
    bool log = s.is_log;
    if (log && s.across > 0 && v.type("U") == v.type("WIDE")) {
        known(v, s);
    }
    Type in = v.type("T"), out = v.type("U");
    auto at = [&](long r, long j) { return r / inner * length * inner + r % inner + j * inner; };
    Buffer x(in, rows * length + s.x, s.x), y(out, rows * length + s.out, s.out);
    fill(x, rows, length, [&](long r, long j) { return s.x + at(r, j); });
    s.launch(v, {&y, &x});
    std::vector<Reference> wanted(std::size_t(rows * length));
    for (long r = 0; r < rows; r++) {
        L top = -INFINITY, sum = 0;
        for (long j = 0; j < length; j++) {
            L value = x.get(s.x + at(r, j));
            top = value > top || value != value ? value : top;
        }
        for (long j = 0; j < length; j++) {
            sum += std::exp(x.get(s.x + at(r, j)) - top);
        }
        for (long j = 0; j < length; j++) {
            L d = x.get(s.x + at(r, j)) - top;
            // The difference is rounded before it is an exponent.
            wanted[std::size_t(at(r, j))] = log
                    ? Reference{d - std::log(sum), 1}
                    : Reference{std::exp(d) / sum, std::exp(d) / sum * (1 + (d < -1000 ? 0 : std::fabs(d)))};
        }
    }
    compare(v, v.kernel + (log ? " log" : ""), y, Layout::dense({rows * length}, s.out), wanted, 4, s.text());
}

void backward(const Variant &v, const Shape &s) {
    long rows = s.rows, length = s.length, inner = s.inner;
    bool log = s.is_log;
    Type in = v.type("T"), out = v.type("U");
    auto at = [&](long r, long j) { return r / inner * length * inner + r % inner + j * inner; };
    Buffer g(in, rows * length + s.x, s.x), y(in, rows * length + s.y, s.y), dx(out, rows * length + s.out, s.out);
    Numbers numbers(32);
    for (long i = 0; i < rows * length; i++) {
        g.set(s.x + i, numbers.uniform(-2, 2));
        y.set(s.y + i, log ? numbers.uniform(-12, 0) : numbers.uniform(0, 2.0L / length));
    }
    if (rows > 2) {
        g.set(s.x + at(1, length / 2), NAN);
        y.set(s.y + at(2, 0), log ? -INFINITY : 0);
    }
    s.launch(v, {&dx, &g, &y});
    std::vector<Reference> wanted(std::size_t(rows * length));
    for (long r = 0; r < rows; r++) {
        L sum = 0, size = 0;
        for (long j = 0; j < length; j++) {
            L term = log ? g.get(s.x + at(r, j)) : g.get(s.x + at(r, j)) * y.get(s.y + at(r, j));
            sum += term;
            size += std::fabs(term);
        }
        for (long j = 0; j < length; j++) {
            L slope = g.get(s.x + at(r, j)), value = y.get(s.y + at(r, j));
            wanted[std::size_t(at(r, j))] = log
                    ? Reference{slope - std::exp(value) * sum, std::fabs(slope) + std::exp(value) * size}
                    : Reference{value * (slope - sum), std::fabs(value) * (std::fabs(slope) + size)};
        }
    }
    compare(v, v.kernel + (log ? " log" : ""), dx, Layout::dense({rows * length}, s.out), wanted, 4, s.text());
}

typedef void Test(const Variant &, const Shape &);

// ---- softmax.k on a CPU

// Those that are, or are not, for CPUs.
std::vector<Variant> vectorized(const char *kernel, bool are) {
    std::vector<Variant> all = variants("softmax", kernel);
    all.erase(
            std::remove_if(all.begin(), all.end(), [=](const Variant &v) { return v.has("VECTORIZED") != are; }),
            all.end());
    check::that(!all.empty(), std::string("there is a ") + kernel);
    return all;
}

void plain(Test *test, const Variant &v, long rows, long length, long inner) {
    Shape s{rows, length, inner};
    s.is_log = v.op() == "LOG_SOFTMAX";
    s.groups = groupsFor(rows, v);
    test(v, s);
}

// The lengths at which a shape begins and ends.
std::vector<long> lengths(const Variant &v) {
    long lanes = v.number("LANES"), full = 4 * lanes;
    return {full, 1, full - 1, full / 2 + 1, lanes + 1, 16};
}

void plainRows(const char *kernel, Test *test) {
    for (const Variant &v : vectorized(kernel, true)) {
        long together = v.block;
        std::vector<long> all = lengths(v);
        for (std::size_t i = 0; i < all.size(); i++) {
            // Whole groups, one more, one less; few rows where they are long.
            long count = i == 0 ? together + 1 : i == 1 ? 1 : i == 2 ? std::max(1L, together - 1) : 2 * together;
            plain(test, v, all[i] > 1000 ? std::min(count, 9L) : count, all[i], 1);
        }
        plain(test, v, 9, all[0], 1);
    }
}

void plainColumns(const char *kernel, Test *test) {
    for (const Variant &v : vectorized(kernel, true)) {
        long together = v.block;
        plain(test, v, 2 * together, 4, together);
        plain(test, v, 2 * (together + 1), 1, together + 1);
        plain(test, v, 9, 3, 3);
        plain(test, v, 6, 1, 2);
    }
}

// ---- softmax.cuda.k, and softmax.k for groups without warps

long chunkOf(const Variant &v) { return 16 / std::min(bytesOf(v.type("T")), bytesOf(v.type("U"))); }

long above(long n, long each) { return (n + each - 1) / each; }

// At 16 bytes all of them; each elsewhere; one as the output and one not. Where rows are no multiple of 16 bytes long each
// has a place of its own anyway.
const long OFFSETS[][3] = {{0, 0, 0}, {3, 2, 1}, {5, 8, 5}, {8, 7, 0}};

// As softmax and as log-softmax.
void both(Test *test, const Variant &v, Shape s) {
    for (bool is_log : {false, true}) {
        s.is_log = is_log;
        test(v, s);
    }
}

// Softmax and log-softmax in turn.
void atOffsets(Test *test, const Variant &v, Shape s) {
    for (const auto &offsets : OFFSETS) {
        s.x = offsets[0];
        s.y = offsets[1];
        s.out = offsets[2];
        test(v, s);
        s.is_log = !s.is_log;
    }
}

// A row has the same bits alone as among others, wherever it lies.
void alone(const Variant &v, Shape s, int operands) {
    Type in = v.type("T"), out = v.type("U");
    Numbers numbers(33);
    std::vector<std::unique_ptr<Buffer>> all;
    for (int i = 0; i < operands; i++) {
        all.push_back(std::make_unique<Buffer>(in, s.rows * s.length + (i == 0 ? s.x : s.y), i == 0 ? s.x : s.y));
        for (long j = all[i]->offset; j < all[i]->length; j++) {
            all[i]->set(j, numbers.uniform(-3, 3));
        }
    }
    auto launch = [&](const Shape &shape, const Buffer &to, const std::vector<std::unique_ptr<Buffer>> &from) {
        std::vector<const Buffer *> buffers = {&to};
        for (const auto &each : from) {
            buffers.push_back(each.get());
        }
        shape.launch(v, buffers);
    };
    Buffer together(out, s.rows * s.length + s.out, s.out);
    launch(s, together, all);
    std::vector<unsigned char> bytes = together.copy();
    for (long r : {0L, s.rows / 2, s.rows - 1}) {
        std::vector<std::unique_ptr<Buffer>> row;
        for (int i = 0; i < operands; i++) {
            row.push_back(std::make_unique<Buffer>(in, s.length));
            for (long j = 0; j < s.length; j++) {
                row[i]->set(j, all[i]->get(all[i]->offset + r * s.length + j));
            }
        }
        Shape one = s;
        one.rows = 1;
        one.groups = std::max(1L, v.has("CLUSTER") ? v.number("CLUSTER") : 1);
        one.x = one.y = one.out = 0;
        Buffer single(out, s.length);
        launch(one, single, row);
        std::vector<unsigned char> own = single.copy();
        check::that(
                std::equal(own.begin(), own.end(), bytes.begin() + r * s.length * bytesOf(out)),
                v.name + ": row " + std::to_string(r) + " has the same bits alone, " + s.text());
    }
}

void shortRows(const char *kernel, Test *test, int operands) {
    for (const Variant &v : vectorized(kernel, false)) {
        long keep = v.number("KEEP"), chunk = chunkOf(v);
        for (long across = 1; across <= 32; across *= 2) {
            long full = across * keep, together = v.block / across;
            Shape s{1, 1};
            s.across = across;
            auto rows = [&](long count, long length) {
                s.rows = count;
                s.length = length;
                s.groups = above(count, together);
            };
            rows(std::min(together + 1, 40L), full);
            atOffsets(test, v, s);
            rows(9, full - 1);
            atOffsets(test, v, s);
            rows(9, full / 2 + 1);
            both(test, v, s);
            rows(11, std::max(1L, full - chunk + 1));
            both(test, v, s);
            rows(7, std::min(full, chunk - 1));
            both(test, v, s);
            rows(17, 1);
            both(test, v, s);
            rows(5, full - 1);
            alone(v, s, operands);
        }
    }
}

void longRows(const char *kernel, Test *test, int operands) {
    for (const Variant &v : vectorized(kernel, false)) {
        long cluster = v.has("CLUSTER") ? v.number("CLUSTER") : 1, chunk = chunkOf(v);
        long turn = v.block * chunk;
        auto shape = [&](long rows, long length, long keep) {
            Shape s{rows, length};
            s.across = 1;
            s.keep = keep;
            s.groups = rows * cluster;
            s.shared = keep ? above(above(length, chunk), cluster) * chunk * bytesOf(v.type("T")) * operands : 0;
            return s;
        };
        for (long keep : {1, 0}) {
            atOffsets(test, v, shape(keep ? 9 : 3, 300 + chunk, keep));
            if (keep) {
                atOffsets(test, v, shape(2, turn * 2 + 3, keep));
            } else {
                both(test, v, shape(2, turn * 2 + 3, keep));
            }
            both(test, v, shape(1, turn * 4, keep));
            both(test, v, shape(1, turn * 4 + 1, keep));
            both(test, v, shape(1, turn * 5 - 1, keep));
            // Some blocks of a cluster have nothing.
            both(test, v, shape(9, 2 * chunk + 1, keep));
            alone(v, shape(3, turn + 5, keep), operands);
        }
        // A part of which one block has one chunk more than its threads.
        both(test, v, shape(1, cluster * turn + 1, 1));
    }
}

// Registers, local memory and what is read again: at each one's end, one before and one after.
void groupRows(const char *kernel, Test *test, int operands) {
    for (const Variant &v : vectorized(kernel, false)) {
        long keep = v.number("KEEP"), chunk = chunkOf(v);
        for (long across = 1; across <= v.block; across *= across < 4 ? 2 : across < 32 ? 4 : 2) {
            long together = v.block / across, full = across * keep;
            Shape s{1, 1};
            s.across = across;
            auto rows = [&](long count, long length) {
                s.rows = count;
                s.length = length;
                s.groups = above(count, together);
            };
            rows(std::min(together + 1, 20L), full);
            atOffsets(test, v, s);
            rows(9, full - 1);
            atOffsets(test, v, s);
            rows(9, std::max(1L, full / 2 + 1));
            both(test, v, s);
            rows(11, std::max(1L, full - chunk + 1));
            both(test, v, s);
            rows(17, 1);
            both(test, v, s);
            rows(5, full - 1);
            alone(v, s, operands);
            if (v.has("HOLD") && (across == 2 || across == 32 || across == v.block)) {
                long held = v.number("HOLD") * across * chunk;
                for (long length : {full + 1, full + held - 1, full + held, full + held + 1, full + held + 9 * chunk * across + 3}) {
                    rows(3, length);
                    atOffsets(test, v, s);
                    alone(v, s, operands);
                }
            }
        }
    }
}

void columns(const char *kernel, Test *test, int operands) {
    for (const Variant &v : vectorized(kernel, false)) {
        long width = v.number("WIDTH");
        auto shape = [&](long outer, long length, long inner, long across, long down, long keep) {
            Shape s{outer * inner, length, inner};
            s.across = across;
            s.down = down;
            s.groups = above(inner / width, across) * above(outer, v.block / (across * down));
            long turns = above(length, down);
            bool fixed = v.has("HOLD");
            s.keep = fixed && turns > v.number("HOLD") ? 0 : keep;
            s.shared = s.keep && !fixed ? turns * v.block * width * bytesOf(v.type("T")) * operands : 0;
            if (width > 1) {
                s.x = chunkOf(v), s.y = 0, s.out = 2 * chunkOf(v);
            }
            return s;
        };
        for (long keep : {1, 0}) {
            both(test, v, shape(1, 37, 8 * width, 8, 32, keep));
            both(test, v, shape(2, 33, 9 * width, 8, 16, keep));
            both(test, v, shape(3, 9, 3 * width, 3, 4, keep));
            both(test, v, shape(23, 5, 5 * width, 5, 2, keep));
            both(test, v, shape(9, 1, 2 * width, 2, 1, keep));
            both(test, v, shape(1, 6, 257 * width, 256, 1, keep));
            both(test, v, shape(1, 13, 16 * width, 2, 128, keep));
        }
    }
}

const Group GROUP_PLAIN("softmax plain", [] {
    plainRows("softmax_rows", forward);
    plainRows("softmax_rows_grad", backward);
    plainColumns("softmax_columns", forward);
    plainColumns("softmax_columns_grad", backward);
});
const Group GROUP_SHORT("softmax short", [] {
    shortRows("softmax_short", forward, 1);
    shortRows("softmax_short_grad", backward, 2);
});
const Group GROUP_ROWS("softmax rows", [] {
    longRows("softmax_rows", forward, 1);
    longRows("softmax_rows_grad", backward, 2);
});
const Group GROUP_GROUPS("softmax groups", [] {
    groupRows("softmax_group", forward, 1);
    groupRows("softmax_group_grad", backward, 2);
});
const Group GROUP_COLUMNS("softmax columns", [] {
    columns("softmax_columns", forward, 1);
    columns("softmax_columns_grad", backward, 2);
});

}  // namespace

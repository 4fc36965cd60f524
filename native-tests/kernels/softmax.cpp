// softmax.k: rows and columns, forward and backward.
#include <cmath>

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

void forward(const Variant &v, long rows, long length, long inner) {
    bool log = v.op() == "LOG_SOFTMAX";
    Type in = v.type("T"), out = v.type("U");
    auto at = [&](long r, long j) { return r / inner * length * inner + r % inner + j * inner; };
    Buffer x(in, rows * length + 3, 3), y(out, rows * length + 1, 1);
    fill(x, rows, length, [&](long r, long j) { return 3 + at(r, j); });
    Arguments a{{&y, &x}, {rows, length, inner, 3, 0, 1}};
    run(v, groupsFor(rows * (v.block / v.number("ROWS")), v), a);
    std::vector<Reference> wanted(std::size_t(rows * length));
    for (long r = 0; r < rows; r++) {
        L top = -INFINITY, sum = 0;
        for (long j = 0; j < length; j++) {
            L value = x.get(3 + at(r, j));
            top = value > top || value != value ? value : top;
        }
        for (long j = 0; j < length; j++) {
            sum += std::exp(x.get(3 + at(r, j)) - top);
        }
        for (long j = 0; j < length; j++) {
            L d = x.get(3 + at(r, j)) - top;
            // The difference is rounded before it is an exponent.
            wanted[std::size_t(at(r, j))] = log
                    ? Reference{d - std::log(sum), 1}
                    : Reference{std::exp(d) / sum, std::exp(d) / sum * (1 + (d < -1000 ? 0 : std::fabs(d)))};
        }
    }
    compare(v, v.kernel + (log ? " log" : ""), y, Layout::dense({rows * length}, 1), wanted, 3,
            std::to_string(rows) + " rows of " + std::to_string(length) + ", inner " + std::to_string(inner));
}

void backward(const Variant &v, long rows, long length, long inner) {
    bool log = v.op() == "LOG_SOFTMAX";
    Type in = v.type("T"), out = v.type("U");
    auto at = [&](long r, long j) { return r / inner * length * inner + r % inner + j * inner; };
    Buffer g(in, rows * length + 2, 2), y(in, rows * length + 3, 3), dx(out, rows * length + 1, 1);
    Numbers numbers(32);
    for (long i = 0; i < rows * length; i++) {
        g.set(2 + i, numbers.uniform(-2, 2));
        y.set(3 + i, log ? numbers.uniform(-12, 0) : numbers.uniform(0, 2.0L / length));
    }
    if (rows > 2) {
        g.set(2 + at(1, length / 2), NAN);
        y.set(3 + at(2, 0), log ? -INFINITY : 0);
    }
    Arguments a{{&dx, &g, &y}, {rows, length, inner, 2, 3, 1}};
    run(v, groupsFor(rows * (v.block / v.number("ROWS")), v), a);
    std::vector<Reference> wanted(std::size_t(rows * length));
    for (long r = 0; r < rows; r++) {
        L sum = 0, size = 0;
        for (long j = 0; j < length; j++) {
            L term = log ? g.get(2 + at(r, j)) : g.get(2 + at(r, j)) * y.get(3 + at(r, j));
            sum += term;
            size += std::fabs(term);
        }
        for (long j = 0; j < length; j++) {
            L slope = g.get(2 + at(r, j)), value = y.get(3 + at(r, j));
            wanted[std::size_t(at(r, j))] = log
                    ? Reference{slope - std::exp(value) * sum, std::fabs(slope) + std::exp(value) * size}
                    : Reference{value * (slope - sum), std::fabs(value) * (std::fabs(slope) + size)};
        }
    }
    compare(v, v.kernel + (log ? " log" : ""), dx, Layout::dense({rows * length}, 1), wanted, 4,
            std::to_string(rows) + " rows of " + std::to_string(length) + ", inner " + std::to_string(inner));
}

// The lengths at which a shape begins and ends.
std::vector<long> lengths(const Variant &v) {
    long columns = v.number("COLUMNS"), keep = v.number("KEEP"), lanes = v.has("LANES") ? v.number("LANES") : 1;
    long full = columns * (keep > 0 ? keep : 4) * lanes;
    std::vector<long> all = {full};
    if (full > 1) {
        all.insert(all.end(), {1, full - 1, full / 2 + 1});
    }
    if (keep == 0) {
        all.insert(all.end(), {columns * lanes + 1, columns * 9 + 7});
    }
    return all;
}

void rows(const char *kernel, void (*test)(const Variant &, long, long, long)) {
    for (const Variant &v : variants("softmax", kernel)) {
        long together = v.number("ROWS");
        std::vector<long> all = lengths(v);
        for (std::size_t i = 0; i < all.size(); i++) {
            // Whole groups, one more, one less; few rows where they are long.
            long count = i == 0 ? together + 1 : i == 1 ? 1 : i == 2 ? std::max(1L, together - 1) : 2 * together;
            test(v, all[i] > 1000 ? std::min(count, 9L) : count, all[i], 1);
        }
        test(v, 9, all[0], 1);
    }
}

void columns(const char *kernel, void (*test)(const Variant &, long, long, long)) {
    for (const Variant &v : variants("softmax", kernel)) {
        long across = v.number("COLUMNS"), together = v.number("ROWS");
        test(v, 2 * together, across + 3, together);
        test(v, 2 * (together + 1), std::max(1L, across - 1), together + 1);
        test(v, 9, 2 * across + 1, 3);
        test(v, 6, 1, 2);
    }
}

const Group GROUP_ROWS("softmax rows", [] {
    rows("softmax_rows", forward);
    rows("softmax_rows_grad", backward);
});
const Group GROUP_COLUMNS("softmax columns", [] {
    columns("softmax_columns", forward);
    columns("softmax_columns_grad", backward);
});

}  // namespace

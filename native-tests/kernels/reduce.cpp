// reduce.k and reduce.cuda.k, scan.k and topk.k.
#include <algorithm>
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

bool isArg(const std::string &op) { return op == "ARGMAX" || op == "ARGMIN"; }

// The bytes of what one part leaves in the workspace.
long stateBytes(const Variant &v) {
    Type type = v.type("T");
    bool wide = type == f64 || !isFloat(type);
    return v.op() == "SUM" || v.op() == "MEAN" ? (wide ? 8 : 4) : isArg(v.op()) || wide ? 16 : 8;
}

void fill(Buffer &b, Numbers &numbers) {
    for (long at = b.offset; at < b.length; at++) {
        b.set(at, isFloat(b.type) ? numbers.uniform(-10, 10)
                                  : b.type == i64 && numbers.below(9) == 0 ? (L) (long) numbers.next()
                                                                           : (L) (int) numbers.next());
    }
}

Reference reference(const std::string &op, Type type, const std::vector<L> &values) {
    Reference r;
    if (op == "SUM" || op == "MEAN") {
        unsigned long wrapped = 0;
        for (L v : values) {
            r.value += v;
            r.scale += std::fabs(v);
            wrapped += isFloat(type) ? 0 : (unsigned long) (long) v;
        }
        if (op == "MEAN") {
            return {r.value / L(values.size()), r.scale / L(values.size())};
        }
        return isFloat(type) ? r : Reference{type == i32 ? (L) (int) wrapped : (L) (long) wrapped};
    }
    if (op == "LOGSUMEXP") {
        L top = -INFINITY, sum = 0;
        for (L v : values) {
            top = v > top || v != v ? v : top;
        }
        if (std::isinf(top) || top != top) {
            return {top};
        }
        for (L v : values) {
            sum += std::exp(v - top);
        }
        return {top + std::log(sum), std::max(1.0L, std::fabs(top))};
    }
    bool most = op == "MAX" || op == "ARGMAX";
    std::size_t best = 0;
    for (std::size_t i = 1; i < values.size(); i++) {
        L v = values[i], w = values[best];
        if (w == w && (v != v || (most ? v > w : v < w))) {
            best = i;
        }
    }
    return {isArg(op) ? L(best) : values[best]};
}

// The groups for so many outputs, of which `run` neighbours follow each other.
long groupsOf(const Variant &v, long outputs, long run, long splits, long across) {
    if (v.kernel != "reduce_tall") {
        return groupsFor(outputs * splits * across, v);
    }
    long each = 16 / bytesOf(v.type("T")), tile = v.block / across;
    return (outputs / run * ((run + each - 1) / each) + tile - 1) / tile * splits;
}

// `kept` axes first. Reduces in `splits` parts, with so many threads a part.
void reduce(const Variant &v, const Layout &in, int kept, long splits, long across) {
    Type type = v.type("T"), result = v.type("U");
    Layout keptAxes{{in.sizes.begin(), in.sizes.begin() + kept}, {in.strides.begin(), in.strides.begin() + kept}, 0};
    Layout axes{{in.sizes.begin() + kept, in.sizes.end()}, {in.strides.begin() + kept, in.strides.end()}, 0};
    long outputs = keptAxes.count(), length = axes.count();
    long span = (length + splits - 1) / splits;
    Buffer x(type, in.length(), in.offset), out(result, outputs + 2, 2);
    Numbers numbers(51);
    fill(x, numbers);
    if (isFloat(type) && outputs > 5) {
        x.set(in.at(1 * length + length / 2), NAN);
        x.set(in.at(2 * length + length - 1), INFINITY);
        x.set(in.at(3 * length), -INFINITY);
        for (long i = 0; i < length; i++) {
            x.set(in.at(4 * length + i), v.op() == "LOGSUMEXP" || v.op() == "MAX" ? -INFINITY : 2);
        }
    }
    Buffer parts(u64, splits == 1 ? 1 : 1 + (outputs * splits * stateBytes(v) + 7) / 8, 1);
    Arguments a{{&out, &x, splits == 1 ? &out : &parts},
                {outputs, length, splits, span, across, in.offset, 2, splits == 1 ? 0 : 1, std::max(1L, long(kept)),
                 std::max(1L, long(in.sizes.size()) - kept)}};
    auto orOne = [](std::vector<long> values, long one) { return values.empty() ? std::vector<long>{one} : values; };
    a.axes(orOne(keptAxes.sizes, 1)).axes(orOne(keptAxes.strides, 0)).axes(axes.sizes).axes(axes.strides);
    run(v, groupsOf(v, outputs, kept == 0 ? 1 : in.sizes[std::size_t(kept - 1)], splits, across), a);
    if (splits > 1) {
        for (const Variant &merge : variants("reduce", "reduce_merge")) {
            if (!merge.has("LOSS") && merge.op() == v.op() && merge.type("T") == type && merge.number("LANES") == v.number("LANES")) {
                a.buffers = {&out, &parts};
                for (long together : {1, std::min(merge.block, 8)}) {
                    a.longs[4] = together;
                    run(merge, groupsFor(outputs * together, merge), a);
                }
            }
        }
    }
    std::vector<Reference> wanted;
    for (long o = 0; o < outputs; o++) {
        std::vector<L> values;
        for (long i = 0; i < length; i++) {
            values.push_back(x.get(in.at(o * length + i)));
        }
        wanted.push_back(reference(v.op(), type, values));
    }
    compare(v, "reduce " + v.op(), out, Layout::dense({outputs}, 2), wanted,
            v.op() == "MAX" || v.op() == "MIN" ? 0 : 3,
            std::to_string(outputs) + " outputs of " + std::to_string(length) + " in " + std::to_string(splits));
}

void rows(const Variant &v, long across) {
    for (long length : {1L, 255L, 256L, 257L, 700L}) {
        reduce(v, Layout::dense({6, length}, 1), 1, 1, across);
    }
    reduce(v, Layout::dense({1000}), 0, 1, across);
    reduce(v, Layout::dense({7, 1000}, 3), 1, 4, across);
    reduce(v, Layout::dense({1001}, 3), 0, 7, across);
    // Of nothing, where that is something.
    if (v.op() != "MAX" && v.op() != "MIN" && v.op().substr(0, 3) != "ARG") {
        reduce(v, Layout::dense({0}, 3), 0, 1, across);
        reduce(v, Layout::dense({5, 0}, 3), 1, 1, across);
    }
}

void anyAxes(const Variant &v, long across, long outputs) {
    // Kept axes near in memory; several reduced axes.
    Layout columns = Layout::transposed({12, 40}, 2);
    reduce(v, columns, 1, 1, across);
    reduce(v, columns, 1, 3, across);
    reduce(v, Layout::gapped({2, 3, 5, 7}, 1, 2), 2, 1, across);
    reduce(v, Layout::gapped({2, 3, 5, 7, 3}, 1, 2), 2, 2, across);
    reduce(v, Layout::transposed({outputs, 3}), 1, 1, across);
}

void tall(const Variant &v) {
    long chunk = 16 / bytesOf(v.type("T"));
    // Runs of a chunk, of fewer and of more, that lie at slots and not; lengths about a turn of four for each thread.
    for (long run : {2L, chunk - 1, chunk, chunk + 1, 5 * chunk, 5 * chunk + 1}) {
        for (long offset : {0L, 1L}) {
            reduce(v, Layout{{run, 33}, {1, run}, offset}, 1, 1, 8);
        }
    }
    for (long length : {1L, 3L, 4L, 5L, 31L, 32L}) {
        reduce(v, Layout{{4 * chunk, length}, {1, 4 * chunk}, 0}, 1, 1, 1);
        reduce(v, Layout{{4 * chunk, length}, {1, 4 * chunk}, 0}, 1, 1, 8);
    }
    // More columns than a group has, in several runs and parts.
    reduce(v, Layout{{3, 40 * chunk, 70}, {40 * chunk * 70, 1, 40 * chunk}, chunk}, 2, 1, 4);
    reduce(v, Layout{{3, 41, 300}, {41 * 300, 1, 41}, 3}, 2, 3, v.block / 8);
    reduce(v, Layout{{2, 2, 12, 9}, {1000, 300, 1, 12}, 0}, 3, 1, 1);
    if (v.op() == "SUM" || v.op() == "LOGSUMEXP") {
        reduce(v, Layout{{5, 0}, {1, 5}, 0}, 1, 1, 1);
    }
}

// Sums of losses have another structure; loss.cpp has them.
std::vector<Variant> reductions(const std::string &kernel) {
    std::vector<Variant> all;
    for (const Variant &v : variants("reduce", kernel)) {
        if (!v.has("LOSS")) {
            all.push_back(v);
        }
    }
    return all;
}

const Group GROUP("reduce", [] {
    for (const Variant &v : reductions("reduce_columns")) {
        rows(v, 1);
        anyAxes(v, 1, 300);
    }
    for (const Variant &v : reductions("reduce_rows")) {
        rows(v, v.block);
        anyAxes(v, v.block, 20);
        if (v.block > 1 && (v.type("T") == f32 || v.type("T") == i64)) {
            rows(v, 4);
            anyAxes(v, 1, 20);
        }
    }
    for (const Variant &v : reductions("reduce_wide")) {
        for (long across : {8, v.block}) {
            rows(v, across);
        }
        // Parts that begin anywhere, rows of less than 16 bytes, and of some turns of all threads.
        reduce(v, Layout::dense({300, 3}, 5), 1, 1, 1);
        reduce(v, Layout::dense({2, 9001}, 0), 1, 2, v.block);
    }
    for (const Variant &v : reductions("reduce_tall")) {
        tall(v);
    }
});

void scan(const Variant &v, long rows, long length, long inner, bool backward) {
    Type type = v.type("T");
    Buffer x(type, rows * length + 3, 3), y(type, rows * length + 1, 1);
    Numbers numbers(52);
    fill(x, numbers);
    if (isFloat(type) && rows > 2) {
        x.set(3 + length * inner + length / 2, NAN);
    }
    Arguments a{{&y, &x}, {rows, length, inner, 3, 1, backward}};
    run(v, v.kernel == "scan_rows" ? rows : groupsFor(rows, v), a);
    std::vector<Reference> wanted(std::size_t(rows * length));
    for (long r = 0; r < rows; r++) {
        Reference sum;
        unsigned long wrapped = 0;
        for (long j = 0; j < length; j++) {
            long at = r / inner * length * inner + r % inner + (backward ? length - 1 - j : j) * inner;
            L value = x.get(3 + at);
            sum.value += value;
            sum.scale += std::fabs(value);
            wrapped += isFloat(type) ? 0 : (unsigned long) (long) value;
            wanted[std::size_t(at)] = isFloat(type) ? sum
                    : Reference{type == i32 ? (L) (int) wrapped : (L) (long) wrapped};
        }
    }
    compare(v, v.kernel, y, Layout::dense({rows * length}, 1), wanted, 3,
            std::to_string(rows) + " rows of " + std::to_string(length) + ", inner " + std::to_string(inner));
}

const Group GROUP_SCAN("scan", [] {
    for (const Variant &v : variants("scan", "scan_rows")) {
        for (long length : {1L, 2L, 255L, 256L, 257L, 600L}) {
            scan(v, 3, length, 1, false);
            scan(v, 2, length, 1, true);
        }
    }
    for (const Variant &v : variants("scan", "scan_columns")) {
        scan(v, 1, 1, 1, false);
        scan(v, 255, 9, 3, false);
        scan(v, 256, 7, 64, true);
        scan(v, 258, 5, 2, true);
    }
});

void topk(const Variant &v, long rows, long length, long inner, long k) {
    Type type = v.type("T");
    bool largest = v.op() == "LARGEST";
    Buffer x(type, rows * length + 3, 3), values(type, rows * k + 1, 1), indices(i64, rows * k + 2, 2);
    Numbers numbers(53);
    for (long at = 3; at < x.length; at++) {
        // Few values, so that many are equal.
        x.set(at, L(numbers.below(length < 20 ? 4 : length / 3)) - 3);
    }
    if (isFloat(type) && length > 2) {
        x.set(3 + 2 * inner, NAN);
        x.set(3 + inner, INFINITY);
        x.set(3, -INFINITY);
    }
    Arguments a{{&values, &indices, &x}, {rows, length, inner, k, 3, 1, 2}};
    run(v, rows, a, 2);
    std::vector<Reference> best(std::size_t(rows * k)), where(std::size_t(rows * k));
    for (long r = 0; r < rows; r++) {
        std::vector<std::pair<L, long>> all;
        for (long j = 0; j < length; j++) {
            all.push_back({x.get(3 + r / inner * length * inner + r % inner + j * inner), j});
        }
        std::stable_sort(all.begin(), all.end(), [&](const auto &p, const auto &q) {
            L a = p.first, b = q.first;
            bool more = (a != a && b == b) || a > b, less = (b != b && a == a) || a < b;
            return largest ? more : less;
        });
        for (long j = 0; j < k; j++) {
            std::size_t to = std::size_t(r / inner * k * inner + r % inner + j * inner);
            best[to] = {all[std::size_t(j)].first};
            where[to] = {L(all[std::size_t(j)].second)};
        }
    }
    std::string what = std::to_string(k) + " of " + std::to_string(length);
    compare(v, "topk", values, Layout::dense({rows * k}, 1), best, 0, what);
    compare(v, "topk", indices, Layout::dense({rows * k}, 2), where, 0, what + ", positions");
}

const Group GROUP_TOPK("topk", [] {
    for (const Variant &v : variants("topk", "topk")) {
        topk(v, 1, 1, 1, 1);
        topk(v, 3, 7, 1, 7);
        topk(v, 2, 255, 1, 3);
        topk(v, 2, 257, 1, 5);
        topk(v, 6, 300, 3, 4);
    }
});

}  // namespace

// copy.k, where.k, fill.k and arange.k.
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

// What a conversion gives, exactly.
L converted(Type from, Type to, L v) {
    if (to == b8) {
        return v != 0;
    }
    if (to == i32 || to == i64) {
        L least = to == i32 ? -0x1p31L : -0x1p63L, most = to == i32 ? 0x1p31L - 1 : 0x1p63L - 1;
        if (!isFloat(from)) {
            return to == i32 ? (L) (int) (long) v : v;
        }
        return v != v ? 0 : v <= least ? least : v >= most ? most : std::trunc(v);
    }
    return isFloat(to) ? rounded(to, v) : v;
}

// Numbers at which conversions differ: near halves, limits, and beyond them.
const L VALUES[] = {
        0, -0.0L, 1, -1, 0.5L, -0.5L, 1.5L, 2.5L, -2.99L, 255, 256, 257, 65504, 65519.99L, 65520, 65536, 1e5L,
        2147483647.0L, 2147483648.0L, -2147483648.0L, -2147483649.0L, 9223372036854775807.0L, -9223372036854775808.0L,
        1e19L, -1e19L, 1e30L, 3.4028235e38L, 1e-8L, 5.9604645e-8L, 2.98e-8L, 2.99e-8L, 1e-40L, 1e-45L, 1e300L,
        INFINITY, -INFINITY, NAN, 1.00048828125L, 1.000488281250001L, 1.00390625L, 1.0039062500000001L, 16777217,
        9007199254740993.0L, 4611686018427387905.0L, 2049, 2051, 1.0009765625L};
constexpr int COUNT = sizeof VALUES / sizeof *VALUES;

void fill(Buffer &b, Numbers &numbers, bool specials) {
    for (long at = b.offset, n = 0; at < b.length; at++, n++) {
        L v = specials && n < COUNT ? VALUES[n] : numbers.uniform(-1000, 1000);
        if (b.type == i32 || b.type == i64) {
            L limit = b.type == i32 ? 0x1p31L : 0x1p63L;
            v = v != v ? 7 : v >= limit ? limit - 1 : v < -limit ? -limit : std::trunc(v);
        } else if (b.type == b8) {
            v = L(numbers.below(2));
        } else if (!isFloat(b.type)) {
            v = L(numbers.next() >> (64 - 8 * bytesOf(b.type)));
        }
        b.set(at, v);
    }
}

void copy(const Variant &v, const Layout &from, const Layout &to, long groups, long rank, const std::vector<int> &order) {
    Type in = v.type("T"), out = v.type("U");
    Numbers numbers(21);
    long low = from.offset;
    for (std::size_t d = 0; d < from.sizes.size(); d++) {
        low += from.strides[d] < 0 ? (from.sizes[d] - 1) * from.strides[d] : 0;
    }
    Buffer x(in, from.length(), low), y(out, to.length(), to.offset);
    fill(x, numbers, true);
    Arguments a{{&y, &x}, {from.count(), rank, from.offset, to.offset}};
    for (const std::vector<long> &values : {from.sizes, from.strides, to.strides}) {
        std::vector<long> ordered;
        for (int d : order) {
            ordered.push_back(values[d]);
        }
        a.axes(ordered);
    }
    run(v, groups, a);
    std::vector<Reference> wanted;
    for (long i = 0; i < from.count(); i++) {
        wanted.push_back({converted(in, out, x.get(from.at(i)))});
    }
    compare(v, v.kernel, y, to, wanted, 0.5L, std::to_string(from.count()) + " elements");
}

const Group GROUP_COPY("copy", [] {
    for (const Variant &v : variants("copy", "copy")) {
        std::vector<std::pair<Layout, Layout>> shapes = {
                {Layout::dense({1}), Layout::dense({1})},
                {Layout::dense({257}, 3), Layout::dense({257}, 1)},
                {Layout::backwards({3, 5, 7}, 1), Layout::gapped({3, 5, 7}, 2, 5)},
                {Layout::repeated({4, 70}, 0), Layout::transposed({4, 70})}};
        for (const auto &[from, to] : shapes) {
            std::vector<int> order;
            for (int d = 0; d < int(from.sizes.size()); d++) {
                order.push_back(d);
            }
            copy(v, from, to, groupsFor(from.count(), v), long(order.size()), order);
        }
    }
    for (const Variant &v : variants("copy", "copy_dense")) {
        long each = v.number("EACH");
        for (long count : {0L, 1L, each - 1, each, each + 1, 256 * each - 1, 256 * each, 256 * each + 1}) {
            // Both aligned, and one alone.
            long groups = groupsFor(count / each + 1, v), more = count % 2;
            copy(v, Layout::dense({count}, 8), Layout::dense({count}, 4), groups, 1, {0});
            copy(v, Layout::dense({count}, 4 + more), Layout::dense({count}, 5 - more), groups, 1, {0});
        }
    }
    // [batch, rows, columns], of which the rows are near in the input; axes as the launch orders them.
    for (const Variant &v : variants("copy", "copy_transposed")) {
        for (std::vector<long> sizes : std::vector<std::vector<long>>{{1, 8, 8}, {1, 16, 16}, {2, 17, 15}, {3, 33, 47}}) {
            Layout from = Layout::dense({sizes[0], sizes[2], sizes[1]}, 3);
            std::swap(from.sizes[1], from.sizes[2]);
            std::swap(from.strides[1], from.strides[2]);
            Layout to = Layout::dense(sizes, 1);
            long tiles = (sizes[1] + 15) / 16 * ((sizes[2] + 15) / 16);
            copy(v, from, to, sizes[0] * tiles, 3, {1, 2, 0});
        }
    }
});

// Layouts of out, condition, x and y.
void where(const Variant &v, long groups, const std::vector<Layout> &l) {
    Type type = v.type("T");
    Numbers numbers(22);
    Buffer out(type, l[0].length(), l[0].offset), c(b8, l[1].length(), l[1].offset), x(type, l[2].length(), l[2].offset),
            y(type, l[3].length(), l[3].offset);
    fill(c, numbers, false);
    fill(x, numbers, false);
    fill(y, numbers, false);
    Arguments a{{&out, &c, &x, &y},
                {l[0].count(), long(l[0].sizes.size()), l[0].offset, l[1].offset, l[2].offset, l[3].offset}};
    a.axes(l[0].sizes).axes(l[0].strides).axes(l[1].strides).axes(l[2].strides).axes(l[3].strides);
    run(v, groups, a);
    std::vector<Reference> wanted;
    for (long i = 0; i < l[0].count(); i++) {
        wanted.push_back({c.get(l[1].at(i)) != 0 ? x.get(l[2].at(i)) : y.get(l[3].at(i))});
    }
    compare(v, v.kernel, out, l[0], wanted, 0, std::to_string(l[0].count()) + " elements");
}

const Group GROUP_WHERE("where", [] {
    for (const Variant &v : variants("where", "where")) {
        std::vector<std::vector<Layout>> shapes = {
                {Layout::dense({1}), Layout::dense({1}), Layout::dense({1}), Layout::dense({1})},
                {Layout::dense({257}, 1), Layout::dense({257}), Layout::dense({257}, 2), Layout::repeated({257}, 0)},
                {Layout::gapped({3, 5, 7}, 1), Layout::repeated({3, 5, 7}, 1), Layout::transposed({3, 5, 7}),
                 Layout::dense({3, 5, 7}, 4)}};
        for (const std::vector<Layout> &l : shapes) {
            where(v, groupsFor(l[0].count(), v), l);
        }
    }
    for (const Variant &v : variants("where", "where_dense")) {
        long each = v.number("EACH");
        for (long count : {0L, 1L, each - 1, each, each + 1, 256 * each - 1, 256 * each, 256 * each + 1}) {
            Layout out = Layout::dense({count}, 4), c = Layout::dense({count}, 8), x = Layout::dense({count}, 12),
                   one = Layout::repeated({count}, 0, 3);
            for (const std::vector<Layout> &l : {std::vector<Layout>{out, c, x, x}, {out, c, one, x}, {out, c, x, one}}) {
                where(v, groupsFor(count / each + 1, v), l);
            }
        }
    }
});

const Group GROUP_FILL("fill", [] {
    for (const Variant &v : variants("fill", "fill")) {
        Type type = v.type("T");
        for (const Layout &l :
             {Layout::dense({1}, 2), Layout::dense({511}), Layout::gapped({3, 5, 7}, 2, 3), Layout::transposed({6, 50})}) {
            for (unsigned long pattern : {0ul, 0x123456789ABCDEF0ul}) {
                Buffer out(type, l.length(), l.offset);
                Arguments a{{&out}, {l.count(), long(l.sizes.size()), l.offset, long(pattern)}};
                a.axes(l.sizes).axes(l.strides);
                run(v, groupsFor(l.count(), v), a);
                int width = 8 * bytesOf(type);
                std::vector<Reference> wanted(
                        std::size_t(l.count()),
                        Reference{L(width == 64 ? pattern : pattern & ((1ul << width) - 1))});
                compare(v, "fill", out, l, wanted, 0, std::to_string(l.count()) + " elements");
            }
        }
    }
});

const Group GROUP_ARANGE("arange", [] {
    for (const Variant &v : variants("arange", "arange")) {
        Type type = v.type("T");
        std::vector<std::pair<L, L>> ranges = {{0, 1}, {-3.5L, 0.1L}, {1e6L, -7}, {0.1L, 1e-3L}};
        for (auto [start, step] : ranges) {
            for (long count : {1L, 256L, 300L}) {
                if (!isFloat(type)) {
                    start = std::floor(start);
                    step = std::floor(step);
                }
                Type of = isFloat(type) ? f64 : i64;
                Buffer out(type, count + 3, 3);
                Arguments a{{&out}, {count, 3, bits(of, start), bits(of, step)}};
                run(v, groupsFor(count, v), a);
                std::vector<Reference> wanted;
                for (long i = 0; i < count; i++) {
                    L exact = (isFloat(type) ? (L) (double) start + i * (L) (double) step : start + i * step);
                    // The sum is one of doubles, and rounded once more.
                    L size = std::max(std::fabs(start), std::fabs(i * step));
                    wanted.push_back({exact, type == f64 ? size : size * 0x1p-24L});
                }
                compare(v, "arange", out, Layout::dense({count}, 3), wanted, type == f64 ? 1.5L : 0.501L,
                        std::to_string(count) + " elements");
            }
        }
    }
});

}  // namespace

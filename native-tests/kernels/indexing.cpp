// index.k: reads and additions at positions that an index names, and what is reported of bad ones.
#include <cmath>

#include "test.h"

namespace {

typedef long double L;
constexpr long LAUNCH = 9;

// A flag as it is before any launch.
struct Flag {
    Buffer memory{u64, 2 + 2 * 256};

    Flag() {
        for (long i = 0; i < memory.length; i++) {
            memory.set(i, 0);
        }
        words()[1] = 0xFFFFFFFFu;
    }
    unsigned *words() const { return static_cast<unsigned *>(memory.data()); }

    void expectNothing(const Variant &v) const {
        check::that(words()[0] == 0 && words()[2] == 0, v.name + ": nothing is reported");
    }
    void expect(const Variant &v, long position, long value) const {
        const long *pairs = static_cast<const long *>(memory.data()) + 2;
        bool found = false;
        for (unsigned k = 0; k < words()[2] && k < 256; k++) {
            found |= pairs[2 * k] == position && pairs[2 * k + 1] == value;
        }
        check::that(
                words()[0] == LAUNCH && words()[1] == position && found,
                v.name + ": the first bad index, " + std::to_string(value) + " at " + std::to_string(position)
                        + ", is reported; it says " + std::to_string(words()[1]));
    }
};

void fill(Buffer &b, Numbers &numbers) {
    for (long i = b.offset; i < b.length; i++) {
        b.set(i, isFloat(b.type) ? numbers.uniform(-4, 4)
                                 : b.type >= u8 ? L(numbers.next() >> (64 - 8 * bytesOf(b.type)))
                                 : b.type == i64 ? (L) (long) numbers.next()
                                                 : (L) (int) numbers.next());
    }
}

void fillIndex(Buffer &b, Numbers &numbers, long bound) {
    for (long i = b.offset; i < b.length; i++) {
        b.set(i, L(numbers.below(bound)));
    }
}

// The arguments in their order.
Arguments arguments(
        std::vector<const Buffer *> buffers,
        long count,
        long rank,
        long bound,
        std::vector<long> others,
        const std::vector<std::vector<long>> &axes) {
    Arguments a{buffers, {count, rank, LAUNCH, bound}};
    a.longs.insert(a.longs.end(), others.begin(), others.end());
    for (const std::vector<long> &each : axes) {
        a.axes(each);
    }
    return a;
}

void checks(const Variant &v, bool bad) {
    Buffer index(v.type("I"), 303, 3);
    Numbers numbers(71);
    fillIndex(index, numbers, 5);
    if (bad) {
        index.set(3 + 290, 5);
        index.set(3 + 17, -3);
        index.set(3 + 18, 6);
    }
    Flag flag;
    run(v, groupsFor(300, v), arguments({&index, &flag.memory}, 300, 1, 5, {0, 0, 0, 3, 0, 0, 0, 1, 1, 1}, {{300}, {}, {1}, {}}), 0);
    bad ? flag.expect(v, 17, -3) : flag.expectNothing(v);
}

// Of [4, 6, 5] along its middle axis.
void gather(const Variant &v, bool bad) {
    Type type = v.type("T");
    std::vector<long> sizes = {4, 9, 5};
    Layout from = Layout::gapped({4, 6, 5}, 1, 2), to = Layout::dense(sizes, 1), at = Layout::transposed(sizes, 3);
    Buffer x(type, from.length(), 2), out(type, to.length(), 1), index(v.type("I"), at.length(), 3);
    Numbers numbers(72);
    fill(x, numbers);
    fillIndex(index, numbers, 6);
    if (bad) {
        index.set(at.at(100), 6);
        index.set(at.at(50), -1);
    }
    Flag flag;
    std::vector<long> base = from.strides;
    base[1] = 0;
    run(v, groupsFor(180, v),
        arguments({&out, &x, &index, &flag.memory}, 180, 3, 6, {from.strides[1], 0, 1, 3, 2, 0, 0, 1, 1, 1},
                  {sizes, to.strides, at.strides, base}));
    std::vector<Reference> wanted;
    for (long i = 0; i < 180; i++) {
        long chosen = long(index.get(at.at(i)));
        bool good = chosen >= 0 && chosen < 6;
        // What a bad index names stays as it was.
        wanted.push_back({good ? x.get(from.at(i / 45 * 30 + chosen * 5 + i % 5)) : out.get(to.at(i))});
        if (!good) {
            check::that(out.untouched(to.at(i)), v.name + ": a bad index writes nothing");
        }
    }
    compare(v, "gather", out, to, wanted, 0, "[4,9,5] of [4,6,5]");
    bad ? flag.expect(v, 50, -1) : flag.expectNothing(v);
}

void select(const Variant &v, long outer, long inner, bool bad) {
    Type type = v.type("T");
    long length = 6, picked = 11;
    Buffer x(type, outer * length * inner + 2, 2), out(type, outer * picked * inner + 1, 1), index(v.type("I"), picked + 3, 3);
    Numbers numbers(73);
    fill(x, numbers);
    fillIndex(index, numbers, length);
    if (bad) {
        index.set(3 + 4, 1000);
    }
    Flag flag;
    long count = outer * picked * inner;
    run(v, groupsFor(count, v),
        arguments({&out, &x, &index, &flag.memory}, count, 0, length, {0, length, 1, 3, 2, 0, 0, outer, inner, picked}, {{}, {}, {}, {}}));
    std::vector<Reference> wanted;
    for (long i = 0; i < count; i++) {
        long chosen = long(index.get(3 + i / inner % picked));
        wanted.push_back({chosen < length ? x.get(2 + (i / (picked * inner) * length + chosen) * inner + i % inner) : out.get(1 + i)});
    }
    compare(v, "index_select", out, Layout::dense({count}, 1), wanted, 0, std::to_string(count) + " elements");
    bad ? flag.expect(v, 4, 1000) : flag.expectNothing(v);
}

// Sums in the order of the index, in the type that a step is rounded to.
L plus(Type type, L a, L b) {
    if (type == i64) {
        return (L) (long) ((unsigned long) (long) a + (unsigned long) (long) b);
    }
    return type == i32 ? (L) (int) ((unsigned) (int) a + (unsigned) (int) b) : rounded(type, rounded(realOf(type), a + b));
}

// [3, length, 100] into [3, 6, 100] along the middle axis: 300 lines.
void scatter(const Variant &v, long length, bool bad) {
    Type type = v.type("T");
    std::vector<long> sizes = {3, length, 100};
    Layout to = Layout::dense({3, 6, 100}, 1), from = Layout::transposed(sizes, 2), at = Layout::dense(sizes, 3);
    Buffer x(type, from.length(), 2), out(type, to.length(), 1), index(v.type("I"), at.length(), 3);
    Numbers numbers(74);
    fill(x, numbers);
    fill(out, numbers);
    fillIndex(index, numbers, 6);
    if (bad) {
        index.set(at.at(399), 77);
    }
    std::vector<Reference> wanted;
    for (long i = 0; i < to.count(); i++) {
        wanted.push_back({out.get(to.at(i))});
    }
    for (long i = 0; i < from.count(); i++) {
        long chosen = long(index.get(at.at(i)));
        if (chosen < 6) {
            Reference &r = wanted[std::size_t(i / (length * 100) * 600 + chosen * 100 + i % 100)];
            r.value = plus(type, r.value, x.get(from.at(i)));
        }
    }
    Flag flag;
    run(v, groupsFor(300, v),
        arguments({&out, &x, &index, &flag.memory}, 300, 2, 6,
                  {100, length, 1, 3, 2, at.strides[1], from.strides[1], 3, 100, length},
                  {{3, 100}, {to.strides[0], to.strides[2]}, {at.strides[0], at.strides[2]}, {from.strides[0], from.strides[2]}}));
    compare(v, "scatter_add", out, to, wanted, 0, std::to_string(length) + " positions a line");
    bad ? flag.expect(v, 399, 77) : flag.expectNothing(v);
}

void add(const Variant &v, long outer, long length, long inner, long picked, bool bad) {
    Type type = v.type("T");
    Buffer x(type, outer * picked * inner + 2, 2), out(type, outer * length * inner + 1, 1), index(v.type("I"), picked + 3, 3);
    Numbers numbers(75);
    fill(x, numbers);
    fill(out, numbers);
    fillIndex(index, numbers, length);
    if (bad) {
        index.set(3 + picked - 1, -5);
    }
    std::vector<Reference> wanted;
    for (long i = 0; i < outer * length * inner; i++) {
        wanted.push_back({out.get(1 + i)});
    }
    // In the type that is computed in, rounded to a half type once at the end of each BLOCK entries of the index.
    for (long o = 0; o < outer; o++) {
        for (long i = 0; i < inner; i++) {
            for (long first = 0; first < picked; first += v.block) {
                for (long slice = 0; slice < length; slice++) {
                    Reference &r = wanted[std::size_t((o * length + slice) * inner + i)];
                    for (long j = first; j < std::min(picked, first + v.block); j++) {
                        if (long(index.get(3 + j)) == slice) {
                            r.value = plus(realOf(type), r.value, x.get(2 + (o * picked + j) * inner + i));
                        }
                    }
                    r.value = isFloat(type) ? rounded(type, r.value) : r.value;
                }
            }
        }
    }
    Flag flag;
    run(v, outer * length,
        arguments({&out, &x, &index, &flag.memory}, outer * length, 0, length, {0, length, 1, 3, 2, 0, 0, outer, inner, picked}, {{}, {}, {}, {}}));
    compare(v, "index_add", out, Layout::dense({outer * length * inner}, 1), wanted, 0, std::to_string(picked) + " slices");
    bad ? flag.expect(v, picked - 1, -5) : flag.expectNothing(v);
}

const Group GROUP("index", [] {
    for (const Variant &v : variants("index", "check")) {
        checks(v, false);
        checks(v, true);
    }
    for (const Variant &v : variants("index", "gather")) {
        gather(v, false);
        gather(v, true);
    }
    for (const Variant &v : variants("index", "index_select")) {
        select(v, 1, 1, false);
        select(v, 3, 23, false);
        select(v, 2, 5, true);
    }
    for (const Variant &v : variants("index", "scatter_add")) {
        scatter(v, 1, false);
        scatter(v, 9, false);
        scatter(v, 4, true);
    }
    for (const Variant &v : variants("index", "index_add")) {
        add(v, 1, 1, 1, 1, false);
        add(v, 2, 5, 130, 128, false);
        add(v, 1, 7, 3, 300, false);
        add(v, 3, 4, 33, 129, true);
    }
});

}  // namespace

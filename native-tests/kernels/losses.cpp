// nll.k: each loss, sums in parts, their total, and the gradient.
#include <algorithm>
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

struct Problem {
    long outer, length, inner;
    bool weighted, ignores, mean;
};
constexpr long IGNORED = -100, EACH = 100;

struct Case {
    const Problem p;
    long count;
    Buffer x, target, weight, flag;

    Case(const Variant &v, const Problem &p, bool bad)
        : p(p),
          count(p.outer * p.inner),
          x(v.type("T"), count * p.length + 3, 3),
          target(v.type("I"), count + 1, 1),
          weight(v.type("T"), p.length + 2, 2),
          flag(u64, 2 + 2 * 256) {
        Numbers numbers(61);
        for (long i = 3; i < x.length; i++) {
            x.set(i, numbers.uniform(-6, 0));
        }
        for (long i = 1; i < target.length; i++) {
            target.set(i, p.ignores && numbers.below(4) == 0 ? IGNORED : L(numbers.below(p.length)));
        }
        if (bad) {
            target.set(1 + count / 2, L(p.length));
            target.set(1 + count - 1, -1);
        }
        for (long i = 2; i < weight.length; i++) {
            weight.set(i, numbers.uniform(0.25L, 2));
        }
        for (long i = 0; i < flag.length; i++) {
            flag.set(i, 0);
        }
        static_cast<unsigned *>(flag.data())[1] = 0xFFFFFFFFu;
    }

    std::vector<long> longs(long outOffset, long totalOffset, long blocks, bool scalar, long partsOffset, long xOffset) {
        return {count, p.length, p.inner, p.length, IGNORED, p.ignores, p.weighted, p.mean, 7, xOffset, 1, 2, outOffset,
                totalOffset, blocks, EACH, scalar, partsOffset};
    }

    bool counts(long i) const { return target.get(1 + i) >= 0 && target.get(1 + i) < p.length; }
    L weightOf(long i) const { return !counts(i) ? 0 : p.weighted ? weight.get(2 + long(target.get(1 + i))) : 1; }
    L loss(long i) const {
        if (!counts(i)) {
            return 0;
        }
        long at = (i / p.inner * p.length + long(target.get(1 + i))) * p.inner + i % p.inner;
        return -weightOf(i) * x.get(3 + at);
    }

    void checkFlag(const Variant &v, bool bad) const {
        const unsigned *f = static_cast<const unsigned *>(flag.data());
        const long *pairs = static_cast<const long *>(flag.data()) + 2;
        if (!bad) {
            check::that(f[0] == 0 && f[1] == 0xFFFFFFFFu && f[2] == 0, v.name + ": nothing is reported");
            return;
        }
        bool found = false;
        for (unsigned k = 0; k < f[2] && k < 256; k++) {
            found |= pairs[2 * k] == count / 2 && pairs[2 * k + 1] == p.length;
        }
        check::that(f[0] == 7 && f[1] == count / 2 && found, v.name + ": the first bad target is reported with its value");
    }
};

const Problem PROBLEMS[] = {
        {1, 1, 1, false, false, false}, {1000, 7, 1, true, true, true},    {3, 5, 100, true, false, false},
        {256, 3, 1, false, true, true}, {257, 10, 1, false, false, false}, {100, 4, 1, true, true, false}};

std::string text(const Problem &p) {
    return std::to_string(p.outer) + "," + std::to_string(p.length) + "," + std::to_string(p.inner);
}

void each(const Variant &v, const Problem &p, bool bad) {
    Case c(v, p, bad);
    Buffer out(v.type("T"), c.count + 1, 1);
    run(v, groupsFor(c.count, v), {{&out, &c.x, &c.target, &c.weight, &c.flag}, c.longs(1, 0, 0, false, 0, 3)});
    std::vector<Reference> wanted;
    for (long i = 0; i < c.count; i++) {
        wanted.push_back({c.loss(i)});
    }
    compare(v, "nll_each", out, Layout::dense({c.count}, 1), wanted, 0.5L, text(p));
    c.checkFlag(v, bad);
}

void summed(const Variant &v, const Variant &total, const Problem &p, bool bad) {
    Case c(v, p, bad);
    bool wide = v.type("T") == f64;
    long blocks = (c.count + EACH - 1) / EACH;
    Buffer parts(u64, 1 + (wide ? 2 : 1) * blocks, 1), out(v.type("T"), 3, 2), sum(v.type("U"), 2, 1);
    std::vector<long> longs = c.longs(2, 1, blocks, true, 1, 3);
    run(v, blocks, {{&parts, &c.x, &c.target, &c.weight, &c.flag}, longs});
    run(total, 1, {{&out, &sum, &parts}, longs}, 2);
    Reference loss, weight;
    for (long i = 0; i < c.count; i++) {
        loss.value += c.loss(i);
        loss.scale += std::fabs(c.loss(i));
        weight.value += c.weightOf(i);
    }
    if (p.mean) {
        loss = {loss.value / weight.value};
    }
    // An addition errs by half an ULP at most, n in a row by about half the root of n: a CPU's thread adds hundreds.
    long row = (std::min(c.count, EACH) + v.block - 1) / v.block + blocks;
    L bound = 3 + std::sqrt((L) row) / 2;
    compare(total, "nll sum", out, Layout::dense({1}, 2), {loss}, bound, text(p));
    compare(total, "nll weight", sum, Layout::dense({1}, 1), {weight}, bound, text(p));
    c.checkFlag(v, bad);
}

void gradient(const Variant &v, const Problem &p, bool scalar, bool bad) {
    Case c(v, p, bad);
    Buffer g(v.type("T"), (scalar ? 1 : c.count) + 3, 3), total(v.type("U"), 2, 1), dx(v.type("T"), c.count * p.length + 1, 1);
    Numbers numbers(62);
    for (long i = 3; i < g.length; i++) {
        g.set(i, numbers.uniform(-2, 2));
    }
    total.set(1, 12.5L);
    run(v, groupsFor(c.count * p.length, v),
        {{&dx, &g, &c.target, &c.weight, &total, &c.flag}, c.longs(1, 1, 0, scalar, 0, 3)});
    std::vector<Reference> wanted(std::size_t(c.count * p.length));
    for (long i = 0; i < c.count; i++) {
        if (c.counts(i)) {
            long at = (i / p.inner * p.length + long(c.target.get(1 + i))) * p.inner + i % p.inner;
            wanted[std::size_t(at)] = {-c.weightOf(i) * g.get(3 + (scalar ? 0 : i)) / (p.mean ? 12.5L : 1)};
        }
    }
    compare(v, "nll_grad", dx, Layout::dense({c.count * p.length}, 1), wanted, 1.5L, text(p));
    // Every element of a bad target's row finds it.
    c.checkFlag(v, bad);
}

const Group GROUP("nll", [] {
    for (const Variant &v : variants("nll", "nll_each")) {
        for (const Problem &p : PROBLEMS) {
            each(v, p, false);
        }
        each(v, PROBLEMS[1], true);
    }
    for (const Variant &v : variants("nll", "nll_parts")) {
        for (const Variant &total : variants("nll", "nll_total")) {
            if (total.type("T") == v.type("T") && total.type("I") == v.type("I")) {
                for (const Problem &p : PROBLEMS) {
                    summed(v, total, p, false);
                }
                summed(v, total, PROBLEMS[1], true);
            }
        }
    }
    for (const Variant &v : variants("nll", "nll_grad")) {
        for (const Problem &p : PROBLEMS) {
            gradient(v, p, p.mean, false);
        }
        gradient(v, PROBLEMS[2], false, true);
    }
});

}  // namespace

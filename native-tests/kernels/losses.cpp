// nll.k: each loss, sums in parts, their total, and the gradient, of log-probabilities and of logits; nllgrad.k.
#include <algorithm>
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

struct Problem {
    long outer, length, inner;
    bool weighted, ignores, mean, logits;
};
constexpr long IGNORED = -100, EACH = 100;

struct Case {
    const Problem p;
    long count;
    Buffer x, target, weight, known, flag;

    Case(const Variant &v, const Problem &p, bool bad)
        : p(p),
          count(p.outer * p.inner),
          x(v.type("T"), count * p.length + 3, 3),
          target(v.type("I"), count + 1, 1),
          weight(v.type("T"), p.length + 2, 2),
          known(v.type(v.has("WIDE") ? "WIDE" : "U"), 2 * count + 1, 1),
          flag(u64, 2 + 2 * 256) {
        Numbers numbers(61);
        for (long i = 3; i < x.length; i++) {
            x.set(i, numbers.uniform(-6, 0));
        }
        // What softmax.k knows of a row.
        for (long i = 0; i < count; i++) {
            L most = -INFINITY, total = 0;
            for (long c = 0; c < p.length; c++) {
                most = std::max(most, x.get(3 + at(i, c)));
            }
            for (long c = 0; c < p.length; c++) {
                total += std::exp(x.get(3 + at(i, c)) - most);
            }
            known.set(1 + 2 * i, most);
            known.set(2 + 2 * i, total);
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

    std::vector<long> common(long outOffset, long totalOffset) const {
        return {count, p.length, p.inner, p.length, IGNORED, p.ignores, p.weighted, p.mean, 7, 3, 1, 2, outOffset, totalOffset};
    }
    std::vector<long> forward(long outOffset, long totalOffset, long blocks, long partsOffset) const {
        std::vector<long> longs = common(outOffset, totalOffset);
        longs.insert(longs.end(), {blocks, EACH, partsOffset, p.logits, 1});
        return longs;
    }
    std::vector<long> backward(long outOffset, bool scalar) const {
        std::vector<long> longs = common(outOffset, 1);
        longs.insert(longs.end(), {scalar, p.logits, 3, 1});
        return longs;
    }

    long at(long i, long c) const { return (i / p.inner * p.length + c) * p.inner + i % p.inner; }
    L share(long i, long c) const { return std::exp(x.get(3 + at(i, c)) - known.get(1 + 2 * i)) / known.get(2 + 2 * i); }

    bool counts(long i) const { return target.get(1 + i) >= 0 && target.get(1 + i) < p.length; }
    L weightOf(long i) const { return !counts(i) ? 0 : p.weighted ? weight.get(2 + long(target.get(1 + i))) : 1; }
    L loss(long i) const {
        if (!counts(i)) {
            return 0;
        }
        L logp = x.get(3 + at(i, long(target.get(1 + i))));
        return -weightOf(i) * (p.logits ? logp - known.get(1 + 2 * i) - std::log(known.get(2 + 2 * i)) : logp);
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
        {1, 1, 1, false, false, false, false},   {1000, 7, 1, true, true, true, false},
        {3, 5, 100, true, false, false, false},  {256, 3, 1, false, true, true, false},
        {257, 10, 1, false, false, false, false}, {100, 4, 1, true, true, false, false},
        {1000, 7, 1, true, true, true, true},    {3, 5, 100, false, false, false, true},
        {257, 33, 1, true, false, true, true},   {65, 33, 1, true, true, false, false},   {1, 1, 1, false, false, true, true}};

std::string text(const Problem &p) {
    return std::to_string(p.outer) + "," + std::to_string(p.length) + "," + std::to_string(p.inner);
}

void each(const Variant &v, const Problem &p, bool bad) {
    Case c(v, p, bad);
    Buffer out(v.type("T"), c.count + 1, 1);
    run(v, groupsFor(c.count, v), {{&out, &c.x, &c.target, &c.weight, &c.known, &c.flag}, c.forward(1, 0, 0, 0)});
    std::vector<Reference> wanted;
    for (long i = 0; i < c.count; i++) {
        // Of logits: a difference of three.
        wanted.push_back({c.loss(i), p.logits ? c.weightOf(i) * 8 : 0});
    }
    compare(v, p.logits ? "nll_each of logits" : "nll_each", out, Layout::dense({c.count}, 1), wanted, p.logits ? 2 : 0.5L,
            text(p));
    c.checkFlag(v, bad);
}

void summed(const Variant &v, const Variant &total, const Problem &p, bool bad) {
    Case c(v, p, bad);
    bool wide = v.type("T") == f64;
    long blocks = (c.count + EACH - 1) / EACH;
    Buffer parts(u64, 1 + (wide ? 2 : 1) * blocks, 1), out(v.type("T"), 3, 2), sum(v.type("U"), 2, 1);
    std::vector<long> longs = c.forward(2, 1, blocks, 1);
    run(v, blocks, {{&parts, &c.x, &c.target, &c.weight, &c.known, &c.flag}, longs});
    run(total, 1, {{&out, &sum, &parts}, longs}, 2);
    Reference loss, weight;
    for (long i = 0; i < c.count; i++) {
        loss.value += c.loss(i);
        loss.scale += p.logits ? 8 * c.weightOf(i) : std::fabs(c.loss(i));
        weight.value += c.weightOf(i);
    }
    if (p.mean) {
        loss = {loss.value / weight.value, p.logits ? loss.scale / weight.value : 0};
    }
    // An addition errs by half an ULP at most, n in a row by about half the root of n: a CPU's thread adds hundreds.
    long row = (std::min(c.count, EACH) + v.block - 1) / v.block + blocks;
    L bound = 3 + std::sqrt((L) row) / 2;
    compare(total, "nll sum", out, Layout::dense({1}, 2), {loss}, bound, text(p));
    compare(total, "nll weight", sum, Layout::dense({1}, 1), {weight}, bound, text(p));
    c.checkFlag(v, bad);
}

void gradient(const Variant &v, const Problem &p, bool scalar, bool bad, long offset) {
    Case c(v, p, bad);
    Buffer g(v.type("T"), (scalar ? 1 : c.count) + 3, 3), total(v.type("WIDE"), 2, 1),
            dx(v.type("T"), c.count * p.length + offset, offset);
    Numbers numbers(62);
    for (long i = 3; i < g.length; i++) {
        g.set(i, numbers.uniform(-2, 2));
    }
    total.set(1, 12.5L);
    long each = v.kernel == "nll_grad_wide" ? 16 / bytesOf(v.type("T")) : 1;
    long items = (c.count * p.length + offset % each + each - 1) / each;
    run(v, groupsFor(items, v),
        {{&dx, &g, &c.target, &c.weight, &total, &c.x, &c.known, &c.flag}, c.backward(offset, scalar)});
    std::vector<Reference> wanted(std::size_t(c.count * p.length));
    for (long i = 0; i < c.count; i++) {
        if (c.counts(i)) {
            long target = long(c.target.get(1 + i));
            L slope = c.weightOf(i) * g.get(3 + (scalar ? 0 : i)) / (p.mean ? 12.5L : 1);
            for (long k = 0; p.logits && k < p.length; k++) {
                L share = c.share(i, k);
                // The difference is rounded before it is an exponent.
                wanted[std::size_t(c.at(i, k))] = {slope * (share - (k == target)),
                                                   std::fabs(slope) * (share * 8 + (k == target))};
            }
            if (!p.logits) {
                wanted[std::size_t(c.at(i, target))] = {-slope};
            }
        }
    }
    compare(v, v.kernel + (p.logits ? " of logits" : ""), dx, Layout::dense({c.count * p.length}, offset), wanted,
            p.logits ? 3 : 1.5L, text(p));
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
    for (const Variant &v : variants("nllgrad", "nll_grad")) {
        for (const Problem &p : PROBLEMS) {
            gradient(v, p, p.mean, false, 1);
        }
        gradient(v, PROBLEMS[2], false, true, 1);
    }
    for (const Variant &v : variants("nllgrad", "nll_grad_wide")) {
        // The result at 16 bytes, elsewhere, and as far from it as the logits.
        for (long offset : {0, 1, 3}) {
            for (const Problem &p : PROBLEMS) {
                if (p.inner == 1 && p.length >= 16 / bytesOf(v.type("T"))) {
                    gradient(v, p, p.mean, false, offset);
                }
            }
            gradient(v, {40, 9, 1, true, true, false, true}, false, true, offset);
        }
    }
});

}  // namespace

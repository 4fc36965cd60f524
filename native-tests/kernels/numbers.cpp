// random.k against a Philox of its own, and update.k.
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

// Philox 4x32-10 with a counter of 128 bits and a key of 64, as its paper has it.
struct Words {
    unsigned w[4];
};
Words philox(Words c, unsigned k0, unsigned k1) {
    for (int round = 0; round < 10; round++) {
        unsigned long p = 0xD2511F53ul * c.w[0], q = 0xCD9E8D57ul * c.w[2];
        c = {{unsigned(q >> 32) ^ c.w[1] ^ k0, unsigned(q), unsigned(p >> 32) ^ c.w[3] ^ k1, unsigned(p)}};
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return c;
}

void knownAnswers() {
    const unsigned answers[3][10] = {
            {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
            {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
            {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
             0x5001e420, 0x24126ea1}};
    for (const unsigned *a : answers) {
        Words got = philox({{a[0], a[1], a[2], a[3]}}, a[4], a[5]);
        for (int i = 0; i < 4; i++) {
            check::that(got.w[i] == a[6 + i], "Philox gives the published words");
        }
    }
}

unsigned long wide(const Words &w, int pair) { return (unsigned long) w.w[2 * pair + 1] << 32 | w.w[2 * pair]; }

void random(const Variant &v, unsigned long seed, unsigned long counter, long count) {
    Type type = v.type("T"), real = realOf(type);
    std::string op = v.op();
    bool pairs = op == "INTEGERS" || (op != "BERNOULLI" && type == f64);
    L p0 = op == "NORMAL" ? 1.5L : -0.75L, p1 = op == "NORMAL" ? 2 : 3.5L, limit = 2.7L;
    Arguments a;
    Buffer out(type, count + 3, 3);
    a.buffers = {&out};
    a.longs = {count, 3, long(seed), long(counter)};
    if (op == "UNIFORM") {
        a.add(bits(type, p0)).add(bits(type, p1)).add(bits(type, limit));
        limit = rounded(real, limit);
    } else if (op == "NORMAL") {
        a.add(bits(type, p0)).add(bits(type, p1)).add(0);
    } else if (op == "INTEGERS") {
        a.add(-7).add(1000003).add(0);
    } else {
        a.add(0x400000).add(0).add(0);
    }
    run(v, groupsFor((count + (pairs ? 1 : 3)) / (pairs ? 2 : 4), v), a);
    std::vector<Reference> wanted;
    for (long i = 0; i < count; i++) {
        unsigned long at = counter + (unsigned long) (i / (pairs ? 2 : 4));
        Words w = philox({{unsigned(at), unsigned(at >> 32), 0, 0}}, unsigned(seed), unsigned(seed >> 32));
        auto uniform = [&](int k) { return pairs ? (L) (wide(w, k) >> 11) * 0x1p-53L : (L) (w.w[k] >> 8) * 0x1p-24L; };
        if (op == "UNIFORM") {
            L u = p0 + uniform(int(i % (pairs ? 2 : 4))) * p1;
            wanted.push_back({std::min(u, limit), 4});
        } else if (op == "INTEGERS") {
            wanted.push_back({(L) (long) (-7 + (long) (wide(w, int(i % 2)) % 1000003ul))});
        } else if (op == "BERNOULLI") {
            wanted.push_back({L((w.w[i % 4] >> 8) < 0x400000)});
        } else {
            int k = pairs ? 0 : int(i % 4) / 2 * 2;
            L radius = std::sqrt(-2 * std::log(uniform(k) + (pairs ? 0x1p-53L : 0x1p-24L)));
            L turn = 2 * 3.14159265358979323846264338327950288L * uniform(k + 1);
            wanted.push_back({p0 + p1 * radius * (i % 2 == 0 ? std::cos(turn) : std::sin(turn)), 2 + p1 * radius});
        }
    }
    L bound = op == "UNIFORM" ? 1 : op == "NORMAL" ? 3 : 0;
    compare(v, "random " + op, out, Layout::dense({count}, 3), wanted, bound, std::to_string(count) + " elements");
    if (count < 3000) {
        return;
    }
    // Moments, within five standard errors.
    L mean = 0, square = 0;
    for (long i = 0; i < count; i++) {
        mean += out.get(3 + i) / count;
    }
    for (long i = 0; i < count; i++) {
        square += std::pow(out.get(3 + i) - mean, 2.0L) / count;
    }
    L expected = op == "NORMAL" ? 1.5L : op == "UNIFORM" ? 1 : op == "INTEGERS" ? 499994 : 0.25L;
    L variance = op == "NORMAL" ? 4 : op == "UNIFORM" ? 3.5L * 3.5L / 12 : op == "INTEGERS" ? 1000003.0L * 1000003 / 12 : 0.1875L;
    L kurtosis = op == "NORMAL" ? 3 : op == "BERNOULLI" ? 2.3334L : 1.8L;
    check::that(
            std::fabs(mean - expected) < 5 * std::sqrt(variance / count),
            v.name + ": the mean is " + std::to_string((double) mean) + ", not " + std::to_string((double) expected));
    check::that(
            std::fabs(square - variance) < 5 * variance * std::sqrt((kurtosis - 1) / count) + 0.01L * variance * (type == bf16),
            v.name + ": the variance is " + std::to_string((double) square) + ", not " + std::to_string((double) variance));
}

const Group GROUP_RANDOM("random", [] {
    knownAnswers();
    for (const Variant &v : variants("random", "random")) {
        random(v, 0, 0, 4);
        random(v, 42, 0, 4000);
        random(v, 0xFEDCBA9876543210ul, 0xFFFFFFFEul, 1027);
        random(v, ~0ul, ~0ul, 1);
        random(v, 1, 1ul << 40, 2);
        random(v, 1, 1, 3);
    }
});

// ---- update.k

struct Step {
    L lr = 0, momentum = 0, fresh = 0, decay = 0;
    bool nesterov = false, first = false;
    L beta1 = 0, beta2 = 0, step = 0, root = 0, eps = 0, shrink = 0;
};

void update(const Variant &v, const Step &s, long count) {
    Type type = v.type("T"), real = realOf(type);
    bool adam = v.kernel == "adam", momentum = v.kernel == "sgd_momentum";
    Buffer p(type, count + 1, 1), g(type, count + 2, 2), m(type, count + 3, 3), w(type, count + 4, 4);
    Numbers numbers(81);
    for (long i = 0; i < count; i++) {
        p.set(1 + i, numbers.uniform(-2, 2));
        g.set(2 + i, numbers.uniform(-3, 3));
        m.set(3 + i, numbers.uniform(-1, 1));
        w.set(4 + i, numbers.uniform(0, 1));
    }
    std::vector<L> before;
    for (long i = 0; i < count; i++) {
        before.insert(before.end(), {p.get(1 + i), g.get(2 + i), m.get(3 + i), w.get(4 + i)});
    }
    Arguments a;
    a.buffers = adam ? std::vector<const Buffer *>{&p, &g, &m, &w} : momentum ? std::vector<const Buffer *>{&p, &g, &m} : std::vector<const Buffer *>{&p, &g};
    a.longs = {count, 1, 2, 3, 4};
    a.add(bits(type, s.lr)).add(bits(type, s.momentum)).add(bits(type, s.fresh)).add(bits(type, s.decay)).add(s.nesterov).add(s.first);
    a.add(bits(type, s.beta1)).add(bits(type, s.beta2)).add(bits(type, 1 - s.beta1)).add(bits(type, 1 - s.beta2));
    a.add(bits(type, s.step)).add(bits(type, s.root)).add(bits(type, s.eps)).add(bits(type, s.shrink));
    // In place: p, and the state that the kernel keeps.
    if (adam || momentum) {
        std::swap(a.buffers[1], a.buffers[0]);
        std::swap(a.buffers[1], a.buffers[0]);
    }
    run(v, groupsFor(count, v), a, int(a.buffers.size()));
    auto number = [&](L value) { return rounded(real, value); };
    std::vector<Reference> newP, newM, newW;
    for (long i = 0; i < count; i++) {
        L x = before[4 * i], slope = before[4 * i + 1], first = before[4 * i + 2], second = before[4 * i + 3];
        L d = slope + number(s.decay) * x;
        L size = std::fabs(slope) + std::fabs(number(s.decay) * x);
        if (adam) {
            Reference mean{number(s.beta1) * first + number(1 - s.beta1) * d, std::fabs(first) + size};
            Reference square{number(s.beta2) * second + number(1 - s.beta2) * d * d,
                             second + number(1 - s.beta2) * size * size};
            newM.push_back(mean);
            newW.push_back(square);
            L divisor = std::sqrt(square.value) * number(s.root) + number(s.eps);
            L moved = number(s.step) * mean.value / divisor;
            newP.push_back({number(s.shrink) * x - moved,
                            std::fabs(x) + number(s.step) * mean.scale / divisor * (1 + square.scale / square.value)});
        } else {
            L velocity = d, reach = size;
            if (momentum) {
                if (!s.first) {
                    velocity = number(s.momentum) * first + number(s.fresh) * d;
                    reach = number(s.momentum) * std::fabs(first) + number(s.fresh) * size;
                }
                newM.push_back({velocity, reach});
                d = s.nesterov ? d + number(s.momentum) * velocity : velocity;
                size = s.nesterov ? size + number(s.momentum) * reach : reach;
            }
            newP.push_back({x - number(s.lr) * d, std::fabs(x) + number(s.lr) * size});
        }
    }
    std::string what = std::to_string(count) + " elements";
    compare(v, v.kernel, p, Layout::dense({count}, 1), newP, 3, what);
    if (adam || momentum) {
        compare(v, v.kernel + " m", m, Layout::dense({count}, 3), newM, 3, what);
    }
    if (adam) {
        compare(v, v.kernel + " v", w, Layout::dense({count}, 4), newW, 4, what);
    }
}

const Group GROUP_UPDATE("update", [] {
    Step plain;
    plain.lr = 0.1L;
    Step full;
    full.lr = 0.05L;
    full.momentum = 0.9L;
    full.fresh = 0.75L;
    full.decay = 0.01L;
    for (const char *kernel : {"sgd", "sgd_momentum"}) {
        for (const Variant &v : variants("update", kernel)) {
            for (long count : {1L, 256L, 300L}) {
                update(v, plain, count);
                Step s = full;
                for (int i = 0; i < 4; i++) {
                    s.nesterov = i % 2;
                    s.first = i / 2;
                    update(v, s, count);
                }
            }
        }
    }
    Step adam;
    adam.beta1 = 0.9L;
    adam.beta2 = 0.999L;
    adam.eps = 1e-8L;
    adam.step = 0.01L / (1 - 0.9L);
    adam.root = 1 / std::sqrt(1 - 0.999L);
    adam.shrink = 1;
    for (const Variant &v : variants("update", "adam")) {
        for (long count : {1L, 256L, 300L}) {
            update(v, adam, count);
            Step decayed = adam;
            decayed.decay = 0.1L;
            update(v, decayed, count);
            decayed.decay = 0;
            decayed.shrink = 0.999L;
            update(v, decayed, count);
        }
    }
});

}  // namespace

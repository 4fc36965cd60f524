// random.k and dropout.k against a Philox of its own, and update.k.
#include <cmath>
#include <functional>
#include <memory>

#include "philox.h"
#include "test.h"

namespace {

typedef long double L;

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

// Where numbers lie that a MOVING kernel reads from memory.
const long MOVED = 5;

void random(const Variant &v, unsigned long seed, unsigned long counter, long count) {
    Type type = v.type("T"), real = realOf(type);
    std::string op = v.op();
    bool pairs = op == "INTEGERS" || (op != "BERNOULLI" && type == f64);
    L p0 = op == "NORMAL" ? 1.5L : -0.75L, p1 = op == "NORMAL" ? 2 : 3.5L, limit = 2.7L;
    Arguments a;
    Buffer out(type, count + 3, 3);
    Buffer moving(i64, MOVED + 2, MOVED);
    moving.set(MOVED, long(seed));
    moving.set(MOVED + 1, long(counter));
    if (v.has("MOVING")) {
        a.buffers = {&out, &moving};
        a.longs = {count, 3, MOVED, 0};
    } else {
        a.buffers = {&out};
        a.longs = {count, 3, long(seed), long(counter)};
    }
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

void dropout(const Variant &v, long count, bool drawn, long in, long out) {
    Type type = v.type("T");
    const unsigned long seed = 0x123456789ABCul, counter = 0xFFFFFFFEul;
    const long below = 0xC00000;
    Buffer x(type, count + in, in), y(type, count + out, out), moving(i64, MOVED + 2, MOVED);
    moving.set(MOVED, long(seed));
    moving.set(MOVED + 1, long(counter));
    Numbers numbers(71);
    for (long i = 0; i < count; i++) {
        x.set(in + i, i % 11 == 5 ? L(INFINITY) : numbers.uniform(-3, 3));
    }
    L rest = rounded(realOf(type), 4.0L / 3);
    Arguments a{{&y, &x, &moving}, {count, in, out, below, bits(type, 4.0L / 3)}};
    a.add(drawn ? 0 : long(seed)).add(drawn ? 0 : long(counter)).add(drawn).add(drawn ? MOVED : 0);
    a.add(in % 4 == 0 && out % 4 == 0);
    run(v, groupsFor((count + 3) / 4, v), a);
    std::vector<Reference> wanted;
    for (long i = 0; i < count; i++) {
        wanted.push_back({x.get(in + i) * ((philoxWord(seed, counter, i) >> 8) < below ? rest : 0)});
    }
    compare(v, "dropout", y, Layout::dense({count}, out), wanted, 0.5L, std::to_string(count) + " elements");
}

const Group GROUP_DROPOUT("dropout", [] {
    for (const Variant &v : variants("dropout", "dropout")) {
        for (bool drawn : {false, true}) {
            for (long count : {1L, 3L, 4L, 1023L, 1024L, 1025L}) {
                dropout(v, count, drawn, 4, 8);
                dropout(v, count, drawn, 4, 3);
            }
        }
    }
});

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

const int SLOTS = 8;

struct Step {
    L lr = 0, momentum = 0, fresh = 0, decay = 0;
    bool nesterov = false, first = false;
    L beta1 = 0, beta2 = 0, step = 0, root = 0, eps = 0, shrink = 0;
    bool centred = false, buffered = false;
};

// The operands of one slot: parameter, gradient, states.
struct Row {
    Row(Type type, long count, const std::vector<long> &offsets) : count(count) {
        for (long offset : offsets) {
            operands.push_back(std::make_unique<Buffer>(type, count + offset, offset));
        }
    }
    long count;
    std::vector<std::unique_ptr<Buffer>> operands;
};

struct Outcome {
    Reference p, u, v, w;
};

Outcome outcome(const std::string &kernel, const Step &s, const std::function<L(L)> &number, const L *x) {
    L p = x[0], slope = x[1], u = x[2], v = x[3], w = x[4];
    L d = slope + number(s.decay) * p;
    L size = std::fabs(slope) + std::fabs(number(s.decay) * p);
    Outcome out;
    if (kernel == "adam") {
        out.u = {number(s.beta1) * u + number(1 - s.beta1) * d, std::fabs(u) + size};
        out.v = {number(s.beta2) * v + number(1 - s.beta2) * d * d, v + number(1 - s.beta2) * size * size};
        L divisor = std::sqrt(out.v.value) * number(s.root) + number(s.eps);
        out.p = {number(s.shrink) * p - number(s.step) * out.u.value / divisor,
                 std::fabs(p) + number(s.step) * out.u.scale / divisor * (1 + out.v.scale / out.v.value)};
    } else if (kernel == "rmsprop") {
        L rest = number(1 - s.beta1);
        out.u = {number(s.beta1) * u + rest * d * d, u + rest * size * size};
        L square = out.u.value, reach = out.u.scale;
        if (s.centred) {
            out.v = {number(s.beta1) * v + rest * d, std::fabs(v) + size};
            square -= out.v.value * out.v.value;
            reach += out.v.scale * out.v.scale;
        }
        L divisor = std::sqrt(square) + number(s.eps);
        d /= divisor;
        size = size / divisor * (1 + reach / square);
        if (s.buffered) {
            d += number(s.momentum) * w;
            size += std::fabs(number(s.momentum) * w);
            out.w = {d, size};
        }
        out.p = {p - number(s.lr) * d, std::fabs(p) + number(s.lr) * size};
    } else if (kernel == "adagrad") {
        out.u = {u + d * d, u + size * size};
        L divisor = std::sqrt(out.u.value) + number(s.eps);
        out.p = {p - d / divisor * number(s.lr),
                 std::fabs(p) + number(s.lr) * size / divisor * (1 + out.u.scale / out.u.value)};
    } else if (kernel == "lion") {
        L blend = number(s.beta1) * u + number(1 - s.beta1) * slope;
        L way = blend > 0 ? 1 : blend < 0 ? -1 : 0;
        out.p = {number(s.shrink) * p - way * number(s.lr), std::fabs(p) + number(s.lr)};
        out.u = {number(s.beta2) * u + number(1 - s.beta2) * slope, std::fabs(u) + std::fabs(slope)};
    } else {
        L velocity = d, reach = size;
        if (kernel == "sgd_momentum") {
            if (!s.first) {
                velocity = number(s.momentum) * u + number(s.fresh) * d;
                reach = number(s.momentum) * std::fabs(u) + number(s.fresh) * size;
            }
            out.u = {velocity, reach};
            d = s.nesterov ? d + number(s.momentum) * velocity : velocity;
            size = s.nesterov ? size + number(s.momentum) * reach : reach;
        }
        out.p = {p - number(s.lr) * d, std::fabs(p) + number(s.lr) * size};
    }
    return out;
}

void update(const Variant &v, const Step &s, const std::vector<long> &counts) {
    Type type = v.type("T"), real = realOf(type);
    int states = v.kernel == "sgd" ? 0 : v.kernel == "adam" ? 2 : v.kernel == "rmsprop" ? 3 : 1;
    int used = int(counts.size());
    std::vector<Row> rows;
    Numbers numbers(81);
    for (int slot = 0; slot < used; slot++) {
        // All aligned to four elements, or none, or all but one.
        std::vector<long> offsets = {4, 8, 12, 16, 20};
        int kind = (slot + v.has("MOVING")) % 3;
        for (int k = 0; k < 5; k++) {
            offsets[k] += kind == 1 ? 1 + slot + k : kind == 2 && k == 1 + states;
        }
        rows.emplace_back(type, counts[slot], offsets);
        for (long i = 0; i < counts[slot]; i++) {
            // Sums of squares are not negative; nor is a variance, of squares of at least 0.1 and a mean of at most 0.2.
            const L low[] = {-2, -3, v.kernel == "rmsprop" || v.kernel == "adagrad" ? 0.1L : -1, v.kernel == "rmsprop" ? -0.2L : 0, -1};
            const L high[] = {2, 3, 1, v.kernel == "rmsprop" ? 0.2L : 1, 1};
            for (int k = 0; k < 5; k++) {
                const Buffer &b = *rows[slot].operands[k];
                const_cast<Buffer &>(b).set(b.offset + i, numbers.uniform(low[k], high[k]));
            }
        }
    }
    std::vector<std::vector<L>> before(used);
    for (int slot = 0; slot < used; slot++) {
        for (long i = 0; i < counts[slot]; i++) {
            for (const auto &b : rows[slot].operands) {
                before[slot].push_back(b->get(b->offset + i));
            }
        }
    }
    Arguments a;
    for (int k = 0; k < 2 + states; k++) {
        for (int slot = 0; slot < SLOTS; slot++) {
            a.buffers.push_back(rows[slot < used ? slot : 0].operands[k].get());
        }
    }
    long groups = 0;
    for (int slot = 0; slot < SLOTS; slot++) {
        a.add(slot < used ? groups : 0x7FFFFFFFFFFFFFFFL);
        long each = v.number("EACH");
        groups += slot < used ? groupsFor((counts[slot] + each - 1) / each, v) : 0;
    }
    for (int slot = 0; slot < SLOTS; slot++) {
        a.add(slot < used ? counts[slot] : 0);
    }
    for (int k = 0; k < 5; k++) {
        for (int slot = 0; slot < SLOTS; slot++) {
            a.add(slot < used && k < 2 + states ? rows[slot].operands[k]->offset : 0);
        }
    }
    Arguments rule;
    rule.add(bits(type, s.lr)).add(bits(type, s.momentum)).add(bits(type, s.fresh)).add(bits(type, s.decay)).add(s.nesterov).add(s.first);
    rule.add(bits(type, s.beta1)).add(bits(type, s.beta2)).add(bits(type, 1 - s.beta1)).add(bits(type, 1 - s.beta2));
    rule.add(bits(type, s.step)).add(bits(type, s.root)).add(bits(type, s.eps)).add(bits(type, s.shrink)).add(s.centred).add(s.buffered);
    Buffer moving(i64, MOVED + long(rule.longs.size()), MOVED);
    int outputs = int(a.buffers.size());
    if (v.has("MOVING")) {
        for (size_t i = 0; i < rule.longs.size(); i++) {
            moving.set(MOVED + long(i), rule.longs[i]);
        }
        a.buffers.push_back(&moving);
        a.add(MOVED);
    } else {
        a.longs.insert(a.longs.end(), rule.longs.begin(), rule.longs.end());
    }
    run(v, groups, a, outputs);

    auto number = [&](L value) { return rounded(real, value); };
    for (int slot = 0; slot < used; slot++) {
        std::vector<Reference> wanted[5];
        for (long i = 0; i < counts[slot]; i++) {
            Outcome out = outcome(v.kernel, s, number, &before[slot][5 * i]);
            wanted[0].push_back(out.p);
            wanted[1].push_back({before[slot][5 * i + 1], 0});
            wanted[2].push_back(out.u);
            wanted[3].push_back(out.v);
            wanted[4].push_back(out.w);
        }
        std::string what = "slot " + std::to_string(slot) + " of " + std::to_string(used) + ", "
                + std::to_string(counts[slot]) + " elements";
        const char *labels[] = {"", " g", " u", " v", " w"};
        for (int k = 0; k < 2 + states; k++) {
            const Buffer &b = *rows[slot].operands[k];
            bool absent = (k == 3 && v.kernel == "rmsprop" && !s.centred) || (k == 4 && !s.buffered);
            for (long i = 0; absent && i < counts[slot]; i++) {
                wanted[k][i] = {before[slot][5 * i + k], 0};
            }
            compare(v, v.kernel + labels[k], b, Layout::dense({counts[slot]}, b.offset), wanted[k],
                    k == 1 || absent ? 0 : v.kernel == "rmsprop" || k == 3 ? 4 : 3, what);
        }
    }
}

void update(const char *kernel, const Step &s) {
    for (const Variant &v : variants("update", kernel)) {
        for (const std::vector<long> &counts : std::vector<std::vector<long>>{
                     {5}, {300, 0, 1025}, {3, 4, 5, 1, 2, 1023, 257, 1024}}) {
            update(v, s, counts);
        }
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
        update(kernel, plain);
        Step s = full;
        for (int i = 0; i < 4; i++) {
            s.nesterov = i % 2;
            s.first = i / 2;
            update(kernel, s);
        }
    }
    Step adam;
    adam.beta1 = 0.9L;
    adam.beta2 = 0.999L;
    adam.eps = 1e-8L;
    adam.step = 0.01L / (1 - 0.9L);
    adam.root = 1 / std::sqrt(1 - 0.999L);
    adam.shrink = 1;
    update("adam", adam);
    Step decayed = adam;
    decayed.decay = 0.1L;
    update("adam", decayed);
    decayed.decay = 0;
    decayed.shrink = 0.999L;
    update("adam", decayed);
    for (int i = 0; i < 8; i++) {
        Step s;
        s.lr = 0.01L;
        s.beta1 = 0.9L;
        s.eps = 1e-2L;
        s.centred = i % 2;
        s.buffered = i / 2 % 2;
        s.momentum = s.buffered ? 0.7L : 0;
        s.decay = i / 4 ? 0.1L : 0;
        update("rmsprop", s);
    }
    for (L decay : {0.0L, 0.1L}) {
        Step s;
        s.lr = 0.1L;
        s.eps = 1e-4L;
        s.decay = decay;
        update("adagrad", s);
        s.beta1 = 0.9L;
        s.beta2 = 0.99L;
        s.shrink = 1 - decay;
        update("lion", s);
    }
});

}  // namespace

// attention.cuda.k: forward and backward at the edges of tiles, with every mask, against sums over queries and keys.
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

constexpr long ROWS = 64;
constexpr unsigned long SEED = 0x123456789ABCul, COUNTER = 77;
constexpr L DROPPED = 0.25L;

enum Mask { none, allowed, bias, both };

// Sizes, and how they are attended to. In views the heads lie between the rows, as a layer has them.
struct Shape {
    long n, h, t, u, e, v;
    bool causal;
    Mask mask;
    bool dropout, drawn, views;
    long offset;
};

// Philox 4x32-10, a word of it.
unsigned word(unsigned long counter, int which) {
    unsigned c[4] = {unsigned(counter), unsigned(counter >> 32), 0, 0};
    unsigned k0 = unsigned(SEED), k1 = unsigned(SEED >> 32);
    for (int round = 0; round < 10; round++) {
        unsigned long p = 0xD2511F53ul * c[0], q = 0xCD9E8D57ul * c[2];
        unsigned next[4] = {unsigned(q >> 32) ^ c[1] ^ k0, unsigned(q), unsigned(p >> 32) ^ c[3] ^ k1, unsigned(p)};
        std::copy(next, next + 4, c);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return c[which];
}

struct Case {
    const Variant &variant;
    const Shape s;
    const Type type;
    const L scale;
    Layout ql, kl, vl, gl, al, bl;
    Buffer q, k, v, g, seen, added, drawn, top, share, delta;
    std::vector<Reference> out, dq, dk, dv;

    static Layout rows(const Shape &s, long rows, long size) {
        std::vector<long> strides = s.views ? std::vector<long>{rows * s.h * size, size, s.h * size, 1}
                                            : std::vector<long>{s.h * rows * size, rows * size, size, 1};
        return Layout{{s.n, s.h, rows, size}, strides, s.offset};
    }

    Case(const Variant &variant, const Shape &s)
        : variant(variant),
          s(s),
          type(variant.type("T")),
          scale(float(1 / std::sqrt(L(s.e)))),
          ql(rows(s, s.t, s.e)),
          kl(rows(s, s.u, s.e)),
          vl(rows(s, s.u, s.v)),
          gl(rows(s, s.t, s.v)),
          // Of every query alike for each head, and of every element alike: one of each way to repeat.
          al{{s.n, s.h, s.t, s.u}, {0, 0, s.u, 1}, 2},
          bl{{s.n, s.h, s.t, s.u}, {s.u, 0, 0, 1}, 1},
          q(type, ql.length(), ql.offset),
          k(type, kl.length(), kl.offset),
          v(type, vl.length(), vl.offset),
          g(type, gl.length(), gl.offset),
          seen(b8, al.length(), al.offset),
          added(type, bl.length(), bl.offset),
          drawn(i64, 5, 3),
          top(f32, s.n * s.h * s.t + 1, 1),
          share(f32, s.n * s.h * s.t + 2, 2),
          delta(f32, s.n * s.h * s.t + 3, 3) {
        Numbers numbers(s.t * 1000 + s.u);
        for (auto [buffer, layout] : {std::pair(&q, &ql), std::pair(&k, &kl), std::pair(&v, &vl), std::pair(&g, &gl)}) {
            for (long i = 0; i < layout->count(); i++) {
                buffer->set(layout->at(i), numbers.uniform(-2, 2));
            }
        }
        for (long i = al.offset; i < al.length(); i++) {
            // Of the second query nothing, of the others most.
            seen.set(i, (i - al.offset) / s.u != 1 && numbers.below(4) != 0);
        }
        for (long i = bl.offset; i < bl.length(); i++) {
            added.set(i, numbers.below(5) == 0 ? -L(INFINITY) : numbers.uniform(-1, 1));
        }
        drawn.set(3, L(SEED));
        drawn.set(4, L(COUNTER));
    }

    bool masked(Mask by) const { return s.mask == by || s.mask == both; }

    L score(long pair, long t, long u) const {
        L sum = 0;
        for (long e = 0; e < s.e; e++) {
            sum += q.get(ql.at((pair * s.t + t) * s.e + e)) * k.get(kl.at((pair * s.u + u) * s.e + e));
        }
        sum *= scale;
        long at = (pair * s.t + t) * s.u + u;
        sum += masked(bias) ? added.get(bl.at(at)) : 0;
        bool hidden = (masked(allowed) && seen.get(al.at(at)) == 0) || (s.causal && u > t);
        return hidden ? -L(INFINITY) : sum;
    }

    L kept(long pair, long t, long u) const {
        if (!s.dropout) {
            return 1;
        }
        unsigned long at = (pair * s.t + t) * s.u + u;
        return (word(COUNTER + at / 4, int(at % 4)) >> 8) < (1 - DROPPED) * 0x1p24L ? float(1 / (1 - DROPPED)) : 0;
    }

    static void add(Reference &sum, L x, L size) {
        sum.value += x;
        sum.scale += size;
    }

    // What is right, and what a forward leaves for a backward.
    void work() {
        out.resize(gl.count());
        dq.resize(ql.count());
        dk.resize(kl.count());
        dv.resize(vl.count());
        std::vector<L> p(s.u), dp(s.u), sizes(s.u);
        for (long pair = 0; pair < s.n * s.h; pair++) {
            for (long t = 0; t < s.t; t++) {
                long row = pair * s.t + t;
                L most = -L(INFINITY), sum = 0, all = 0;
                for (long u = 0; u < s.u; u++) {
                    p[u] = score(pair, t, u);
                    most = std::fmax(most, p[u]);
                }
                for (long u = 0; u < s.u; u++) {
                    p[u] = std::exp(p[u] - (std::isinf(most) ? 0 : most));
                    sum += p[u];
                }
                top.set(1 + row, most);
                share.set(2 + row, sum == 0 ? s.mask == none ? L(NAN) : 0 : 1 / sum);
                for (long u = 0; u < s.u; u++) {
                    p[u] *= sum == 0 ? share.get(2 + row) : 1 / sum;
                    L stays = kept(pair, t, u);
                    dp[u] = 0;
                    sizes[u] = 0;
                    for (long c = 0; c < s.v; c++) {
                        L gv = g.get(gl.at(row * s.v + c)), vv = v.get(vl.at((pair * s.u + u) * s.v + c));
                        add(out[row * s.v + c], p[u] * stays * vv, std::fabs(p[u] * stays * vv));
                        add(dv[(pair * s.u + u) * s.v + c], p[u] * stays * gv, std::fabs(p[u] * stays * gv));
                        dp[u] += stays * gv * vv;
                        sizes[u] += std::fabs(stays * gv * vv);
                    }
                }
                for (long u = 0; u < s.u; u++) {
                    all += p[u] * dp[u];
                }
                delta.set(3 + row, all);
                for (long u = 0; u < s.u; u++) {
                    L ds = scale * p[u] * (dp[u] - all), size = std::fabs(scale * p[u]) * (sizes[u] + std::fabs(all));
                    for (long e = 0; e < s.e; e++) {
                        L qe = q.get(ql.at(row * s.e + e)), ke = k.get(kl.at((pair * s.u + u) * s.e + e));
                        add(dq[row * s.e + e], ds * ke, size * std::fabs(ke));
                        add(dk[(pair * s.u + u) * s.e + e], ds * qe, size * std::fabs(qe));
                    }
                }
            }
        }
    }

    std::vector<long> longs(long outOffset) const {
        std::vector<long> all = {
                s.n * s.h, s.h, s.t, s.u, s.e, s.v, bits(f32, scale), s.causal, masked(allowed), masked(bias), s.dropout,
                s.drawn, long(std::ceil((1 - DROPPED) * 0x1p24L)), bits(f32, 1 / (1 - DROPPED)), s.drawn ? 0 : long(SEED),
                s.drawn ? 0 : long(COUNTER), outOffset, ql.offset, kl.offset, vl.offset, gl.offset, 1, 2, 3, al.offset,
                bl.offset, 3, outOffset, outOffset, outOffset};
        for (const Layout *each : {&ql, &kl, &vl, &gl}) {
            all.insert(all.end(), each->strides.begin(), each->strides.begin() + 3);
        }
        all.insert(all.end(), al.strides.begin(), al.strides.end());
        all.insert(all.end(), bl.strides.begin(), bl.strides.end());
        return all;
    }

    long sharedBytes(int own, bool known) const {
        long bytes = bytesOf(type), chunk = 16 / bytes, others = variant.number("OTHERS");
        return (own * ROWS + 2 * others) * (variant.number("HEAD") + chunk) * bytes + (known ? 12 * others : 0)
                + (type == f32 || masked(bias) ? ROWS * (others + chunk) * bytes : 0);
    }

    std::string what() const {
        return std::to_string(s.t) + " queries, " + std::to_string(s.u) + " keys, " + std::to_string(s.e) + " and "
                + std::to_string(s.v) + " features" + (s.causal ? ", causal" : "") + (s.dropout ? ", dropout" : "")
                + (s.mask == none ? "" : ", mask " + std::to_string(s.mask));
    }

    // A weight has the error of its score, which is that of a number of some 8. Half types round weights and slopes once before
    // they multiply.
    L bound(L plain) const { return type == f32 ? plain : plain + (type == f16 ? 0x1p13L : 0x1p16L); }

    void check(const char *label, const Buffer &got, long rows, long size, const std::vector<Reference> &wanted, L plain) {
        compare(variant, label, got, Layout::dense({s.n, s.h, rows, size}, got.offset), wanted, bound(plain), what());
    }
};

long blocks(const Shape &s, long rows) { return s.n * s.h * ((rows + ROWS - 1) / ROWS); }

void forward(const Variant &v, const Shape &s) {
    Case c(v, s);
    c.work();
    Buffer out(c.type, s.n * s.h * s.t * s.v + s.offset, s.offset), top(f32, c.top.length, 1), share(f32, c.share.length, 2);
    Arguments a{{&out, &top, &share, &c.q, &c.k, &c.v, &c.seen, &c.added, &c.drawn}, c.longs(s.offset)};
    run(v, blocks(s, s.t), a, 3, c.sharedBytes(1, false));
    c.check("attention", out, s.t, s.v, c.out, 24);
    std::vector<Reference> tops, shares;
    for (long i = 0; i < s.n * s.h * s.t; i++) {
        tops.push_back({c.top.get(1 + i), 8});
        shares.push_back({c.share.get(2 + i), 1});
    }
    compare(v, "attention top", top, Layout::dense({s.n * s.h * s.t}, 1), tops, 8, c.what());
    compare(v, "attention share", share, Layout::dense({s.n * s.h * s.t}, 2), shares, 8, c.what());
}

void ofQueries(const Variant &v, const Shape &s) {
    Case c(v, s);
    c.work();
    Buffer dq(c.type, s.n * s.h * s.t * s.e + s.offset, s.offset);
    Arguments a{
            {&dq, &c.g, &c.q, &c.k, &c.v, &c.top, &c.share, &c.delta, &c.seen, &c.added, &c.drawn}, c.longs(s.offset)};
    run(v, blocks(s, s.t), a, 1, c.sharedBytes(2, false));
    c.check("attention dq", dq, s.t, s.e, c.dq, 24);
}

void ofKeys(const Variant &v, const Shape &s) {
    Case c(v, s);
    c.work();
    Buffer dk(c.type, s.n * s.h * s.u * s.e + s.offset, s.offset), dv(c.type, s.n * s.h * s.u * s.v + s.offset, s.offset);
    Arguments a{
            {&dk, &dv, &c.g, &c.q, &c.k, &c.v, &c.top, &c.share, &c.delta, &c.seen, &c.added, &c.drawn}, c.longs(s.offset)};
    run(v, blocks(s, s.u), a, 2, c.sharedBytes(2, true));
    c.check("attention dk", dk, s.u, s.e, c.dk, 24);
    c.check("attention dv", dv, s.u, s.v, c.dv, 24);
}

void deltas(const Variant &v, const Shape &s) {
    Case c(v, s);
    c.work();
    Buffer out(c.type, s.n * s.h * s.t * s.v + s.offset, s.offset), delta(f32, c.delta.length, 3);
    std::vector<Reference> wanted;
    for (long row = 0; row < s.n * s.h * s.t; row++) {
        Reference sum;
        for (long i = 0; i < s.v; i++) {
            out.set(s.offset + row * s.v + i, c.out[row * s.v + i].value);
            L term = out.get(s.offset + row * s.v + i) * c.g.get(c.gl.at(row * s.v + i));
            Case::add(sum, term, std::fabs(term));
        }
        wanted.push_back(sum);
    }
    Arguments a{{&delta, &c.g, &out}, c.longs(s.offset)};
    run(v, (s.n * s.h * s.t + 3) / 4, a);
    compare(v, "attention delta", delta, Layout::dense({s.n * s.h * s.t}, 3), wanted, 8, c.what());
}

typedef void (*Test)(const Variant &, const Shape &);

// One below, at and above a tile of either side; sizes that 16 bytes divide and others.
void each(const char *kernel, Test test) {
    for (const Variant &v : variants("attention", kernel)) {
        long head = v.number("HEAD"), others = v.number("OTHERS");
        test(v, {1, 1, ROWS + 1, others, head, head, false, none, false, false, true, 8});
        test(v, {2, 1, ROWS - 1, others + 1, head - 3, head / 2 + 1, true, none, true, false, false, 3});
        test(v, {1, 2, 6, others - 1, head / 2, head - 8, false, both, false, false, true, 16});
        test(v, {1, 1, others + 2, ROWS + 1, 1, head, true, allowed, true, true, false, 8});
        test(v, {2, 1, others + 1, 5, head, 1, true, bias, false, false, true, 1});
        test(v, {1, 1, 1, 1, head, head, false, none, true, false, false, 8});
    }
}

const Group GROUP_FORWARD("attention", [] { each("attention", forward); });
const Group GROUP_BACKWARD("attention grad", [] {
    each("attention_delta", deltas);
    each("attention_queries_grad", ofQueries);
    each("attention_keys_grad", ofKeys);
});

}  // namespace

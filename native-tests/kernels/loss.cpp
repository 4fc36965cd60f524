// loss.k, and reduce.k with LOSS: every loss against the same in long double, at places where a formula changes and for sums at lengths
// where a kernel goes another way.
#include <algorithm>
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

// As org.tenon.gpu.ElementLosses numbers them.
enum { KL = 1, KL_LOG, MSE, L1, HUBER, SMOOTH_L1, BCE_LOGITS, LOSSES };

const L P0 = 0.75L;

L logistic(L x) { return 1 / (1 + std::exp(-x)); }
L sign(L d) { return L(d > 0) - L(d < 0); }

// With the magnitude of what the formula takes apart.
Reference term(int loss, L x, L t) {
    L d = x - t, size = std::fabs(d);
    switch (loss) {
    case KL: return t == 0 ? Reference{0} : Reference{t * (std::log(t) - x), t * (std::fabs(std::log(t)) + std::fabs(x))};
    case KL_LOG:
        return t == -INFINITY ? Reference{0}
                              : Reference{std::exp(t) * (t - x), std::exp(t) * (std::fabs(t) + std::fabs(x))};
    case MSE: return {d * d};
    case L1: return {size};
    case HUBER: return {size <= P0 ? d * d / 2 : P0 * (size - P0 / 2), P0 * size};
    case SMOOTH_L1: return {size <= P0 ? d * d / 2 / P0 : size - P0 / 2, size};
    default: return {x < 0 ? -t * x + std::log1p(std::exp(x)) : (1 - t) * x + std::log1p(std::exp(-x))};
    }
}

Reference slope(int loss, L x, L t, bool ofTarget) {
    L d = x - t, size = std::fabs(d), way = ofTarget ? -1 : 1;
    switch (loss) {
    case KL: return ofTarget ? Reference{std::log(t) - x + 1, std::fabs(std::log(t)) + std::fabs(x) + 1} : Reference{-t};
    case KL_LOG:
        return ofTarget ? Reference{std::exp(t) * (t - x + 1), std::exp(t) * (std::fabs(t) + std::fabs(x) + 1)}
                        : Reference{-std::exp(t)};
    case MSE: return {way * 2 * d};
    case L1: return {way * sign(d)};
    case HUBER: return {way * (size > P0 ? P0 * sign(d) : d)};
    case SMOOTH_L1: return {way * (size < P0 ? d / P0 : sign(d))};
    default: return ofTarget ? Reference{-x} : Reference{(1 - t) * logistic(x) - t * logistic(-x), 1 - t + t * logistic(-x)};
    }
}

// Operands within what they mean, and at the ends of it; differences of 0 and of P0 and its neighbours among them.
void fill(int loss, Buffer &x, const Layout &in, Buffer &target, const Layout &other, bool ends) {
    Numbers numbers(81);
    for (long i = 0; i < other.count(); i++) {
        bool log = loss == KL_LOG, probability = loss == KL || loss == BCE_LOGITS;
        target.set(other.at(i), log ? numbers.uniform(-5, 0) : numbers.uniform(probability ? 0.01L : -3, probability ? 1 : 3));
        if (i % 7 == 3 && ends) {
            target.set(other.at(i), log ? -INFINITY : i % 2);
        }
    }
    for (long i = 0; i < in.count(); i++) {
        x.set(in.at(i), loss <= KL_LOG ? numbers.uniform(-5, 0) : loss == BCE_LOGITS ? numbers.uniform(-20, 20) : numbers.uniform(-3, 3));
        if (i % 5 == 2 && loss > KL_LOG) {
            L t = target.get(other.at(i));
            x.set(in.at(i), i % 2 ? t : t + (i % 3 - 1) * P0);
        }
    }
}

void terms(const Variant &v, int loss, const Layout &in, const Layout &other, long offset, bool aligned) {
    Type type = v.type("T");
    long count = in.count();
    Buffer x(type, in.length(), in.offset), target(type, other.length(), other.offset), out(type, count + offset, offset);
    fill(loss, x, in, target, other, true);
    Arguments a{{&out, &x, &target},
                {count, long(in.sizes.size()), loss, bits(type, P0), bits(type, 1), in.offset, other.offset, 0, offset, 0, 0, 0, aligned}};
    a.axes(in.sizes).axes(in.strides).axes(other.strides).axes({});
    run(v, groupsFor((count + 3) / 4, v), a);
    std::vector<Reference> wanted;
    for (long i = 0; i < count; i++) {
        wanted.push_back(term(loss, x.get(in.at(i)), target.get(other.at(i))));
    }
    compare(v, "loss " + std::to_string(loss), out, Layout::dense({count}, offset), wanted, 3, std::to_string(count) + " elements");
}

void gradients(const Variant &v, int loss, const Layout &in, const Layout &other, const Layout &gradient, long offset, bool aligned, int which) {
    Type type = v.type("T"), real = realOf(type);
    long count = in.count();
    Buffer x(type, in.length(), in.offset), target(type, other.length(), other.offset), g(type, gradient.length(), gradient.offset),
            dx(type, count + offset, offset), dtarget(type, count + offset, offset);
    fill(loss, x, in, target, other, !(which & 2));
    Numbers numbers(82);
    for (long i = 0; i < count; i++) {
        g.set(gradient.at(i), numbers.uniform(-2, 2));
    }
    L divisor = 6;
    // What is not wanted is where the other goes.
    Arguments a{{which & 1 ? &dx : &dtarget, which & 2 ? &dtarget : &dx, &g, &x, &target},
                {count, long(in.sizes.size()), loss, bits(type, P0), bits(type, divisor), in.offset, other.offset, gradient.offset,
                 offset, offset, which & 1, which >> 1, aligned}};
    a.axes(in.sizes).axes(in.strides).axes(other.strides).axes(gradient.strides);
    run(v, groupsFor((count + 3) / 4, v), a, 2);
    for (int target_too = 0; target_too < 2; target_too++) {
        if (which >> target_too & 1) {
            std::vector<Reference> wanted;
            for (long i = 0; i < count; i++) {
                L scale = rounded(real, g.get(gradient.at(i)) / divisor);
                Reference r = slope(loss, x.get(in.at(i)), target.get(other.at(i)), target_too);
                wanted.push_back({scale * r.value, std::fabs(scale * r.scale)});
            }
            compare(v, "loss_grad " + std::to_string(loss), target_too ? dtarget : dx, Layout::dense({count}, offset), wanted, 4,
                    std::to_string(count) + " elements, " + (target_too ? "target" : "x"));
        }
    }
}

void sum(const Variant &v, int loss, const Layout &in, const Layout &other, long splits, long across) {
    Type type = v.type("T");
    long length = in.count(), span = (length + splits - 1) / splits;
    Buffer x(type, in.length(), in.offset), target(type, other.length(), other.offset), out(type, 3, 2);
    fill(loss, x, in, target, other, true);
    Buffer parts(u64, 1 + splits, 1);
    L divisor = 6;
    Arguments a{{&out, &x, splits == 1 ? &out : &parts, &target},
                {1, length, splits, span, across, in.offset, 2, splits == 1 ? 0 : 1, 1, long(in.sizes.size())}};
    a.axes({1}).axes({0}).axes(in.sizes).axes(in.strides);
    a.add(other.offset).add(loss).add(bits(type, P0)).add(bits(type, divisor)).axes(other.strides);
    run(v, groupsFor(splits * across, v), a);
    if (splits > 1) {
        for (const Variant &merge : variants("reduce", "reduce_merge")) {
            if (merge.has("LOSS") && merge.type("T") == type && merge.number("LANES") == v.number("LANES")) {
                a.buffers = {&out, &parts};
                a.longs[4] = std::min(merge.block, 4);
                run(merge, groupsFor(a.longs[4], merge), a);
            }
        }
    }
    Reference all;
    for (long i = 0; i < length; i++) {
        Reference r = term(loss, x.get(in.at(i)), target.get(other.at(i)));
        all.value += r.value / divisor;
        all.scale += std::max(std::fabs(r.value), r.scale) / divisor;
    }
    // What one thread adds up, one after another, is off by a little more with each element.
    L bound = 3 + std::sqrt(L(span) / L(across)) / 2;
    compare(v, v.kernel + " of loss " + std::to_string(loss), out, Layout::dense({1}, 2), {all}, bound,
            std::to_string(length) + " elements in " + std::to_string(splits));
}

void elements(const Variant &v, bool backward) {
    auto check = [&](int loss, const Layout &x, const Layout &target, const Layout &g, long out, bool aligned) {
        if (!backward) {
            terms(v, loss, x, target, out, aligned);
            return;
        }
        gradients(v, loss, x, target, g, out, aligned, 3);
        if (x.count() == 4) {
            gradients(v, loss, x, target, g, out, aligned, 1);
            gradients(v, loss, x, target, g, out, aligned, 2);
        }
    };
    for (int loss = KL; loss < LOSSES; loss++) {
        for (long count : {1L, 4L, 263L}) {
            Layout same = Layout::repeated({count}, 0, 3);
            check(loss, Layout::dense({count}, 4), Layout::dense({count}, 8), Layout::dense({count}, 12), 16, true);
            check(loss, Layout::dense({count}, 4), Layout::dense({count}, 8), same, 16, true);
            check(loss, Layout::dense({count}, 5), Layout::dense({count}, 8), same, 3, false);
        }
        check(loss, Layout::transposed({6, 10}, 2), Layout::gapped({6, 10}, 1, 2), Layout::repeated({6, 10}, 0, 1), 1, false);
        check(loss, Layout::dense({3, 5, 4}), Layout::repeated({3, 5, 4}, 1), Layout::transposed({3, 5, 4}, 2), 4, false);
    }
}

const Group GROUP_LOSS("loss", [] {
    for (const Variant &v : variants("loss", "loss")) {
        elements(v, false);
    }
    for (const Variant &v : variants("loss", "loss_grad")) {
        elements(v, true);
    }
});

std::vector<Variant> sums(const std::string &kernel) {
    std::vector<Variant> all;
    for (const Variant &v : variants("reduce", kernel)) {
        if (v.has("LOSS")) {
            all.push_back(v);
        }
    }
    return all;
}

void dense(const Variant &v, long across) {
    for (int loss = KL; loss < LOSSES; loss++) {
        for (long length : {0L, 9L, 257L}) {
            sum(v, loss, Layout::dense({length}, 1), Layout::dense({length}, 4), 1, across);
        }
    }
    for (long length : {1L, 7L, 8L, 255L, 256L, 700L}) {
        sum(v, KL, Layout::dense({length}, 1), Layout::dense({length}, 4), 1, across);
    }
    sum(v, HUBER, Layout::dense({1001}, 3), Layout::dense({1001}, 0), 4, across);
}

const Group GROUP_SUMS("loss sums", [] {
    for (const Variant &v : sums("reduce_columns")) {
        dense(v, 1);
        sum(v, KL, Layout::transposed({5, 40}, 2), Layout::dense({5, 40}, 3), 3, 1);
    }
    for (const Variant &v : sums("reduce_rows")) {
        dense(v, v.block);
        for (long across : {1L, long(v.block)}) {
            sum(v, KL, Layout::transposed({5, 40}, 2), Layout::dense({5, 40}, 3), 3, across);
            sum(v, BCE_LOGITS, Layout::gapped({2, 3, 5, 7}, 1, 2), Layout::repeated({2, 3, 5, 7}, 1), 2, across);
            sum(v, MSE, Layout::dense({300}, 2), Layout::repeated({300}, 0, 1), 1, across);
        }
    }
    for (const Variant &v : sums("reduce_wide")) {
        for (long across : {8L, long(v.block)}) {
            dense(v, across);
        }
        // The operands begin anywhere, each at a place of its own, and so do parts.
        for (long x = 0; x < 8; x++) {
            for (long target = 0; target < 8; target++) {
                sum(v, x % 2 ? BCE_LOGITS : KL, Layout::dense({301}, x), Layout::dense({301}, target), 2, 8);
            }
        }
        sum(v, SMOOTH_L1, Layout::dense({9001}, 1), Layout::dense({9001}, 2), 2, v.block);
    }
});

}  // namespace

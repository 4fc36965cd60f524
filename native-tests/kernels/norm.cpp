// norm.k and norm.cuda.k: rows forward and backward, and the sums over rows in slices.
#include <algorithm>
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

constexpr double EPS = 1e-3;

// How rows are launched, and where the tensors lie.
struct Form {
    long groups, across = 0, shared = 0;
    long x = 3, g = 1, weight = 2, out = 2;
};

struct Case {
    const long rows, length, slices, each;
    const bool centred, weighted, biased;
    const Type stored;
    const Form form;
    Buffer x, g, weight, bias, mean, scale;

    Case(const Variant &v, long rows, long length, bool centred, bool weighted, bool biased, const Form &form, long slices = 1)
        : rows(rows),
          length(length),
          slices(slices),
          each((rows + slices - 1) / slices),
          centred(centred),
          weighted(weighted),
          biased(biased),
          stored(v.type("WIDE")),
          form(form),
          x(v.type("T"), rows * length + form.x, form.x),
          g(v.type("T"), rows * length + form.g, form.g),
          weight(v.type("T"), length + form.weight, form.weight),
          bias(v.type("T"), length + 1, 1),
          mean(stored, rows + 2, 2),
          scale(stored, rows + 1, 1) {
        Numbers numbers(81);
        for (Buffer *b : {&x, &g, &weight, &bias}) {
            for (long i = b->offset; i < b->length; i++) {
                b->set(i, numbers.uniform(b == &x ? -1 : -2, b == &x ? 3 : 2));
            }
        }
        if (rows > 4) {
            x.set(form.x + 1 * length + length / 2, NAN);
            x.set(form.x + 3 * length, INFINITY);
        }
    }

    L in(long row, long j) const { return x.get(form.x + row * length + j); }
    L slope(long row, long j) const { return g.get(form.g + row * length + j); }
    L factor(long j) const { return weighted ? weight.get(form.weight + j) : 1; }
    L term(long j) const { return biased ? bias.get(1 + j) : 0; }

    L middle(long row) const {
        L sum = 0;
        for (long j = 0; centred && j < length; j++) {
            sum += in(row, j);
        }
        return sum / L(length);
    }

    L spread(long row, L middle) const {
        L sum = 0;
        for (long j = 0; j < length; j++) {
            sum += (in(row, j) - middle) * (in(row, j) - middle);
        }
        return 1 / std::sqrt(sum / L(length) + bitsOfEps());
    }

    // eps as the kernel has it.
    L bitsOfEps() const { return stored == f64 ? L(EPS) : L(float(EPS)); }

    // What a forward leaves for the backward.
    void prepare() {
        for (long row = 0; row < rows; row++) {
            mean.set(2 + row, middle(row));
            scale.set(1 + row, spread(row, mean.get(2 + row)));
        }
    }

    std::vector<long> longs(bool hasWeight, bool hasBias, long out, long biasOut, long parts) const {
        return {rows, length, centred, hasWeight, hasBias, bits(stored, EPS), slices, each, form.x, form.g, form.weight, 1, 2, 1,
                out, biasOut, parts, form.across, form.shared > 0};
    }

    std::string what() const {
        return std::to_string(rows) + " rows of " + std::to_string(length) + (centred ? "" : ", not centred")
                + (form.across == 0 ? "" : ", " + std::to_string(form.across) + " across" + (form.shared ? ", kept" : "")
                        + ", offsets " + std::to_string(form.x) + " " + std::to_string(form.g) + " "
                        + std::to_string(form.weight) + " " + std::to_string(form.out));
    }
};

void forward(const Variant &v, long rows, long length, bool centred, bool weighted, bool biased, const Form &form) {
    Case c(v, rows, length, centred, weighted, biased, form);
    Buffer y(v.type("T"), rows * length + form.out, form.out);
    Arguments a{{&y, &c.mean, &c.scale, &c.x, &c.weight, &c.bias}, c.longs(weighted, biased, form.out, 0, 0)};
    run(v, form.groups, a, 3, form.shared);
    std::vector<Reference> wanted, means, scales;
    for (long row = 0; row < rows; row++) {
        L middle = c.middle(row), factor = c.spread(row, middle), size = 0;
        for (long j = 0; j < length; j++) {
            size += std::fabs(c.in(row, j)) / L(length);
        }
        means.push_back({middle, size});
        scales.push_back({factor, 0});
        for (long j = 0; j < length; j++) {
            L h = (c.in(row, j) - middle) * factor;
            // The deviation has the errors of what it is the difference of.
            L error = (std::fabs(c.in(row, j)) + size) * factor;
            wanted.push_back({h * c.factor(j) + c.term(j),
                              error * std::fabs(c.factor(j)) + std::fabs(c.term(j))});
        }
    }
    compare(v, v.kernel, y, Layout::dense({rows * length}, form.out), wanted, 8, c.what());
    compare(v, v.kernel + " scale", c.scale, Layout::dense({rows}, 1), scales, 8, c.what());
    if (centred) {
        compare(v, v.kernel + " mean", c.mean, Layout::dense({rows}, 2), means, 8, c.what());
    }
}

void backward(const Variant &v, long rows, long length, bool centred, bool weighted, bool, const Form &form) {
    Case c(v, rows, length, centred, weighted, false, form);
    c.prepare();
    Buffer dx(v.type("T"), rows * length + form.out, form.out);
    Arguments a{{&dx, &c.g, &c.x, &c.weight, &c.mean, &c.scale}, c.longs(weighted, false, form.out, 0, 0)};
    run(v, form.groups, a, 1, form.shared);
    std::vector<Reference> wanted;
    for (long row = 0; row < rows; row++) {
        L middle = centred ? c.mean.get(2 + row) : 0, factor = c.scale.get(1 + row);
        L sum = 0, product = 0, size = 0, sizes = 0;
        for (long j = 0; j < length; j++) {
            L h = (c.in(row, j) - middle) * factor, d = c.slope(row, j) * c.factor(j);
            sum += centred ? d / L(length) : 0;
            product += d * h / L(length);
            size += std::fabs(d) / L(length);
            sizes += std::fabs(d * h) / L(length);
        }
        for (long j = 0; j < length; j++) {
            L h = (c.in(row, j) - middle) * factor, d = c.slope(row, j) * c.factor(j);
            wanted.push_back({factor * (d - sum - h * product), factor * (std::fabs(d) + size + std::fabs(h) * sizes)});
        }
    }
    compare(v, v.kernel, dx, Layout::dense({rows * length}, form.out), wanted, 8, c.what());
}

// In slices, and then these.
void sums(const Variant &v, const Variant &total, long rows, long length, long slices, bool centred, bool weight, bool bias) {
    long width = v.has("WIDTH") ? v.number("WIDTH") : 1;
    Form form{0};
    if (width > 1) {
        form.x = width, form.g = 2 * width;
    }
    Case c(v, rows, length, centred, true, true, form, slices);
    c.prepare();
    Buffer parts(v.type("T") == f64 ? f64 : f32, 2 * slices * length + 2, 2);
    Buffer workspace(u64, (2 * slices * length + 1) / (v.type("T") == f64 ? 1 : 2) + 1, 1);
    Buffer dweight(v.type("T"), length + 1, 1), dbias(v.type("T"), length + 2, 2);
    Arguments a{{&workspace, &c.g, &c.x, &c.mean, &c.scale}, c.longs(weight, bias, 0, 0, 1)};
    run(v, groupsFor(slices * length / width, v), a);
    Arguments b{{weight ? &dweight : &dbias, bias ? &dbias : &dweight, &workspace}, c.longs(weight, bias, 1, 2, 1)};
    long across = std::min(32, total.block);
    run(total, (length + across - 1) / across, b, 2);
    std::vector<Reference> products, plain;
    for (long j = 0; j < length; j++) {
        Reference product, sum;
        for (long row = 0; row < rows; row++) {
            L middle = centred ? c.mean.get(2 + row) : 0;
            L h = (c.in(row, j) - middle) * c.scale.get(1 + row), g = c.slope(row, j);
            product.value += g * h;
            product.scale += std::fabs(g * h);
            sum.value += g;
            sum.scale += std::fabs(g);
        }
        products.push_back(product);
        plain.push_back(sum);
    }
    if (weight) {
        compare(total, "norm weight", dweight, Layout::dense({length}, 1), products, 8, c.what());
    }
    if (bias) {
        compare(total, "norm bias", dbias, Layout::dense({length}, 2), plain, 8, c.what());
    }
}

typedef void (*Test)(const Variant &, long, long, bool, bool, bool, const Form &);

std::vector<Variant> having(const char *kernel, const char *option) {
    std::vector<Variant> all = variants("norm", kernel);
    all.erase(std::remove_if(all.begin(), all.end(), [=](const Variant &v) { return !v.has(option); }), all.end());
    check::that(!all.empty(), std::string("there is a ") + kernel + " with " + option);
    return all;
}

// The lengths at which a shape begins and ends, on a CPU.
void rows(const char *kernel, Test test) {
    for (const Variant &v : having(kernel, "VECTORIZED")) {
        long lanes = v.number("LANES"), together = v.block, full = 4 * lanes;
        auto at = [&](long count, long length, bool centred, bool weighted, bool biased) {
            Form form{groupsFor(count, v)};
            test(v, count, length, centred, weighted, biased, form);
        };
        at(full > 1000 ? 5 : together + 1, full, true, true, true);
        at(std::max(1L, std::min(together - 1, 9L)), full - 1, false, true, false);
        at(5, full / 2 + 1, true, false, true);
        at(1, 1, true, true, true);
        at(2, 9 * lanes + 7, true, true, true);
    }
}

// ---- norm.cuda.k

long above(long n, long each) { return (n + each - 1) / each; }

// Of x, g, weight and result.
const long OFFSETS[][4] = {{0, 0, 0, 0}, {3, 2, 1, 5}, {8, 7, 8, 0}, {5, 8, 0, 5}};

void shortRows(const char *kernel, Test test) {
    for (const Variant &v : having(kernel, "KEEP")) {
        long keep = v.number("KEEP"), chunk = 16 / bytesOf(v.type("T"));
        for (long across = 1; across <= 32; across *= 2) {
            long full = across * keep, together = v.block / across;
            int turn = 0;
            auto at = [&](long count, long length, bool centred, bool weighted, bool biased) {
                Form form{above(count, together), across};
                const long *offsets = OFFSETS[turn++ % 4];
                form.x = offsets[0], form.g = offsets[1], form.weight = offsets[2], form.out = offsets[3];
                test(v, count, length, centred, weighted, biased, form);
            };
            at(std::min(together + 1, 40L), full, true, true, true);
            at(9, full - 1, true, true, true);
            at(9, full / 2 + 1, false, true, false);
            at(11, std::max(1L, full - chunk + 1), true, true, true);
            at(7, std::min(full, chunk), true, true, true);
            at(5, 1, true, false, true);
        }
    }
}

void longRows(const char *kernel, Test test, long operands) {
    for (const Variant &v : having(kernel, "LONG")) {
        long chunk = 16 / bytesOf(v.type("T")), turn = v.block * chunk;
        int number = 0;
        auto at = [&](long count, long length, bool keep, bool centred, bool weighted, bool biased) {
            Form form{count, 1, keep ? above(length, chunk) * 16 * operands : 0};
            const long *offsets = OFFSETS[number++ % 4];
            form.x = offsets[0], form.g = offsets[1], form.weight = offsets[2], form.out = offsets[3];
            test(v, count, length, centred, weighted, biased, form);
        };
        for (bool keep : {true, false}) {
            for (int i = 0; i < 4; i++) {
                at(5, 300 + chunk, keep, true, true, true);
                number++;
            }
            at(1, turn * 2 + 3, keep, true, true, true);
            at(1, turn * 4, keep, false, true, false);
            at(1, turn * 4 + 1, keep, true, true, true);
            at(1, turn * 5 - 1, keep, true, false, true);
            at(2, 2 * chunk + 1, keep, false, false, false);
        }
    }
}

// Groups without warps: registers, local memory and what is read again.
void groupRows(const char *kernel, Test test) {
    for (const Variant &v : having(kernel, "KEEP")) {
        long keep = v.number("KEEP"), chunk = 16 / bytesOf(v.type("T"));
        int turn = 0;
        for (long across = 1; across <= v.block; across *= across < 4 ? 2 : across < 32 ? 4 : 2) {
            long full = across * keep, together = v.block / across;
            auto at = [&](long count, long length, bool centred, bool weighted, bool biased) {
                Form form{above(count, together), across};
                const long *offsets = OFFSETS[turn++ % 4];
                form.x = offsets[0], form.g = offsets[1], form.weight = offsets[2], form.out = offsets[3];
                test(v, count, length, centred, weighted, biased, form);
            };
            at(std::min(together + 1, 20L), full, true, true, true);
            at(9, full - 1, true, true, true);
            at(9, full / 2 + 1, false, true, false);
            at(11, std::max(1L, full - chunk + 1), true, true, true);
            at(5, 1, true, false, true);
            if (v.has("HOLD") && (across == 2 || across == v.block)) {
                long held = v.number("HOLD") * across * chunk;
                for (long length : {full + 1, full + held - 1, full + held, full + held + 1, full + held + 9 * chunk * across + 3}) {
                    for (bool centred : {true, false}) {
                        at(2, length, centred, true, true);
                    }
                }
            }
        }
    }
}

const Group GROUP_GROUPS("norm groups", [] {
    groupRows("norm_group", forward);
    groupRows("norm_group_grad", backward);
});
const Group GROUP_ROWS("norm rows", [] {
    rows("norm_rows", forward);
    rows("norm_rows_grad", backward);
});
const Group GROUP_SHORT("norm short", [] {
    shortRows("norm_short", forward);
    shortRows("norm_short_grad", backward);
});
const Group GROUP_LONG("norm long", [] {
    longRows("norm_long", forward, 1);
    longRows("norm_long_grad", backward, 2);
});
const Group GROUP_SUMS("norm sums", [] {
    for (const Variant &v : variants("norm", "norm_columns")) {
        for (const Variant &total : variants("norm", "norm_total")) {
            if (v.type("T") == total.type("T") && (v.block == total.block || v.block == 1)) {
                long width = v.has("WIDTH") ? v.number("WIDTH") : 1;
                sums(v, total, 4, 304, 1, true, true, true);
                sums(v, total, 4, 64 + (width == 1), 3, false, true, false);
                sums(v, total, 400, 7 * width, 50, true, false, true);
            }
        }
    }
});

}  // namespace

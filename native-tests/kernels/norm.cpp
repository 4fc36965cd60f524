// norm.k: rows forward and backward, and the sums over rows in slices.
#include <cmath>

#include "test.h"

namespace {

typedef long double L;

constexpr double EPS = 1e-3;

struct Case {
    const long rows, length, slices, each;
    const bool centred, weighted, biased;
    const Type stored;
    Buffer x, g, weight, bias, mean, scale;

    Case(const Variant &v, long rows, long length, bool centred, bool weighted, bool biased, long slices = 1)
        : rows(rows),
          length(length),
          slices(slices),
          each((rows + slices - 1) / slices),
          centred(centred),
          weighted(weighted),
          biased(biased),
          stored(v.type("U")),
          x(v.type("T"), rows * length + 3, 3),
          g(v.type("T"), rows * length + 1, 1),
          weight(v.type("T"), length + 2, 2),
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
            x.set(3 + 1 * length + length / 2, NAN);
            x.set(3 + 3 * length, INFINITY);
        }
    }

    L in(long row, long j) const { return x.get(3 + row * length + j); }
    L slope(long row, long j) const { return g.get(1 + row * length + j); }
    L factor(long j) const { return weighted ? weight.get(2 + j) : 1; }
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
        return {rows, length, centred, hasWeight, hasBias, bits(stored, EPS), slices, each, 3, 1, 2, 1, 2, 1, out, biasOut,
                parts};
    }

    std::string what() const {
        return std::to_string(rows) + " rows of " + std::to_string(length) + (centred ? "" : ", not centred");
    }
};

void forward(const Variant &v, long rows, long length, bool centred, bool weighted, bool biased) {
    Case c(v, rows, length, centred, weighted, biased);
    Buffer y(v.type("T"), rows * length + 2, 2);
    Arguments a{{&y, &c.mean, &c.scale, &c.x, &c.weight, &c.bias}, c.longs(weighted, biased, 2, 0, 0)};
    run(v, groupsFor(rows * (v.block / v.number("ROWS")), v), a, 3);
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
    compare(v, v.kernel, y, Layout::dense({rows * length}, 2), wanted, 8, c.what());
    compare(v, v.kernel + " scale", c.scale, Layout::dense({rows}, 1), scales, 8, c.what());
    if (centred) {
        compare(v, v.kernel + " mean", c.mean, Layout::dense({rows}, 2), means, 8, c.what());
    }
}

void backward(const Variant &v, long rows, long length, bool centred, bool weighted, bool) {
    Case c(v, rows, length, centred, weighted, false);
    c.prepare();
    Buffer dx(v.type("T"), rows * length + 2, 2);
    Arguments a{{&dx, &c.g, &c.x, &c.weight, &c.mean, &c.scale}, c.longs(weighted, false, 2, 0, 0)};
    run(v, groupsFor(rows * (v.block / v.number("ROWS")), v), a);
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
    compare(v, v.kernel, dx, Layout::dense({rows * length}, 2), wanted, 8, c.what());
}

// In slices, and then these.
void sums(const Variant &v, const Variant &total, long rows, long length, long slices, bool centred, bool weight, bool bias) {
    Case c(v, rows, length, centred, true, true, slices);
    c.prepare();
    Buffer parts(v.type("T") == f64 ? f64 : f32, 2 * slices * length + 2, 2);
    Buffer workspace(u64, (2 * slices * length + 1) / (v.type("T") == f64 ? 1 : 2) + 1, 1);
    Buffer dweight(v.type("T"), length + 1, 1), dbias(v.type("T"), length + 2, 2);
    Arguments a{{&workspace, &c.g, &c.x, &c.mean, &c.scale}, c.longs(weight, bias, 0, 0, 1)};
    run(v, groupsFor(slices * length, v), a);
    Arguments b{{weight ? &dweight : &dbias, bias ? &dbias : &dweight, &workspace}, c.longs(weight, bias, 1, 2, 1)};
    run(total, groupsFor(length, total), b, 2);
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

typedef void (*Test)(const Variant &, long, long, bool, bool, bool);

// The lengths at which a shape begins and ends.
void rows(const char *kernel, Test test) {
    for (const Variant &v : variants("norm", kernel)) {
        long columns = v.number("COLUMNS"), keep = v.number("KEEP"), lanes = v.number("LANES"), together = v.number("ROWS");
        long full = columns * (keep > 0 ? keep : 4) * lanes;
        test(v, full > 1000 ? 5 : together + 1, full, true, true, true);
        test(v, std::max(1L, std::min(together - 1, 9L)), full - 1, false, true, false);
        test(v, 5, full / 2 + 1, true, false, true);
        test(v, 1, 1, true, true, true);
        if (keep == 0) {
            test(v, 2, columns * 9 * lanes + 7, true, true, true);
        }
    }
}

const Group GROUP_ROWS("norm rows", [] {
    rows("norm_rows", forward);
    rows("norm_rows_grad", backward);
});
const Group GROUP_SUMS("norm sums", [] {
    std::vector<Variant> all = variants("norm", "norm_columns"), totals = variants("norm", "norm_total");
    for (std::size_t i = 0; i < all.size(); i++) {
        sums(all[i], totals[i], 4, 300, 1, true, true, true);
        sums(all[i], totals[i], 4, 65, 3, false, true, false);
        sums(all[i], totals[i], 3, 7, 2, true, false, true);
    }
});

}  // namespace

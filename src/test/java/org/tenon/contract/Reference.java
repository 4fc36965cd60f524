package org.tenon.contract;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.tenon.Activation;
import org.tenon.DType;

/** What ops must give, in float64 and written as plainly as can be. Uses nothing of the library but its dtypes. */
final class Reference {
    private Reference() {}

    // ---- positions

    static int[] position(long[] shape, int flat) {
        int[] at = new int[shape.length];
        for (int i = shape.length - 1; i >= 0; i--) {
            at[i] = (int) (flat % shape[i]);
            flat /= (int) shape[i];
        }
        return at;
    }

    static int flat(long[] shape, int[] at) {
        int flat = 0;
        for (int i = 0; i < shape.length; i++) {
            flat = flat * (int) shape[i] + at[i];
        }
        return flat;
    }

    static int wrap(int dim, int rank) {
        return dim < 0 ? dim + rank : dim;
    }

    /** An array of {@code shape} whose element at a position is element {@code source(position)} of x. */
    interface Source {
        int of(int[] at);
    }

    static Arr pick(Arr x, long[] shape, Source source) {
        int count = Arr.count(shape);
        double[] f = x.f() == null ? null : new double[count];
        long[] n = x.n() == null ? null : new long[count];
        for (int i = 0; i < count; i++) {
            int from = source.of(position(shape, i));
            if (f != null) {
                f[i] = x.f()[from];
            } else {
                n[i] = x.n()[from];
            }
        }
        return new Arr(x.dtype(), shape, f, n);
    }

    // ---- elementwise

    static Arr map(Arr x, DoubleUnaryOperator f) {
        return Arr.floats(x.dtype(), x.shape(), Arrays.stream(x.f()).map(f).toArray());
    }

    static Arr mapLong(Arr x, LongUnaryOperator f) {
        return narrowed(x.dtype(), x.shape(), Arrays.stream(x.n()).map(f).toArray());
    }

    /** Either, as the dtype is. */
    static Arr map(Arr x, DoubleUnaryOperator f, LongUnaryOperator n) {
        return x.f() != null ? map(x, f) : mapLong(x, n);
    }

    private static Arr narrowed(DType dtype, long[] shape, long[] values) {
        if (dtype == DType.I32) {
            for (int i = 0; i < values.length; i++) {
                values[i] = (int) values[i];
            }
        }
        return Arr.longs(dtype, shape, values);
    }

    static long[] broadcast(long[] a, long[] b) {
        int rank = Math.max(a.length, b.length);
        long[] out = new long[rank];
        for (int i = 1; i <= rank; i++) {
            long p = i <= a.length ? a[a.length - i] : 1;
            long q = i <= b.length ? b[b.length - i] : 1;
            out[rank - i] = p == 1 ? q : p;
        }
        return out;
    }

    static Arr expand(Arr x, long[] shape) {
        int extra = shape.length - x.shape().length;
        return pick(x, shape, at -> {
            int[] from = new int[x.shape().length];
            for (int i = 0; i < from.length; i++) {
                from[i] = x.shape()[i] == 1 ? 0 : at[i + extra];
            }
            return flat(x.shape(), from);
        });
    }

    static Arr zip(Arr a, Arr b, DoubleBinaryOperator f, LongBinaryOperator n) {
        long[] shape = broadcast(a.shape(), b.shape());
        Arr x = expand(a, shape);
        Arr y = expand(b, shape);
        int count = x.count();
        if (x.f() != null) {
            double[] out = new double[count];
            Arrays.setAll(out, i -> f.applyAsDouble(x.f()[i], y.f()[i]));
            return Arr.floats(a.dtype(), shape, out);
        }
        long[] out = new long[count];
        Arrays.setAll(out, i -> n.applyAsLong(x.n()[i], y.n()[i]));
        return narrowed(a.dtype(), shape, out);
    }

    interface Test {
        boolean holds(double a, double b);
    }

    interface LongTest {
        boolean holds(long a, long b);
    }

    static Arr compare(Arr a, Arr b, Test f, LongTest n) {
        long[] shape = broadcast(a.shape(), b.shape());
        Arr x = expand(a, shape);
        Arr y = expand(b, shape);
        long[] out = new long[x.count()];
        for (int i = 0; i < out.length; i++) {
            out[i] = (x.f() != null ? f.holds(x.f()[i], y.f()[i]) : n.holds(x.n()[i], y.n()[i])) ? 1 : 0;
        }
        return Arr.longs(DType.BOOL, shape, out);
    }

    static Arr where(Arr condition, Arr a, Arr b) {
        long[] shape = broadcast(condition.shape(), broadcast(a.shape(), b.shape()));
        Arr c = expand(condition, shape);
        Arr x = expand(a, shape);
        Arr y = expand(b, shape);
        if (x.f() != null) {
            double[] out = new double[c.count()];
            Arrays.setAll(out, i -> c.n()[i] != 0 ? x.f()[i] : y.f()[i]);
            return Arr.floats(a.dtype(), shape, out);
        }
        long[] out = new long[c.count()];
        Arrays.setAll(out, i -> c.n()[i] != 0 ? x.n()[i] : y.n()[i]);
        return Arr.longs(a.dtype(), shape, out);
    }

    static double max(double a, double b) {
        return Double.isNaN(a) || Double.isNaN(b) ? Double.NaN : a > b ? a : b;
    }

    static double min(double a, double b) {
        return Double.isNaN(a) || Double.isNaN(b) ? Double.NaN : a < b ? a : b;
    }

    static double sign(double x) {
        return Double.isNaN(x) ? x : x > 0 ? 1 : x < 0 ? -1 : 0;
    }

    /** As C's pow: 1 to anything is 1, and -1 to an infinite power too. */
    static double pow(double x, double y) {
        return x == 1 || x == -1 && Double.isInfinite(y) ? 1 : Math.pow(x, y);
    }

    /** The error function by its series of positive terms, e^(-x^2) times the sum of (2x^2)^n x / (2n+1)!!. */
    static double erf(double x) {
        if (Double.isNaN(x)) {
            return x;
        }
        if (Math.abs(x) > 6) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int k = 1; k < 400; k++) {
            term *= 2 * x * x / (2 * k + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    static double gelu(double x) {
        return x / 2 * (1 + erf(x / Math.sqrt(2)));
    }

    static double geluTanh(double x) {
        return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    // ---- reductions

    static double activation(Activation activation, double x) {
        return switch (activation) {
            case NONE -> x;
            case RELU -> max(x, 0);
            case GELU -> gelu(x);
            case GELU_TANH -> geluTanh(x);
            case SILU -> x * sigmoid(x);
            case TANH -> Math.tanh(x);
            case SIGMOID -> sigmoid(x);
        };
    }

    static double sum(double[] row) {
        double sum = 0;
        double lost = 0;
        double plain = 0;
        for (double v : row) {
            double next = sum + v;
            lost += Math.abs(sum) >= Math.abs(v) ? sum - next + v : v - next + sum;
            sum = next;
            plain += v;
        }
        return Double.isNaN(sum + lost) || Double.isInfinite(sum + lost) ? plain : sum + lost;
    }

    static double logSumExp(double[] row) {
        double max = Double.NEGATIVE_INFINITY;
        for (double v : row) {
            max = max(max, v);
        }
        if (Double.isInfinite(max) || Double.isNaN(max)) {
            return max;
        }
        double[] e = new double[row.length];
        for (int i = 0; i < e.length; i++) {
            e[i] = Math.exp(row[i] - max);
        }
        return max + Math.log(sum(e));
    }

    static double variance(double[] row, double correction) {
        double mean = sum(row) / row.length;
        double[] squares = new double[row.length];
        Arrays.setAll(squares, i -> (row[i] - mean) * (row[i] - mean));
        return sum(squares) / Math.max(0, row.length - correction);
    }

    static double norm(double[] row, double p) {
        if (p == Double.POSITIVE_INFINITY) {
            double max = 0;
            for (double v : row) {
                max = max(max, Math.abs(v));
            }
            return max;
        }
        double[] powers = new double[row.length];
        Arrays.setAll(powers, i -> p == 0 ? (row[i] != 0 ? 1 : 0) : Math.pow(Math.abs(row[i]), p));
        return p == 0 ? sum(powers) : Math.pow(sum(powers), 1 / p);
    }

    static boolean[] mask(int rank, int... dims) {
        boolean[] reduced = new boolean[rank];
        if (dims.length == 0) {
            Arrays.fill(reduced, true);
        }
        for (int dim : dims) {
            if (rank > 0) {
                reduced[wrap(dim, rank)] = true;
            }
        }
        return reduced;
    }

    static long[] reducedShape(long[] shape, boolean keep, int... dims) {
        boolean[] reduced = mask(shape.length, dims);
        long[] kept = new long[shape.length];
        int rank = 0;
        for (int i = 0; i < shape.length; i++) {
            if (!reduced[i]) {
                kept[rank++] = shape[i];
            } else if (keep) {
                kept[rank++] = 1;
            }
        }
        return Arrays.copyOf(kept, rank);
    }

    /** For each result the positions of what it is made of, in row-major order. */
    static int[][] groups(long[] shape, int... dims) {
        boolean[] reduced = mask(shape.length, dims);
        long[] kept = reducedShape(shape, true, dims);
        int outputs = Arr.count(kept);
        int each = 1;
        for (int i = 0; i < shape.length; i++) {
            each *= reduced[i] ? (int) shape[i] : 1;
        }
        int[][] groups = new int[outputs][each];
        int[] filled = new int[outputs];
        int count = Arr.count(shape);
        for (int i = 0; i < count; i++) {
            int[] at = position(shape, i);
            for (int k = 0; k < at.length; k++) {
                at[k] = reduced[k] ? 0 : at[k];
            }
            int out = flat(kept, at);
            groups[out][filled[out]++] = i;
        }
        return groups;
    }

    static double[] row(Arr x, int[] group) {
        double[] row = new double[group.length];
        Arrays.setAll(row, i -> x.at(group[i]));
        return row;
    }

    static long[] longRow(Arr x, int[] group) {
        long[] row = new long[group.length];
        Arrays.setAll(row, i -> x.n()[group[i]]);
        return row;
    }

    static Arr reduce(Arr x, boolean keep, ToDoubleFunction<double[]> f, ToLongFunction<long[]> n, int... dims) {
        int[][] groups = groups(x.shape(), dims);
        long[] shape = reducedShape(x.shape(), keep, dims);
        if (x.f() != null) {
            return Arr.floats(
                    x.dtype(),
                    shape,
                    Arrays.stream(groups)
                            .mapToDouble(g -> f.applyAsDouble(row(x, g)))
                            .toArray());
        }
        return narrowed(
                x.dtype(),
                shape,
                Arrays.stream(groups)
                        .mapToLong(g -> n.applyAsLong(longRow(x, g)))
                        .toArray());
    }

    /** The position of the first extreme, or of the first NaN, in each group. */
    static Arr arg(Arr x, boolean largest, int... dims) {
        int[][] groups = groups(x.shape(), dims);
        long[] out = new long[groups.length];
        for (int g = 0; g < out.length; g++) {
            int best = 0;
            for (int i = 1; i < groups[g].length; i++) {
                if (beats(x, groups[g][i], groups[g][best], largest)) {
                    best = i;
                }
            }
            out[g] = best;
        }
        return Arr.longs(DType.I64, reducedShape(x.shape(), false, dims), out);
    }

    /** Whether element i comes before element j of a lower position: strictly more extreme, NaN the largest. */
    static boolean beats(Arr x, int i, int j, boolean largest) {
        if (x.n() != null) {
            return largest ? x.n()[i] > x.n()[j] : x.n()[i] < x.n()[j];
        }
        double a = x.f()[i];
        double b = x.f()[j];
        if (Double.isNaN(a) || Double.isNaN(b)) {
            return Double.isNaN(a) && !Double.isNaN(b);
        }
        return largest ? a > b : a < b;
    }

    static Arr cumsum(Arr x, int dim) {
        double[] f = x.f() == null ? null : new double[x.count()];
        long[] n = x.n() == null ? null : new long[x.count()];
        int[][] groups = x.shape().length == 0 ? new int[][] {{0}} : groups(x.shape(), dim);
        for (int[] group : groups) {
            double sum = 0;
            long whole = 0;
            for (int i : group) {
                if (f != null) {
                    sum += x.f()[i];
                    f[i] = sum;
                } else {
                    whole += x.n()[i];
                    n[i] = whole;
                }
            }
        }
        return f != null ? Arr.floats(x.dtype(), x.shape(), f) : narrowed(x.dtype(), x.shape(), n);
    }

    /** Values, or positions, of the k extremes, sorted; ties by position; NaN counts as the largest number. */
    static Arr topk(Arr x, int k, int dim, boolean largest, boolean positions) {
        int[][] groups = x.shape().length == 0 ? new int[][] {{0}} : groups(x.shape(), dim);
        long[] shape = x.shape().clone();
        if (shape.length > 0) {
            shape[wrap(dim, shape.length)] = k;
        }
        int[][] places = shape.length == 0 ? new int[][] {{0}} : groups(shape, dim);
        int[] from = new int[Arr.count(shape)];
        long[] index = new long[from.length];
        for (int g = 0; g < groups.length; g++) {
            int[] group = groups[g];
            Integer[] order = new Integer[group.length];
            Arrays.setAll(order, i -> i);
            Arrays.sort(order, (p, q) -> {
                int c = x.f() != null
                        ? Double.compare(x.f()[group[p]] + 0.0, x.f()[group[q]] + 0.0)
                        : Long.compare(x.n()[group[p]], x.n()[group[q]]);
                return largest ? -c : c;
            });
            for (int i = 0; i < k; i++) {
                from[places[g][i]] = group[order[i]];
                index[places[g][i]] = order[i];
            }
        }
        return positions ? Arr.longs(DType.I64, shape, index) : pick(x, shape, at -> from[flat(shape, at)]);
    }

    // ---- the softmax family

    static Arr softmax(Arr x, int dim, DType as, boolean log) {
        return Arr.floats(as, x.shape(), softmax(x, dim, log));
    }

    static double[] softmax(Arr x, int dim, boolean log) {
        double[] out = new double[x.count()];
        for (int[] group : x.shape().length == 0 ? new int[][] {{0}} : groups(x.shape(), dim)) {
            double[] row = row(x, group);
            double max = Double.NEGATIVE_INFINITY;
            for (double v : row) {
                max = max(max, v);
            }
            double[] e = new double[row.length];
            for (int i = 0; i < e.length; i++) {
                e[i] = Math.exp(row[i] - max);
            }
            double sum = sum(e);
            for (int i = 0; i < e.length; i++) {
                out[group[i]] = log ? row[i] - max - Math.log(sum) : e[i] / sum;
            }
        }
        return out;
    }

    static Arr softmaxGrad(Arr x, Arr g, int dim, boolean log) {
        double[] y = softmax(x, dim, log);
        double[] out = new double[x.count()];
        for (int[] group : x.shape().length == 0 ? new int[][] {{0}} : groups(x.shape(), dim)) {
            double[] terms = new double[group.length];
            Arrays.setAll(terms, i -> log ? g.f()[group[i]] : g.f()[group[i]] * y[group[i]]);
            double sum = sum(terms);
            for (int i : group) {
                out[i] = log ? g.f()[i] - Math.exp(y[i]) * sum : y[i] * (g.f()[i] - sum);
            }
        }
        return Arr.floats(x.dtype(), x.shape(), out);
    }

    static Arr reduced(DType dtype, double[] losses, long[] shape, double divisor, String reduction) {
        return switch (reduction) {
            case "none" -> Arr.floats(dtype, shape, losses);
            case "sum" -> Arr.floats(dtype, new long[0], new double[] {sum(losses)});
            default -> Arr.floats(dtype, new long[0], new double[] {sum(losses) / divisor});
        };
    }

    /** Where class c of target i is in an input (C), (N, C) or (N, C, d...). */
    static int classAt(long[] shape, int i, int c) {
        int classes = (int) shape[shape.length == 1 ? 0 : 1];
        int inner = 1;
        for (int k = 2; k < shape.length; k++) {
            inner *= (int) shape[k];
        }
        return (i / inner * classes + c) * inner + i % inner;
    }

    static long[] targetShape(long[] shape) {
        long[] out = new long[shape.length - 1];
        int axis = shape.length == 1 ? 0 : 1;
        for (int i = 0, k = 0; i < shape.length; i++) {
            if (i != axis) {
                out[k++] = shape[i];
            }
        }
        return out;
    }

    static Arr nll(
            DType dtype, double[] logp, long[] shape, Arr target, Arr weight, long ignore, double e, String reduction) {
        double[] losses = new double[target.count()];
        double total = 0;
        int classes = (int) shape[shape.length == 1 ? 0 : 1];
        for (int i = 0; i < losses.length; i++) {
            long t = target.n()[i];
            if (t == ignore) {
                continue;
            }
            double w = weight == null ? 1 : weight.f()[(int) t];
            double all = 0;
            for (int c = 0; e != 0 && c < classes; c++) {
                all -= (weight == null ? 1 : weight.f()[c]) * logp[classAt(shape, i, c)];
            }
            double nll = -w * logp[classAt(shape, i, (int) t)];
            losses[i] = e == 0 ? nll : (1 - e) * nll + e / classes * all;
            total += w;
        }
        return reduced(dtype, losses, target.shape(), total, reduction);
    }

    static Arr ofProbabilities(Arr logits, Arr target, Arr weight, double e, String reduction) {
        long[] shape = logits.shape();
        int axis = shape.length == 1 ? 0 : 1;
        double[] logp = softmax(logits, axis, true);
        int classes = (int) shape[axis];
        long[] outShape = targetShape(shape);
        double[] losses = new double[Arr.count(outShape)];
        for (int i = 0; i < losses.length; i++) {
            for (int c = 0; c < classes; c++) {
                int at = classAt(shape, i, c);
                double t = (1 - e) * target.f()[at] + e / classes;
                losses[i] -= t * (weight == null ? 1 : weight.f()[c]) * logp[at];
            }
        }
        return reduced(logits.dtype(), losses, outShape, losses.length, reduction);
    }

    static Arr klDiv(Arr x, Arr target, boolean log, String reduction) {
        Arr t = expand(target, broadcast(x.shape(), target.shape()));
        Arr xx = expand(x, t.shape());
        double[] terms = new double[t.count()];
        for (int i = 0; i < terms.length; i++) {
            double v = t.f()[i];
            if (log) {
                terms[i] = v == Double.NEGATIVE_INFINITY ? 0 : Math.exp(v) * (v - xx.f()[i]);
            } else {
                terms[i] = v == 0 ? 0 : v * (Math.log(v) - xx.f()[i]);
            }
        }
        double divisor = reduction.equals("batchmean") ? x.shape()[0] : terms.length;
        return reduced(x.dtype(), terms, t.shape(), divisor, reduction);
    }

    // ---- products

    /** As torch.matmul, any ranks. */
    static Arr matmul(Arr a, Arr b) {
        long[] p = a.shape().length == 1 ? new long[] {1, a.shape()[0]} : a.shape();
        long[] q = b.shape().length == 1 ? new long[] {b.shape()[0], 1} : b.shape();
        long m = p[p.length - 2];
        long k = p[p.length - 1];
        long n = q[q.length - 1];
        long[] batch = broadcast(Arrays.copyOf(p, p.length - 2), Arrays.copyOf(q, q.length - 2));
        Arr x = expand(a.reshaped(p), joined(batch, m, k));
        Arr y = expand(b.reshaped(q), joined(batch, k, n));
        int batches = Arr.count(batch);
        double[] out = new double[(int) (batches * m * n)];
        double[] terms = new double[(int) k];
        for (int i = 0; i < batches; i++) {
            for (int r = 0; r < m; r++) {
                for (int c = 0; c < n; c++) {
                    for (int j = 0; j < k; j++) {
                        terms[j] = x.f()[(int) ((i * m + r) * k + j)] * y.f()[(int) ((i * k + j) * n + c)];
                    }
                    out[(int) ((i * m + r) * n + c)] = sum(terms);
                }
            }
        }
        long[] shape = joined(batch, m, n);
        if (b.shape().length == 1) {
            shape = without(shape, shape.length - 1);
        }
        if (a.shape().length == 1) {
            shape = without(shape, b.shape().length == 1 ? shape.length - 1 : shape.length - 2);
        }
        return Arr.floats(a.dtype(), shape, out);
    }

    static long[] joined(long[] front, long... back) {
        long[] out = Arrays.copyOf(front, front.length + back.length);
        System.arraycopy(back, 0, out, front.length, back.length);
        return out;
    }

    static long[] without(long[] shape, int axis) {
        long[] out = new long[shape.length - 1];
        for (int i = 0, k = 0; i < shape.length; i++) {
            if (i != axis) {
                out[k++] = shape[i];
            }
        }
        return out;
    }

    // ---- layout and indices

    static Arr permute(Arr x, int... order) {
        int rank = order.length;
        long[] shape = new long[rank];
        for (int i = 0; i < rank; i++) {
            shape[i] = x.shape()[wrap(order[i], rank)];
        }
        return pick(x, shape, at -> {
            int[] from = new int[rank];
            for (int i = 0; i < rank; i++) {
                from[wrap(order[i], rank)] = at[i];
            }
            return flat(x.shape(), from);
        });
    }

    static Arr slice(Arr x, int dim, int start, int end, int step) {
        int axis = wrap(dim, x.shape().length);
        long[] shape = x.shape().clone();
        shape[axis] = Math.max(0, (end - start + step - 1) / step);
        return pick(x, shape, at -> {
            int[] from = at.clone();
            from[axis] = start + at[axis] * step;
            return flat(x.shape(), from);
        });
    }

    static Arr cat(List<Arr> parts, int dim) {
        Arr first = parts.getFirst();
        int axis = wrap(dim, first.shape().length);
        long[] shape = first.shape().clone();
        shape[axis] = 0;
        for (Arr part : parts) {
            shape[axis] += part.shape()[axis];
        }
        double[] f = first.f() == null ? null : new double[Arr.count(shape)];
        long[] n = first.n() == null ? null : new long[Arr.count(shape)];
        int start = 0;
        for (Arr part : parts) {
            for (int i = 0; i < part.count(); i++) {
                int[] at = position(part.shape(), i);
                at[axis] += start;
                if (f != null) {
                    f[flat(shape, at)] = part.f()[i];
                } else {
                    n[flat(shape, at)] = part.n()[i];
                }
            }
            start += (int) part.shape()[axis];
        }
        return new Arr(first.dtype(), shape, f, n);
    }

    static Arr gather(Arr x, int dim, Arr index) {
        int axis = wrap(dim, x.shape().length);
        return pick(x, index.shape(), at -> {
            int[] from = at.clone();
            from[axis] = (int) index.n()[flat(index.shape(), at)];
            return flat(x.shape(), from);
        });
    }

    static Arr scatterAdd(Arr x, int dim, Arr index, Arr source) {
        int axis = wrap(dim, x.shape().length);
        double[] f = x.f() == null ? null : x.f().clone();
        long[] n = x.n() == null ? null : x.n().clone();
        for (int i = 0; i < index.count(); i++) {
            int[] at = position(index.shape(), i);
            at[axis] = (int) index.n()[i];
            int to = flat(x.shape(), at);
            if (f != null) {
                f[to] += source.f()[i];
            } else {
                n[to] += source.n()[i];
            }
        }
        return f != null ? Arr.floats(x.dtype(), x.shape(), f) : narrowed(x.dtype(), x.shape(), n);
    }

    static Arr indexSelect(Arr x, int dim, Arr index) {
        int axis = wrap(dim, x.shape().length);
        long[] shape = x.shape().clone();
        shape[axis] = index.count();
        return pick(x, shape, at -> {
            int[] from = at.clone();
            from[axis] = (int) index.n()[at[axis]];
            return flat(x.shape(), from);
        });
    }

    // ---- Philox 4x32-10, from the paper

    static int[] philox(long seed, long counter) {
        long[] c = {counter & 0xFFFFFFFFL, counter >>> 32, 0, 0};
        long k0 = seed & 0xFFFFFFFFL;
        long k1 = seed >>> 32;
        for (int round = 0; round < 10; round++) {
            long p0 = c[0] * 0xD2511F53L;
            long p1 = c[2] * 0xCD9E8D57L;
            c = new long[] {(p1 >>> 32) ^ c[1] ^ k0, p1 & 0xFFFFFFFFL, (p0 >>> 32) ^ c[3] ^ k1, p0 & 0xFFFFFFFFL};
            k0 = k0 + 0x9E3779B9L & 0xFFFFFFFFL;
            k1 = k1 + 0xBB67AE85L & 0xFFFFFFFFL;
        }
        return new int[] {(int) c[0], (int) c[1], (int) c[2], (int) c[3]};
    }

    /** Word i of the stream of 32-bit words. */
    static long word(long seed, long offset, long i) {
        return philox(seed, offset + i / 4)[(int) (i % 4)] & 0xFFFFFFFFL;
    }

    static long wide(long seed, long offset, long i) {
        int[] block = philox(seed, offset + i / 2);
        int low = (int) (i % 2) * 2;
        return (long) block[low + 1] << 32 | block[low] & 0xFFFFFFFFL;
    }

    /** The uniform number of element i, before scaling. */
    static double uniform(long seed, long offset, int i, boolean f64) {
        return f64 ? (wide(seed, offset, i) >>> 11) * 0x1p-53 : (word(seed, offset, i) >>> 8) * 0x1p-24;
    }

    static double normal(long seed, long offset, int i, boolean f64) {
        int pair = i / 2 * 2;
        double a;
        double b;
        if (f64) {
            a = ((wide(seed, offset, pair) >>> 11) + 1) * 0x1p-53;
            b = (wide(seed, offset, pair + 1) >>> 11) * 0x1p-53;
        } else {
            a = ((word(seed, offset, pair) >>> 8) + 1) * 0x1p-24;
            b = (word(seed, offset, pair + 1) >>> 8) * 0x1p-24;
        }
        double r = Math.sqrt(-2 * Math.log(a));
        return i % 2 == 0 ? r * Math.cos(2 * Math.PI * b) : r * Math.sin(2 * Math.PI * b);
    }
}

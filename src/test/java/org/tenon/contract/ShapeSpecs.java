package org.tenon.contract;

import static org.tenon.contract.OpSpec.ALL;
import static org.tenon.contract.OpSpec.FLOATS;
import static org.tenon.contract.OpSpec.NUMBERS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.KlTarget;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Reduction;
import org.tenon.Tensor;
import org.tenon.spi.Extreme;

/** Specs of reductions, of ops on shapes, of matrix products and of the softmax family. */
final class ShapeSpecs {
    private ShapeSpecs() {}

    private interface Op extends Function<Tensor<Any, F32, Cpu>, Tensor<?, ?, ?>> {}

    private interface Reference extends Function<Array, Array> {}

    static List<OpSpec> all() {
        List<OpSpec> specs = new ArrayList<>();
        reductions(specs);
        shapes(specs);
        products(specs);
        softmax(specs);
        return specs;
    }

    private static OpSpec one(
            String method, String name, List<DType> dtypes, List<List<Array>> samples, Op op, Reference reference) {
        return new OpSpec(
                method, name, dtypes, samples, x -> op.apply(x.get(0)), x -> reference.apply(x.get(0)), null, false);
    }

    private static long[] keep(Array x, int... dims) {
        long[] sizes = x.sizes().clone();
        for (int dim : dims) {
            sizes[dim < 0 ? dim + sizes.length : dim] = 1;
        }
        return sizes;
    }

    private static void reductions(List<OpSpec> specs) {
        var whole = Samples.ones(-3, 3);
        var filled = Samples.filled(-3, 3);
        var matrices = Samples.matricesAndEdges(-3, 3);
        specs.add(one("sum", "sum", NUMBERS, whole, x -> x.sum(), x -> x.fold(Numbers::sum)));
        specs.add(one("sum", "sum 0", NUMBERS, matrices, x -> x.sum(0), x -> x.fold(Numbers::sum, 0)));
        specs.add(one("sum", "sum -1", NUMBERS, matrices, x -> x.sum(-1), x -> x.fold(Numbers::sum, -1)));
        specs.add(one("sum", "sum 0 -1", NUMBERS, matrices, x -> x.sum(0, -1), x -> x.fold(Numbers::sum, 0, -1)));
        specs.add(one(
                "sumKeepDim",
                "sum keep",
                NUMBERS,
                matrices,
                x -> x.sumKeepDim(-1),
                x -> x.fold(Numbers::sum, -1).reshape(keep(x, -1))));
        specs.add(one("max", "max", NUMBERS, filled, x -> x.max(), x -> x.fold(Numbers::max)));
        specs.add(one("max", "max -1", NUMBERS, matrices, x -> x.max(-1), x -> x.fold(Numbers::max, -1)));
        specs.add(one("max", "max 0", NUMBERS, matrices, x -> x.max(0), x -> x.fold(Numbers::max, 0)));
        specs.add(one(
                "maxKeepDim",
                "max keep",
                NUMBERS,
                matrices,
                x -> x.maxKeepDim(0),
                x -> x.fold(Numbers::max, 0).reshape(keep(x, 0))));
        specs.add(one("min", "min", NUMBERS, filled, x -> x.min(), x -> x.fold(Numbers::min)));
        specs.add(one("min", "min -1", NUMBERS, matrices, x -> x.min(-1), x -> x.fold(Numbers::min, -1)));
        specs.add(one("min", "min 0", NUMBERS, matrices, x -> x.min(0), x -> x.fold(Numbers::min, 0)));
        specs.add(one(
                "minKeepDim",
                "min keep",
                NUMBERS,
                matrices,
                x -> x.minKeepDim(0),
                x -> x.fold(Numbers::min, 0).reshape(keep(x, 0))));
        specs.add(one("argmax", "argmax", NUMBERS, filled, x -> x.argmax(), x -> x.fold(Numbers::argmax))
                .giving(DType.I64));
        specs.add(one("argmax", "argmax -1", NUMBERS, matrices, x -> x.argmax(-1), x -> x.fold(Numbers::argmax, -1))
                .giving(DType.I64));
        specs.add(one("argmax", "argmax 0", NUMBERS, matrices, x -> x.argmax(0), x -> x.fold(Numbers::argmax, 0))
                .giving(DType.I64));
        specs.add(one("argmin", "argmin", NUMBERS, filled, x -> x.argmin(), x -> x.fold(Numbers::argmin))
                .giving(DType.I64));
        specs.add(one("argmin", "argmin -1", NUMBERS, matrices, x -> x.argmin(-1), x -> x.fold(Numbers::argmin, -1))
                .giving(DType.I64));
        specs.add(one("mean", "mean", FLOATS, whole, x -> F.mean(x), x -> x.fold(Numbers::mean)));
        specs.add(one("mean", "mean 0", FLOATS, matrices, x -> F.mean(x, 0), x -> x.fold(Numbers::mean, 0)));
        specs.add(one(
                "meanKeepDim",
                "mean keep",
                FLOATS,
                matrices,
                x -> F.meanKeepDim(x, -1),
                x -> x.fold(Numbers::mean, -1).reshape(keep(x, -1))));
        specs.add(one("logsumexp", "lse", FLOATS, whole, x -> F.logsumexp(x), x -> x.fold(Numbers::logsumexp)));
        specs.add(one(
                "logsumexp", "lse 0", FLOATS, matrices, x -> F.logsumexp(x, 0), x -> x.fold(Numbers::logsumexp, 0)));
        specs.add(one(
                "logsumexpKeepDim",
                "lse keep",
                FLOATS,
                matrices,
                x -> F.logsumexpKeepDim(x, -1),
                x -> x.fold(Numbers::logsumexp, -1).reshape(keep(x, -1))));
        specs.add(one("var", "var", FLOATS, filled, x -> F.var(x), x -> x.fold(r -> Numbers.variance(r, 1))));
        specs.add(one(
                "var",
                "var 0 -1",
                FLOATS,
                Samples.matrices(-3, 3),
                x -> F.var(x, 0.0, -1),
                x -> x.fold(r -> Numbers.variance(r, 0), -1)));
        specs.add(one(
                "std",
                "std",
                FLOATS,
                Samples.matrices(-3, 3),
                x -> F.std(x, 1.0, 0),
                x -> x.fold(r -> Math.sqrt(Numbers.variance(r, 1)), 0)));
        for (double p : new double[] {0, 1, 2, 3, Double.POSITIVE_INFINITY}) {
            specs.add(one(
                    "norm",
                    "norm " + p,
                    FLOATS,
                    Samples.matrices(-3, 3),
                    x -> F.norm(x, p, -1),
                    x -> x.fold(r -> Numbers.norm(r, p), -1)));
        }
        specs.add(one("norm", "norm", FLOATS, filled, x -> F.norm(x), x -> x.fold(r -> Numbers.norm(r, 2))));
        specs.add(one(
                "cumsum",
                "cumsum 0",
                NUMBERS,
                Samples.matrices(-3, 3),
                x -> x.cumsum(0),
                x -> x.rows(0, Numbers::cumsum)));
        specs.add(one(
                "cumsum",
                "cumsum -1",
                NUMBERS,
                Samples.matrices(-3, 3),
                x -> x.cumsum(-1),
                x -> x.rows(-1, Numbers::cumsum)));
        specs.add(one(
                "topk",
                "topk",
                NUMBERS,
                matrices,
                x -> x.topk(1, -1).values(),
                x -> x.fold(ShapeSpecs::largest, -1).reshape(keep(x, -1))));
        specs.add(one(
                        "topk",
                        "topk index",
                        NUMBERS,
                        matrices,
                        x -> x.topk(1, 0).indices(),
                        x -> x.fold(Numbers::argmax, 0).reshape(keep(x, 0)))
                .giving(DType.I64));
        specs.add(one(
                "topk",
                "topk all",
                NUMBERS,
                Samples.matrices(-3, 3),
                x -> x.topk(x.size(-1), -1, Extreme.SMALLEST).values(),
                x -> x.rows(-1, r -> Arrays.stream(r).sorted().toArray())));
    }

    private static double largest(double[] row) {
        return Arrays.stream(row).anyMatch(Double::isNaN) ? Double.NaN : Numbers.max(row);
    }

    private static void shapes(List<OpSpec> specs) {
        var matrices = Samples.matrices(-3, 3);
        var flat = Samples.ones(-3, 3);
        specs.add(one("reshape", "flatten", ALL, flat, x -> x.reshape(-1), x -> x.reshape(x.data().length))
                .asView());
        specs.add(one(
                        "reshape",
                        "reshape",
                        ALL,
                        matrices,
                        x -> x.reshape(R2.of(x.size(0), -1)),
                        x -> x.reshape(x.sizes()[0], x.data().length / x.sizes()[0]))
                .asView());
        specs.add(
                one("view", "view", ALL, matrices, x -> x.contiguous().view(x.numel()), x -> x.reshape(x.data().length))
                        .asView());
        specs.add(one("transpose", "transpose", ALL, matrices, x -> x.transpose(0, -1), x -> x.permute(swapped(x)))
                .asView());
        specs.add(one(
                        "permute",
                        "permute",
                        ALL,
                        List.of(List.of(Samples.random(-3, 3, 2, 3, 4))),
                        x -> x.permute(2, 0, 1),
                        x -> x.permute(2, 0, 1))
                .asView());
        specs.add(one(
                        "t",
                        "t",
                        ALL,
                        List.of(matrices.get(0), matrices.get(2)),
                        x -> F.t(x.as(R2.<org.tenon.Dim, org.tenon.Dim>kind())),
                        x -> x.permute(1, 0))
                .asView());
        specs.add(one("unsqueeze", "unsqueeze", ALL, flat, x -> x.unsqueeze(0), x -> x.reshape(with(x.sizes(), 1)))
                .asView());
        specs.add(one("squeeze", "squeeze", ALL, flat, x -> x.unsqueeze(-1).squeeze(-1), x -> x)
                .asView());
        specs.add(one(
                        "expand",
                        "expand",
                        ALL,
                        flat,
                        x -> x.unsqueeze(0).expand(Any.of(with(x.shape(), 3))),
                        x -> Array.of(with(x.sizes(), 3), index -> x.at(Arrays.copyOfRange(index, 1, index.length))))
                .asView());
        specs.add(one("slice", "slice", ALL, matrices, x -> x.slice(-1, 1, -1), x -> cut(x, 1, last(x) - 1, 1))
                .asView());
        specs.add(one(
                        "slice",
                        "slice by 2",
                        ALL,
                        matrices,
                        x -> x.slice(-1, 0, x.size(-1), 2),
                        x -> cut(x, 0, last(x), 2))
                .asView());
        specs.add(one("narrow", "narrow", ALL, matrices, x -> x.narrow(-1, 0, 1), x -> cut(x, 0, 1, 1))
                .asView());
        specs.add(one(
                        "select",
                        "select",
                        ALL,
                        matrices,
                        x -> x.select(-1, -1),
                        x -> cut(x, last(x) - 1, last(x), 1).fold(r -> r[0], -1))
                .asView());
        specs.add(one(
                        "split",
                        "split",
                        ALL,
                        matrices,
                        x -> x.split(2, -1).getFirst(),
                        x -> cut(x, 0, Math.min(2, last(x)), 1))
                .asView());
        specs.add(one("contiguous", "contiguous", ALL, flat, x -> x.contiguous(), x -> x));
        specs.add(one("copy", "copy", ALL, flat, x -> x.copy(), x -> x));
        specs.add(one(
                "cat",
                "cat 0",
                ALL,
                matrices,
                x -> F.cat(List.of(x, x), 0),
                x -> Array.of(doubled(x, 0), index -> x.at(wrapped(index, 0, x.sizes()[0])))));
        specs.add(one(
                "cat",
                "cat -1",
                ALL,
                matrices,
                x -> F.cat(List.of(x, x), -1),
                x -> Array.of(doubled(x, x.rank() - 1), index -> x.at(wrapped(index, x.rank() - 1, last(x))))));
        specs.add(one(
                "stack",
                "stack",
                ALL,
                flat,
                x -> F.stack(List.of(x, x), 0),
                x -> Array.of(with(x.sizes(), 2), index -> x.at(Arrays.copyOfRange(index, 1, index.length)))));
        for (DType to : ALL) {
            specs.add(one("to", "to " + to, ALL, Samples.onesAndEdges(-3, 3), x -> x.to(to), x -> x)
                    .giving(to)
                    .asView());
        }
    }

    private static int[] swapped(Array x) {
        int[] order = new int[x.rank()];
        Arrays.setAll(order, i -> i == 0 ? order.length - 1 : i == order.length - 1 ? 0 : i);
        return order;
    }

    private static long[] with(long[] sizes, long first) {
        long[] out = new long[sizes.length + 1];
        out[0] = first;
        System.arraycopy(sizes, 0, out, 1, sizes.length);
        return out;
    }

    private static long last(Array x) {
        return x.sizes()[x.rank() - 1];
    }

    private static Array cut(Array x, long start, long end, long step) {
        long[] sizes = x.sizes().clone();
        int axis = sizes.length - 1;
        sizes[axis] = Math.max(0, (end - start + step - 1) / step);
        return Array.of(sizes, index -> {
            long[] source = index.clone();
            source[axis] = start + source[axis] * step;
            return x.at(source);
        });
    }

    private static long[] doubled(Array x, int axis) {
        long[] sizes = x.sizes().clone();
        sizes[axis] *= 2;
        return sizes;
    }

    private static long[] wrapped(long[] index, int axis, long size) {
        long[] source = index.clone();
        source[axis] %= size;
        return source;
    }

    private static void products(List<OpSpec> specs) {
        long[][][] shapes = {
            {{3, 4}, {4, 5}}, {{1, 1}, {1, 1}}, {{7, 300}, {300, 17}}, {{200, 33}, {33, 70}}, {{3, 0}, {0, 5}},
            {{0, 4}, {4, 5}}, {{2, 3, 4}, {2, 4, 5}}, {{2, 3, 4}, {4, 5}}, {{5, 1, 3, 4}, {2, 4, 2}}, {{4}, {4}},
            {{3, 4}, {4}}, {{4}, {4, 5}}, {{2, 3, 4}, {4}}, {{1, 64}, {64, 100}}
        };
        for (long[][] shape : shapes) {
            Array a = Samples.random(-1, 1, shape[0]);
            Array b = Samples.random(-1, 1, shape[1]);
            specs.add(new OpSpec(
                    "matmul",
                    "matmul",
                    FLOATS,
                    List.of(List.of(a, b)),
                    x -> x.get(0).matmul(x.get(1)),
                    x -> product(x.get(0), x.get(1)),
                    null,
                    false));
        }
        Array a = Samples.random(-1, 1, 3, 4);
        Array b = Samples.random(-1, 1, 4, 5);
        specs.add(new OpSpec(
                "matmul",
                "matmul typed",
                FLOATS,
                List.of(List.of(a, b)),
                x -> F.matmul(x.get(0).as(R2.<Rows, Inner>kind()), x.get(1).as(R2.<Inner, Columns>kind())),
                x -> product(x.get(0), x.get(1)),
                null,
                false));
        specs.add(new OpSpec(
                "bmm",
                "bmm",
                FLOATS,
                List.of(List.of(Samples.random(-1, 1, 2, 3, 4), Samples.random(-1, 1, 2, 4, 2))),
                x -> F.bmm(x.get(0).as(R3.<Batch, Rows, Inner>kind()), x.get(1).as(R3.<Batch, Inner, Columns>kind())),
                x -> product(x.get(0), x.get(1)),
                null,
                false));
        specs.add(new OpSpec(
                "mv",
                "mv",
                FLOATS,
                List.of(List.of(a, Samples.random(-1, 1, 4))),
                x -> F.mv(x.get(0).as(R2.<Rows, Inner>kind()), x.get(1).as(R1.<Inner>kind())),
                x -> product(x.get(0), x.get(1)),
                null,
                false));
        specs.add(new OpSpec(
                "dot",
                "dot",
                FLOATS,
                List.of(List.of(Samples.random(-1, 1, 9), Samples.random(0, 1, 9))),
                x -> F.dot(x.get(0).as(R1.<Inner>kind()), x.get(1).as(R1.<Inner>kind())),
                x -> product(x.get(0), x.get(1)),
                null,
                false));
    }

    private interface Rows extends org.tenon.Dim {}

    private interface Inner extends org.tenon.Dim {}

    private interface Columns extends org.tenon.Dim {}

    private interface Batch extends org.tenon.Dim {}

    static Array product(Array a, Array b) {
        Array x = a.rank() == 1 ? a.reshape(1, a.sizes()[0]) : a;
        Array y = b.rank() == 1 ? b.reshape(b.sizes()[0], 1) : b;
        int batch = Math.max(x.rank(), y.rank()) - 2;
        long[] sizes = new long[batch + 2];
        for (int i = 0; i < batch; i++) {
            int p = i - (batch + 2 - x.rank());
            int q = i - (batch + 2 - y.rank());
            sizes[i] = Math.max(p < 0 ? 1 : x.sizes()[p], q < 0 ? 1 : y.sizes()[q]);
        }
        sizes[batch] = x.sizes()[x.rank() - 2];
        sizes[batch + 1] = y.sizes()[y.rank() - 1];
        Array full = Array.of(sizes, index -> {
            double sum = 0;
            for (int k = 0; k < x.sizes()[x.rank() - 1]; k++) {
                long[] left = index.clone();
                long[] right = index.clone();
                left[batch + 1] = k;
                right[batch] = k;
                sum += x.at(left) * y.at(right);
            }
            return sum;
        });
        long[] result = sizes;
        if (a.rank() == 1 && b.rank() == 1) {
            result = new long[0];
        } else if (a.rank() == 1) {
            result = without(sizes, batch);
        } else if (b.rank() == 1) {
            result = without(sizes, batch + 1);
        }
        return full.reshape(result);
    }

    private static long[] without(long[] sizes, int axis) {
        long[] out = new long[sizes.length - 1];
        System.arraycopy(sizes, 0, out, 0, axis);
        System.arraycopy(sizes, axis + 1, out, axis, out.length - axis);
        return out;
    }

    private static void softmax(List<OpSpec> specs) {
        var matrices = Samples.matricesAndEdges(-6, 6);
        var flat = Samples.ones(-6, 6);
        for (int dim : new int[] {0, -1}) {
            specs.add(one(
                    "logSoftmax",
                    "logSoftmax " + dim,
                    FLOATS,
                    matrices,
                    x -> F.logSoftmax(x, dim),
                    x -> x.rows(dim, Numbers::logSoftmax)));
            specs.add(one(
                    "logSoftmax",
                    "logSoftmax flat " + dim,
                    FLOATS,
                    flat,
                    x -> F.logSoftmax(x, dim),
                    x -> x.rows(dim, Numbers::logSoftmax)));
            specs.add(one(
                    "softmax",
                    "softmax " + dim,
                    FLOATS,
                    matrices,
                    x -> F.softmax(x, dim),
                    x -> x.rows(dim, Numbers::softmax)));
            specs.add(one(
                    "softmax",
                    "softmax flat " + dim,
                    FLOATS,
                    flat,
                    x -> F.softmax(x, dim),
                    x -> x.rows(dim, Numbers::softmax)));
        }
        for (DType as : FLOATS) {
            if (as instanceof org.tenon.Floating floating) {
                specs.add(one(
                                "logSoftmax",
                                "logSoftmax as " + as,
                                NUMBERS,
                                Samples.matrices(-6, 6),
                                x -> F.logSoftmax(x, -1, floating),
                                x -> x.map(v -> ContractTest.stored(v, as)).rows(-1, Numbers::logSoftmax))
                        .giving(as));
                specs.add(one(
                                "softmax",
                                "softmax as " + as,
                                NUMBERS,
                                Samples.matrices(-6, 6),
                                x -> F.softmax(x, 0, floating),
                                x -> x.map(v -> ContractTest.stored(v, as)).rows(0, Numbers::softmax))
                        .giving(as));
            }
        }
        var distributions = List.of(
                List.of(Samples.random(-3, 0, 5, 7), Samples.random(0, 1, 5, 7)),
                List.of(Samples.random(-3, 0, 4), new Array(new double[] {0, 0.25, 0.75, 0}, 4)));
        specs.add(new OpSpec(
                "klDiv",
                "klDiv",
                FLOATS,
                distributions,
                x -> F.klDiv(x.get(0), x.get(1), KlTarget.PROBABILITIES, Reduction.none()),
                x -> x.get(0).zip(x.get(1), Numbers::kl),
                null,
                false));
        specs.add(new OpSpec(
                "klDiv",
                "klDiv batchmean",
                FLOATS,
                distributions,
                x -> F.klDiv(x.get(0), x.get(1), KlTarget.PROBABILITIES, Reduction.batchMean()),
                x -> Array.scalar(
                        Numbers.sum(x.get(0).zip(x.get(1), Numbers::kl).data())
                                / x.get(0).sizes()[0]),
                null,
                false));
        specs.add(new OpSpec(
                "klDiv",
                "klDiv log",
                FLOATS,
                distributions,
                x -> F.klDiv(x.get(0), x.get(1), KlTarget.LOG_PROBABILITIES, Reduction.mean()),
                x -> Array.scalar(
                        Numbers.mean(x.get(0).zip(x.get(1), Numbers::klLog).data())),
                null,
                false));
    }
}

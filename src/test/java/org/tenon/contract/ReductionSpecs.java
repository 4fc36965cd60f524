package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.closed;
import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.ElementwiseSpecs.specOf;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.K2;
import static org.tenon.contract.Specs.K3;
import static org.tenon.contract.Specs.NUMBERS;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;
import static org.tenon.contract.Specs.specials;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.R3;
import org.tenon.Tensor;
import org.tenon.spi.Extreme;

/** Reductions, running sums, the largest few, matrix products. */
final class ReductionSpecs {
    private static final int[][] AXES = {{0}, {1}, {2}, {-1}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}};

    private ReductionSpecs() {}

    private interface Along {
        Tensor<?, ?, ?> apply(Tensor<Any, F64, Cpu> x, int... dims);
    }

    static void add(List<OpSpec> all) {
        ToDoubleFunction<double[]> max = row -> Arrays.stream(row).reduce(Double.NEGATIVE_INFINITY, Reference::max);
        ToDoubleFunction<double[]> min = row -> Arrays.stream(row).reduce(Double.POSITIVE_INFINITY, Reference::min);
        ToLongFunction<long[]> sumN = row -> Arrays.stream(row).sum();
        ToLongFunction<long[]> maxN = row -> Arrays.stream(row).max().orElseThrow();
        ToLongFunction<long[]> minN = row -> Arrays.stream(row).min().orElseThrow();
        family(
                all,
                "Tensor.sum(",
                NUMBERS,
                x -> x.a().sum(),
                x -> x.a().as(K3).sum(R3.<Dim, Dim, Dim>dim1()),
                Tensor::sum,
                Reference::sum,
                sumN,
                true);
        keep(all, "Tensor.sumKeepDim(int[])", NUMBERS, Tensor::sumKeepDim, Reference::sum, sumN);
        family(
                all,
                "Tensor.max(",
                NUMBERS,
                x -> x.a().max(),
                x -> x.a().as(K3).max(R3.<Dim, Dim, Dim>dim1()),
                Tensor::max,
                max,
                maxN,
                false);
        keep(all, "Tensor.maxKeepDim(int[])", NUMBERS, Tensor::maxKeepDim, max, maxN);
        family(
                all,
                "Tensor.min(",
                NUMBERS,
                x -> x.a().min(),
                x -> x.a().as(K3).min(R3.<Dim, Dim, Dim>dim1()),
                Tensor::min,
                min,
                minN,
                false);
        keep(all, "Tensor.minKeepDim(int[])", NUMBERS, Tensor::minKeepDim, min, minN);
        ToDoubleFunction<double[]> mean = row -> Reference.sum(row) / row.length;
        family(
                all,
                "F.mean(Tensor",
                FLOATS,
                x -> F.mean(x.a()),
                x -> F.mean(x.a().as(K3), R3.<Dim, Dim, Dim>dim1()),
                (x, d) -> F.mean(x, d),
                mean,
                null,
                true);
        keep(all, "F.meanKeepDim(Tensor,int[])", FLOATS, (x, d) -> F.meanKeepDim(x, d), mean, null);
        family(
                all,
                "F.logsumexp(Tensor",
                FLOATS,
                x -> F.logsumexp(x.a()),
                x -> F.logsumexp(x.a().as(K3), R3.<Dim, Dim, Dim>dim1()),
                (x, d) -> F.logsumexp(x, d),
                Reference::logSumExp,
                null,
                true);
        keep(
                all,
                "F.logsumexpKeepDim(Tensor,int[])",
                FLOATS,
                (x, d) -> F.logsumexpKeepDim(x, d),
                Reference::logSumExp,
                null);
        ToDoubleFunction<double[]> var = row -> Reference.variance(row, 1);
        ToDoubleFunction<double[]> var0 = row -> Reference.variance(row, 0);
        family(
                all,
                "F.var(Tensor",
                FLOATS,
                x -> F.var(x.a()),
                x -> F.var(x.a().as(K3), R3.<Dim, Dim, Dim>dim1()),
                null,
                var,
                null,
                false);
        named(all, "F.var(Tensor,double,int[])", FLOATS, (x, d) -> F.var(x, 0, d), var0, null, false);
        family(
                all,
                "F.std(Tensor",
                FLOATS,
                x -> F.std(x.a()),
                x -> F.std(x.a().as(K3), R3.<Dim, Dim, Dim>dim1()),
                null,
                row -> Math.sqrt(Reference.variance(row, 1)),
                null,
                false);
        named(
                all,
                "F.std(Tensor,double,int[])",
                FLOATS,
                (x, d) -> F.std(x, 0, d),
                row -> Math.sqrt(Reference.variance(row, 0)),
                null,
                false);
        family(all, "F.norm(Tensor", FLOATS, x -> F.norm(x.a()), null, null, row -> Reference.norm(row, 2), null, true);
        OpSpec axis = spec(all, "F.norm(Tensor,double,Axis)");
        for (DType dtype : FLOATS) {
            axis.sample(
                    dtype + " [3, 4, 5]",
                    x -> F.norm(x.a().as(K3), 1, R3.<Dim, Dim, Dim>dim1()),
                    x -> Reference.reduce(x.get(0), false, row -> Reference.norm(row, 1), null, 1),
                    Arr.normal(dtype, 1, 3, 4, 5));
        }
        OpSpec norm = named(
                all,
                "F.norm(Tensor,double,int[])",
                FLOATS,
                (x, d) -> F.norm(x, 3, d),
                row -> Reference.norm(row, 3),
                null,
                true);
        for (double p : new double[] {0, 1, 2, 2.5, Double.POSITIVE_INFINITY}) {
            norm.sample(
                    "float64 p " + p,
                    x -> F.norm(x.a(), p, 1),
                    x -> Reference.reduce(x.get(0), false, row -> Reference.norm(row, p), null, 1),
                    Arr.normal(DType.F64, 3, 4, 9));
        }
        norm.refuses("p below 0", "p -1.0", d -> F.norm(made(d, Arr.vector(DType.F64, 1)), -1));
        specOf(all, "F.var(Tensor)")
                .sample(
                        "float32 far from 0",
                        x -> F.var(x.a()),
                        x -> Reference.reduce(x.get(0), false, var, null),
                        Arr.uniform(DType.F32, 1, 10000, 10001, 1000));
        args(all);
        scans(all);
        products(all);
    }

    private static void family(
            List<OpSpec> all,
            String name,
            List<DType> dtypes,
            OpSpec.Op whole,
            OpSpec.Op axis,
            Along along,
            ToDoubleFunction<double[]> f,
            ToLongFunction<long[]> n,
            boolean empty) {
        OpSpec one = spec(all, name + ")");
        OpSpec.Ref ref = x -> Reference.reduce(x.get(0), false, f, n);
        for (DType dtype : dtypes) {
            for (long[] shape : new long[][] {{3, 4, 5}, {1}, {1000}, {2, 513}, {70, 70}}) {
                if (Arr.count(shape) > 1 || !name.matches("F\\.(var|std).*")) {
                    one.sample(dtype + " " + Arrays.toString(shape), whole, ref, Arr.any(dtype, 1, shape));
                }
            }
            if (!name.matches("F\\.(var|std).*")) {
                one.sample(dtype + " scalar", whole, ref, Arr.any(dtype, 1));
            }
            if (!dtype.isFloating()) {
                one.sample(dtype + " wrap-around", whole, ref, ElementwiseSpecs.extremes(dtype));
            } else if (!name.matches("F\\.(var|std|norm).*")) {
                one.sample(dtype + " with NaN", whole, ref, specials(dtype));
                one.sample(dtype + " with inf", whole, ref, Arr.vector(dtype, 1, Double.POSITIVE_INFINITY, 2));
                one.sample(dtype + " with -inf", whole, ref, Arr.vector(dtype, 1, Double.NEGATIVE_INFINITY, 2));
                one.sample(
                        dtype + " all -inf",
                        whole,
                        ref,
                        Arr.vector(dtype, Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY));
            }
            if (empty) {
                one.sample(dtype + " empty", whole, ref, Arr.any(dtype, 1, 0, 3));
            }
        }
        one.grad("[2, 3, 4]", whole, Arr.normal(DType.F64, 1, 2, 3, 4));
        one.refuses("a closed tensor", "after it was closed", d -> whole.apply(ElementwiseSpecs.in(d, closed(d))));
        one.refuses(
                "bool",
                "not defined for bool",
                d -> whole.apply(ElementwiseSpecs.in(d, made(d, Arr.any(DType.BOOL, 1, 3)))));
        if (name.matches("Tensor\\.(max|min).*")) {
            one.refuses(
                    "nothing",
                    "nothing to choose from",
                    d -> whole.apply(ElementwiseSpecs.in(d, made(d, Arr.any(DType.F32, 1, 0)))));
        }
        if (axis != null) {
            OpSpec typed = spec(all, name + (name.endsWith("(") ? "Axis)" : ",Axis)"));
            for (DType dtype : dtypes) {
                typed.sample(
                        dtype + " [3, 4, 5]",
                        axis,
                        x -> Reference.reduce(x.get(0), false, f, n, 1),
                        Arr.any(dtype, 1, 3, 4, 5));
            }
            typed.grad("[2, 3, 4]", axis, Arr.normal(DType.F64, 1, 2, 3, 4));
        }
        if (along != null) {
            named(all, name + (name.endsWith("(") ? "int[])" : ",int[])"), dtypes, along, f, n, empty);
        }
    }

    private static OpSpec named(
            List<OpSpec> all,
            String name,
            List<DType> dtypes,
            Along along,
            ToDoubleFunction<double[]> f,
            ToLongFunction<long[]> n,
            boolean empty) {
        OpSpec spec = spec(all, name);
        for (DType dtype : dtypes) {
            for (int[] dims : AXES) {
                spec.sample(
                        dtype + " [3, 4, 5] along " + Arrays.toString(dims),
                        x -> along.apply(x.a(), dims),
                        x -> Reference.reduce(x.get(0), false, f, n, dims),
                        Arr.any(dtype, 1, 3, 4, 5));
            }
            for (int dim : new int[] {0, 1}) {
                spec.sample(
                        dtype + " [37, 65] along " + dim,
                        x -> along.apply(x.a(), dim),
                        x -> Reference.reduce(x.get(0), false, f, n, dim),
                        Arr.any(dtype, 1, 37, 65));
            }
            if (empty) {
                spec.sample(
                        dtype + " [3, 0] along 1",
                        x -> along.apply(x.a(), 1),
                        x -> Reference.reduce(x.get(0), false, f, n, 1),
                        Arr.any(dtype, 1, 3, 0));
            }
            spec.sample(
                    dtype + " [0, 3] along 1",
                    x -> along.apply(x.a(), 1),
                    x -> Reference.reduce(x.get(0), false, f, n, 1),
                    Arr.any(dtype, 1, 0, 3));
        }
        for (int[] dims : AXES) {
            spec.grad(
                    "[2, 3, 2] along " + Arrays.toString(dims),
                    x -> along.apply(x.a(), dims),
                    Arr.normal(DType.F64, 1, 2, 3, 2));
        }
        spec.refuses(
                "dim 2 of 2", "dim 2 is outside [-2, 1]", d -> along.apply(made(d, Arr.any(DType.F64, 1, 2, 3)), 2));
        spec.refuses("a dim twice", "named twice", d -> along.apply(made(d, Arr.any(DType.F64, 1, 2, 3)), 1, -1));
        return spec;
    }

    private static void keep(
            List<OpSpec> all,
            String name,
            List<DType> dtypes,
            Along along,
            ToDoubleFunction<double[]> f,
            ToLongFunction<long[]> n) {
        OpSpec spec = spec(all, name);
        for (DType dtype : dtypes) {
            for (int[] dims : AXES) {
                spec.sample(
                        dtype + " [3, 4, 5] along " + Arrays.toString(dims),
                        x -> along.apply(x.a(), dims),
                        x -> Reference.reduce(x.get(0), true, f, n, dims),
                        Arr.any(dtype, 1, 3, 4, 5));
            }
            spec.sample(
                    dtype + " [3, 4] along all",
                    x -> along.apply(x.a()),
                    x -> Reference.reduce(x.get(0), true, f, n),
                    Arr.any(dtype, 1, 3, 4));
        }
        spec.grad("[2, 3, 2]", x -> along.apply(x.a(), 0, 2), Arr.normal(DType.F64, 1, 2, 3, 2));
        spec.refuses(
                "dim -3 of 2", "dim -3 is outside [-2, 1]", d -> along.apply(made(d, Arr.any(DType.F64, 1, 2, 3)), -3));
    }

    private static void args(List<OpSpec> all) {
        for (boolean largest : new boolean[] {true, false}) {
            String name = "Tensor." + (largest ? "argmax(" : "argmin(");
            OpSpec one = spec(all, name + ")");
            OpSpec axis = spec(all, name + "Axis)");
            OpSpec dim = spec(all, name + "int)");
            for (DType dtype : NUMBERS) {
                OpSpec.Op whole = x -> largest ? x.a().argmax() : x.a().argmin();
                OpSpec.Ref ref = x -> Reference.arg(x.get(0), largest);
                one.exact(dtype + " [3, 4, 5]", whole, ref, Arr.any(dtype, 1, 3, 4, 5));
                one.exact(dtype + " [1001]", whole, ref, Arr.any(dtype, 1, 1001));
                one.exact(dtype + " ties", whole, ref, Arr.vector(dtype, 2, 1, 3, 3, 1, 3));
                one.exact(dtype + " scalar", whole, ref, Arr.any(dtype, 1));
                if (dtype.isFloating()) {
                    one.exact(dtype + " NaN", whole, ref, Arr.vector(dtype, 1, 9, Double.NaN, 3, Double.NaN, -9));
                    one.exact(
                            dtype + " infinite",
                            whole,
                            ref,
                            Arr.vector(
                                    dtype,
                                    Double.NEGATIVE_INFINITY,
                                    Double.NEGATIVE_INFINITY,
                                    Double.POSITIVE_INFINITY));
                    one.exact(
                            dtype + " all -inf",
                            whole,
                            ref,
                            Arr.vector(dtype, Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY));
                    one.exact(
                            dtype + " all inf",
                            whole,
                            ref,
                            Arr.vector(dtype, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY));
                } else {
                    one.exact(dtype + " extremes", whole, ref, ElementwiseSpecs.extremes(dtype));
                }
                axis.exact(
                        dtype + " [3, 4, 5]",
                        x -> largest
                                ? x.a().as(K3).argmax(R3.<Dim, Dim, Dim>dim1())
                                : x.a().as(K3).argmin(R3.<Dim, Dim, Dim>dim1()),
                        x -> Reference.arg(x.get(0), largest, 1),
                        Arr.any(dtype, 1, 3, 4, 5));
                for (int k : new int[] {0, 1, 2, -1}) {
                    dim.exact(
                            dtype + " [3, 4, 5] along " + k,
                            x -> largest ? x.a().argmax(k) : x.a().argmin(k),
                            x -> Reference.arg(x.get(0), largest, k),
                            Arr.any(dtype, 1, 3, 4, 5));
                }
            }
            one.refuses(
                    "nothing",
                    "nothing to choose from",
                    d -> largest
                            ? made(d, Arr.any(DType.F32, 1, 0)).argmax()
                            : made(d, Arr.any(DType.F32, 1, 0)).argmin());
            dim.refuses(
                    "dim 3 of 3",
                    "dim 3 is outside [-3, 2]",
                    d -> largest
                            ? made(d, Arr.any(DType.F32, 1, 2, 2, 2)).argmax(3)
                            : made(d, Arr.any(DType.F32, 1, 2, 2, 2)).argmin(3));
        }
    }

    private static void scans(List<OpSpec> all) {
        OpSpec cumsum = spec(all, "Tensor.cumsum(int)");
        OpSpec topk = spec(all, "Tensor.topk(long,int)");
        OpSpec extreme = spec(all, "Tensor.topk(long,int,Extreme)");
        for (DType dtype : NUMBERS) {
            for (int dim : new int[] {0, 1, 2, -1}) {
                cumsum.sample(
                        dtype + " [3, 4, 5] along " + dim,
                        x -> x.a().cumsum(dim),
                        x -> Reference.cumsum(x.get(0), dim),
                        Arr.any(dtype, 1, 3, 4, 5));
                extreme.exact(
                        dtype + " smallest 2 along " + dim,
                        x -> x.a().topk(2, dim, Extreme.SMALLEST).values(),
                        x -> Reference.topk(x.get(0), 2, dim, false, false),
                        Arr.any(dtype, 1, 3, 4, 5));
                extreme.exact(
                        dtype + " where the smallest 2 along " + dim,
                        x -> x.a().topk(2, dim, Extreme.SMALLEST).indices(),
                        x -> Reference.topk(x.get(0), 2, dim, false, true),
                        Arr.any(dtype, 1, 3, 4, 5));
                topk.exact(
                        dtype + " 3 along " + dim,
                        x -> x.a().topk(3, dim).values(),
                        x -> Reference.topk(x.get(0), 3, dim, true, false),
                        Arr.any(dtype, 1, 3, 4, 5));
                topk.exact(
                        dtype + " where 3 along " + dim,
                        x -> x.a().topk(3, dim).indices(),
                        x -> Reference.topk(x.get(0), 3, dim, true, true),
                        Arr.any(dtype, 1, 3, 4, 5));
            }
            cumsum.sample(
                    dtype + " [2, 300]",
                    x -> x.a().cumsum(1),
                    x -> Reference.cumsum(x.get(0), 1),
                    Arr.any(dtype, 1, 2, 300));
            cumsum.sample(dtype + " scalar", x -> x.a().cumsum(0), x -> x.get(0), Arr.any(dtype, 1));
            cumsum.sample(dtype + " empty", x -> x.a().cumsum(0), x -> x.get(0), Arr.any(dtype, 1, 0, 2));
            Arr ties = Arr.vector(dtype, 2, 3, 1, 3, 2, 3, 1);
            for (long k : new long[] {0, 1, 4, 7}) {
                topk.exact(
                        dtype + " ties, " + k,
                        x -> x.a().topk(k, 0).indices(),
                        x -> Reference.topk(x.get(0), (int) k, 0, true, true),
                        ties);
                extreme.exact(
                        dtype + " ties, smallest " + k,
                        x -> x.a().topk(k, 0, Extreme.SMALLEST).indices(),
                        x -> Reference.topk(x.get(0), (int) k, 0, false, true),
                        ties);
            }
            topk.exact(
                    dtype + " [1000] where 50",
                    x -> x.a().topk(50, 0).indices(),
                    x -> Reference.topk(x.get(0), 50, 0, true, true),
                    Arr.any(dtype, 5, 1000));
            if (dtype.isFloating()) {
                topk.exact(
                        dtype + " NaN",
                        x -> x.a().topk(8, 0).values(),
                        x -> Reference.topk(x.get(0), 8, 0, true, false),
                        specials(dtype));
                topk.exact(
                        dtype + " where NaN",
                        x -> x.a().topk(8, 0).indices(),
                        x -> Reference.topk(x.get(0), 8, 0, true, true),
                        specials(dtype));
                extreme.exact(
                        dtype + " NaN last",
                        x -> x.a().topk(19, 0, Extreme.SMALLEST).indices(),
                        x -> Reference.topk(x.get(0), 19, 0, false, true),
                        specials(dtype));
            }
        }
        cumsum.grad("[3, 4]", x -> x.a().cumsum(1), Arr.normal(DType.F64, 1, 3, 4));
        cumsum.refuses(
                "bool",
                "not defined for bool",
                d -> made(d, Arr.any(DType.BOOL, 1, 3)).cumsum(0));
        cumsum.refuses(
                "dim 1 of 1",
                "dim 1 is outside [-1, 0]",
                d -> made(d, Arr.any(DType.F32, 1, 3)).cumsum(1));
        topk.grad("[3, 5]", x -> x.a().topk(2, 1).values(), Arr.normal(DType.F64, 1, 3, 5));
        extreme.grad("[3, 5]", x -> x.a().topk(2, 0, Extreme.SMALLEST).values(), Arr.normal(DType.F64, 1, 3, 5));
        topk.refuses(
                "more than there are",
                "k 4 is outside [0, 3]",
                d -> made(d, Arr.any(DType.F32, 1, 3)).topk(4, 0));
        extreme.refuses(
                "k below 0",
                "k -1 is outside",
                d -> made(d, Arr.any(DType.F32, 1, 3)).topk(-1, 0, Extreme.SMALLEST));
    }

    private static void product(OpSpec spec, OpSpec.Op op, long[]... shapes) {
        for (DType dtype : FLOATS) {
            for (int i = 0; i < shapes.length; i += 2) {
                spec.sample(
                        dtype + " " + Arrays.toString(shapes[i]) + " by " + Arrays.toString(shapes[i + 1]),
                        op,
                        x -> Reference.matmul(x.get(0), x.get(1)),
                        Arr.normal(dtype, 1, shapes[i]),
                        Arr.normal(dtype, 2, shapes[i + 1]));
            }
        }
        for (int i = 0; i < shapes.length; i += 2) {
            if (Arr.count(shapes[i]) <= 24 && Arr.count(shapes[i + 1]) <= 24) {
                spec.grad(
                        Arrays.toString(shapes[i]) + " by " + Arrays.toString(shapes[i + 1]),
                        op,
                        Arr.normal(DType.F64, 1, shapes[i]),
                        Arr.normal(DType.F64, 2, shapes[i + 1]));
            }
        }
        spec.refuses(
                "integers",
                "not defined for int32",
                d -> op.apply(ElementwiseSpecs.in(
                        d, made(d, Arr.any(DType.I32, 1, shapes[0])), made(d, Arr.any(DType.I32, 1, shapes[1])))));
        spec.refuses(
                "two dtypes",
                "element types differ",
                d -> op.apply(ElementwiseSpecs.in(
                        d, made(d, Arr.any(DType.F32, 1, shapes[0])), made(d, Arr.any(DType.F64, 1, shapes[1])))));
        long[] wrong = shapes[1].clone();
        wrong[Math.max(0, wrong.length - 2)]++;
        spec.refuses(
                "inner sizes that differ",
                "inner sizes differ",
                d -> op.apply(ElementwiseSpecs.in(
                        d, made(d, Arr.any(DType.F32, 1, shapes[0])), made(d, Arr.any(DType.F32, 1, wrong)))));
    }

    private static void products(List<OpSpec> all) {
        product(
                spec(all, "F.matmul(Tensor,Tensor)"),
                x -> F.matmul(x.a().as(K2), x.b().as(K2)),
                dims(3, 4),
                dims(4, 5),
                dims(1, 1),
                dims(1, 1),
                dims(17, 33),
                dims(33, 9),
                dims(65, 130),
                dims(130, 70),
                dims(3, 0),
                dims(0, 5),
                dims(0, 4),
                dims(4, 5),
                dims(1, 64),
                dims(64, 1),
                dims(5, 300),
                dims(300, 3));
        product(
                spec(all, "F.bmm(Tensor,Tensor)"),
                x -> F.bmm(x.a().as(K3), x.b().as(K3)),
                dims(2, 3, 4),
                dims(2, 4, 3),
                dims(1, 2, 2),
                dims(1, 2, 2),
                dims(5, 9, 17),
                dims(5, 17, 8),
                dims(0, 3, 4),
                dims(0, 4, 5),
                dims(2, 3, 0),
                dims(2, 0, 2));
        product(
                spec(all, "F.mv(Tensor,Tensor)"),
                x -> F.mv(x.a().as(K2), x.b().as(Specs.K1)),
                dims(3, 4),
                dims(4),
                dims(31, 129),
                dims(129),
                dims(3, 0),
                dims(0));
        product(
                spec(all, "F.dot(Tensor,Tensor)"),
                x -> F.dot(x.a().as(Specs.K1), x.b().as(Specs.K1)),
                dims(4),
                dims(4),
                dims(1000),
                dims(1000),
                dims(0),
                dims(0));
        product(
                spec(all, "Tensor.matmul(Tensor)"),
                x -> x.a().matmul(x.b()),
                dims(3, 4),
                dims(4, 5),
                dims(4),
                dims(4),
                dims(3, 4),
                dims(4),
                dims(4),
                dims(4, 5),
                dims(2, 3, 4),
                dims(4, 5),
                dims(2, 3, 4),
                dims(4),
                dims(4),
                dims(2, 4, 3),
                dims(2, 3, 4),
                dims(2, 4, 3),
                dims(2, 1, 2, 3),
                dims(1, 3, 3, 2),
                dims(3, 2),
                dims(2, 2, 3),
                dims(2, 0),
                dims(0, 3),
                dims(2, 2, 0),
                dims(0, 3));
        specOf(all, "Tensor.matmul(Tensor)")
                .refuses(
                        "a scalar",
                        "a scalar has no inner axis",
                        d -> made(d, Arr.any(DType.F32, 1)).matmul(made(d, Arr.any(DType.F32, 1, 3))))
                .refuses(
                        "batches that do not broadcast",
                        "do not broadcast",
                        d -> made(d, Arr.any(DType.F32, 1, 2, 2, 2)).matmul(made(d, Arr.any(DType.F32, 1, 3, 2, 2))));
        spec(all, "F.t(Tensor)")
                .view()
                .exact(
                        "float32 [3, 5]",
                        x -> F.t(x.a().as(K2)),
                        x -> Reference.permute(x.get(0), 1, 0),
                        Arr.any(DType.F32, 1, 3, 5))
                .exact(
                        "bool [3, 5]",
                        x -> F.t(x.a().as(K2)),
                        x -> Reference.permute(x.get(0), 1, 0),
                        Arr.any(DType.BOOL, 1, 3, 5))
                .grad("[2, 3]", x -> F.t(x.a().as(K2)), Arr.any(DType.F64, 1, 2, 3));
    }
}

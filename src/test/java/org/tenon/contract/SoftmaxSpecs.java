package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.closed;
import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.K1;
import static org.tenon.contract.Specs.K2;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.CrossEntropyOptions;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Floating;
import org.tenon.KlTarget;
import org.tenon.NllLossOptions;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.SoftmaxOptions;
import org.tenon.Tensor;

/** The rows of the semantics page: softmax, log-softmax, and the losses that follow them. */
final class SoftmaxSpecs {
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final double NAN = Double.NaN;
    private static final int[] SIZES = {
        1, 2, 10, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 8191,
        8192, 8193, 16383, 16384, 16385, 32767, 32768, 32769, 65535, 65536, 65537
    };
    private static final int[] VOCABULARIES = {28996, 30522, 32000, 50257, 50304, 128256, 151936, 250002};

    private SoftmaxSpecs() {}

    static void add(List<OpSpec> all) {
        for (boolean log : new boolean[] {true, false}) {
            softmax(all, log);
        }
        nll(all);
        crossEntropy(all);
        klDiv(all);
    }

    private static Tensor<Any, F64, Cpu> run(Tensor<Any, F64, Cpu> x, int dim, boolean log) {
        return log ? F.logSoftmax(x, dim) : F.softmax(x, dim);
    }

    private static void softmax(List<OpSpec> all, boolean log) {
        String name = log ? "F.logSoftmax(Tensor," : "F.softmax(Tensor,";
        OpSpec spec = spec(all, name + "int)");
        OpSpec back = spec(all, name + "int) backward");
        OpSpec.Op last = x -> run(x.a(), -1, log);
        OpSpec.Ref lastRef = x -> Reference.softmax(x.get(0), -1, x.get(0).dtype(), log);
        OpSpec.Op gradient = x -> {
            Tensor<Any, F64, Cpu> leaf = x.a().detach().requireGrad();
            return run(leaf, -1, log).backward(x.b()).get(leaf).contiguous();
        };
        for (DType dtype : FLOATS) {
            for (int n : SIZES) {
                if (dtype == DType.F32 || n <= 129 || n == 1025 || n == 4097 || n == 65537) {
                    int rows = n > 5000 ? 1 : 3;
                    Arr x = Arr.normal(dtype, n, rows, n);
                    spec.sample(dtype + " [" + rows + ", " + n + "]", last, lastRef, x);
                    if (dtype == DType.F32 || n <= 129) {
                        back.sample(
                                dtype + " [" + rows + ", " + n + "]",
                                dtype == DType.BF16 || dtype == DType.F16
                                        ? 8 * OpSpec.tolerance(dtype)
                                        : OpSpec.DEFAULT,
                                gradient,
                                i -> Reference.softmaxGrad(i.get(0), i.get(1), -1, log),
                                x,
                                Arr.normal(dtype, n + 1, rows, n));
                    }
                }
            }
            for (int n : dtype == DType.F32 ? VOCABULARIES : new int[] {50257}) {
                spec.sample(dtype + " vocabulary " + n, last, lastRef, Arr.normal(dtype, n, 1, n));
            }
            edges(spec, dtype, log);
            for (int inner : new int[] {1, 2, 7, 8, 31, 33, 65}) {
                for (int dim : new int[] {1, 2, 33, 1025}) {
                    if (dtype == DType.F32 || dim == 33) {
                        spec.sample(
                                dtype + " [2, " + dim + ", " + inner + "] along 1",
                                x -> run(x.a(), 1, log),
                                x -> Reference.softmax(x.get(0), 1, x.get(0).dtype(), log),
                                Arr.normal(dtype, dim, 2, dim, inner));
                    }
                }
            }
            for (int dim : new int[] {0, 1, 2, -1, -2, -3}) {
                spec.sample(
                        dtype + " [3, 4, 5] along " + dim,
                        x -> run(x.a(), dim, log),
                        x -> Reference.softmax(x.get(0), dim, x.get(0).dtype(), log),
                        Arr.normal(dtype, 3, 3, 4, 5));
            }
        }
        shifts(spec, log);
        for (int dim : new int[] {0, 1, -1}) {
            spec.grad("[3, 4] along " + dim, x -> run(x.a(), dim, log), Arr.normal(DType.F64, 1, 3, 4));
        }
        spec.grad("scalar", last, Arr.normal(DType.F64, 1));
        back.sample(
                "float64 gradient at -inf",
                gradient,
                i -> log
                        ? Arr.vector(DType.F64, 0.75 - 0.5 * 1.25, -2, 2.5 - 0.5 * 1.25)
                        : Reference.softmaxGrad(i.get(0), i.get(1), -1, false),
                Arr.vector(DType.F64, 1, -INF, 1),
                Arr.vector(DType.F64, 0.75, -2, 2.5));
        spec.refuses(
                "dim 2 of 2", "dim 2 is outside [-2, 1]", d -> run(made(d, Arr.normal(DType.F32, 1, 2, 3)), 2, log));
        spec.refuses(
                "dim -3 of 2", "dim -3 is outside [-2, 1]", d -> run(made(d, Arr.normal(DType.F32, 1, 2, 3)), -3, log));
        spec.refuses(
                "dim 1 of a scalar", "dim 1 is outside [-1, 0]", d -> run(made(d, Arr.normal(DType.F32, 1)), 1, log));
        spec.refuses(
                "dim 2 of an empty tensor",
                "dim 2 is outside [-2, 1]",
                d -> run(made(d, Arr.normal(DType.F32, 1, 0, 3)), 2, log));
        spec.refuses("a closed tensor", "after it was closed", d -> run(closed(d), 0, log));
        for (DType dtype : List.of(DType.I32, DType.I64, DType.BOOL)) {
            spec.refuses(dtype + "", "not defined for " + dtype, d -> run(made(d, Arr.any(dtype, 1, 3)), 0, log));
        }
        typed(all, name, log);
    }

    private static void edges(OpSpec spec, DType dtype, boolean log) {
        OpSpec.Op last = x -> run(x.a(), -1, log);
        double none = log ? -INF : 0;
        spec.exact(dtype + " scalar", last, x -> Arr.of(dtype, dims(), log ? 0 : 1), Arr.of(dtype, dims(), 7));
        spec.exact(
                dtype + " scalar along 0",
                x -> run(x.a(), 0, log),
                x -> Arr.of(dtype, dims(), log ? 0 : 1),
                Arr.of(dtype, dims(), -3));
        for (double bad : new double[] {NAN, INF, -INF}) {
            spec.exact(dtype + " scalar " + bad, last, x -> Arr.of(dtype, dims(), NAN), Arr.of(dtype, dims(), bad));
        }
        spec.exact(
                dtype + " size 1",
                last,
                x -> Arr.of(dtype, dims(3, 1), log ? new double[3] : new double[] {1, 1, 1}),
                Arr.of(dtype, dims(3, 1), 5, -1e4, 3e4));
        for (long[] empty : new long[][] {{0}, {0, 3}, {3, 0}, {2, 0, 4}}) {
            for (int dim = 0; dim < empty.length; dim++) {
                int along = dim;
                spec.exact(
                        dtype + " " + Arrays.toString(empty) + " along " + dim,
                        x -> run(x.a(), along, log),
                        x -> x.get(0),
                        Arr.any(dtype, 1, empty));
            }
        }
        Arr minus = Arr.of(dtype, dims(2, 3), -INF, -INF, -INF, 1, 1, -INF);
        double half = log ? -Math.log(2) : 0.5;
        spec.sample(
                dtype + " a row of -inf", last, x -> Arr.of(dtype, dims(2, 3), NAN, NAN, NAN, half, half, none), minus);
        spec.sample(dtype + " [0, -inf]", last, x -> Arr.vector(dtype, log ? 0 : 1, none), Arr.vector(dtype, 0, -INF));
        spec.sample(
                dtype + " a row with NaN",
                last,
                x -> Arr.of(dtype, dims(2, 3), NAN, NAN, NAN, none, half, half),
                Arr.of(dtype, dims(2, 3), 1, NAN, 2, -INF, 1, 1));
        spec.sample(
                dtype + " a row with inf",
                last,
                x -> Arr.of(dtype, dims(2, 2), NAN, NAN, half, half),
                Arr.of(dtype, dims(2, 2), 1, INF, 2, 2));
        for (int n : new int[] {17, 70, 300, 1500, 5000}) {
            for (double bad : new double[] {NAN, INF}) {
                for (int at : new int[] {0, n / 2, n - 1}) {
                    double[] all = new double[n];
                    Arrays.fill(all, NAN);
                    spec.exact(
                            dtype + " " + bad + " at " + at + " of " + n,
                            last,
                            x -> Arr.of(dtype, dims(n), all),
                            Arr.normal(dtype, 1, n).with(at, bad));
                }
            }
            double[] rows = new double[n];
            Arrays.fill(rows, -INF);
            spec.exact(
                    dtype + " -inf " + n + " times",
                    last,
                    x -> Arr.of(dtype, dims(n), Arr.any(dtype, 1, n).f().length == n ? fill(n) : rows),
                    Arr.of(dtype, dims(n), rows));
            double[] but = rows.clone();
            but[n - 1] = 3;
            double[] expected = new double[n];
            Arrays.fill(expected, none);
            expected[n - 1] = log ? 0 : 1;
            spec.exact(
                    dtype + " -inf but the last of " + n,
                    last,
                    x -> Arr.of(dtype, dims(n), expected),
                    Arr.of(dtype, dims(n), but));
        }
        // along dim 0 of columns, where another kernel may run
        spec.sample(
                dtype + " columns of -inf, NaN and inf",
                x -> run(x.a(), 0, log),
                x -> Arr.of(dtype, dims(2, 5), NAN, NAN, NAN, half, none, NAN, NAN, NAN, half, log ? 0 : 1),
                Arr.of(dtype, dims(2, 5), -INF, NAN, INF, 1, -INF, -INF, 1, 1, 1, 4));
        spec.sample(
                dtype + " large values",
                last,
                x -> Reference.softmax(x.get(0), -1, dtype, log),
                Arr.vector(dtype, 6e4, 5.9e4, -6e4, 0, 6e4));
        spec.sample(
                dtype + " near 10000",
                last,
                x -> Reference.softmax(x.get(0), -1, dtype, log),
                Arr.uniform(dtype, 1, 9990, 10010, 4, 100));
        if (dtype != DType.F16) {
            spec.sample(
                    dtype + " the largest",
                    last,
                    x -> Reference.softmax(x.get(0), -1, dtype, log),
                    Arr.vector(dtype, 3e38, 3e38, 0, -3e38));
        }
    }

    private static double[] fill(int n) {
        double[] all = new double[n];
        Arrays.fill(all, NAN);
        return all;
    }

    /** A common offset that is exact in the dtype changes no bit. */
    private static void shifts(OpSpec spec, boolean log) {
        Object[][] offsets = {{DType.F32, 1e7}, {DType.F16, 1.5e3}, {DType.F64, 1e15}, {DType.BF16, 128.0}};
        for (Object[] each : offsets) {
            DType dtype = (DType) each[0];
            double offset = (double) each[1];
            for (long[] shape : new long[][] {{7}, {3, 40}, {2, 1025}, {1, 20000}}) {
                Arr whole = Arr.ints(DType.I64, 3, 0, 50, shape).as(dtype);
                double[] moved = Arrays.stream(whole.f()).map(v -> v + offset).toArray();
                for (int dim : new int[] {0, -1}) {
                    spec.exact(
                            dtype + " " + Arrays.toString(shape) + " shifted, along " + dim,
                            x -> run(x.b(), dim, log).eq(run(x.a(), dim, log)),
                            x -> Arr.longs(
                                    DType.BOOL,
                                    shape,
                                    Arrays.stream(whole.f()).mapToLong(v -> 1).toArray()),
                            whole,
                            Arr.floats(dtype, shape, moved));
                }
            }
        }
    }

    private static void typed(List<OpSpec> all, String name, boolean log) {
        OpSpec as = spec(all, name + "int,Floating)");
        OpSpec options = spec(all, name + "SoftmaxOptions)");
        OpSpec optionsAs = spec(all, name + "As)");
        for (DType from : Specs.ALL) {
            for (DType to : FLOATS) {
                Floating type = (Floating) to;
                OpSpec.Ref ref = x -> Reference.softmax(x.get(0).as(to), 1, to, log);
                OpSpec.Op op = x -> log ? F.logSoftmax(x.a(), 1, type) : F.softmax(x.a(), 1, type);
                as.sample(from + " as " + to + " [3, 37]", op, ref, Arr.any(from, 1, 3, 37));
                as.sample(from + " as " + to + " [2, 5, 3]", op, ref, Arr.any(from, 1, 2, 5, 3));
                as.sample(from + " as " + to + " empty", op, ref, Arr.any(from, 1, 2, 0));
                optionsAs.sample(
                        from + " as " + to,
                        x -> log
                                ? F.logSoftmax(x.a(), SoftmaxOptions.along(1).dtype(type))
                                : F.softmax(x.a(), SoftmaxOptions.along(1).dtype(type)),
                        ref,
                        Arr.any(from, 1, 3, 5));
            }
        }
        for (DType half : List.of(DType.F16, DType.BF16)) {
            as.sample(
                    half + " as float32 [2, 4097]",
                    x -> log ? F.logSoftmax(x.a(), 1, DType.F32) : F.softmax(x.a(), 1, DType.F32),
                    x -> Reference.softmax(x.get(0), 1, DType.F32, log),
                    Arr.normal(half, 1, 2, 4097));
            as.sample(
                    half + " as float32, gradient in " + half,
                    8 * OpSpec.tolerance(half),
                    x -> {
                        Tensor<Any, F64, Cpu> leaf = x.a().detach().requireGrad();
                        Tensor<Any, F64, Cpu> y =
                                OpSpec.untyped(log ? F.logSoftmax(leaf, 1, DType.F32) : F.softmax(leaf, 1, DType.F32));
                        return y.backward(x.b()).get(leaf).contiguous();
                    },
                    x -> Reference.softmaxGrad(x.get(0), x.get(1), 1, log),
                    Arr.normal(half, 1, 3, 33),
                    Arr.normal(DType.F32, 2, 3, 33));
        }
        as.grad(
                "[3, 4] as float64",
                x -> log ? F.logSoftmax(x.a(), 1, (Floating) DType.F64) : F.softmax(x.a(), 1, (Floating) DType.F64),
                Arr.normal(DType.F64, 1, 3, 4));
        as.refuses(
                "dim 2 of 2",
                "dim 2 is outside [-2, 1]",
                d -> F.logSoftmax(made(d, Arr.any(DType.I64, 1, 2, 3)), 2, DType.F32));
        options.sample(
                "float32",
                x -> log ? F.logSoftmax(x.a(), SoftmaxOptions.along(0)) : F.softmax(x.a(), SoftmaxOptions.along(0)),
                x -> Reference.softmax(x.get(0), 0, DType.F32, log),
                Arr.normal(DType.F32, 1, 4, 5));
    }

    // ---- losses

    private static final List<String> REDUCTIONS = List.of("none", "mean", "sum");

    private static Tensor<?, ?, ?> nllOf(
            Tensor<Any, F64, Cpu> x, OpSpec.In in, NllLossOptions<F64, Cpu> o, String reduction) {
        return switch (reduction) {
            case "none" -> F.nllLoss(x, in.ints(1), o, Reduction.<Any>none());
            case "mean" -> F.nllLoss(x, in.ints(1), o, Reduction.<Any>mean());
            case "sum" -> F.nllLoss(x, in.ints(1), o, Reduction.<Any>sum());
            default -> F.nllLoss(x, in.ints(1), o, Reduction.<Any>batchMean());
        };
    }

    private static OpSpec.Op nllOp(boolean weighted, long ignore, String reduction) {
        return x -> {
            NllLossOptions<F64, Cpu> o = NllLossOptions.<F64, Cpu>defaults().ignoreIndex(ignore);
            return nllOf(x.a(), x, weighted ? o.weight(x.c()) : o, reduction);
        };
    }

    private static OpSpec.Ref nllRef(boolean weighted, long ignore, String reduction) {
        return x -> Reference.nll(
                x.get(0).dtype(),
                x.get(0).f(),
                x.get(0).shape(),
                x.get(1),
                weighted ? x.get(2) : null,
                ignore,
                0,
                reduction);
    }

    private static final long[][] SHAPES = {
        {5}, {4, 5}, {2, 3, 4}, {2, 3, 2, 2}, {0, 5}, {64, 33}, {2, 7, 0}, {2, 3, 5, 7}
    };

    private static Arr targets(DType dtype, long ignore, long... shape) {
        int classes = (int) shape[shape.length == 1 ? 0 : 1];
        Arr t = Arr.ints(dtype, 4, 0, classes, Reference.targetShape(shape));
        if (t.count() > 1) {
            t.n()[1] = ignore;
        }
        return t;
    }

    private static void nll(List<OpSpec> all) {
        OpSpec two = spec(all, "F.nllLoss(Tensor,Tensor)");
        OpSpec spec = spec(all, "F.nllLoss(Tensor,Tensor,NllLossOptions,Reduction)");
        for (DType dtype : FLOATS) {
            for (DType index : Specs.INTEGERS) {
                two.sample(
                        dtype + " of " + index,
                        x -> F.nllLoss(x.a().as(K2), x.ints(1).as(K1)),
                        nllRef(false, -100, "mean"),
                        Arr.normal(dtype, 1, 6, 5),
                        targets(index, -100, 6, 5));
            }
            for (String reduction : REDUCTIONS) {
                for (long[] shape : SHAPES) {
                    String at = dtype + " " + Arrays.toString(shape) + " " + reduction;
                    Arr logp = Arr.uniform(dtype, 1, -4, 0, shape);
                    Arr weight = Arr.uniform(dtype, 2, 0.5, 2, shape[shape.length == 1 ? 0 : 1]);
                    spec.sample(
                            at,
                            nllOp(false, -100, reduction),
                            nllRef(false, -100, reduction),
                            logp,
                            targets(DType.I64, -100, shape));
                    spec.sample(
                            at + " weighted",
                            nllOp(true, -100, reduction),
                            nllRef(true, -100, reduction),
                            logp,
                            targets(DType.I32, -100, shape),
                            weight);
                    spec.sample(
                            at + " ignoring 1",
                            nllOp(true, 1, reduction),
                            nllRef(true, 1, reduction),
                            logp,
                            targets(DType.I64, 1, shape),
                            weight);
                }
                Arr x = Arr.uniform(dtype, 1, -4, 0, 3, 4);
                spec.sample(
                        dtype + " all ignored " + reduction,
                        nllOp(false, -100, reduction),
                        nllRef(false, -100, reduction),
                        x,
                        Arr.longs(DType.I64, dims(3), new long[] {-100, -100, -100}));
                spec.sample(
                        dtype + " ignoring 99 " + reduction,
                        nllOp(false, 99, reduction),
                        nllRef(false, 99, reduction),
                        x,
                        Arr.longs(DType.I64, dims(3), new long[] {1, 99, 2}));
                spec.sample(
                        dtype + " total weight 0 " + reduction,
                        nllOp(true, -100, reduction),
                        nllRef(true, -100, reduction),
                        x,
                        Arr.longs(DType.I64, dims(3), new long[] {1, 1, 1}),
                        Arr.vector(dtype, 1, 0, 1, 1));
                spec.sample(
                        dtype + " -inf that is not the target " + reduction,
                        nllOp(false, -100, reduction),
                        nllRef(false, -100, reduction),
                        Arr.of(dtype, dims(1, 3), -INF, -1, -INF),
                        Arr.longs(DType.I64, dims(1), new long[] {1}));
            }
        }
        for (String reduction : REDUCTIONS) {
            for (boolean weighted : new boolean[] {false, true}) {
                Arr[] inputs = weighted
                        ? new Arr[] {
                            Arr.normal(DType.F64, 1, 3, 4, 2),
                            targets(DType.I64, 2, 3, 4, 2),
                            Arr.uniform(DType.F64, 2, 0.5, 2, 4)
                        }
                        : new Arr[] {Arr.normal(DType.F64, 1, 3, 4, 2), targets(DType.I64, 2, 3, 4, 2)};
                String at = reduction + (weighted ? " weighted" : "") + " ignoring 2";
                spec.grad(at, nllOp(weighted, 2, reduction), new int[] {0}, inputs);
                OpSpec.Op squared = x -> nllOf(
                        x.a().mul(x.a()),
                        x,
                        weighted
                                ? NllLossOptions.<F64, Cpu>defaults()
                                        .ignoreIndex(2)
                                        .weight(x.c())
                                : NllLossOptions.<F64, Cpu>defaults().ignoreIndex(2),
                        reduction);
                spec.grad(at + " of squares", squared, new int[] {0}, inputs);
            }
        }
        refusals(
                spec,
                "nllLoss",
                d -> (x, t) -> F.nllLoss(x, OpSpec.asInts(t), NllLossOptions.defaults(), Reduction.<Any>mean()));
        spec.refuses(
                "a weight of another size",
                "the weight has shape [3]; one per class is needed, [4]",
                d -> F.nllLoss(
                        made(d, Arr.normal(DType.F64, 1, 2, 4)),
                        OpSpec.asInts(made(d, Arr.ints(DType.I64, 1, 0, 4, 2))),
                        NllLossOptions.<F64, Cpu>defaults().weight(made(d, Arr.vector(DType.F64, 1, 1, 1))),
                        Reduction.<Any>mean()));
        spec.refuses(
                "batchMean",
                "batchMean is for klDiv",
                d -> nllOp(false, -100, "batchmean")
                        .apply(ElementwiseSpecs.in(
                                d, made(d, Arr.normal(DType.F64, 1, 2, 4)), made(d, Arr.ints(DType.I64, 1, 0, 4, 2)))));
    }

    private interface Loss {
        Object apply(Tensor<Any, F64, Cpu> x, Tensor<Any, F64, Cpu> target);
    }

    private static void refusals(OpSpec spec, String op, java.util.function.Function<Device<Cpu>, Loss> loss) {
        for (long bad : new long[] {4, -1, 1L << 33}) {
            spec.refuses(
                    "target " + bad,
                    op + ": target " + bad + " at position 1 is outside [0, 4)",
                    d -> loss.apply(d)
                            .apply(
                                    made(d, Arr.normal(DType.F32, 1, 3, 4)),
                                    made(d, Arr.longs(DType.I64, dims(3), new long[] {0, bad, 1}))));
        }
        spec.refuses(
                "another batch size",
                "a target of shape [2] does not fit input [3, 4]; it must have shape [3]",
                d -> loss.apply(d)
                        .apply(made(d, Arr.normal(DType.F32, 1, 3, 4)), made(d, Arr.ints(DType.I64, 1, 0, 4, 2))));
        spec.refuses(
                "another spatial size",
                "a target of shape [3, 5] does not fit input [3, 4, 2]; it must have shape [3, 2]",
                d -> loss.apply(d)
                        .apply(
                                made(d, Arr.normal(DType.F32, 1, 3, 4, 2)),
                                made(d, Arr.ints(DType.I64, 1, 0, 4, 3, 5))));
        spec.refuses(
                "a scalar",
                "a scalar input has no class axis",
                d -> loss.apply(d).apply(made(d, Arr.normal(DType.F32, 1)), made(d, Arr.ints(DType.I64, 1, 0, 1))));
        spec.refuses(
                "floating targets",
                "the target must be int32 or int64",
                d -> loss.apply(d)
                        .apply(made(d, Arr.normal(DType.F32, 1, 3, 4)), made(d, Arr.normal(DType.F32, 1, 3))));
        spec.refuses(
                "an integer input",
                op + ": not defined for int64",
                d -> loss.apply(d)
                        .apply(made(d, Arr.ints(DType.I64, 1, 0, 4, 3, 4)), made(d, Arr.ints(DType.I64, 1, 0, 4, 3))));
    }

    private static OpSpec.Op ceOp(boolean weighted, long ignore, double e, String reduction) {
        return x -> {
            CrossEntropyOptions<F64, Cpu> o =
                    CrossEntropyOptions.<F64, Cpu>defaults().ignoreIndex(ignore).labelSmoothing(e);
            o = weighted ? o.weight(x.c()) : o;
            return switch (reduction) {
                case "none" -> F.crossEntropy(x.a(), x.ints(1), o, Reduction.<Any>none());
                case "mean" -> F.crossEntropy(x.a(), x.ints(1), o, Reduction.<Any>mean());
                default -> F.crossEntropy(x.a(), x.ints(1), o, Reduction.<Any>sum());
            };
        };
    }

    private static OpSpec.Ref ceRef(boolean weighted, long ignore, double e, String reduction) {
        return x -> {
            long[] shape = x.get(0).shape();
            double[] logp = Reference.softmax(x.get(0), shape.length == 1 ? 0 : 1, true);
            return Reference.nll(
                    x.get(0).dtype(), logp, shape, x.get(1), weighted ? x.get(2) : null, ignore, e, reduction);
        };
    }

    private static void crossEntropy(List<OpSpec> all) {
        OpSpec two = spec(all, "F.crossEntropy(Tensor,Tensor)");
        OpSpec spec = spec(all, "F.crossEntropy(Tensor,Tensor,CrossEntropyOptions,Reduction)");
        for (DType dtype : FLOATS) {
            two.sample(
                    dtype + "",
                    x -> F.crossEntropy(x.a().as(K2), x.ints(1).as(K1)),
                    ceRef(false, -100, 0, "mean"),
                    Arr.normal(dtype, 1, 6, 5),
                    targets(DType.I64, -100, 6, 5));
            for (String reduction : REDUCTIONS) {
                for (double e : new double[] {0, 0.1, 1}) {
                    for (long[] shape : SHAPES) {
                        String at = dtype + " " + Arrays.toString(shape) + " " + reduction + " smoothing " + e;
                        Arr x = Arr.normal(dtype, 1, shape);
                        spec.sample(
                                at,
                                ceOp(false, -100, e, reduction),
                                ceRef(false, -100, e, reduction),
                                x,
                                targets(DType.I64, -100, shape));
                        spec.sample(
                                at + " weighted",
                                ceOp(true, 1, e, reduction),
                                ceRef(true, 1, e, reduction),
                                x,
                                targets(DType.I32, 1, shape),
                                Arr.uniform(dtype, 2, 0.5, 2, shape[shape.length == 1 ? 0 : 1]));
                    }
                }
            }
        }
        for (String reduction : REDUCTIONS) {
            Arr[] inputs = {
                Arr.normal(DType.F64, 1, 3, 4), targets(DType.I64, 2, 3, 4), Arr.uniform(DType.F64, 2, 0.5, 2, 4)
            };
            for (double e : new double[] {0, 0.2}) {
                spec.grad(reduction + " smoothing " + e, ceOp(true, 2, e, reduction), new int[] {0}, inputs);
            }
        }
        refusals(
                spec,
                "crossEntropy",
                d -> (x, t) ->
                        F.crossEntropy(x, OpSpec.asInts(t), CrossEntropyOptions.defaults(), Reduction.<Any>mean()));
        for (double bad : new double[] {-0.1, 1.1, NAN}) {
            spec.refuses(
                    "smoothing " + bad,
                    "labelSmoothing " + bad + " is outside [0, 1]",
                    d -> ceOp(false, -100, bad, "mean")
                            .apply(ElementwiseSpecs.in(
                                    d,
                                    made(d, Arr.normal(DType.F64, 1, 2, 4)),
                                    made(d, Arr.ints(DType.I64, 1, 0, 4, 2)))));
        }
        probabilities(all);
    }

    private static Arr probabilities(DType dtype, long... shape) {
        return Arr.floats(
                dtype, shape, Reference.softmax(Arr.normal(DType.F64, 9, shape), shape.length == 1 ? 0 : 1, false));
    }

    private static void probabilities(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.crossEntropyOfProbabilities(Tensor,Tensor,CrossEntropyOptions,Reduction)");
        OpSpec none = spec(all, "F.crossEntropyOfProbabilities(Tensor,Tensor,CrossEntropyOptions,Axis)");
        for (DType dtype : FLOATS) {
            for (double e : new double[] {0, 0.1}) {
                for (boolean weighted : new boolean[] {false, true}) {
                    for (long[] shape : new long[][] {{5}, {4, 5}, {2, 3, 4}, {2, 3, 2, 2}, {0, 5}}) {
                        List<Arr> in =
                                new ArrayList<>(List.of(Arr.normal(dtype, 1, shape), probabilities(dtype, shape)));
                        if (weighted) {
                            in.add(Arr.uniform(dtype, 2, 0.5, 2, shape[shape.length == 1 ? 0 : 1]));
                        }
                        String at = dtype + " " + Arrays.toString(shape) + " smoothing " + e
                                + (weighted ? " weighted" : "");
                        for (String reduction : List.of("mean", "sum")) {
                            spec.sample(
                                    at + " " + reduction,
                                    x -> {
                                        CrossEntropyOptions<F64, Cpu> o = CrossEntropyOptions.<F64, Cpu>defaults()
                                                .labelSmoothing(e);
                                        return F.crossEntropyOfProbabilities(
                                                x.a(),
                                                x.b(),
                                                weighted ? o.weight(x.c()) : o,
                                                reduction.equals("mean")
                                                        ? Reduction.<Any>mean()
                                                        : Reduction.<Any>sum());
                                    },
                                    x -> Reference.ofProbabilities(
                                            x.get(0), x.get(1), weighted ? x.get(2) : null, e, reduction),
                                    in.toArray(Arr[]::new));
                        }
                        if (shape.length == 2) {
                            none.sample(
                                    at,
                                    x -> {
                                        CrossEntropyOptions<F64, Cpu> o = CrossEntropyOptions.<F64, Cpu>defaults()
                                                .labelSmoothing(e);
                                        return F.crossEntropyOfProbabilities(
                                                x.a().as(K2),
                                                x.b().as(K2),
                                                weighted ? o.weight(x.c()) : o,
                                                R2.<Dim, Dim>dim1());
                                    },
                                    x -> Reference.ofProbabilities(
                                            x.get(0), x.get(1), weighted ? x.get(2) : null, e, "none"),
                                    in.toArray(Arr[]::new));
                        }
                    }
                }
            }
        }
        OpSpec.Op mean = x -> F.crossEntropyOfProbabilities(
                x.a(),
                x.b(),
                CrossEntropyOptions.<F64, Cpu>defaults().weight(x.c()).labelSmoothing(0.2),
                Reduction.<Any>mean());
        Arr[] inputs = {
            Arr.normal(DType.F64, 1, 3, 4), probabilities(DType.F64, 3, 4), Arr.uniform(DType.F64, 2, 0.5, 2, 4)
        };
        spec.grad("mean", mean, new int[] {0, 1}, inputs);
        spec.refuses(
                "ignoreIndex 0",
                "ignoreIndex 0 has no meaning for probabilities",
                d -> F.crossEntropyOfProbabilities(
                        made(d, inputs[0]),
                        made(d, inputs[1]),
                        CrossEntropyOptions.<F64, Cpu>defaults().ignoreIndex(0),
                        Reduction.<Any>mean()));
        spec.refuses(
                "another shape",
                "they must have the input's shape",
                d -> F.crossEntropyOfProbabilities(
                        made(d, inputs[0]),
                        made(d, Arr.normal(DType.F64, 1, 3, 5)),
                        CrossEntropyOptions.<F64, Cpu>defaults(),
                        Reduction.<Any>mean()));
        spec.refuses(
                "smoothing 2",
                "labelSmoothing 2.0 is outside [0, 1]",
                d -> F.crossEntropyOfProbabilities(
                        made(d, inputs[0]),
                        made(d, inputs[1]),
                        CrossEntropyOptions.<F64, Cpu>defaults().labelSmoothing(2),
                        Reduction.<Any>mean()));
        none.refuses(
                "another axis",
                "the axis is dim 0; the classes of rank 2 are dim 1",
                d -> F.crossEntropyOfProbabilities(
                        made(d, inputs[0]).as(K2),
                        made(d, inputs[1]).as(K2),
                        CrossEntropyOptions.<F64, Cpu>defaults(),
                        R2.<Dim, Dim>dim0()));
    }

    private static OpSpec.Op klOp(KlTarget form, String reduction) {
        return x -> switch (reduction) {
            case "none" -> F.klDiv(x.a(), x.b(), form, Reduction.<Any>none());
            case "mean" -> F.klDiv(x.a(), x.b(), form, Reduction.<Any>mean());
            case "sum" -> F.klDiv(x.a(), x.b(), form, Reduction.<Any>sum());
            default -> F.klDiv(x.a(), x.b(), form, Reduction.<Any>batchMean());
        };
    }

    private static void klDiv(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.klDiv(Tensor,Tensor,KlTarget,Reduction)");
        for (String reduction : List.of("none", "mean", "sum", "batchmean")) {
            for (KlTarget form : KlTarget.values()) {
                boolean log = form == KlTarget.LOG_PROBABILITIES;
                OpSpec.Op op = klOp(form, reduction);
                OpSpec.Ref ref = x -> Reference.klDiv(x.get(0), x.get(1), log, reduction);
                for (DType dtype : FLOATS) {
                    String at = dtype + " " + reduction + " " + form + " ";
                    for (long[] shape : new long[][] {{5}, {4, 5}, {2, 3, 4}}) {
                        Arr t = probabilities(dtype, shape);
                        spec.sample(
                                at + Arrays.toString(shape),
                                op,
                                ref,
                                Arr.uniform(dtype, 1, -4, 0, shape),
                                log ? Reference.map(t, Math::log) : t);
                    }
                    double zero = log ? -INF : 0;
                    double half = log ? Math.log(0.5) : 0.5;
                    spec.sample(
                            at + "a target of 0",
                            op,
                            ref,
                            Arr.of(dtype, dims(1, 3), -1, -2, -3),
                            Arr.of(dtype, dims(1, 3), zero, half, half));
                }
                Arr t = probabilities(DType.F64, 3, 4);
                Arr[] inputs = {Arr.uniform(DType.F64, 1, -4, 0, 3, 4), log ? Reference.map(t, Math::log) : t};
                spec.grad(reduction + " " + form, op, inputs);
            }
        }
        spec.refuses(
                "integers",
                "not defined for int64",
                d -> klOp(KlTarget.PROBABILITIES, "sum")
                        .apply(ElementwiseSpecs.in(
                                d, made(d, Arr.any(DType.I64, 1, 3)), made(d, Arr.any(DType.I64, 1, 3)))));
        spec.refuses(
                "sizes that do not broadcast",
                "do not broadcast",
                d -> klOp(KlTarget.PROBABILITIES, "sum")
                        .apply(ElementwiseSpecs.in(
                                d, made(d, Arr.any(DType.F64, 1, 3)), made(d, Arr.any(DType.F64, 1, 4)))));
        spec.refuses(
                "batchMean of scalars",
                "batchMean needs a batch axis",
                d -> klOp(KlTarget.PROBABILITIES, "batchmean")
                        .apply(ElementwiseSpecs.in(d, made(d, Arr.any(DType.F64, 1)), made(d, Arr.any(DType.F64, 1)))));
    }
}

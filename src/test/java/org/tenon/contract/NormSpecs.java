package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.closed;
import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.K1;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.NormOptions;
import org.tenon.Tensor;

/** Normalisation over layers, roots of mean squares, and batches. */
final class NormSpecs {
    private static final double EPS = 1e-5;

    private NormSpecs() {}

    static void add(List<OpSpec> all) {
        layer(all);
        rms(all);
        batch(all);
        given(all);
        running(all);
    }

    private static NormOptions<F64, Cpu> options() {
        return NormOptions.defaults();
    }

    /** Mean and variance along axes, and what follows: written by groups of elements, in double. */
    private static Arr normalised(Arr x, boolean centred, double eps, Arr w, Arr b, int... axes) {
        double[] out = new double[x.count()];
        for (int[] group : Reference.groups(x.shape(), axes)) {
            double[] row = Reference.row(x, group);
            double mean = centred ? Arrays.stream(row).sum() / row.length : 0;
            double square = 0;
            for (double v : row) {
                square += (v - mean) * (v - mean) / row.length;
            }
            for (int i = 0; i < row.length; i++) {
                out[group[i]] = (row[i] - mean) / Math.sqrt(square + eps);
            }
        }
        boolean channels = axes[0] == 0 && axes.length < x.shape().length;
        for (int i = 0; i < out.length; i++) {
            int at = w == null && b == null
                    ? 0
                    : channels ? Reference.position(x.shape(), i)[1] : i % Math.max(1, (w == null ? b : w).count());
            out[i] = out[i] * (w == null ? 1 : w.f()[at]) + (b == null ? 0 : b.f()[at]);
        }
        return Arr.floats(x.dtype(), x.shape(), out);
    }

    private static void layer(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.layerNorm(Tensor,long[],NormOptions)");
        OpSpec.Op affine =
                x -> F.layerNorm(x.a(), x.b().shape(), options().weight(x.b()).bias(x.c()));
        for (DType dtype : FLOATS) {
            for (int n : new int[] {1, 5, 129}) {
                spec.sample(
                        dtype + " [3, " + n + "]",
                        affine,
                        x -> normalised(x.get(0), true, EPS, x.get(1), x.get(2), 1),
                        Arr.normal(dtype, n, 3, n),
                        Arr.normal(dtype, 2, n),
                        Arr.normal(dtype, 3, n));
            }
            spec.sample(
                    dtype + " two axes, plain",
                    x -> F.layerNorm(x.a(), new long[] {3, 4}, options().eps(0.1)),
                    x -> normalised(x.get(0), true, 0.1, null, null, 1, 2),
                    Arr.normal(dtype, 1, 2, 3, 4));
            spec.sample(
                    dtype + " a row with NaN",
                    x -> F.layerNorm(x.a(), new long[] {3}, options()),
                    x -> normalised(x.get(0), true, EPS, null, null, 1),
                    Arr.of(dtype, dims(2, 3), 1, Double.NaN, 2, 0, 3, 6));
            spec.exact(
                    dtype + " an empty batch",
                    affine,
                    x -> x.get(0),
                    Arr.any(dtype, 1, 0, 3),
                    Arr.any(dtype, 1, 3),
                    Arr.any(dtype, 1, 3));
        }
        spec.sample(
                "float32 far from 0",
                1e-3,
                x -> F.layerNorm(x.a(), new long[] {64}, options()),
                x -> normalised(x.get(0), true, EPS, null, null, 1),
                Arr.uniform(DType.F32, 1, 9990, 10010, 2, 64));
        spec.grad(
                "[2, 5]",
                affine,
                Arr.normal(DType.F64, 1, 2, 5),
                Arr.normal(DType.F64, 2, 5),
                Arr.normal(DType.F64, 3, 5));
        spec.grad("plain", x -> F.layerNorm(x.a(), new long[] {4}, options()), Arr.normal(DType.F64, 1, 2, 4));
        spec.refuses(
                "another shape",
                "layerNorm: the last sizes are not those to normalise; they must be [4]",
                d -> F.layerNorm(made(d, Arr.normal(DType.F32, 1, 2, 3)), new long[] {4}, options()));
        spec.refuses(
                "no axes",
                "the last sizes are not those to normalise; they must be []",
                d -> F.layerNorm(made(d, Arr.normal(DType.F32, 1, 2, 3)), new long[0], options()));
        spec.refuses(
                "a weight of another shape",
                "layerNorm: the weight has shape [1]; [3] is needed",
                d -> F.layerNorm(
                        made(d, Arr.normal(DType.F64, 1, 2, 3)),
                        new long[] {3},
                        options().weight(made(d, Arr.normal(DType.F64, 1, 1)))));
        spec.refuses(
                "a bias of another type",
                "element types differ",
                d -> F.layerNorm(
                        made(d, Arr.normal(DType.F32, 1, 2, 3)),
                        new long[] {3},
                        options().bias(made(d, Arr.normal(DType.F64, 1, 3)))));
        spec.refuses(
                "integers",
                "layerNorm: not defined for int64",
                d -> F.layerNorm(made(d, Arr.any(DType.I64, 1, 2, 3)), new long[] {3}, options()));
        spec.refuses("a closed tensor", "after it was closed", d -> F.layerNorm(closed(d), new long[] {2}, options()));
        spec.refuses(
                "a bad eps",
                "eps is -1.0; it must be 0 or more",
                d -> F.layerNorm(closed(d), new long[] {2}, options().eps(-1)));
    }

    private static void rms(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.rmsNorm(Tensor,long[],NormOptions)");
        OpSpec.Op op = x -> F.rmsNorm(x.a(), x.b().shape(), options().weight(x.b()));
        for (DType dtype : FLOATS) {
            spec.sample(
                    dtype + " [3, 33]",
                    op,
                    x -> normalised(x.get(0), false, EPS, x.get(1), null, 1),
                    Arr.normal(dtype, 1, 3, 33),
                    Arr.normal(dtype, 2, 33));
            spec.sample(
                    dtype + " a row with NaN",
                    x -> F.rmsNorm(x.a(), new long[] {2, 2}, options()),
                    x -> normalised(x.get(0), false, EPS, null, null, 1, 2),
                    Arr.of(dtype, dims(2, 2, 2), 1, 2, Double.NaN, 4, 5, 6, 7, 8));
        }
        spec.grad("[2, 5]", op, Arr.normal(DType.F64, 1, 2, 5), Arr.normal(DType.F64, 2, 5));
        spec.refuses(
                "a bias",
                "rmsNorm: there is no bias here",
                d -> F.rmsNorm(
                        made(d, Arr.normal(DType.F64, 1, 2, 3)),
                        new long[] {3},
                        options().bias(made(d, Arr.normal(DType.F64, 1, 3)))));
        spec.refuses(
                "another shape",
                "rmsNorm: the last sizes are not those to normalise; they must be [2]",
                d -> F.rmsNorm(made(d, Arr.normal(DType.F32, 1, 2, 3)), new long[] {2}, options()));
    }

    private static int[] allButChannels(Arr x) {
        return IntStream.range(0, x.shape().length).filter(i -> i != 1).toArray();
    }

    private static void batch(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.batchNorm(Tensor,NormOptions)");
        OpSpec.Op affine = x -> F.batchNorm(x.a(), options().weight(x.b()).bias(x.c()));
        for (DType dtype : FLOATS) {
            for (long[] shape : new long[][] {{5, 3}, {2, 3, 5}, {2, 3, 4, 3}}) {
                spec.sample(
                        dtype + " " + Arrays.toString(shape),
                        affine,
                        x -> normalised(x.get(0), true, EPS, x.get(1), x.get(2), allButChannels(x.get(0))),
                        Arr.normal(dtype, 1, shape),
                        Arr.normal(dtype, 2, 3),
                        Arr.normal(dtype, 3, 3));
            }
            spec.sample(
                    dtype + " a channel with inf",
                    x -> F.batchNorm(x.a(), options()),
                    x -> normalised(x.get(0), true, EPS, null, null, 0),
                    Arr.of(dtype, dims(2, 2), 1, Double.POSITIVE_INFINITY, 2, 3));
            spec.exact(
                    dtype + " an empty batch",
                    affine,
                    x -> x.get(0),
                    Arr.any(dtype, 1, 0, 3),
                    Arr.any(dtype, 1, 3),
                    Arr.any(dtype, 1, 3));
        }
        spec.grad(
                "[3, 2, 2]",
                affine,
                Arr.normal(DType.F64, 1, 3, 2, 2),
                Arr.normal(DType.F64, 2, 2),
                Arr.normal(DType.F64, 3, 2));
        spec.refuses(
                "one value a channel",
                "batchNorm: one value a channel has no variance",
                d -> F.batchNorm(made(d, Arr.normal(DType.F32, 1, 1, 3)), options()));
        spec.refuses(
                "a vector",
                "rank 1 is too low; give batch and channels first",
                d -> F.batchNorm(made(d, Arr.normal(DType.F32, 1, 3)), options()));
        spec.refuses(
                "a weight of another size",
                "the weight has shape [2]; [3] is needed",
                d -> F.batchNorm(
                        made(d, Arr.normal(DType.F64, 1, 2, 3)),
                        options().weight(made(d, Arr.normal(DType.F64, 1, 2)))));
        spec.refuses(
                "integers", "not defined for int64", d -> F.batchNorm(made(d, Arr.any(DType.I64, 1, 2, 3)), options()));
    }

    private static void given(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.batchNorm(Tensor,Tensor,Tensor,NormOptions)");
        OpSpec.Op op = x -> F.batchNorm(
                x.a(),
                x.b().as(K1),
                x.c().as(K1),
                options().weight(x.all().get(3)).bias(x.all().get(4)));
        for (DType dtype : FLOATS) {
            spec.sample(
                    dtype + " [2, 3, 5]",
                    op,
                    x -> {
                        double[] y = new double[x.get(0).count()];
                        for (int i = 0; i < y.length; i++) {
                            int c = Reference.position(x.get(0).shape(), i)[1];
                            y[i] = (x.get(0).f()[i] - x.get(1).f()[c])
                                            / Math.sqrt(x.get(2).f()[c] + EPS)
                                            * x.get(3).f()[c]
                                    + x.get(4).f()[c];
                        }
                        return Arr.floats(dtype, x.get(0).shape(), y);
                    },
                    Arr.normal(dtype, 1, 2, 3, 5),
                    Arr.normal(dtype, 2, 3),
                    Arr.uniform(dtype, 3, 0.5, 2, 3),
                    Arr.normal(dtype, 4, 3),
                    Arr.normal(dtype, 5, 3));
        }
        spec.grad(
                "[2, 3, 2]",
                op,
                Arr.normal(DType.F64, 1, 2, 3, 2),
                Arr.normal(DType.F64, 2, 3),
                Arr.uniform(DType.F64, 3, 0.5, 2, 3),
                Arr.normal(DType.F64, 4, 3),
                Arr.normal(DType.F64, 5, 3));
        spec.refuses(
                "statistics of another size",
                "batchNorm: the running mean has shape [2]; [3] is needed",
                d -> F.batchNorm(
                        made(d, Arr.normal(DType.F64, 1, 2, 3)),
                        made(d, Arr.normal(DType.F64, 1, 2)).as(K1),
                        made(d, Arr.normal(DType.F64, 1, 3)).as(K1),
                        options()));
    }

    /** What the running statistics are after one batch; the result itself is that of the batch. */
    private static void running(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.batchNorm(Tensor,Tensor,Tensor,double,NormOptions)");
        for (DType dtype : FLOATS) {
            for (boolean variance : new boolean[] {false, true}) {
                spec.sample(
                        dtype + (variance ? " variance" : " mean"),
                        x -> {
                            Tensor<Any, F64, Cpu> mean = x.b().copy();
                            Tensor<Any, F64, Cpu> var = x.c().copy();
                            F.batchNorm(x.a(), mean.as(K1), var.as(K1), 0.25, options());
                            return variance ? var : mean;
                        },
                        x -> {
                            double[] y = new double[3];
                            int[][] groups = Reference.groups(x.get(0).shape(), 0, 2);
                            for (int c = 0; c < 3; c++) {
                                double[] row = Reference.row(x.get(0), groups[c]);
                                double news = variance
                                        ? Reference.variance(row, 1)
                                        : Arrays.stream(row).average().orElseThrow();
                                y[c] = 0.75 * x.get(variance ? 2 : 1).f()[c] + 0.25 * news;
                            }
                            return Arr.floats(dtype, dims(3), y);
                        },
                        Arr.normal(dtype, 1, 2, 3, 5),
                        Arr.normal(dtype, 2, 3),
                        Arr.uniform(dtype, 3, 0.5, 2, 3));
            }
            spec.sample(
                    dtype + " result",
                    x -> F.batchNorm(x.a(), x.b().copy().as(K1), x.c().copy().as(K1), 0.25, options()),
                    x -> normalised(x.get(0), true, EPS, null, null, 0),
                    Arr.normal(dtype, 1, 5, 3),
                    Arr.normal(dtype, 2, 3),
                    Arr.uniform(dtype, 3, 0.5, 2, 3));
        }
        spec.refuses("a bad momentum", "batchNorm: momentum 1.5 is outside [0, 1]", d -> bad(d, 1.5));
    }

    private static Object bad(Device<Cpu> d, double momentum) {
        return F.batchNorm(
                made(d, Arr.normal(DType.F64, 1, 2, 3)),
                made(d, Arr.normal(DType.F64, 1, 3)).as(K1),
                made(d, Arr.normal(DType.F64, 1, 3)).as(K1),
                momentum,
                options());
    }
}

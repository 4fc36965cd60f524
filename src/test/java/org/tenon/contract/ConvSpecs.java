package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.closed;
import static org.tenon.contract.ElementwiseSpecs.in;
import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.K3;
import static org.tenon.contract.Specs.K4;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import org.tenon.ConvOptions;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.PoolOptions;

/** Convolutions and pooling, against sums over windows written as loops. */
final class ConvSpecs {
    private ConvSpecs() {}

    static void add(List<OpSpec> all) {
        conv1d(all);
        conv2d(all);
        transposed(all);
        pooling(all);
        adaptive(all);
    }

    /** The numbers of a convolution along two axes. */
    private record Plan(int[] stride, int[] padding, int[] dilation, int groups, int[] extra) {
        static final Plan PLAIN = new Plan(ints(1, 1), ints(0, 0), ints(1, 1), 1, ints(0, 0));

        ConvOptions<F64, Cpu> options(int axes) {
            return ConvOptions.<F64, Cpu>defaults()
                    .stride(last(stride, axes))
                    .padding(last(padding, axes))
                    .dilation(last(dilation, axes))
                    .outputPadding(last(extra, axes))
                    .groups(groups);
        }

        private static long[] last(int[] both, int axes) {
            return Arrays.stream(both).skip(2 - axes).asLongStream().toArray();
        }
    }

    private static int[] ints(int... numbers) {
        return numbers;
    }

    private static long length(long in, int k, int stride, int padding, int dilation) {
        return (in + 2 * padding - dilation * (k - 1) - 1) / stride + 1;
    }

    /** Images by loops; a sequence is an image of one row. */
    private static Arr conv(Arr x, Arr w, Arr bias, Plan p) {
        if (x.shape().length == 3) {
            Arr y = conv(
                    x.reshaped(x.shape()[0], x.shape()[1], 1, x.shape()[2]),
                    w.reshaped(w.shape()[0], w.shape()[1], 1, w.shape()[2]),
                    bias,
                    p);
            return y.reshaped(y.shape()[0], y.shape()[1], y.shape()[3]);
        }
        int kh = (int) w.shape()[2];
        int kw = (int) w.shape()[3];
        long[] shape = {
            x.shape()[0],
            w.shape()[0],
            length(x.shape()[2], kh, p.stride[0], p.padding[0], p.dilation[0]),
            length(x.shape()[3], kw, p.stride[1], p.padding[1], p.dilation[1])
        };
        double[] y = new double[Arr.count(shape)];
        int perGroup = (int) (w.shape()[0] / p.groups);
        for (int i = 0; i < y.length; i++) {
            int[] at = Reference.position(shape, i);
            double sum = bias == null ? 0 : bias.f()[at[1]];
            for (int c = 0; c < w.shape()[1]; c++) {
                int from = at[1] / perGroup * (int) w.shape()[1] + c;
                for (int a = 0; a < kh; a++) {
                    for (int b = 0; b < kw; b++) {
                        int row = at[2] * p.stride[0] + a * p.dilation[0] - p.padding[0];
                        int column = at[3] * p.stride[1] + b * p.dilation[1] - p.padding[1];
                        if (row >= 0 && row < x.shape()[2] && column >= 0 && column < x.shape()[3]) {
                            sum += x.f()[Reference.flat(x.shape(), ints(at[0], from, row, column))]
                                    * w.f()[Reference.flat(w.shape(), ints(at[1], c, a, b))];
                        }
                    }
                }
            }
            y[i] = sum;
        }
        return Arr.floats(x.dtype(), shape, y);
    }

    /** Every input element adds its window of weights to the result. */
    private static Arr transposed(Arr x, Arr w, Arr bias, Plan p) {
        long[] shape = {x.shape()[0], w.shape()[1] * p.groups, 0, 0};
        for (int k = 0; k < 2; k++) {
            shape[2 + k] = (x.shape()[2 + k] - 1) * p.stride[k]
                    - 2 * p.padding[k]
                    + p.dilation[k] * (w.shape()[2 + k] - 1)
                    + p.extra[k]
                    + 1;
        }
        double[] y = new double[Arr.count(shape)];
        for (int i = 0; i < y.length && bias != null; i++) {
            y[i] = bias.f()[Reference.position(shape, i)[1]];
        }
        int perGroup = (int) (w.shape()[0] / p.groups);
        for (int i = 0; i < x.count(); i++) {
            int[] at = Reference.position(x.shape(), i);
            for (int j = 0; j < Arr.count(Arrays.copyOfRange(w.shape(), 1, 4)); j++) {
                int[] part = Reference.position(Arrays.copyOfRange(w.shape(), 1, 4), j);
                int to = at[1] / perGroup * (int) w.shape()[1] + part[0];
                int row = at[2] * p.stride[0] + part[1] * p.dilation[0] - p.padding[0];
                int column = at[3] * p.stride[1] + part[2] * p.dilation[1] - p.padding[1];
                if (row >= 0 && row < shape[2] && column >= 0 && column < shape[3]) {
                    y[Reference.flat(shape, ints(at[0], to, row, column))] +=
                            x.f()[i] * w.f()[Reference.flat(w.shape(), ints(at[1], part[0], part[1], part[2]))];
                }
            }
        }
        return Arr.floats(x.dtype(), shape, y);
    }

    private static OpSpec.Op conv1dOp(Plan p) {
        return x -> {
            ConvOptions<F64, Cpu> options = p.options(1);
            return F.conv1d(x.a().as(K3), x.b().as(K3), x.all().size() == 2 ? options : options.bias(x.c()));
        };
    }

    private static OpSpec.Op conv2dOp(Plan p) {
        return x -> {
            ConvOptions<F64, Cpu> options = p.options(2);
            return F.conv2d(x.a().as(K4), x.b().as(K4), x.all().size() == 2 ? options : options.bias(x.c()));
        };
    }

    private static OpSpec.Ref ref(Plan p) {
        return x -> conv(x.get(0), x.get(1), x.size() == 2 ? null : x.get(2), p);
    }

    private static void conv1d(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.conv1d(Tensor,Tensor,ConvOptions)");
        Plan stepped = new Plan(ints(1, 2), ints(0, 3), ints(1, 2), 1, ints(0, 0));
        for (DType dtype : FLOATS) {
            spec.sample(
                    dtype + " [2, 3, 9] by [4, 3, 3]",
                    conv1dOp(Plan.PLAIN),
                    ref(Plan.PLAIN),
                    Arr.normal(dtype, 1, 2, 3, 9),
                    Arr.normal(dtype, 2, 4, 3, 3),
                    Arr.normal(dtype, 3, 4));
            spec.sample(
                    dtype + " stride 2, padding 3, dilation 2",
                    conv1dOp(stepped),
                    ref(stepped),
                    Arr.normal(dtype, 1, 2, 3, 10),
                    Arr.normal(dtype, 2, 4, 3, 3));
        }
        spec.grad(
                "stepped",
                conv1dOp(stepped),
                Arr.normal(DType.F64, 1, 2, 2, 6),
                Arr.normal(DType.F64, 2, 3, 2, 3),
                Arr.normal(DType.F64, 3, 3));
        spec.refuses(
                "outputPadding",
                "conv1d: outputPadding is for convTranspose2d",
                d -> conv1dOp(new Plan(ints(1, 1), ints(0, 0), ints(1, 1), 1, ints(1, 1)))
                        .apply(in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 2, 3, 9)),
                                made(d, Arr.normal(DType.F32, 1, 4, 3, 3)))));
        spec.refuses(
                "two strides",
                "conv1d: stride [1, 2] has 2 numbers; give 1 or 1",
                d -> F.conv1d(
                        made(d, Arr.normal(DType.F32, 1, 2, 3, 9)).as(K3),
                        made(d, Arr.normal(DType.F32, 1, 4, 3, 3)).as(K3),
                        ConvOptions.<F64, Cpu>defaults().stride(1, 2)));
    }

    private static void conv2d(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.conv2d(Tensor,Tensor,ConvOptions)");
        Plan stepped = new Plan(ints(2, 1), ints(1, 2), ints(1, 2), 1, ints(0, 0));
        Plan grouped = new Plan(ints(1, 2), ints(1, 0), ints(1, 1), 2, ints(0, 0));
        Plan depthwise = new Plan(ints(1, 1), ints(1, 1), ints(1, 1), 3, ints(0, 0));
        for (DType dtype : FLOATS) {
            spec.sample(
                    dtype + " [2, 3, 6, 7] by [5, 3, 3, 2]",
                    conv2dOp(Plan.PLAIN),
                    ref(Plan.PLAIN),
                    Arr.normal(dtype, 1, 2, 3, 6, 7),
                    Arr.normal(dtype, 2, 5, 3, 3, 2),
                    Arr.normal(dtype, 3, 5));
            spec.sample(
                    dtype + " by 1 by 1",
                    conv2dOp(Plan.PLAIN),
                    ref(Plan.PLAIN),
                    Arr.normal(dtype, 1, 2, 3, 3, 5),
                    Arr.normal(dtype, 2, 4, 3, 1, 1));
            spec.sample(
                    dtype + " stride, padding, dilation",
                    conv2dOp(stepped),
                    ref(stepped),
                    Arr.normal(dtype, 1, 2, 2, 5, 6),
                    Arr.normal(dtype, 2, 3, 2, 3, 3));
            spec.sample(
                    dtype + " two groups",
                    conv2dOp(grouped),
                    ref(grouped),
                    Arr.normal(dtype, 1, 2, 4, 4, 5),
                    Arr.normal(dtype, 2, 6, 2, 3, 2),
                    Arr.normal(dtype, 3, 6));
            spec.sample(
                    dtype + " a group a channel",
                    conv2dOp(depthwise),
                    ref(depthwise),
                    Arr.normal(dtype, 1, 2, 3, 4, 4),
                    Arr.normal(dtype, 2, 6, 1, 3, 3));
            spec.sample(
                    dtype + " NaN in one corner",
                    conv2dOp(Plan.PLAIN),
                    ref(Plan.PLAIN),
                    Arr.normal(dtype, 1, 1, 1, 3, 3).with(8, Double.NaN),
                    Arr.normal(dtype, 2, 1, 1, 2, 2));
            spec.sample(
                    dtype + " an empty batch",
                    conv2dOp(Plan.PLAIN),
                    ref(Plan.PLAIN),
                    Arr.any(dtype, 1, 0, 3, 3, 3),
                    Arr.any(dtype, 1, 2, 3, 2, 2),
                    Arr.any(dtype, 1, 2));
        }
        spec.grad(
                "stepped",
                conv2dOp(stepped),
                Arr.normal(DType.F64, 1, 2, 2, 3, 4),
                Arr.normal(DType.F64, 2, 2, 2, 2, 2),
                Arr.normal(DType.F64, 3, 2));
        spec.grad(
                "grouped",
                conv2dOp(grouped),
                Arr.normal(DType.F64, 1, 2, 2, 3, 3),
                Arr.normal(DType.F64, 2, 4, 1, 2, 2));
        spec.refuses(
                "channels that differ",
                "conv2d: weight [5, 2, 3, 3] in 1 groups does not fit 3 input channels; it takes 2",
                d -> conv2dOp(Plan.PLAIN)
                        .apply(in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 2, 3, 4, 4)),
                                made(d, Arr.normal(DType.F32, 1, 5, 2, 3, 3)))));
        spec.refuses(
                "a window that does not fit",
                "conv2d: a window that covers 3 does not fit into 2 with padding 0 along spatial axis 1",
                d -> conv2dOp(Plan.PLAIN)
                        .apply(in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 2, 2, 4, 2)),
                                made(d, Arr.normal(DType.F32, 1, 5, 2, 3, 3)))));
        spec.refuses(
                "stride 0",
                "stride [0, 0]",
                d -> conv2dOp(new Plan(ints(0, 0), ints(0, 0), ints(1, 1), 1, ints(0, 0)))
                        .apply(in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 2, 2, 4, 4)),
                                made(d, Arr.normal(DType.F32, 1, 5, 2, 3, 3)))));
        spec.refuses(
                "a bias of another size",
                "conv2d: the bias has shape [4]; one for each of 5 output channels is needed",
                d -> conv2dOp(Plan.PLAIN)
                        .apply(in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 2, 2, 4, 4)),
                                made(d, Arr.normal(DType.F32, 1, 5, 2, 3, 3)),
                                made(d, Arr.normal(DType.F32, 1, 4)))));
        spec.refuses(
                "two types",
                "element types differ",
                d -> conv2dOp(Plan.PLAIN)
                        .apply(in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 2, 2, 4, 4)),
                                made(d, Arr.normal(DType.F64, 1, 5, 2, 3, 3)))));
        spec.refuses(
                "integers",
                "not defined for int64",
                d -> conv2dOp(Plan.PLAIN)
                        .apply(in(
                                d,
                                made(d, Arr.any(DType.I64, 1, 2, 2, 4, 4)),
                                made(d, Arr.any(DType.I64, 1, 5, 2, 3, 3)))));
    }

    private static OpSpec.Op transposedOp(Plan p) {
        return x -> {
            ConvOptions<F64, Cpu> options = p.options(2);
            return F.convTranspose2d(x.a().as(K4), x.b().as(K4), x.all().size() == 2 ? options : options.bias(x.c()));
        };
    }

    private static void transposed(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.convTranspose2d(Tensor,Tensor,ConvOptions)");
        Plan stepped = new Plan(ints(2, 3), ints(1, 0), ints(1, 2), 1, ints(1, 2));
        Plan grouped = new Plan(ints(2, 1), ints(0, 1), ints(1, 1), 2, ints(0, 0));
        for (DType dtype : FLOATS) {
            // half types round the terms before they are summed
            double tolerance = dtype.bytes() == 2 ? 8 * OpSpec.tolerance(dtype) : OpSpec.DEFAULT;
            spec.sample(
                    dtype + " [2, 3, 3, 4] by [3, 2, 3, 2]",
                    tolerance,
                    transposedOp(Plan.PLAIN),
                    x -> transposed(x.get(0), x.get(1), x.get(2), Plan.PLAIN),
                    Arr.normal(dtype, 1, 2, 3, 3, 4),
                    Arr.normal(dtype, 2, 3, 2, 3, 2),
                    Arr.normal(dtype, 3, 2));
            spec.sample(
                    dtype + " stride, padding, dilation, output padding",
                    tolerance,
                    transposedOp(stepped),
                    x -> transposed(x.get(0), x.get(1), null, stepped),
                    Arr.normal(dtype, 1, 2, 3, 3, 4),
                    Arr.normal(dtype, 2, 3, 2, 3, 2));
            spec.sample(
                    dtype + " two groups",
                    tolerance,
                    transposedOp(grouped),
                    x -> transposed(x.get(0), x.get(1), x.get(2), grouped),
                    Arr.normal(dtype, 1, 2, 4, 3, 3),
                    Arr.normal(dtype, 2, 4, 3, 2, 2),
                    Arr.normal(dtype, 3, 6));
        }
        spec.grad(
                "stepped",
                transposedOp(stepped),
                Arr.normal(DType.F64, 1, 1, 2, 2, 2),
                Arr.normal(DType.F64, 2, 2, 2, 2, 2),
                Arr.normal(DType.F64, 3, 2));
        spec.grad(
                "grouped",
                transposedOp(grouped),
                Arr.normal(DType.F64, 1, 2, 2, 2, 2),
                Arr.normal(DType.F64, 2, 2, 1, 2, 2));
        spec.refuses(
                "too much output padding",
                "convTranspose2d: output padding 2 is outside [0, 2)",
                d -> transposedOp(new Plan(ints(2, 2), ints(0, 0), ints(1, 1), 1, ints(2, 2)))
                        .apply(in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 2, 3, 3, 3)),
                                made(d, Arr.normal(DType.F32, 1, 3, 2, 2, 2)))));
        spec.refuses(
                "channels that differ",
                "does not fit 3 input channels; it takes 2",
                d -> transposedOp(Plan.PLAIN)
                        .apply(in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 2, 3, 3, 3)),
                                made(d, Arr.normal(DType.F32, 1, 2, 2, 2, 2)))));
    }

    /** Windows by loops, what is outside the input left out; {@code finish} gets the total and the window's size. */
    private static Arr pooled(
            Arr x, int[] k, int[] stride, int[] padding, int[] dilation, DoubleBinaryOperator join, boolean mean) {
        long[] shape = x.shape().clone();
        for (int i = 0; i < 2; i++) {
            shape[2 + i] = length(shape[2 + i], k[i], stride[i], padding[i], dilation[i]);
        }
        double[] y = new double[Arr.count(shape)];
        for (int i = 0; i < y.length; i++) {
            int[] at = Reference.position(shape, i);
            double total = mean ? 0 : Double.NEGATIVE_INFINITY;
            for (int a = 0; a < k[0]; a++) {
                for (int b = 0; b < k[1]; b++) {
                    int row = at[2] * stride[0] + a * dilation[0] - padding[0];
                    int column = at[3] * stride[1] + b * dilation[1] - padding[1];
                    if (row >= 0 && row < x.shape()[2] && column >= 0 && column < x.shape()[3]) {
                        total = join.applyAsDouble(
                                total, x.f()[Reference.flat(x.shape(), ints(at[0], at[1], row, column))]);
                    }
                }
            }
            y[i] = mean ? total / (k[0] * k[1]) : total;
        }
        return Arr.floats(x.dtype(), shape, y);
    }

    private static void pooling(List<OpSpec> all) {
        OpSpec max = spec(all, "F.maxPool2d(Tensor,PoolOptions)");
        OpSpec avg = spec(all, "F.avgPool2d(Tensor,PoolOptions)");
        PoolOptions half = PoolOptions.of(2);
        PoolOptions wide = PoolOptions.of(3, 2).stride(2, 1).padding(1);
        int[] ones = ints(1, 1);
        for (DType dtype : FLOATS) {
            Arr x = Arr.normal(dtype, 1, 2, 3, 5, 7);
            max.exact(
                    dtype + " by 2",
                    i -> F.maxPool2d(i.a().as(K4), half),
                    i -> pooled(i.get(0), ints(2, 2), ints(2, 2), ints(0, 0), ones, Reference::max, false),
                    x);
            max.exact(
                    dtype + " 3 by 2, overlapping, padded",
                    i -> F.maxPool2d(i.a().as(K4), wide),
                    i -> pooled(i.get(0), ints(3, 2), ints(2, 1), ints(1, 1), ones, Reference::max, false),
                    x.with(8, Double.NaN).with(40, Double.NEGATIVE_INFINITY));
            max.exact(
                    dtype + " dilated",
                    i -> F.maxPool2d(i.a().as(K4), PoolOptions.of(2).stride(1).dilation(2, 3)),
                    i -> pooled(i.get(0), ints(2, 2), ones, ints(0, 0), ints(2, 3), Reference::max, false),
                    x);
            max.exact(
                    dtype + " an empty batch",
                    i -> F.maxPool2d(i.a().as(K4), half),
                    i -> Arr.any(dtype, 1, 0, 3, 2, 2),
                    Arr.any(dtype, 1, 0, 3, 4, 4));
            avg.sample(
                    dtype + " by 2",
                    i -> F.avgPool2d(i.a().as(K4), half),
                    i -> pooled(i.get(0), ints(2, 2), ints(2, 2), ints(0, 0), ones, Double::sum, true),
                    x);
            avg.sample(
                    dtype + " 3 by 2, overlapping, padded",
                    i -> F.avgPool2d(i.a().as(K4), wide),
                    i -> pooled(i.get(0), ints(3, 2), ints(2, 1), ints(1, 1), ones, Double::sum, true),
                    x.with(8, Double.NaN));
            max.exact(
                    dtype + " the gradient of equals goes to the first",
                    i -> {
                        var leaf = i.a().detach().requireGrad();
                        return F.maxPool2d(leaf.as(K4), PoolOptions.of(2).stride(1))
                                .sum()
                                .backward()
                                .get(leaf);
                    },
                    i -> Arr.of(dtype, dims(1, 1, 3, 3), 0, 0, 0, 2, 0, 2, 0, 0, 0),
                    Arr.of(dtype, dims(1, 1, 3, 3), 1, 2, 2, 3, 3, 4, 3, 1, 4));
        }
        for (PoolOptions options : List.of(half, wide)) {
            max.grad(options.toString(), i -> F.maxPool2d(i.a().as(K4), options), Arr.normal(DType.F64, 2, 1, 2, 4, 4));
            avg.grad(options.toString(), i -> F.avgPool2d(i.a().as(K4), options), Arr.normal(DType.F64, 2, 1, 2, 4, 4));
        }
        for (OpSpec spec : List.of(max, avg)) {
            boolean mean = spec == avg;
            spec.refuses(
                    "too much padding",
                    "padding 2 is more than half the window's 3",
                    d -> pool(
                            mean,
                            in(d, made(d, Arr.normal(DType.F32, 1, 1, 1, 5, 5))),
                            PoolOptions.of(3).padding(2)));
            spec.refuses(
                    "a window that does not fit",
                    "a window that covers 6 does not fit into 5",
                    d -> pool(mean, in(d, made(d, Arr.normal(DType.F32, 1, 1, 1, 5, 5))), PoolOptions.of(6)));
            spec.refuses(
                    "integers",
                    "not defined for int64",
                    d -> pool(mean, in(d, made(d, Arr.any(DType.I64, 1, 1, 1, 5, 5))), half));
        }
        max.refuses(
                "a closed tensor",
                "after it was closed",
                d -> F.maxPool2d(OpSpec.untyped(closed(d).reshape(1, 1, 1, 2)).as(K4), half));
        avg.refuses(
                "dilation",
                "avgPool2d: there is no dilation here",
                d -> pool(true, in(d, made(d, Arr.normal(DType.F32, 1, 1, 1, 5, 5))), half.dilation(2)));
    }

    private static Object pool(boolean mean, OpSpec.In x, PoolOptions options) {
        return mean ? F.avgPool2d(x.a().as(K4), options) : F.maxPool2d(x.a().as(K4), options);
    }

    private static Arr adaptively(Arr x, long height, long width, boolean mean) {
        long[] shape = {x.shape()[0], x.shape()[1], height, width};
        double[] y = new double[Arr.count(shape)];
        for (int i = 0; i < y.length; i++) {
            int[] at = Reference.position(shape, i);
            double total = mean ? 0 : Double.NEGATIVE_INFINITY;
            int count = 0;
            for (int row = 0; row < x.shape()[2]; row++) {
                for (int column = 0; column < x.shape()[3]; column++) {
                    if (covers(at[2], row, x.shape()[2], height) && covers(at[3], column, x.shape()[3], width)) {
                        double v = x.f()[Reference.flat(x.shape(), ints(at[0], at[1], row, column))];
                        total = mean ? total + v : Reference.max(total, v);
                        count++;
                    }
                }
            }
            y[i] = mean ? total / count : total;
        }
        return Arr.floats(x.dtype(), shape, y);
    }

    private static boolean covers(int out, int in, long length, long outputs) {
        return in >= Math.floor(out * (double) length / outputs)
                && in < Math.ceil((out + 1) * (double) length / outputs);
    }

    private static void adaptive(List<OpSpec> all) {
        OpSpec avg = spec(all, "F.adaptiveAvgPool2d(Tensor,long,long)");
        OpSpec max = spec(all, "F.adaptiveMaxPool2d(Tensor,long,long)");
        for (long[] to : new long[][] {{1, 1}, {2, 3}, {4, 5}, {7, 2}}) {
            String at = "[5, 6] to " + Arrays.toString(to);
            for (DType dtype : FLOATS) {
                Arr x = Arr.normal(dtype, 1, 2, 2, 5, 6);
                avg.sample(
                        dtype + " " + at,
                        i -> F.adaptiveAvgPool2d(i.a().as(K4), to[0], to[1]),
                        i -> adaptively(i.get(0), to[0], to[1], true),
                        x.with(7, Double.POSITIVE_INFINITY));
                max.exact(
                        dtype + " " + at,
                        i -> F.adaptiveMaxPool2d(i.a().as(K4), to[0], to[1]),
                        i -> adaptively(i.get(0), to[0], to[1], false),
                        x.with(7, Double.NaN));
            }
            Arr x = Arr.normal(DType.F64, 2, 1, 1, 5, 6);
            if (to[0] < 7) {
                avg.grad(at, i -> F.adaptiveAvgPool2d(i.a().as(K4), to[0], to[1]), x);
                max.grad(at, i -> F.adaptiveMaxPool2d(i.a().as(K4), to[0], to[1]), x);
            }
        }
        avg.sample(
                "float32 [6, 4] to [3, 2]",
                i -> F.adaptiveAvgPool2d(i.a().as(K4), 3, 2),
                i -> adaptively(i.get(0), 3, 2, true),
                Arr.normal(DType.F32, 1, 2, 2, 6, 4));
        max.exact(
                "float32 [6, 4] to [3, 2]",
                i -> F.adaptiveMaxPool2d(i.a().as(K4), 3, 2),
                i -> adaptively(i.get(0), 3, 2, false),
                Arr.normal(DType.F32, 1, 2, 2, 6, 4));
        avg.refuses(
                "size 0",
                "there is nothing to pool into [0, 2]; sizes",
                d -> F.adaptiveAvgPool2d(
                        made(d, Arr.normal(DType.F32, 1, 1, 1, 5, 5)).as(K4), 0, 2));
        max.refuses(
                "an empty image",
                "there is nothing to pool into [2, 2]; sizes",
                d -> F.adaptiveMaxPool2d(
                        made(d, Arr.normal(DType.F32, 1, 1, 1, 0, 5)).as(K4), 2, 2));
    }
}

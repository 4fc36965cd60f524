package org.tenon.op;

import static org.tenon.op.Elementwise.sumTo;
import static org.tenon.op.Graph.grads;
import static org.tenon.op.UnaryGradients.minus;
import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.shift;
import static org.tenon.op.UnaryGradients.times;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.tenon.DType;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.UnaryOp;

/**
 * Normalisation to mean 0 and variance 1 along some axes, {@code y = (x - mean) / sqrt(var + eps) * w + b}, or without the
 * mean by the root of the mean square. The variance is that of the deviations, not a difference of squares. Half types compute
 * in float32. Backward, with {@code h = (x - mean) r}, {@code r = 1 / sqrt(var + eps)} and {@code d = g w}:
 * {@code dx = r (d - mean(d) - h mean(d h))}.
 */
public final class Norms {
    private Norms() {}

    /** Along which axes, and how. */
    private record Plan(String op, int[] axes, double eps, boolean centred) {}

    /** Mean and variance along the axes of a plan, which stay with size 1, and {@code 1 / sqrt(var + eps)}. */
    private record Statistics(Value mean, Value variance, Value scale) {}

    /** Over the last axes, whose sizes are {@code shape}; weight and bias have that shape or are null. */
    public static Value layerNorm(Value x, long[] shape, Value weight, Value bias, double eps) {
        return overLast("layerNorm", x, shape, weight, bias, eps, true);
    }

    /** The same without the mean: {@code x / sqrt(mean(x^2) + eps) * w}. */
    public static Value rmsNorm(Value x, long[] shape, Value weight, double eps) {
        return overLast("rmsNorm", x, shape, weight, null, eps, false);
    }

    private static Value overLast(
            String op, Value x, long[] shape, Value weight, Value bias, double eps, boolean centred) {
        Checks.operands(op, x, weight, bias);
        Checks.floating(op, x);
        int first = x.rank() - shape.length;
        if (shape.length == 0
                || first < 0
                || !Arrays.equals(Arrays.copyOfRange(x.layout().sizes(), first, x.rank()), shape)) {
            throw Checks.error(
                    op,
                    "the last sizes are not those to normalise; they must be " + Arrays.toString(shape)
                            + ", one axis at least",
                    x);
        }
        checkAffine(op, x, weight, "weight", shape);
        checkAffine(op, x, bias, "bias", shape);
        Plan plan = new Plan(op, IntStream.range(first, x.rank()).toArray(), eps, centred);
        long[] biasSizes = bias == null ? null : bias.sizes();
        return RowNorms.apply(
                op,
                x,
                Arrays.stream(shape).reduce(1, (a, b) -> a * b),
                weight,
                bias,
                eps,
                centred,
                in -> backwardOverLast(plan, in, x.dtype(), biasSizes));
    }

    /** The gradients out of ops that have gradients themselves. */
    private static Value[] backwardOverLast(Plan plan, Node.Incoming in, DType dtype, long[] biasSizes) {
        Value x = Copies.widened(in.saved(0));
        Value weight = in.saved(1) == null ? null : Copies.widened(in.saved(1));
        Value[] wide =
                backward(plan, in, Copies.widened(in.gradient()), x, weight, trackedStatistics(plan, x), biasSizes);
        return Arrays.stream(wide)
                .map(each -> each == null ? null : Copies.to(each, dtype))
                .toArray(Value[]::new);
    }

    private static void checkAffine(String op, Value x, Value affine, String what, long... sizes) {
        if (affine != null) {
            Checks.sameDtype(op, x, affine);
            if (!Arrays.equals(affine.sizes(), sizes)) {
                throw Checks.error(
                        op,
                        "the " + what + " has shape " + Arrays.toString(affine.sizes()) + "; " + Arrays.toString(sizes)
                                + " is needed",
                        x);
            }
        }
    }

    /** Over all axes but 1, the channels, with the statistics of this batch. Weight and bias are one a channel, or null. */
    public static Value batchNorm(Value x, Value weight, Value bias, double eps) {
        return batchNorm(x, null, null, 0, weight, bias, eps);
    }

    /**
     * The same; running statistics come closer to those of the batch, in place:
     * {@code running = (1 - momentum) running + momentum batch}, the variance over one less than the count.
     */
    public static Value batchNorm(
            Value x, Value runningMean, Value runningVar, double momentum, Value weight, Value bias, double eps) {
        checkChannels(x, runningMean, runningVar, weight, bias);
        if (!(momentum >= 0 && momentum <= 1)) {
            throw Checks.error("batchNorm", "momentum " + momentum + " is outside [0, 1]", x);
        }
        long channels = x.size(1);
        double count = channels == 0 ? 0 : (double) x.count() / channels;
        if (count == 1) {
            throw Checks.error("batchNorm", "one value a channel has no variance; train with more, or use eval()", x);
        }
        int[] axes = IntStream.range(0, x.rank()).filter(axis -> axis != 1).toArray();
        Plan plan = new Plan("batchNorm", axes, eps, true);
        return Frame.result(() -> {
            Value wide = Copies.widened(x);
            Statistics batch = statistics(plan, wide);
            if (runningMean != null && count > 0) {
                approach(runningMean, batch.mean(), momentum);
                approach(runningVar, scale(batch.variance(), count / (count - 1)), momentum);
            }
            Value y = apply(plan, wide, batch, alongChannels(weight, wide), alongChannels(bias, wide));
            return Copies.to(y, x.dtype());
        });
    }

    private static void approach(Value running, Value batch, double momentum) {
        GradMode.off(() -> {
            Value flat = Views.reshape("batchNorm", batch, running.count());
            Copies.into(running, plus(scale(Copies.widened(running), 1 - momentum), scale(flat, momentum)));
            return null;
        });
    }

    /** With given statistics, one a channel: {@code (x - mean) / sqrt(var + eps) * w + b}. */
    public static Value batchNormBy(Value x, Value mean, Value variance, Value weight, Value bias, double eps) {
        checkChannels(x, mean, variance, weight, bias);
        return Frame.result(() -> {
            Value wide = Copies.widened(x);
            Value r = UnaryGradients.call(UnaryOp.RSQRT, shift(alongChannels(variance, wide), eps));
            Value factor = weight == null ? r : times(r, alongChannels(weight, wide));
            Value y = times(minus(wide, alongChannels(mean, wide)), factor);
            return Copies.to(bias == null ? y : plus(y, alongChannels(bias, wide)), x.dtype());
        });
    }

    private static void checkChannels(Value x, Value mean, Value variance, Value weight, Value bias) {
        Checks.operands("batchNorm", x, mean, variance, weight, bias);
        Checks.floating("batchNorm", x);
        if (x.rank() < 2) {
            throw Checks.error(
                    "batchNorm", "rank " + x.rank() + " is too low; give batch and channels first, rank 2 or more", x);
        }
        checkAffine("batchNorm", x, mean, "running mean", x.size(1));
        checkAffine("batchNorm", x, variance, "running variance", x.size(1));
        checkAffine("batchNorm", x, weight, "weight", x.size(1));
        checkAffine("batchNorm", x, bias, "bias", x.size(1));
    }

    private static Value alongChannels(Value perChannel, Value x) {
        if (perChannel == null) {
            return null;
        }
        long[] sizes = new long[x.rank()];
        Arrays.fill(sizes, 1);
        sizes[1] = perChannel.count();
        return Views.reshape("batchNorm", Copies.widened(perChannel), sizes);
    }

    private static Statistics statistics(Plan plan, Value x) {
        return GradMode.off(() -> trackedStatistics(plan, x));
    }

    private static Statistics trackedStatistics(Plan plan, Value x) {
        Value mean = plan.centred() ? mean(plan, x) : null;
        Value deviation = mean == null ? x : minus(x, mean);
        Value variance = mean(plan, times(deviation, deviation));
        return new Statistics(mean, variance, UnaryGradients.call(UnaryOp.RSQRT, shift(variance, plan.eps())));
    }

    private static Value mean(Plan plan, Value x) {
        return Reductions.reduceKeepDim(plan.op(), ReduceOp.MEAN, x, plan.axes());
    }

    private static Value apply(Plan plan, Value x, Statistics at, Value weight, Value bias) {
        Value y = GradMode.off(() -> {
            Value h = standardised(x, at.mean(), at.scale());
            Value scaled = weight == null ? h : times(h, weight);
            return bias == null ? scaled : plus(scaled, bias);
        });
        return Graph.record(
                plan.op(),
                y,
                in -> backward(plan, in, bias == null ? null : bias.sizes()),
                new Value[] {x, weight, bias},
                x,
                weight,
                at.mean(),
                at.scale());
    }

    private static Value standardised(Value x, Value mean, Value scale) {
        return times(mean == null ? x : minus(x, mean), scale);
    }

    private static Value[] backward(Plan plan, Node.Incoming in, long[] biasSizes) {
        Value g = in.gradient();
        Value x = in.saved(0);
        Value weight = in.saved(1);
        boolean again = GradMode.records(g, x, weight);
        Statistics at = again ? trackedStatistics(plan, x) : new Statistics(in.saved(2), null, in.saved(3));
        return backward(plan, in, g, x, weight, at, biasSizes);
    }

    private static Value[] backward(
            Plan plan, Node.Incoming in, Value g, Value x, Value weight, Statistics at, long[] biasSizes) {
        Value h = standardised(x, at.mean(), at.scale());
        return grads(
                in.needs(0) ? inputGradient(plan, weight == null ? g : times(g, weight), h, at.scale()) : null,
                in.needs(1) ? sumTo(times(g, h), weight.sizes()) : null,
                in.needs(2) ? sumTo(g, biasSizes) : null);
    }

    private static Value inputGradient(Plan plan, Value d, Value h, Value scale) {
        Value along = times(h, mean(plan, times(d, h)));
        Value centred = plan.centred() ? minus(d, mean(plan, d)) : d;
        return times(minus(centred, along), scale);
    }
}

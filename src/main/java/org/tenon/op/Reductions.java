package org.tenon.op;

import static org.tenon.op.Graph.grads;
import static org.tenon.op.UnaryGradients.minus;
import static org.tenon.op.UnaryGradients.over;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.times;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.tenon.DType;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.Order;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Rows;
import org.tenon.spi.UnaryOp;

/** Reductions over any axes; those composed of others; running sums. */
public final class Reductions {
    private Reductions() {}

    /** Reduces {@code dims} (all when none are given); they go away. */
    public static Value reduce(String op, ReduceOp function, Value x, int... dims) {
        x.checkOpen();
        check(op, function, x);
        int[] reduced = Checks.axes(op, dims, x);
        checkNotEmpty(op, function, x, reduced);
        int[] order = keptFirst(x.rank(), reduced);
        int kept = x.rank() - reduced.length;
        Layout layout = x.layout().permute(order);
        boolean position = function == ReduceOp.ARGMAX || function == ReduceOp.ARGMIN;
        Value out =
                Value.allocate(op, x.backend(), position ? DType.I64 : x.dtype(), Arrays.copyOf(layout.sizes(), kept));
        try (Pins _ = Pins.of(x, out)) {
            x.backend().kernels().reduce(function, layout.over(x.storage().buffer(), x.dtype()), kept, out.strided());
        }
        return record(op, function, x, reduced, out);
    }

    /** As {@link #reduce}, with the reduced axes kept at size 1. */
    public static Value reduceKeepDim(String op, ReduceOp function, Value x, int... dims) {
        Value out = reduce(op, function, x, dims);
        return Views.reshape(op, out, keptSizes(x, Checks.axes(op, dims, x)));
    }

    private static void check(String op, ReduceOp function, Value x) {
        switch (function) {
            case SUM, MAX, MIN, ARGMAX, ARGMIN -> Checks.notBool(op, x);
            case MEAN, LOGSUMEXP -> Checks.floating(op, x);
        }
    }

    private static void checkNotEmpty(String op, ReduceOp function, Value x, int[] reduced) {
        boolean identity = function == ReduceOp.SUM || function == ReduceOp.MEAN || function == ReduceOp.LOGSUMEXP;
        if (!identity && Arrays.stream(reduced).anyMatch(dim -> x.size(dim) == 0)) {
            throw Checks.error(
                    op, "nothing to choose from along an axis of size 0; use a tensor with elements there", x);
        }
    }

    private static int[] keptFirst(int rank, int[] reduced) {
        IntStream kept = IntStream.range(0, rank).filter(i -> Arrays.binarySearch(reduced, i) < 0);
        return IntStream.concat(kept, Arrays.stream(reduced)).toArray();
    }

    private static long[] keptSizes(Value x, int[] reduced) {
        long[] sizes = x.sizes();
        for (int dim : reduced) {
            sizes[dim] = 1;
        }
        return sizes;
    }

    private static Value record(String op, ReduceOp function, Value x, int[] reduced, Value out) {
        long[] sizes = x.sizes();
        long[] keptSizes = keptSizes(x, reduced);
        double count = Arrays.stream(reduced).mapToDouble(dim -> sizes[dim]).reduce(1, (a, b) -> a * b);
        Value[] inputs = {x};
        return switch (function) {
            case SUM -> Graph.record(op, out, in -> grads(spread(in.gradient(), keptSizes, sizes)), inputs);
            case MEAN ->
                Graph.record(op, out, in -> grads(spread(scale(in.gradient(), 1 / count), keptSizes, sizes)), inputs);
            case MAX, MIN ->
                Graph.record(op, out, in -> grads(shareAmongEqual(in, reduced, keptSizes)), inputs, x, out);
            case LOGSUMEXP ->
                Graph.record(
                        op,
                        out,
                        in -> {
                            Value y = Views.reshape(op, in.saved(1), keptSizes);
                            Value p = UnaryGradients.call(UnaryOp.EXP, minus(in.saved(0), y));
                            return grads(times(p, Views.reshape(op, in.gradient(), keptSizes)));
                        },
                        inputs,
                        x,
                        out);
            case ARGMAX, ARGMIN -> out;
        };
    }

    private static Value spread(Value g, long[] keptSizes, long[] sizes) {
        return Views.expand("expand", Views.reshape("reshape", g, keptSizes), sizes);
    }

    private static Value shareAmongEqual(Node.Incoming in, int[] reduced, long[] keptSizes) {
        Value x = in.saved(0);
        Value g = Views.reshape("max", in.gradient(), keptSizes);
        Value y = Views.reshape("max", in.saved(1), keptSizes);
        Value equal = Copies.to(Elementwise.binary("max", BinaryOp.EQ, x, y), x.dtype());
        return times(equal, over(g, reduceKeepDim("max", ReduceOp.SUM, equal, reduced)));
    }

    /** The variance: squared deviations from the mean, summed, over {@code count - correction}. */
    public static Value variance(String op, Value x, double correction, int... dims) {
        Checks.operands(op, x);
        Checks.floating(op, x);
        int[] axes = Checks.axes(op, dims, x);
        return Frame.result(() -> {
            Value wide = Copies.widened(x);
            double count = Arrays.stream(axes).mapToDouble(x::size).reduce(1, (a, b) -> a * b);
            Value deviation = minus(wide, reduceKeepDim(op, ReduceOp.MEAN, wide, axes));
            Value squares = axes.length == 0
                    ? times(deviation, deviation)
                    : reduce(op, ReduceOp.SUM, times(deviation, deviation), axes);
            return Copies.to(scale(squares, 1 / Math.max(0, count - correction)), x.dtype());
        });
    }

    /** The standard deviation: the variance's square root. */
    public static Value deviation(Value x, double correction, int... dims) {
        return Frame.result(() -> root(variance("std", x, correction, dims)));
    }

    /** The square root, whose gradient at 0 is 0, as PyTorch has it for the standard deviation and the norm. */
    private static Value root(Value x) {
        if (!GradMode.records(x)) {
            return UnaryGradients.call(UnaryOp.SQRT, x);
        }
        Value zero = Creation.zeros("sqrt", x);
        Value none = Elementwise.binary("sqrt", BinaryOp.EQ, x, zero);
        Value positive = Elementwise.where(none, Creation.full("sqrt", x.backend(), x.dtype(), 1), x);
        return Elementwise.where(none, zero, UnaryGradients.call(UnaryOp.SQRT, positive));
    }

    /** {@code (sum |x|^p)^(1/p)}; p may be infinite, and 0 counts what is not zero. */
    public static Value norm(Value x, double p, int... dims) {
        Checks.operands("norm", x);
        Checks.floating("norm", x);
        if (!(p >= 0)) {
            throw Checks.error("norm", "p " + p + " gives no norm; it is 0 or more, infinity included", x);
        }
        int[] axes = Checks.axes("norm", dims, x);
        return Frame.result(() -> {
            Value wide = Copies.widened(x);
            Value magnitude = UnaryGradients.call(UnaryOp.ABS, wide);
            Value result;
            if (p == Double.POSITIVE_INFINITY) {
                result = reduce("norm", ReduceOp.MAX, magnitude, axes);
            } else if (p == 0) {
                Value zero = Creation.full("norm", x.backend(), wide.dtype(), 0);
                result = sum(Copies.to(Elementwise.binary("norm", BinaryOp.NE, wide, zero), wide.dtype()), axes);
            } else if (p == 1) {
                result = sum(magnitude, axes);
            } else if (p == 2) {
                result = root(sum(times(wide, wide), axes));
            } else {
                result = UnaryGradients.pow(sum(UnaryGradients.pow(magnitude, p), axes), 1 / p);
            }
            return Copies.to(result, x.dtype());
        });
    }

    private static Value sum(Value x, int[] axes) {
        return axes.length == 0 ? x : reduce("norm", ReduceOp.SUM, x, axes);
    }

    /** Running sums along an axis. */
    public static Value cumsum(Value x, int dim, Order order) {
        Checks.operands("cumsum", x);
        Checks.notBool("cumsum", x);
        int axis = Checks.axis("cumsum", dim, x);
        Value dense = Copies.contiguous(x);
        Value out = Value.allocate("cumsum", x.backend(), x.dtype(), x.sizes());
        try (Pins _ = Pins.of(dense, out)) {
            x.backend().kernels().cumsum(dense.strided(), Rows.along(x.sizes(), axis), order, out.strided());
        }
        Order back = order == Order.FORWARD ? Order.BACKWARD : Order.FORWARD;
        return Graph.record("cumsum", out, in -> grads(cumsum(in.gradient(), axis, back)), new Value[] {dense});
    }
}

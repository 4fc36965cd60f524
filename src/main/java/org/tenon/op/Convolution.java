package org.tenon.op;

import static org.tenon.op.Graph.grads;

import java.util.Arrays;
import java.util.function.BinaryOperator;
import java.util.stream.IntStream;
import org.tenon.DType;
import org.tenon.spi.ReduceOp;

/**
 * Convolutions as matrix products. The windows of the input are laid out as the columns of a matrix, {@code [B, C K, Q]}: for
 * one group a product for each image, for several one for each group with all images side by side. The backward lays them out
 * again rather than keep them. {@code x [N, C, L...]}, {@code w [O, C / groups, K...]}, {@code y [N, O, M...]}.
 */
public final class Convolution {
    private final String op;
    private final Windows.Geometry geometry;
    private final long groups;
    private final long images;
    private final long channels;
    private final long[] lengths;
    private final long[] outputs;

    private Convolution(String op, Windows.Geometry geometry, long groups, long images, long channels, long[] lengths) {
        this.op = op;
        this.geometry = geometry;
        this.groups = groups;
        this.images = images;
        this.channels = channels;
        this.lengths = lengths;
        this.outputs = geometry.outputs(lengths);
    }

    /** The convolution, which is a correlation, of {@code x} with {@code w}, and a bias for each output channel or null. */
    public static Value apply(String op, Value x, Value w, Value bias, Windows.Geometry geometry, long groups) {
        check(op, x, w, bias, geometry, groups);
        if (x.size(1) != w.size(1) * groups || w.size(0) % groups != 0) {
            throw Checks.error(
                    op,
                    "weight " + Arrays.toString(w.sizes()) + " in " + groups + " groups does not fit " + x.size(1)
                            + " input channels; it takes " + w.size(1) * groups
                            + ", and has output channels that the groups divide",
                    x,
                    w);
        }
        checkBias(op, x, bias, w.size(0));
        long[] lengths = Windows.lengths(x, geometry.axes());
        geometry.checkFits(op, lengths, x);
        Convolution convolution = new Convolution(op, geometry, groups, x.size(0), x.size(1), lengths);
        return Frame.result(() -> convolution.biased(narrowed(x, w, convolution::recorded), bias));
    }

    /**
     * The transposed convolution: the gradient of {@link #apply} with respect to its input, as a function of the gradient of
     * its output. {@code x [N, I, L...]}, {@code w [I, O / groups, K...]}; the result is {@code extra} longer at its end.
     */
    public static Value transposed(
            String op, Value x, Value w, Value bias, Windows.Geometry geometry, long groups, long[] extra) {
        check(op, x, w, bias, geometry, groups);
        if (x.size(1) != w.size(0) || w.size(0) % groups != 0) {
            throw Checks.error(
                    op,
                    "weight " + Arrays.toString(w.sizes()) + " in " + groups + " groups does not fit " + x.size(1)
                            + " input channels; it takes " + w.size(0) + ", and the groups divide them",
                    x,
                    w);
        }
        long channels = w.size(1) * groups;
        checkBias(op, x, bias, channels);
        long[] lengths = new long[geometry.axes()];
        for (int i = 0; i < lengths.length; i++) {
            if (extra[i] < 0 || extra[i] >= Math.max(geometry.stride()[i], geometry.dilation()[i])) {
                throw Checks.error(
                        op,
                        "output padding " + extra[i] + " is outside [0, "
                                + Math.max(geometry.stride()[i], geometry.dilation()[i])
                                + "), which ends at the stride or the dilation",
                        x);
            }
            long last = (x.size(2 + i) - 1) * geometry.stride()[i];
            lengths[i] = last + geometry.span(i) - 2 * geometry.padding()[i] + extra[i];
            if (x.size(2 + i) < 1 || lengths[i] < 1) {
                throw Checks.error(
                        op,
                        "the result would have size " + lengths[i] + " along spatial axis " + i
                                + "; use less padding or a larger input",
                        x);
            }
        }
        Convolution convolution = new Convolution(op, geometry, groups, x.size(0), channels, lengths);
        return Frame.result(() -> convolution.biased(narrowed(x, w, convolution::inputGradient), bias));
    }

    /** {@code function} of both, in a region of mixed precision cast to its half type and back. */
    private static Value narrowed(Value x, Value w, BinaryOperator<Value> function) {
        if (!Precision.narrows(x, w)) {
            return function.apply(x, w);
        }
        DType half = Precision.current();
        return Copies.to(function.apply(Copies.to(x, half), Copies.to(w, half)), x.dtype());
    }

    private static void check(String op, Value x, Value w, Value bias, Windows.Geometry geometry, long groups) {
        Checks.operands(op, x, w, bias);
        Checks.floating(op, x);
        Checks.sameDtype(op, x, w);
        int rank = geometry.axes() + 2;
        if (x.rank() != rank || w.rank() != rank) {
            throw Checks.error(
                    op,
                    "ranks " + x.rank() + " and " + w.rank() + " do not fit; input and weight need rank " + rank
                            + ", batch or output first, then channels",
                    x,
                    w);
        }
        if (groups < 1) {
            throw Checks.error(op, groups + " groups are too few; there is at least one", x);
        }
        geometry.check(op, x);
    }

    private static void checkBias(String op, Value x, Value bias, long channels) {
        if (bias != null) {
            Checks.sameDtype(op, x, bias);
            if (bias.rank() != 1 || bias.count() != channels) {
                throw Checks.error(
                        op,
                        "the bias has shape " + Arrays.toString(bias.sizes()) + "; one for each of " + channels
                                + " output channels is needed",
                        x);
            }
        }
    }

    private Value biased(Value y, Value bias) {
        if (bias == null) {
            return Copies.contiguous(y);
        }
        long[] sizes = new long[y.rank()];
        Arrays.fill(sizes, 1);
        sizes[1] = bias.count();
        return UnaryGradients.plus(y, Views.reshape(op, bias, sizes));
    }

    /** The forward as one node that saves its operands, not the columns. */
    private Value recorded(Value x, Value w) {
        Value y = GradMode.off(() -> toOutput(MatMul.product(op, weightMatrix(w), columns(x)), w.size(0)));
        long[] weightSizes = w.sizes();
        return Graph.record(
                op,
                y,
                in -> grads(
                        in.needs(0) ? inputGradient(in.gradient(), in.saved(1)) : null,
                        in.needs(1) ? weightGradient(in.gradient(), in.saved(0), weightSizes) : null),
                new Value[] {x, w},
                w.isTracked() ? x : null,
                x.isTracked() ? w : null);
    }

    private Value inputGradient(Value g, Value w) {
        Value columns = MatMul.product(op, Views.transpose(weightMatrix(w), -1, -2), fromOutput(g));
        Value windows = toWindows(columns);
        long[] padded = lengths.clone();
        for (int i = 0; i < padded.length; i++) {
            padded[i] += 2 * geometry.padding()[i];
        }
        Value whole = Windows.fold(op, windows, geometry.padded(), padded);
        return Windows.inner(whole, geometry.padding(), Windows.joined(new long[] {images, channels}, lengths));
    }

    private Value weightGradient(Value g, Value x, long[] sizes) {
        Value products = MatMul.product(op, fromOutput(g), Views.transpose(columns(x), -1, -2));
        Value summed = groups == 1 ? Reductions.reduce(op, ReduceOp.SUM, products, 0) : products;
        return Views.reshape(op, summed, sizes);
    }

    /** {@code [B, C K, Q]}: the windows of the input, a column each. */
    private Value columns(Value x) {
        Value padded = Windows.pad(op, x, geometry.padding(), geometry.padding(), 0);
        Value windows = Windows.unfold(op, padded, geometry.padded());
        return Views.reshape(op, Views.permute(op, windows, columnOrder()), batches(), rows(), columns());
    }

    /** The windows of {@link #columns} again: {@code [N, C, M..., K...]}. */
    private Value toWindows(Value columns) {
        long[] n = {images};
        long[] c = {channels};
        long[] sizes = groups == 1
                ? Windows.joined(n, c, geometry.kernel(), outputs)
                : Windows.joined(c, geometry.kernel(), n, outputs);
        int[] order = columnOrder();
        int[] inverse = new int[order.length];
        for (int i = 0; i < order.length; i++) {
            inverse[order[i]] = i;
        }
        return Views.permute(op, Views.reshape(op, columns, sizes), inverse);
    }

    /** From {@code [N, C, M..., K...]} to {@code [N, C, K..., M...]}, or for several groups {@code [C, K..., N, M...]}. */
    private int[] columnOrder() {
        int axes = geometry.axes();
        IntStream outputAxes = IntStream.range(2, 2 + axes);
        IntStream kernelAxes = IntStream.range(2 + axes, 2 + 2 * axes);
        IntStream n = IntStream.of(0);
        IntStream c = IntStream.of(1);
        IntStream order = groups == 1 ? concat(n, c, kernelAxes, outputAxes) : concat(c, kernelAxes, n, outputAxes);
        return order.toArray();
    }

    private static IntStream concat(IntStream... parts) {
        return Arrays.stream(parts).flatMapToInt(part -> part);
    }

    private long batches() {
        return groups == 1 ? images : groups;
    }

    private long rows() {
        return channels / groups * product(geometry.kernel());
    }

    private long columns() {
        return product(outputs) * (groups == 1 ? 1 : images);
    }

    private static long product(long[] sizes) {
        return Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
    }

    /** {@code [B, O / groups, C K]}, for one group repeated without a copy. */
    private Value weightMatrix(Value w) {
        Value matrices = Views.reshape(op, w, groups, w.size(0) / groups, rows());
        return groups == 1 ? Views.expand(op, matrices, images, w.size(0), rows()) : matrices;
    }

    /** {@code [N, O, M...]} as {@code [B, O / groups, Q]}. */
    private Value fromOutput(Value y) {
        long out = y.size(1);
        if (groups == 1) {
            return Views.reshape(op, y, images, out, columns());
        }
        Value split = Views.reshape(op, y, images, groups, out / groups, product(outputs));
        return Views.reshape(op, Views.permute(op, split, 1, 2, 0, 3), groups, out / groups, columns());
    }

    private Value toOutput(Value matrices, long out) {
        long[] sizes = Windows.joined(new long[] {images, out}, outputs);
        if (groups == 1) {
            return Views.reshape(op, matrices, sizes);
        }
        Value split = Views.reshape(op, matrices, groups, out / groups, images, product(outputs));
        return Views.reshape(op, Views.permute(op, split, 2, 0, 1, 3), sizes);
    }
}

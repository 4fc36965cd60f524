package org.tenon.op;

import static org.tenon.op.Graph.grads;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.tenon.DType;
import org.tenon.spi.Backend;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.ReduceOp;

/** The largest or the mean of windows of the last axes, as views of the input and reductions of them. */
public final class Pooling {
    private static final double NONE = Double.NEGATIVE_INFINITY;

    private Pooling() {}

    /** The largest of each window; NaN if any is. Its whole gradient goes to the first of equals. */
    public static Value max(String op, Value x, Windows.Geometry geometry) {
        check(op, x, geometry);
        return Frame.result(() -> largest(op, windows(op, x, geometry, NONE), geometry.axes()));
    }

    /** The mean of each window, in which the padding's zeros count. */
    public static Value mean(String op, Value x, Windows.Geometry geometry) {
        check(op, x, geometry);
        return Frame.result(() -> {
            Value windows = windows(op, x, geometry, 0);
            return Reductions.reduce(op, ReduceOp.MEAN, windows, lastAxes(windows, geometry.axes()));
        });
    }

    private static void check(String op, Value x, Windows.Geometry geometry) {
        checkSpatial(op, x, geometry.axes());
        geometry.check(op, x);
        for (int i = 0; i < geometry.axes(); i++) {
            if (2 * geometry.padding()[i] > geometry.kernel()[i]) {
                throw Checks.error(
                        op,
                        "padding " + geometry.padding()[i] + " is more than half the window's " + geometry.kernel()[i]
                                + "; give " + geometry.kernel()[i] / 2 + " at most",
                        x);
            }
        }
        geometry.checkFits(op, Windows.lengths(x, geometry.axes()), x);
    }

    private static void checkSpatial(String op, Value x, int axes) {
        Checks.operands(op, x);
        Checks.floating(op, x);
        if (x.rank() < axes + 1) {
            throw Checks.error(
                    op, "rank " + x.rank() + " is too low; give rank " + (axes + 1) + " or more, spatial axes last", x);
        }
    }

    private static Value windows(String op, Value x, Windows.Geometry geometry, double padding) {
        Value padded = Windows.pad(op, x, geometry.padding(), geometry.padding(), padding);
        return Windows.unfold(op, padded, geometry.padded());
    }

    private static int[] lastAxes(Value windows, int axes) {
        return IntStream.range(windows.rank() - axes, windows.rank()).toArray();
    }

    private static Value largest(String op, Value windows, int axes) {
        int[] last = lastAxes(windows, axes);
        Value out = GradMode.off(() -> Reductions.reduce(op, ReduceOp.MAX, windows, last));
        if (!GradMode.records(windows)) {
            return out;
        }
        Value first = GradMode.off(() -> Reductions.reduce(op, ReduceOp.ARGMAX, windows, last));
        long[] kernel = Windows.lengths(windows, axes);
        return Graph.record(
                op, out, in -> grads(spread(op, in.gradient(), in.saved(0), kernel)), new Value[] {windows}, first);
    }

    /** {@code g} at one position of each window, zeros elsewhere. */
    private static Value spread(String op, Value g, Value positions, long[] kernel) {
        long count = Arrays.stream(kernel).reduce(1, (a, b) -> a * b);
        long[] ones = new long[kernel.length];
        Arrays.fill(ones, 1);
        Value places = Views.reshape(op, Creation.arange(g.backend(), DType.I64, 0, count, 1), kernel);
        Value at = Views.reshape(op, positions, Windows.joined(positions.sizes(), ones));
        Value hit = Elementwise.binary(op, BinaryOp.EQ, at, places);
        Value zero = Creation.full(op, g.backend(), g.dtype(), 0);
        return Elementwise.where(hit, Views.reshape(op, g, Windows.joined(g.sizes(), ones)), zero);
    }

    /** The largest of each of {@code outputs} windows, which reach from {@code floor(i L / O)} to {@code ceil((i + 1) L / O)}. */
    public static Value adaptiveMax(String op, Value x, long[] outputs) {
        checkAdaptive(op, x, outputs);
        Windows.Geometry even = even(x, outputs);
        return Frame.result(() ->
                largest(op, even == null ? uneven(op, x, outputs, NONE) : Windows.unfold(op, x, even), outputs.length));
    }

    /** Their mean. */
    public static Value adaptiveMean(String op, Value x, long[] outputs) {
        checkAdaptive(op, x, outputs);
        Windows.Geometry even = even(x, outputs);
        return Frame.result(() -> {
            if (even != null) {
                Value windows = Windows.unfold(op, x, even);
                return Reductions.reduce(op, ReduceOp.MEAN, windows, lastAxes(windows, outputs.length));
            }
            Value windows = uneven(op, Copies.widened(x), outputs, 0);
            Value sums = Reductions.reduce(op, ReduceOp.SUM, windows, lastAxes(windows, outputs.length));
            for (int i = 0; i < outputs.length; i++) {
                long[] sizes = new long[outputs.length];
                Arrays.fill(sizes, 1);
                sizes[i] = outputs[i];
                Value counts = counts(x.backend(), x.size(x.rank() - outputs.length + i), outputs[i], sums.dtype());
                sums = UnaryGradients.over(sums, Views.reshape(op, counts, sizes));
            }
            return Copies.to(sums, x.dtype());
        });
    }

    private static void checkAdaptive(String op, Value x, long[] outputs) {
        checkSpatial(op, x, outputs.length);
        for (int i = 0; i < outputs.length; i++) {
            if (outputs[i] < 1 || x.size(x.rank() - outputs.length + i) < 1) {
                throw Checks.error(
                        op,
                        "there is nothing to pool into " + Arrays.toString(outputs)
                                + "; sizes of the result and of x are 1 or more",
                        x);
            }
        }
    }

    /** Windows side by side, or null where the sizes do not divide. */
    private static Windows.Geometry even(Value x, long[] outputs) {
        long[] lengths = Windows.lengths(x, outputs.length);
        long[] kernel = new long[outputs.length];
        for (int i = 0; i < kernel.length; i++) {
            if (lengths[i] % outputs[i] != 0) {
                return null;
            }
            kernel[i] = lengths[i] / outputs[i];
        }
        long[] ones = new long[kernel.length];
        Arrays.fill(ones, 1);
        return new Windows.Geometry(kernel, kernel, new long[kernel.length], ones);
    }

    private static long start(long i, long length, long outputs) {
        return i * length / outputs;
    }

    private static long end(long i, long length, long outputs) {
        return ((i + 1) * length + outputs - 1) / outputs;
    }

    /** {@code [..., O..., M...]}: windows of unequal sizes, filled up from an element of {@code filler} behind each axis. */
    private static Value uneven(String op, Value x, long[] outputs, double filler) {
        int axes = outputs.length;
        int first = x.rank() - axes;
        long[] one = new long[axes];
        Arrays.fill(one, 1);
        Value windows = Windows.pad(op, x, new long[axes], one, filler);
        int[] order = new int[first + 2 * axes];
        Arrays.setAll(order, i -> i);
        for (int i = 0; i < axes; i++) {
            int axis = first + 2 * i;
            long length = x.size(first + i);
            long[] index = index(length, outputs[i]);
            Value at = Creation.upload(x.backend(), DType.I64, MemorySegment.ofArray(index), index.length);
            Value picked = Indexing.indexSelect(op, windows, axis, at);
            long[] sizes = Layout.insert(picked.layout().sizes(), axis + 1, index.length / outputs[i]);
            sizes[axis] = outputs[i];
            windows = Views.reshape(op, picked, sizes);
            order[first + i] = axis;
            order[first + axes + i] = axis + 1;
        }
        return Views.permute(op, windows, order);
    }

    private static long[] index(long length, long outputs) {
        long most = 0;
        for (long i = 0; i < outputs; i++) {
            most = Math.max(most, end(i, length, outputs) - start(i, length, outputs));
        }
        long[] index = new long[Math.toIntExact(outputs * most)];
        for (int i = 0; i < index.length; i++) {
            long at = start(i / most, length, outputs) + i % most;
            index[i] = at < end(i / most, length, outputs) ? at : length;
        }
        return index;
    }

    private static Value counts(Backend backend, long length, long outputs, DType dtype) {
        long[] counts = new long[Math.toIntExact(outputs)];
        Arrays.setAll(counts, i -> end(i, length, outputs) - start(i, length, outputs));
        Value whole = Creation.upload(backend, DType.I64, MemorySegment.ofArray(counts), outputs);
        return Copies.to(whole, dtype);
    }
}

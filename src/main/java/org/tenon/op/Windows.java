package org.tenon.op;

import static org.tenon.op.Graph.grads;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.tenon.spi.ReduceOp;

/**
 * Windows that move along the last axes of a value: as a view with strides, and back, summed where they overlap. Both are
 * linear, and each is the other's backward.
 */
public final class Windows {
    private Windows() {}

    /**
     * A window and its steps, one number a spatial axis.
     *
     * @param kernel the window's sizes
     * @param stride how far it moves
     * @param padding what is put around the input, on both sides
     * @param dilation how far apart its elements are
     */
    public record Geometry(long[] kernel, long[] stride, long[] padding, long[] dilation) {
        int axes() {
            return kernel.length;
        }

        /** How much of the input a window covers. */
        long span(int axis) {
            return dilation[axis] * (kernel[axis] - 1) + 1;
        }

        /** How many windows fit into inputs of these lengths. */
        long[] outputs(long[] lengths) {
            long[] out = new long[axes()];
            Arrays.setAll(out, i -> (lengths[i] + 2 * padding[i] - span(i)) / stride[i] + 1);
            return out;
        }

        /** The same without padding, for an input that has it. */
        Geometry padded() {
            return new Geometry(kernel, stride, new long[axes()], dilation);
        }

        boolean overlaps() {
            return IntStream.range(0, axes()).anyMatch(i -> stride[i] < span(i));
        }

        void check(String op, Value x) {
            for (int i = 0; i < axes(); i++) {
                boolean good = kernel[i] >= 1 && stride[i] >= 1 && padding[i] >= 0 && dilation[i] >= 1;
                if (!good) {
                    throw Checks.error(
                            op,
                            "kernel " + Arrays.toString(kernel) + ", stride " + Arrays.toString(stride) + ", padding "
                                    + Arrays.toString(padding) + ", dilation " + Arrays.toString(dilation)
                                    + " are bad; padding is 0 or more, the others 1 or more",
                            x);
                }
            }
        }

        /** At least one window fits. */
        void checkFits(String op, long[] lengths, Value x) {
            for (int i = 0; i < axes(); i++) {
                if (lengths[i] + 2 * padding[i] < span(i)) {
                    throw Checks.error(
                            op,
                            "a window that covers " + span(i) + " does not fit into " + lengths[i] + " with padding "
                                    + padding[i] + " along spatial axis " + i
                                    + "; use a smaller window or more padding",
                            x);
                }
            }
        }
    }

    /** The last sizes, of the spatial axes. */
    static long[] lengths(Value x, int axes) {
        return Arrays.copyOfRange(x.layout().sizes(), x.rank() - axes, x.rank());
    }

    /** {@code value} around the last axes. */
    static Value pad(String op, Value x, long[] before, long[] after, double value) {
        if (Arrays.stream(before).allMatch(n -> n == 0) && Arrays.stream(after).allMatch(n -> n == 0)) {
            return x;
        }
        int first = x.rank() - before.length;
        long[] sizes = x.sizes();
        for (int i = 0; i < before.length; i++) {
            sizes[first + i] += before[i] + after[i];
        }
        Value out = Creation.full(op, x.backend(), x.dtype(), value, sizes);
        Layout inside = out.layout();
        for (int i = 0; i < before.length; i++) {
            inside = inside.slice(first + i, before[i], x.size(first + i), 1);
        }
        Copies.place(out, inside, x);
        long[] original = x.sizes();
        return Graph.record(op, out, in -> grads(inner(in.gradient(), before, original)), new Value[] {x});
    }

    /** What is left of {@code x} after {@code before} elements of the last axes, with {@code sizes}. */
    static Value inner(Value x, long[] before, long[] sizes) {
        Value part = x;
        int first = x.rank() - before.length;
        for (int i = 0; i < before.length; i++) {
            part = Views.narrow(part, first + i, before[i], sizes[first + i]);
        }
        return part;
    }

    /** {@code [..., L...]} as a view {@code [..., O..., K...]}: every window of the last axes. The geometry has no padding. */
    static Value unfold(String op, Value x, Geometry geometry) {
        int axes = geometry.axes();
        long[] lengths = lengths(x, axes);
        return Graph.record(
                op,
                x.view(op, windows(x.layout(), geometry)),
                in -> grads(fold(op, in.gradient(), geometry, lengths)),
                new Value[] {x});
    }

    private static Layout windows(Layout whole, Geometry geometry) {
        int axes = geometry.axes();
        int first = whole.rank() - axes;
        long[] sizes = Arrays.copyOf(whole.sizes(), whole.rank() + axes);
        long[] strides = Arrays.copyOf(whole.strides(), whole.rank() + axes);
        for (int i = 0; i < axes; i++) {
            long step = whole.strides()[first + i];
            sizes[first + i] = (whole.sizes()[first + i] - geometry.span(i)) / geometry.stride()[i] + 1;
            strides[first + i] = geometry.stride()[i] * step;
            sizes[first + axes + i] = geometry.kernel()[i];
            strides[first + axes + i] = geometry.dilation()[i] * step;
        }
        return new Layout(whole.offset(), sizes, strides);
    }

    /**
     * {@code [..., O..., K...]} summed into {@code [..., L...]} where each element came from. Windows that overlap are first
     * laid out apart, one copy of the result for each place in a window, whose sum has a fixed order.
     */
    static Value fold(String op, Value x, Geometry geometry, long[] lengths) {
        int axes = geometry.axes();
        int first = x.rank() - 2 * axes;
        long[] lead = Arrays.copyOf(x.layout().sizes(), first);
        Value out = geometry.overlaps()
                ? summed(op, x, geometry, joined(lead, geometry.kernel(), lengths))
                : placed(op, x, geometry, joined(lead, lengths));
        return Graph.record(op, out, in -> grads(unfold(op, in.gradient(), geometry)), new Value[] {x});
    }

    private static Value placed(String op, Value x, Geometry geometry, long[] sizes) {
        Value out = Creation.full(op, x.backend(), x.dtype(), 0, sizes);
        Copies.place(out, windows(out.layout(), geometry), x);
        return out;
    }

    private static Value summed(String op, Value x, Geometry geometry, long[] sizes) {
        int axes = geometry.axes();
        int first = x.rank() - 2 * axes;
        return GradMode.off(() -> Frame.result(() -> {
            Value apart = Creation.full(op, x.backend(), x.dtype(), 0, sizes);
            Layout whole = apart.layout();
            long[] strides = Arrays.copyOf(whole.strides(), x.rank());
            for (int i = 0; i < axes; i++) {
                long step = whole.strides()[first + axes + i];
                strides[first + i] = geometry.stride()[i] * step;
                strides[first + axes + i] = whole.strides()[first + i] + geometry.dilation()[i] * step;
            }
            Copies.place(apart, new Layout(0, x.sizes(), strides), x);
            return Reductions.reduce(
                    op,
                    ReduceOp.SUM,
                    apart,
                    IntStream.range(first, first + axes).toArray());
        }));
    }

    static long[] joined(long[]... parts) {
        return Arrays.stream(parts).flatMapToLong(Arrays::stream).toArray();
    }
}

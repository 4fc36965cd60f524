package org.tenon.op;

import static org.tenon.op.Graph.grads;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Other looks at the same memory, and the copies where there is no such look. */
public final class Views {
    private Views() {}

    /** The same elements in row-major order under other sizes: a view where the strides allow it, else a copy. */
    public static Value reshape(String op, Value x, long... wanted) {
        x.checkOpen();
        long[] sizes = Checks.reshape(op, wanted, x);
        if (Arrays.equals(sizes, x.layout().sizes())) {
            return x;
        }
        Layout layout = x.layout().reshape(sizes);
        if (layout == null) {
            return reshape(op, Copies.contiguous(x), sizes);
        }
        long[] original = x.sizes();
        return view(op, x, layout, in -> grads(reshape(op, in.gradient(), original)));
    }

    /** As {@link #reshape}, or an error where that would copy. */
    public static Value viewAs(Value x, long... wanted) {
        x.checkOpen();
        long[] sizes = Checks.reshape("view", wanted, x);
        if (x.layout().reshape(sizes) == null) {
            throw Checks.error(
                    "view",
                    "strides " + Arrays.toString(x.layout().strides()) + " do not allow a view of shape "
                            + Arrays.toString(sizes) + "; use reshape, which copies",
                    x);
        }
        return reshape("view", x, sizes);
    }

    /** The axes in another order: result axis i is input axis {@code order[i]}. */
    public static Value permute(String op, Value x, int... order) {
        x.checkOpen();
        if (order.length != x.rank()) {
            throw Checks.error(op, order.length + " dims are named for " + x.rank() + " axes; name each once", x);
        }
        int[] axes = Arrays.stream(order).map(dim -> Checks.axis(op, dim, x)).toArray();
        int[] inverse = new int[axes.length];
        Arrays.fill(inverse, -1);
        for (int i = 0; i < axes.length; i++) {
            if (inverse[axes[i]] != -1) {
                throw Checks.error(
                        op, "dim " + axes[i] + " is named twice in " + Arrays.toString(order) + "; name each once", x);
            }
            inverse[axes[i]] = i;
        }
        return view(op, x, x.layout().permute(axes), in -> grads(permute(op, in.gradient(), inverse)));
    }

    /** Two axes swapped. */
    public static Value transpose(Value x, int dim0, int dim1) {
        x.checkOpen();
        int a = Checks.axis("transpose", dim0, x);
        int b = Checks.axis("transpose", dim1, x);
        int[] order = IntStream.range(0, x.rank())
                .map(i -> i == a ? b : i == b ? a : i)
                .toArray();
        return permute("transpose", x, order);
    }

    /** Without axis {@code dim}, which must have size 1. */
    public static Value squeeze(Value x, int dim) {
        x.checkOpen();
        int axis = Checks.axis("squeeze", dim, x);
        if (x.rank() == 0) {
            return x;
        }
        if (x.size(axis) != 1) {
            throw Checks.error("squeeze", "dim " + axis + " has size " + x.size(axis) + ", not 1; use select", x);
        }
        return reshape("squeeze", x, Layout.remove(x.layout().sizes(), axis));
    }

    /** With a new axis of size 1 before position {@code dim}. */
    public static Value unsqueeze(Value x, int dim) {
        x.checkOpen();
        int axis = Checks.axis("unsqueeze", dim, new long[x.rank() + 1]);
        return reshape("unsqueeze", x, Layout.insert(x.layout().sizes(), axis, 1));
    }

    /** Axes of size 1 repeated, without a copy; -1 keeps an axis, new axes come first. */
    public static Value expand(String op, Value x, long... wanted) {
        x.checkOpen();
        long[] sizes = wanted.clone();
        int missing = sizes.length - x.rank();
        for (int i = 0; i < sizes.length; i++) {
            long have = i < missing ? 1 : missing < 0 ? -1 : x.size(i - missing);
            if (sizes[i] == -1 && i >= missing) {
                sizes[i] = have;
            }
            if (missing < 0 || sizes[i] < 0 || have != 1 && have != sizes[i]) {
                throw Checks.error(
                        op,
                        "cannot expand to " + Arrays.toString(wanted)
                                + "; only axes of size 1 repeat, and new axes come first",
                        x);
            }
        }
        if (missing < 0) {
            throw Checks.error(
                    op, "cannot expand to fewer axes, " + Arrays.toString(wanted) + "; use select or squeeze", x);
        }
        if (Arrays.equals(sizes, x.layout().sizes())) {
            return x;
        }
        Layout.contiguous(op, x.dtype(), sizes);
        long[] original = x.sizes();
        return view(op, x, x.layout().expand(sizes), in -> grads(Elementwise.sumTo(in.gradient(), original)));
    }

    /** Elements {@code start, start + step, ...} below {@code end} of an axis; negative bounds count from its end. */
    public static Value slice(Value x, int dim, long start, long end, long step) {
        x.checkOpen();
        int axis = Checks.axis("slice", dim, x);
        if (x.rank() == 0 || step < 1) {
            throw Checks.error(
                    "slice",
                    x.rank() == 0
                            ? "a scalar has no axis; unsqueeze it first"
                            : "step " + step + " does not go forward; it is 1 or more",
                    x);
        }
        long size = x.size(axis);
        long from = Math.clamp(start < 0 ? start + size : start, 0, size);
        long to = Math.clamp(end < 0 ? end + size : end, from, size);
        long by = Math.min(step, Math.max(1, size));
        Layout layout = x.layout().slice(axis, from, (to - from + by - 1) / by, by);
        long[] original = x.sizes();
        return view("slice", x, layout, in -> grads(embed(in.gradient(), original, axis, from, by)));
    }

    /** {@code length} elements from {@code start} of an axis, or an error where there are fewer. */
    public static Value narrow(Value x, int dim, long start, long length) {
        x.checkOpen();
        int axis = Checks.axis("narrow", dim, x);
        if (x.rank() == 0 || start < 0 || length < 0 || start > x.size(axis) - length) {
            throw Checks.error(
                    "narrow",
                    length + " elements from " + start + " are not all on dim " + axis + "; it has "
                            + (x.rank() == 0 ? "none" : "" + x.size(axis)),
                    x);
        }
        return slice(x, axis, start, start + length, 1);
    }

    /** Zeros of {@code sizes}, but for a slice that holds {@code g}. The backward of a slice; its own is the slice. */
    private static Value embed(Value g, long[] sizes, int axis, long start, long step) {
        Value whole = Creation.full("slice", g.backend(), g.dtype(), 0, sizes);
        long length = g.size(axis);
        Copies.place(whole, whole.layout().slice(axis, start, length, step), g);
        return Graph.record(
                "slice",
                whole,
                in -> grads(slice(in.gradient(), axis, start, start + length * step, step)),
                new Value[] {g});
    }

    /** Element {@code index} of an axis, which goes away; a negative index counts from the end. */
    public static Value select(Value x, int dim, long index) {
        x.checkOpen();
        int axis = Checks.axis("select", dim, x);
        if (x.rank() == 0) {
            throw Checks.error("select", "a scalar has no axis; use item()", x);
        }
        long at = Checks.index("select", "index", index, x.size(axis), x);
        long[] original = x.sizes();
        return view(
                "select",
                x,
                x.layout().without(axis, at),
                in -> grads(embed(unsqueeze(in.gradient(), axis), original, axis, at, 1)));
    }

    /** The same memory and values, apart from the graph. */
    public static Value detach(Value x) {
        return x.view("detach", x.layout());
    }

    private static Value view(String op, Value x, Layout layout, Node.Backward backward) {
        return Graph.record(op, x.view(op, layout), backward, new Value[] {x});
    }
}

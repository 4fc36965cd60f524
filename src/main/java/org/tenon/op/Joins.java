package org.tenon.op;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tenon.TensorArgumentException;

/** Several values to one along an axis, and back. */
public final class Joins {
    private Joins() {}

    /** One after another along an existing axis; the other sizes agree. */
    public static Value cat(List<Value> parts, int dim) {
        Value first = checkSame("cat", parts);
        int axis = Checks.axis("cat", dim, first);
        if (first.rank() == 0) {
            throw Checks.error("cat", "scalars have no axis; use stack", first);
        }
        long[] sizes = first.sizes();
        sizes[axis] = 0;
        for (Value part : parts) {
            long[] expected = first.sizes();
            boolean sameRank = part.rank() == first.rank();
            if (sameRank) {
                expected[axis] = part.size(axis);
            }
            if (!sameRank || !Arrays.equals(expected, part.sizes())) {
                throw Checks.error(
                        "cat", "shapes differ; all sizes but that of dim " + axis + " must agree", first, part);
            }
            sizes[axis] += part.size(axis);
            if (sizes[axis] < 0) {
                throw Checks.error("cat", "dim " + axis + " gets longer than 2^63; join fewer", first, part);
            }
        }
        Value out = Value.allocate("cat", first.backend(), first.dtype(), sizes);
        long[] starts = new long[parts.size() + 1];
        for (int i = 0; i < parts.size(); i++) {
            long length = parts.get(i).size(axis);
            Copies.place(out, out.layout().slice(axis, starts[i], length, 1), parts.get(i));
            starts[i + 1] = starts[i] + length;
        }
        return Graph.record(
                "cat",
                out,
                in -> {
                    Value[] gradients = new Value[starts.length - 1];
                    for (int i = 0; i < gradients.length; i++) {
                        gradients[i] = in.needs(i)
                                ? Views.narrow(in.gradient(), axis, starts[i], starts[i + 1] - starts[i])
                                : null;
                    }
                    return gradients;
                },
                parts.toArray(Value[]::new));
    }

    /** Along a new axis; all sizes agree. */
    public static Value stack(List<Value> parts, int dim) {
        Value first = checkSame("stack", parts);
        int axis = Checks.axis("stack", dim, new long[first.rank() + 1]);
        for (Value part : parts) {
            if (!Arrays.equals(first.sizes(), part.sizes())) {
                throw Checks.error("stack", "shapes differ; they must agree", first, part);
            }
        }
        return Frame.result(() ->
                cat(parts.stream().map(part -> Views.unsqueeze(part, axis)).toList(), axis));
    }

    private static Value checkSame(String op, List<Value> parts) {
        if (parts.isEmpty()) {
            throw new TensorArgumentException(op, "no tensors are given; give at least one");
        }
        Value first = parts.getFirst();
        for (Value part : parts) {
            Checks.operands(op, first, part);
            Checks.sameDtype(op, first, part);
        }
        return first;
    }

    /** Views of {@code size} along an axis each, the last of what is left. */
    public static List<Value> split(Value x, long size, int dim) {
        x.checkOpen();
        int axis = Checks.axis("split", dim, x);
        if (x.rank() == 0 || size < 1) {
            throw Checks.error(
                    "split",
                    x.rank() == 0
                            ? "a scalar has no axis; unsqueeze it first"
                            : "size " + size + " is too small; it is 1 or more",
                    x);
        }
        List<Value> parts = new ArrayList<>();
        for (long start = 0; start == 0 || start < x.size(axis); start += size) {
            parts.add(Views.narrow(x, axis, start, Math.min(size, x.size(axis) - start)));
        }
        return parts;
    }
}

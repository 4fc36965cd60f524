package org.tenon.op;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.tenon.BF16;
import org.tenon.DType;
import org.tenon.F16;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.Floating;
import org.tenon.TensorArgumentException;
import org.tenon.spi.Backend;

/** What an op asks of its operands before it allocates anything. Each check returns what the op goes on with. */
public final class Checks {
    private Checks() {}

    /** The error of op {@code op}; {@code problem} says what is wrong and what would be right. */
    public static TensorArgumentException error(String op, String problem, Value... operands) {
        List<String> described = Arrays.stream(operands)
                .filter(Objects::nonNull)
                .map(Value::describe)
                .toList();
        String suffix = described.isEmpty() ? "" : " (got " + String.join(" and ", described) + ")";
        return new TensorArgumentException(op, problem + suffix, described);
    }

    /** Operands are open and on one device. */
    static void operands(String op, Value... operands) {
        for (Value operand : operands) {
            if (operand != null) {
                operand.checkOpen();
                sameDevice(op, operands[0], operand);
            }
        }
    }

    static void sameDevice(String op, Value a, Value b) {
        if (a.backend() != b.backend()) {
            throw new TensorArgumentException(
                    op,
                    "tensors are on two devices, " + a.backend().name() + " and "
                            + b.backend().name() + "; move one with to(device)",
                    List.of(a.describe(), b.describe()));
        }
    }

    static void sameDtype(String op, Value a, Value b) {
        if (a.dtype() != b.dtype()) {
            throw error(op, "element types differ; convert one with to(dtype)", a, b);
        }
    }

    static void floating(String op, Value x) {
        if (!x.dtype().isFloating()) {
            throw error(op, "not defined for " + x.dtype() + "; convert to a floating type with to(dtype)", x);
        }
    }

    static void integral(String op, String what, Value x) {
        if (!(x.dtype() instanceof org.tenon.Integral)) {
            throw error(op, what + " must be int32 or int64, not " + x.dtype() + "; convert with to(dtype)", x);
        }
    }

    static void notBool(String op, Value x) {
        if (x.dtype() == DType.BOOL) {
            throw error(op, "not defined for bool; convert with to(dtype)", x);
        }
    }

    static void bool(String op, String what, Value x) {
        if (x.dtype() != DType.BOOL) {
            throw error(op, what + " must be bool, not " + x.dtype() + "; compare, as with ne(0)", x);
        }
    }

    static void probability(String op, String what, double p, Value x) {
        if (!(p >= 0 && p <= 1)) {
            throw error(op, what + " " + p + " is outside [0, 1]", x);
        }
    }

    static void supports(String op, Backend backend, DType dtype) {
        if (!backend.supports(dtype)) {
            throw new TensorArgumentException(
                    op,
                    backend.name() + " (" + backend.description() + ") cannot compute in " + dtype + "; use float32");
        }
    }

    /** The axis counted from 0; a scalar has an axis of its own, 0 or -1. */
    static int axis(String op, int dim, Value x) {
        return axis(op, dim, x.sizes());
    }

    static int axis(String op, int dim, long[] sizes) {
        int rank = Math.max(sizes.length, 1);
        if (dim < -rank || dim >= rank) {
            throw new TensorArgumentException(
                    op,
                    "dim " + dim + " is outside [" + -rank + ", " + (rank - 1) + "] for a tensor of shape "
                            + Arrays.toString(sizes));
        }
        return dim < 0 ? dim + rank : dim;
    }

    /** The axes counted from 0, in order, each once; none given means all. */
    static int[] axes(String op, int[] dims, Value x) {
        if (dims.length == 0) {
            int[] all = new int[x.rank()];
            Arrays.setAll(all, i -> i);
            return all;
        }
        int[] axes = Arrays.stream(dims).map(dim -> axis(op, dim, x)).sorted().toArray();
        for (int i = 1; i < axes.length; i++) {
            if (axes[i] == axes[i - 1]) {
                throw error(
                        op, "dim " + axes[i] + " is named twice in " + Arrays.toString(dims) + "; name each once", x);
            }
        }
        return x.rank() == 0 ? new int[0] : axes;
    }

    static long index(String op, String what, long index, long size, Value x) {
        if (index < -size || index >= size) {
            throw error(op, what + " " + index + " is outside [" + -size + ", " + (size - 1) + "]", x);
        }
        return index < 0 ? index + size : index;
    }

    /** The sizes of a broadcast of two operands, or an error with both shapes. */
    static long[] broadcast(String op, Value a, Value b) {
        long[] x = a.layout().sizes();
        long[] y = b.layout().sizes();
        long[] out = new long[Math.max(x.length, y.length)];
        for (int i = 1; i <= out.length; i++) {
            long p = i <= x.length ? x[x.length - i] : 1;
            long q = i <= y.length ? y[y.length - i] : 1;
            if (p != q && p != 1 && q != 1) {
                throw error(
                        op,
                        "shapes " + Arrays.toString(x) + " and " + Arrays.toString(y) + " do not broadcast: sizes " + p
                                + " and " + q + " at dim -" + i + " differ; they must be equal, or one of them 1",
                        a,
                        b);
            }
            out[out.length - i] = p == 1 ? q : p;
        }
        return out;
    }

    /** New sizes with at most one -1 resolved, for {@code count} elements. */
    static long[] reshape(String op, long[] sizes, Value x) {
        int inferred = -1;
        for (int i = 0; i < sizes.length; i++) {
            if (sizes[i] == -1 && inferred == -1) {
                inferred = i;
            } else if (sizes[i] < 0) {
                throw error(op, "shape " + Arrays.toString(sizes) + " has a bad size; at most one may be -1", x);
            }
        }
        long[] result = sizes.clone();
        long count = x.count();
        if (inferred >= 0) {
            result[inferred] = 1;
        }
        long known = Layout.contiguous(op, x.dtype(), result).count();
        if (inferred >= 0 && known > 0 && count % known == 0) {
            result[inferred] = count / known;
        } else if (inferred >= 0 || known != count) {
            throw error(
                    op,
                    "shape " + Arrays.toString(sizes) + " does not hold " + count
                            + " elements; the sizes must multiply to " + count,
                    x);
        }
        return result;
    }

    static long[] newSizes(String op, long[] sizes) {
        for (long size : sizes) {
            if (size < 0) {
                throw new TensorArgumentException(
                        op, "shape " + Arrays.toString(sizes) + " has a negative size; sizes are 0 or more");
            }
        }
        return sizes;
    }

    /** A bound of an integer tensor's numbers: whole, or infinite. */
    static void bound(String op, double bound, Value x) {
        if (!x.dtype().isFloating() && Double.isFinite(bound) && bound != Math.rint(bound)) {
            throw error(op, bound + " is not a whole number; convert the tensor with to(dtype) first", x);
        }
    }

    /** An integer type holds whole numbers of its range only. */
    static void holds(String op, DType dtype, double value) {
        if (!dtype.isFloating() && !(value == Math.rint(value) && value >= least(dtype) && value < end(dtype))) {
            throw new TensorArgumentException(
                    op,
                    value + " is no " + dtype + "; give a whole number of [" + (long) least(dtype) + ", "
                            + ((long) end(dtype) - (dtype == DType.I64 ? 0 : 1)) + "], or a floating type");
        }
    }

    /** Both ends of a range are numbers of the type and so is their difference. */
    static void holdsRange(String op, Floating dtype, double low, double high) {
        double most = switch (dtype) {
            case F16 _ -> 65504;
            case BF16 _ -> 0x1.FEp127;
            case F32 _ -> Float.MAX_VALUE;
            case F64 _ -> Double.MAX_VALUE;
        };
        if (!(Math.max(Math.abs(low), Math.abs(high)) <= most && high - low <= most)) {
            throw new TensorArgumentException(
                    op, low + " to " + high + " is too wide for " + dtype + "; give bounds at most " + most + " apart");
        }
    }

    /** The least number of an integer type or of bool. */
    static double least(DType dtype) {
        return dtype == DType.BOOL ? 0 : -end(dtype);
    }

    /** What is above the numbers of an integer type or of bool. */
    static double end(DType dtype) {
        return dtype == DType.BOOL ? 2 : dtype == DType.I32 ? 0x1p31 : 0x1p63;
    }
}

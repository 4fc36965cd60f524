package org.tenon.junit;

import java.util.Arrays;
import org.opentest4j.AssertionFailedError;
import org.tenon.DType;
import org.tenon.F64;
import org.tenon.I64;
import org.tenon.Tensor;

/** What a test asks of a tensor's elements, on whatever device it is. NaN equals NaN. After {@code torch.testing}. */
public final class TensorAssertions {
    private TensorAssertions() {}

    /**
     * The same shape and, within {@link Tolerance#of} the actual's type, the same elements; {@code torch.testing.assert_close}.
     * {@code expected} may be on another device. It has the same type, or is a reference in float64.
     *
     * @throws AssertionFailedError with the first elements that differ: position, both values, error and what is allowed
     */
    public static void assertClose(Tensor<?, ?, ?> actual, Tensor<?, ?, ?> expected) {
        assertClose(actual, expected, Tolerance.of(actual.dtype()));
    }

    /** As {@link #assertClose(Tensor, Tensor)}, with a tolerance of your own. */
    public static void assertClose(Tensor<?, ?, ?> actual, Tensor<?, ?, ?> expected, Tolerance tolerance) {
        DType type = expected.dtype();
        if (!type.equals(actual.dtype()) && !(type instanceof F64)) {
            throw new AssertionFailedError("the element type is " + actual.dtype() + ", expected " + type);
        }
        if (!Arrays.equals(actual.shape(), expected.shape())) {
            throw new AssertionFailedError("the shape is " + Arrays.toString(actual.shape()) + ", expected "
                    + Arrays.toString(expected.shape()));
        }
        if (type instanceof I64 && tolerance.equals(Tolerance.EXACT)) {
            compare(actual, expected.toLongArray());
        } else {
            compare(actual, expected.toDoubleArray(), tolerance);
        }
    }

    /** The elements in row-major order, whatever the shape, within {@link Tolerance#of} the type. */
    public static void assertClose(Tensor<?, ?, ?> actual, double... expected) {
        if (actual.numel() != expected.length) {
            throw new AssertionFailedError("there are " + actual.numel() + " elements, shape "
                    + Arrays.toString(actual.shape()) + ", expected " + expected.length);
        }
        compare(actual, expected, Tolerance.of(actual.dtype()));
    }

    /** The same shape, type and elements. */
    public static void assertEqual(Tensor<?, ?, ?> actual, Tensor<?, ?, ?> expected) {
        if (!expected.dtype().equals(actual.dtype())) {
            throw new AssertionFailedError("the element type is " + actual.dtype() + ", expected " + expected.dtype());
        }
        assertClose(actual, expected, Tolerance.EXACT);
    }

    private static void compare(Tensor<?, ?, ?> actual, double[] expected, Tolerance tolerance) {
        double[] got = actual.toDoubleArray();
        Mismatches mismatches = new Mismatches(actual.shape());
        for (int i = 0; i < got.length; i++) {
            if (!tolerance.allows(got[i], expected[i])) {
                mismatches.add(i, got[i], expected[i], tolerance.allowed(expected[i]));
            }
        }
        mismatches.report(got.length, actual);
    }

    /** A double has no room for all of them. */
    private static void compare(Tensor<?, ?, ?> actual, long[] expected) {
        long[] got = actual.toLongArray();
        Mismatches mismatches = new Mismatches(actual.shape());
        for (int i = 0; i < got.length; i++) {
            if (got[i] != expected[i]) {
                mismatches.add(i, got[i], expected[i]);
            }
        }
        mismatches.report(got.length, actual);
    }
}

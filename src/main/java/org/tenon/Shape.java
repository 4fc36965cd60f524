package org.tenon;

import java.util.Arrays;

/**
 * How many axes a tensor has, what they mean, and, as a value, how long each is.
 *
 * <p>As a type parameter a shape carries rank and axis labels: {@link R0}, {@link R1} to {@link R5}, and {@link Any} for
 * what only run time knows. As a value it carries the sizes, for creation and reshaping: {@code R2.of(32, 10)}. A
 * size of -1 is for a reshape to infer, or for an expansion to keep.
 */
public abstract sealed class Shape permits R0, R1, R2, R3, R4, R5, Any {
    private final long[] sizes;

    Shape(long... sizes) {
        for (long size : sizes) {
            if (size < -1) {
                throw new TensorArgumentException(
                        "shape",
                        "size " + size + " is negative in " + Arrays.toString(sizes) + "; sizes are 0 or more");
            }
        }
        this.sizes = sizes.clone();
    }

    /** The sizes, one an axis, as a copy. */
    public final long[] sizes() {
        return sizes.clone();
    }

    /** The number of axes. */
    public final int rank() {
        return sizes.length;
    }

    @Override
    public final boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(sizes, shape.sizes);
    }

    @Override
    public final int hashCode() {
        return Arrays.hashCode(sizes);
    }

    @Override
    public final String toString() {
        return Arrays.toString(sizes);
    }
}

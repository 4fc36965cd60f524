package org.tenon;

/**
 * A shape of no axes: a scalar.
 */
public final class R0 extends Shape {
    private R0() {
        super();
    }

    /** The shape of a scalar. */
    public static R0 of() {
        return new R0();
    }

    /** The kind of these shapes, for {@link Tensor#as}. */
    public static Kind<R0> kind() {
        return new Kind<>(0);
    }
}

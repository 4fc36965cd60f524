package org.tenon;

/**
 * A shape of two axes.
 *
 * @param <A> the label of axis 0
 * @param <B> the label of axis 1
 */
public final class R2<A extends Dim, B extends Dim> extends Shape {
    private R2(long size0, long size1) {
        super(size0, size1);
    }

    /** The shape of these sizes; the labels come from the target type. */
    public static <A extends Dim, B extends Dim> R2<A, B> of(long size0, long size1) {
        return new R2<>(size0, size1);
    }

    /** The kind of these shapes, for {@link Tensor#as}. */
    public static <A extends Dim, B extends Dim> Kind<R2<A, B>> kind() {
        return new Kind<>(2);
    }

    /** Axis 0, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim> Axis<R2<A, B>, R1<B>> dim0() {
        return new Axis<>(0);
    }

    /** Axis 1, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim> Axis<R2<A, B>, R1<A>> dim1() {
        return new Axis<>(1);
    }
}

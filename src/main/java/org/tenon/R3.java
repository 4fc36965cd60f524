package org.tenon;

/**
 * A shape of three axes.
 *
 * @param <A> the label of axis 0
 * @param <B> the label of axis 1
 * @param <C> the label of axis 2
 */
public final class R3<A extends Dim, B extends Dim, C extends Dim> extends Shape {
    private R3(long size0, long size1, long size2) {
        super(size0, size1, size2);
    }

    /** The shape of these sizes; the labels come from the target type. */
    public static <A extends Dim, B extends Dim, C extends Dim> R3<A, B, C> of(long size0, long size1, long size2) {
        return new R3<>(size0, size1, size2);
    }

    /** The kind of these shapes, for {@link Tensor#as}. */
    public static <A extends Dim, B extends Dim, C extends Dim> Kind<R3<A, B, C>> kind() {
        return new Kind<>(3);
    }

    /** Axis 0, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim> Axis<R3<A, B, C>, R2<B, C>> dim0() {
        return new Axis<>(0);
    }

    /** Axis 1, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim> Axis<R3<A, B, C>, R2<A, C>> dim1() {
        return new Axis<>(1);
    }

    /** Axis 2, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim> Axis<R3<A, B, C>, R2<A, B>> dim2() {
        return new Axis<>(2);
    }
}

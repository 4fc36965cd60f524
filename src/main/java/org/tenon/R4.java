package org.tenon;

/**
 * A shape of four axes.
 *
 * @param <A> the label of axis 0
 * @param <B> the label of axis 1
 * @param <C> the label of axis 2
 * @param <D> the label of axis 3
 */
public final class R4<A extends Dim, B extends Dim, C extends Dim, D extends Dim> extends Shape {
    private R4(long size0, long size1, long size2, long size3) {
        super(size0, size1, size2, size3);
    }

    /** The shape of these sizes; the labels come from the target type. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim> R4<A, B, C, D> of(
            long size0, long size1, long size2, long size3) {
        return new R4<>(size0, size1, size2, size3);
    }

    /** The kind of these shapes, for {@link Tensor#as}. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim> Kind<R4<A, B, C, D>> kind() {
        return new Kind<>(4);
    }

    /** Axis 0, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim>
            Axis<R4<A, B, C, D>, R3<B, C, D>> dim0() {
        return new Axis<>(0);
    }

    /** Axis 1, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim>
            Axis<R4<A, B, C, D>, R3<A, C, D>> dim1() {
        return new Axis<>(1);
    }

    /** Axis 2, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim>
            Axis<R4<A, B, C, D>, R3<A, B, D>> dim2() {
        return new Axis<>(2);
    }

    /** Axis 3, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim>
            Axis<R4<A, B, C, D>, R3<A, B, C>> dim3() {
        return new Axis<>(3);
    }
}

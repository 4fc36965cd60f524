package org.tenon;

/**
 * A shape of five axes.
 *
 * @param <A> the label of axis 0
 * @param <B> the label of axis 1
 * @param <C> the label of axis 2
 * @param <D> the label of axis 3
 * @param <E> the label of axis 4
 */
public final class R5<A extends Dim, B extends Dim, C extends Dim, D extends Dim, E extends Dim> extends Shape {
    private R5(long size0, long size1, long size2, long size3, long size4) {
        super(size0, size1, size2, size3, size4);
    }

    /** The shape of these sizes; the labels come from the target type. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim, E extends Dim> R5<A, B, C, D, E> of(
            long size0, long size1, long size2, long size3, long size4) {
        return new R5<>(size0, size1, size2, size3, size4);
    }

    /** The kind of these shapes, for {@link Tensor#as}. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim, E extends Dim>
            Kind<R5<A, B, C, D, E>> kind() {
        return new Kind<>(5);
    }

    /** Axis 0, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim, E extends Dim>
            Axis<R5<A, B, C, D, E>, R4<B, C, D, E>> dim0() {
        return new Axis<>(0);
    }

    /** Axis 1, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim, E extends Dim>
            Axis<R5<A, B, C, D, E>, R4<A, C, D, E>> dim1() {
        return new Axis<>(1);
    }

    /** Axis 2, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim, E extends Dim>
            Axis<R5<A, B, C, D, E>, R4<A, B, D, E>> dim2() {
        return new Axis<>(2);
    }

    /** Axis 3, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim, E extends Dim>
            Axis<R5<A, B, C, D, E>, R4<A, B, C, E>> dim3() {
        return new Axis<>(3);
    }

    /** Axis 4, and the shape that is left without it. */
    public static <A extends Dim, B extends Dim, C extends Dim, D extends Dim, E extends Dim>
            Axis<R5<A, B, C, D, E>, R4<A, B, C, D>> dim4() {
        return new Axis<>(4);
    }
}

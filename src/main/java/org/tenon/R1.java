package org.tenon;

/**
 * A shape of one axis.
 *
 * @param <A> the label of axis 0
 */
public final class R1<A extends Dim> extends Shape {
    private R1(long size0) {
        super(size0);
    }

    /** The shape of these sizes; the labels come from the target type. */
    public static <A extends Dim> R1<A> of(long size0) {
        return new R1<>(size0);
    }

    /** The kind of these shapes, for {@link Tensor#as}. */
    public static <A extends Dim> Kind<R1<A>> kind() {
        return new Kind<>(1);
    }

    /** Axis 0, and the shape that is left without it. */
    public static <A extends Dim> Axis<R1<A>, R0> dim0() {
        return new Axis<>(0);
    }
}

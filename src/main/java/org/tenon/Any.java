package org.tenon;

/** A shape whose rank only run time knows: the untyped way out. {@link Tensor#as} goes back to a known rank, checked. */
public final class Any extends Shape {
    private Any(long... sizes) {
        super(sizes);
    }

    /** A shape of any rank. */
    public static Any of(long... sizes) {
        return new Any(sizes);
    }

    /** The kind of every shape. */
    public static Kind<Any> kind() {
        return new Kind<>(Kind.ANY_RANK);
    }
}

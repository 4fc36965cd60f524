package org.tenon;

/**
 * A shape type as a value: what {@link Tensor#as} checks a tensor's rank against. {@code R2.kind()} is a
 * {@code Kind<R2<A, B>>} for whatever labels the target type asks for.
 *
 * @param <S> the shape type
 */
public final class Kind<S extends Shape> {
    static final int ANY_RANK = -1;

    private final int rank;

    Kind(int rank) {
        this.rank = rank;
    }

    /** Whether a tensor of this rank may have this shape type. */
    public boolean admits(int actualRank) {
        return rank == ANY_RANK || rank == actualRank;
    }

    int rank() {
        return rank;
    }
}

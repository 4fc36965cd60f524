package org.tenon;

/**
 * The evidence that dropping one axis of {@code S} leaves {@code R}. It types reductions, selections and their inverses:
 *
 * <pre>{@code
 * Tensor<R2<Batch, Classes>, F32, Cpu> x = ...
 * Tensor<R1<Batch>, F32, Cpu> sums = x.sum(R2.dim1());   // R1<Classes> here would not compile
 * }</pre>
 *
 * @param <S> the shape with the axis
 * @param <R> the shape without it
 */
public final class Axis<S extends Shape, R extends Shape> {
    private final int dim;

    Axis(int dim) {
        this.dim = dim;
    }

    /** The position of the axis in {@code S}, from 0. */
    public int dim() {
        return dim;
    }
}

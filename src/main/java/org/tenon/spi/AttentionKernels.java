package org.tenon.spi;

import org.tenon.DType;

/** Attention as a kernel each way, which writes neither scores nor weights. Only some devices have it. */
public interface AttentionKernels {
    /** Whether it takes queries, keys and values of this type and these sizes, of four axes; none of them is empty. */
    boolean takes(DType dtype, long[] q, long[] k, long[] v);

    /** {@code out = weights v}, and writes {@code top} and {@code share} of {@code attention} for the backward. */
    void forward(Attending attention, Strided out);

    /**
     * Its backward, from the incoming gradient, whose rows are neighbours, and what {@link #forward} wrote. {@code dq} may be
     * null, and so may {@code dk} and {@code dv} together.
     */
    void backward(Attending attention, Strided g, Strided out, Strided dq, Strided dk, Strided dv);
}

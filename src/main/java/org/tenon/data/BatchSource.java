package org.tenon.data;

import java.io.IOException;

/**
 * Batches by the numbers of their samples: what a {@link DataLoader} draws from, in its own thread.
 *
 * @param <B> a batch: a tensor, a {@link Batch}, any {@link org.tenon.TensorGroup}
 */
public interface BatchSource<B> {
    /** The number of samples. */
    int size();

    /** A batch of the samples {@code indices}, in this order, on the device where it is wanted. */
    B batch(int[] indices) throws IOException;
}

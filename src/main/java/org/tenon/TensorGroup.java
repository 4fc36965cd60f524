package org.tenon;

import java.util.Collection;

/** Something that holds tensors, so that a {@link Scope} can hand all of them on when it is returned from one. */
public interface TensorGroup {
    /** The tensors it holds. */
    Collection<? extends Tensor<?, ?, ?>> tensors();
}

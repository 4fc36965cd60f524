package org.tenon.data;

import java.util.Collection;
import java.util.List;
import org.tenon.Tensor;
import org.tenon.TensorGroup;

/**
 * What a model is given, and what it should make of it.
 *
 * @param input one row a sample
 * @param target one row a sample
 * @param <X> the input's type
 * @param <Y> the target's type
 */
public record Batch<X extends Tensor<?, ?, ?>, Y extends Tensor<?, ?, ?>>(X input, Y target) implements TensorGroup {
    @Override
    public Collection<Tensor<?, ?, ?>> tensors() {
        return List.of(input, target);
    }
}

package org.tenon;

import java.util.Collection;
import java.util.List;

/**
 * The largest or smallest elements along an axis, sorted, and where they are.
 *
 * @param values the elements; gradients flow back from them
 * @param indices their positions along the axis
 * @param <S> shape
 * @param <D> element type
 * @param <Dev> device type
 */
public record TopK<S extends Shape, D extends DType, Dev extends DeviceType>(
        Tensor<S, D, Dev> values, Tensor<S, I64, Dev> indices) implements TensorGroup {
    @Override
    public Collection<Tensor<?, ?, ?>> tensors() {
        return List.of(values, indices);
    }
}

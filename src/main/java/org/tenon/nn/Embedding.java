package org.tenon.nn;

import org.tenon.Axis;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Integral;
import org.tenon.R2;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * A table of vectors, looked up by index. PyTorch: {@code torch.nn.Embedding}. Weight [count, features] starts standard
 * normal.
 *
 * @param <T> the shape of the indices
 * @param <S> the shape of the result: that of the indices with the features as a new last axis
 * @param <D> element type
 * @param <Dev> device type
 */
public final class Embedding<T extends Shape, S extends Shape, D extends Floating, Dev extends DeviceType>
        extends Module<D, Dev> {
    private final Axis<S, T> features;
    private final Tensor<R2<Dim, Dim>, D, Dev> weight;

    /** {@code axis} is where the features go: {@code R3.dim2()} for indices (Batch, Time). */
    public Embedding(Device<Dev> device, D dtype, long count, long features, Axis<S, T> axis, Generator generator) {
        this.features = axis;
        weight = register("weight", device.randn(R2.of(count, features), dtype, generator));
    }

    /** The table. */
    public Tensor<R2<Dim, Dim>, D, Dev> weight() {
        return weight;
    }

    /** A vector for every index. */
    public Tensor<S, D, Dev> forward(Tensor<T, ? extends Integral, Dev> index) {
        return F.embedding(weight, index, features);
    }
}

package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#logSoftmax(Tensor, int)} along an axis as a layer. PyTorch: {@code torch.nn.LogSoftmax}.
 *
 * @param <S> any shape
 * @param <D> element type
 * @param <Dev> device type
 */
public final class LogSoftmax<S extends Shape, D extends Floating, Dev extends DeviceType> extends Layer<S, S, D, Dev> {
    private final int dim;

    /** Along {@code dim}; negative counts from the end. */
    public LogSoftmax(int dim) {
        this.dim = dim;
    }

    @Override
    public Tensor<S, D, Dev> forward(Tensor<S, D, Dev> x) {
        return F.logSoftmax(x, dim);
    }
}

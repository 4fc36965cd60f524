package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.PoolOptions;
import org.tenon.R4;
import org.tenon.Tensor;

/**
 * {@link F#avgPool2d} as a layer. PyTorch: {@code torch.nn.AvgPool2d}.
 *
 * @param <N> the batch
 * @param <C> the channels
 * @param <H> the rows
 * @param <W> the columns
 * @param <D> element type
 * @param <Dev> device type
 */
public final class AvgPool2d<
                N extends Dim, C extends Dim, H extends Dim, W extends Dim, D extends Floating, Dev extends DeviceType>
        extends Layer<R4<N, C, H, W>, R4<N, C, H, W>, D, Dev> {
    private final PoolOptions options;

    /** With these windows. */
    public AvgPool2d(PoolOptions options) {
        this.options = options;
    }

    @Override
    public Tensor<R4<N, C, H, W>, D, Dev> forward(Tensor<R4<N, C, H, W>, D, Dev> x) {
        return F.avgPool2d(x, options);
    }
}

package org.tenon.nn;

import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.R4;
import org.tenon.Tensor;

/**
 * {@link F#adaptiveMaxPool2d} as a layer. PyTorch: {@code torch.nn.AdaptiveMaxPool2d}.
 *
 * @param <N> the batch
 * @param <C> the channels
 * @param <H> the rows
 * @param <W> the columns
 * @param <D> element type
 * @param <Dev> device type
 */
public final class AdaptiveMaxPool2d<
                N extends Dim, C extends Dim, H extends Dim, W extends Dim, D extends Floating, Dev extends DeviceType>
        extends Layer<R4<N, C, H, W>, R4<N, C, H, W>, D, Dev> {
    private final long height;
    private final long width;

    /** To this many rows and columns. */
    public AdaptiveMaxPool2d(long height, long width) {
        this.height = height;
        this.width = width;
    }

    @Override
    public Tensor<R4<N, C, H, W>, D, Dev> forward(Tensor<R4<N, C, H, W>, D, Dev> x) {
        return F.adaptiveMaxPool2d(x, height, width);
    }
}

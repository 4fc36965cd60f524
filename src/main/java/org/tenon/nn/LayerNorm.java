package org.tenon.nn;

import org.tenon.Any;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.NormOptions;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#layerNorm} with a weight, which starts at 1, and a bias, which starts at 0 and may be left out. PyTorch:
 * {@code torch.nn.LayerNorm}.
 *
 * @param <S> any shape whose last sizes are the normalised ones
 * @param <D> element type
 * @param <Dev> device type
 */
public final class LayerNorm<S extends Shape, D extends Floating, Dev extends DeviceType> extends Layer<S, S, D, Dev> {
    private final long[] normalizedShape;
    private final NormOptions<D, Dev> options;

    /** Over the last axes, of these sizes. */
    public LayerNorm(Device<Dev> device, D dtype, long... normalizedShape) {
        this(device, dtype, 1e-5, normalizedShape);
    }

    /** With this eps in place of 1e-5. */
    public LayerNorm(Device<Dev> device, D dtype, double eps, long[] normalizedShape) {
        this(device, dtype, eps, Bias.LEARNED, normalizedShape);
    }

    /** With or without a bias. */
    public LayerNorm(Device<Dev> device, D dtype, Bias bias, long... normalizedShape) {
        this(device, dtype, 1e-5, bias, normalizedShape);
    }

    private LayerNorm(Device<Dev> device, D dtype, double eps, Bias bias, long[] normalizedShape) {
        this.normalizedShape = normalizedShape.clone();
        NormOptions<D, Dev> scaled = NormOptions.<D, Dev>defaults()
                .weight(register("weight", device.ones(Any.of(normalizedShape), dtype)))
                .eps(eps);
        options = switch (bias) {
            case LEARNED -> scaled.bias(register("bias", device.zeros(Any.of(normalizedShape), dtype)));
            case NONE -> scaled;
        };
    }

    @Override
    public Tensor<S, D, Dev> forward(Tensor<S, D, Dev> x) {
        return F.layerNorm(x, normalizedShape, options);
    }
}

package org.tenon.optim;

import java.util.Collection;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;

/**
 * Adam (Kingma and Ba 2015): steps along the mean gradient, scaled by the root of the mean square. Weight decay is added to the
 * gradient. PyTorch: {@code torch.optim.Adam}.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public final class Adam<D extends Floating, Dev extends DeviceType> extends AdamFamily<D, Dev> {
    /** PyTorch's defaults: {@code beta1} 0.9, {@code beta2} 0.999, {@code eps} 1e-8, weight decay 0. */
    public static final Options DEFAULTS = new Options(0.9, 0.999, 1e-8, 0);

    /** With the defaults. */
    public Adam(Collection<? extends Tensor<?, D, Dev>> parameters, double lr) {
        this(parameters, lr, DEFAULTS);
    }

    /** With these options. */
    public Adam(Collection<? extends Tensor<?, D, Dev>> parameters, double lr, Options options) {
        super(parameters, lr, options, Decay.IN_GRADIENT);
    }
}

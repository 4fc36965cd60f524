package org.tenon.optim;

import java.util.Collection;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;

/**
 * Adam with weight decay apart from the gradient, {@code p = p (1 - lr weightDecay)} (Loshchilov and Hutter 2019). PyTorch: {@code torch.optim.AdamW}.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public final class AdamW<D extends Floating, Dev extends DeviceType> extends AdamFamily<D, Dev> {
    /** PyTorch's defaults: {@code beta1} 0.9, {@code beta2} 0.999, {@code eps} 1e-8, weight decay 0.01. */
    public static final Options DEFAULTS = new Options(0.9, 0.999, 1e-8, 0.01);

    /** With the defaults. */
    public AdamW(Collection<? extends Tensor<?, D, Dev>> parameters, double lr) {
        this(parameters, lr, DEFAULTS);
    }

    /** With these options. */
    public AdamW(Collection<? extends Tensor<?, D, Dev>> parameters, double lr, Options options) {
        super(parameters, lr, options, Decay.DECOUPLED);
    }
}

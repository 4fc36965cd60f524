package org.tenon.optim;

import java.util.Collection;
import java.util.List;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;
import org.tenon.spi.UpdateStep;

/**
 * Adagrad (Duchi et al. 2011): {@code g = g + weightDecay p}, {@code s = s + g^2},
 * {@code p = p - lr / (1 + (t - 1) lrDecay) g / (sqrt(s) + eps)}. PyTorch: {@code torch.optim.Adagrad}.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public final class Adagrad<D extends Floating, Dev extends DeviceType> extends Optimizer<D, Dev> {
    /** PyTorch's defaults: {@code lrDecay} 0, {@code weightDecay} 0, {@code initialSum} 0, {@code eps} 1e-10. */
    public static final Options DEFAULTS = new Options(0, 0, 0, 1e-10);

    private final Options options;

    /**
     * What is not the learning rate.
     *
     * @param lrDecay how fast the learning rate falls
     * @param weightDecay the L2 penalty
     * @param initialSum what the sums of squares start at
     * @param eps added to the root
     */
    public record Options(double lrDecay, double weightDecay, double initialSum, double eps) {}

    /** With the defaults. */
    public Adagrad(Collection<? extends Tensor<?, D, Dev>> parameters, double lr) {
        this(parameters, lr, DEFAULTS);
    }

    /** With these options. */
    public Adagrad(Collection<? extends Tensor<?, D, Dev>> parameters, double lr, Options options) {
        checkAtLeastZero("Adagrad", "lrDecay", options.lrDecay());
        checkAtLeastZero("Adagrad", "initialSum", options.initialSum());
        checkAtLeastZero("Adagrad", "eps", options.eps());
        this.options = options;
        super(parameters, lr, options.weightDecay());
    }

    @Override
    List<String> states() {
        return List.of("sum");
    }

    @Override
    double startOf(String state) {
        return options.initialSum();
    }

    @Override
    UpdateStep rule(Slot<D, Dev> slot, long t) {
        return new UpdateStep.Adagrad(slot.lr() / (1 + (t - 1) * options.lrDecay()), options.eps(), slot.weightDecay());
    }
}

package org.tenon.optim;

import java.util.Collection;
import java.util.List;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;
import org.tenon.spi.UpdateStep;

/**
 * Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms"): steps of the same size along each axis,
 * {@code p = p (1 - lr weightDecay) - lr sign(beta1 m + (1 - beta1) g)}, {@code m = beta2 m + (1 - beta2) g}. Learning rates
 * are three to ten times smaller than AdamW's. PyTorch has it outside its own package.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public final class Lion<D extends Floating, Dev extends DeviceType> extends Optimizer<D, Dev> {
    /** The paper's defaults: {@code beta1} 0.9, {@code beta2} 0.99, no weight decay. */
    public static final Options DEFAULTS = new Options(0.9, 0.99, 0);

    private final Options options;

    /**
     * What is not the learning rate.
     *
     * @param beta1 how much of the mean gradient goes into a step
     * @param beta2 the decay of the mean gradient
     * @param weightDecay the penalty, apart from the gradient
     */
    public record Options(double beta1, double beta2, double weightDecay) {}

    /** With the defaults. */
    public Lion(Collection<? extends Tensor<?, D, Dev>> parameters, double lr) {
        this(parameters, lr, DEFAULTS);
    }

    /** With these options. */
    public Lion(Collection<? extends Tensor<?, D, Dev>> parameters, double lr, Options options) {
        checkFraction("Lion", "beta1", options.beta1());
        checkFraction("Lion", "beta2", options.beta2());
        this.options = options;
        super(parameters, lr, options.weightDecay());
    }

    @Override
    List<String> states() {
        return List.of("exp_avg");
    }

    @Override
    UpdateStep rule(Slot<D, Dev> slot, long t) {
        return new UpdateStep.Lion(slot.lr(), options.beta1(), options.beta2(), slot.weightDecay());
    }
}

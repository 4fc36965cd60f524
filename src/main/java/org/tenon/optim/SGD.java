package org.tenon.optim;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.spi.UpdateStep;

/**
 * Stochastic gradient descent: {@code d = g + weightDecay p}; with momentum {@code v = momentum v + (1 - dampening) d}, at
 * first {@code v = d}, and then {@code d = v}, or for Nesterov {@code d = d + momentum v}; {@code p = p - lr d}. PyTorch:
 * {@code torch.optim.SGD}.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public final class SGD<D extends Floating, Dev extends DeviceType> extends Optimizer<D, Dev> {
    private final Options options;

    /**
     * What is not the learning rate.
     *
     * @param momentum 0 for none
     * @param dampening of the momentum
     * @param weightDecay the L2 penalty
     * @param nesterov whether to look ahead (Sutskever et al. 2013)
     */
    public record Options(double momentum, double dampening, double weightDecay, boolean nesterov) {
        /** None of them. */
        public static final Options DEFAULTS = new Options(0, 0, 0, false);

        /** With momentum. */
        public Options momentum(double newMomentum) {
            return new Options(newMomentum, dampening, weightDecay, nesterov);
        }

        /** With an L2 penalty. */
        public Options weightDecay(double newWeightDecay) {
            return new Options(momentum, dampening, newWeightDecay, nesterov);
        }

        /** With Nesterov's momentum. */
        public Options withNesterov() {
            return new Options(momentum, dampening, weightDecay, true);
        }
    }

    /** Plain gradient descent. */
    public SGD(Collection<? extends Tensor<?, D, Dev>> parameters, double lr) {
        this(parameters, lr, Options.DEFAULTS);
    }

    /** With these options. */
    public SGD(Collection<? extends Tensor<?, D, Dev>> parameters, double lr, Options options) {
        checkAtLeastZero("SGD", "momentum", options.momentum());
        checkAtLeastZero("SGD", "dampening", options.dampening());
        if (options.nesterov() && (options.momentum() == 0 || options.dampening() != 0)) {
            throw new TensorArgumentException(
                    "SGD",
                    "Nesterov's method with momentum " + options.momentum() + " and dampening " + options.dampening()
                            + "; it needs a momentum above 0 and no dampening");
        }
        this.options = options;
        super(parameters, lr, options.weightDecay());
    }

    @Override
    List<String> states() {
        return Collections.singletonList(options.momentum() == 0 ? null : "momentum_buffer");
    }

    @Override
    UpdateStep rule(Slot<D, Dev> slot, long t) {
        return new UpdateStep.Sgd(
                slot.lr(), options.momentum(), options.dampening(), slot.weightDecay(), options.nesterov(), t == 1);
    }
}

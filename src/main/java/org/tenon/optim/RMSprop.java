package org.tenon.optim;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;
import org.tenon.spi.UpdateStep;

/**
 * RMSprop (Hinton 2012): {@code g = g + weightDecay p}, {@code v = alpha v + (1 - alpha) g^2},
 * {@code d = g / (sqrt(v) + eps)}; centred, {@code a = alpha a + (1 - alpha) g} and {@code v - a^2} in place of v; with
 * momentum {@code b = momentum b + d} and b in place of d; {@code p = p - lr d}. PyTorch: {@code torch.optim.RMSprop}.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public final class RMSprop<D extends Floating, Dev extends DeviceType> extends Optimizer<D, Dev> {
    /** PyTorch's defaults: {@code alpha} 0.99, {@code eps} 1e-8, no weight decay, no momentum, not centred. */
    public static final Options DEFAULTS = new Options(0.99, 1e-8, 0, 0, false);

    private final Options options;

    /**
     * What is not the learning rate.
     *
     * @param alpha the decay of the mean square
     * @param eps added to the root
     * @param weightDecay the L2 penalty
     * @param momentum 0 for none
     * @param centred whether the variance takes the mean square's place
     */
    public record Options(double alpha, double eps, double weightDecay, double momentum, boolean centred) {
        /** With an L2 penalty. */
        public Options weightDecay(double newWeightDecay) {
            return new Options(alpha, eps, newWeightDecay, momentum, centred);
        }

        /** With momentum. */
        public Options momentum(double newMomentum) {
            return new Options(alpha, eps, weightDecay, newMomentum, centred);
        }

        /** With the variance in place of the mean square. */
        public Options withCentring() {
            return new Options(alpha, eps, weightDecay, momentum, true);
        }
    }

    /** With the defaults. */
    public RMSprop(Collection<? extends Tensor<?, D, Dev>> parameters, double lr) {
        this(parameters, lr, DEFAULTS);
    }

    /** With these options. */
    public RMSprop(Collection<? extends Tensor<?, D, Dev>> parameters, double lr, Options options) {
        checkFraction("RMSprop", "alpha", options.alpha());
        checkAtLeastZero("RMSprop", "eps", options.eps());
        checkAtLeastZero("RMSprop", "momentum", options.momentum());
        this.options = options;
        super(parameters, lr, options.weightDecay());
    }

    @Override
    List<String> states() {
        return Arrays.asList(
                "square_avg",
                options.centred() ? "grad_avg" : null,
                options.momentum() != 0 ? "momentum_buffer" : null);
    }

    @Override
    UpdateStep rule(Slot<D, Dev> slot, long t) {
        return new UpdateStep.Rmsprop(
                slot.lr(), options.alpha(), options.eps(), slot.weightDecay(), options.momentum());
    }
}

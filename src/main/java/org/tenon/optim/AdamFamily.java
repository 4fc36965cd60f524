package org.tenon.optim;

import java.util.Collection;
import java.util.List;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;
import org.tenon.spi.UpdateStep;

/**
 * What {@link Adam} and {@link AdamW} share: {@code m = beta1 m + (1 - beta1) g}, {@code v = beta2 v + (1 - beta2) g^2},
 * {@code p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)}.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public abstract sealed class AdamFamily<D extends Floating, Dev extends DeviceType> extends Optimizer<D, Dev>
        permits Adam, AdamW {
    private final Options options;
    private final Decay decay;

    /** Where the weight decay goes. */
    enum Decay {
        IN_GRADIENT,
        DECOUPLED
    }

    /**
     * What is not the learning rate.
     *
     * @param beta1 the decay of the mean gradient
     * @param beta2 the decay of the mean square
     * @param eps added to the root
     * @param weightDecay the penalty
     */
    public record Options(double beta1, double beta2, double eps, double weightDecay) {
        /** With another penalty. */
        public Options weightDecay(double newWeightDecay) {
            return new Options(beta1, beta2, eps, newWeightDecay);
        }

        /** With other decays. */
        public Options betas(double newBeta1, double newBeta2) {
            return new Options(newBeta1, newBeta2, eps, weightDecay);
        }
    }

    AdamFamily(Collection<? extends Tensor<?, D, Dev>> parameters, double lr, Options options, Decay decay) {
        String name = decay == Decay.DECOUPLED ? "AdamW" : "Adam";
        checkFraction(name, "beta1", options.beta1());
        checkFraction(name, "beta2", options.beta2());
        checkAtLeastZero(name, "eps", options.eps());
        this.options = options;
        this.decay = decay;
        super(parameters, lr, options.weightDecay());
    }

    @Override
    final List<String> states() {
        return List.of("exp_avg", "exp_avg_sq");
    }

    @Override
    final UpdateStep rule(Slot<D, Dev> slot, long t) {
        return new UpdateStep.Adam(
                slot.lr(),
                options.beta1(),
                options.beta2(),
                options.eps(),
                slot.weightDecay(),
                decay == Decay.DECOUPLED,
                t);
    }
}

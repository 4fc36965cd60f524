package org.tenon.optim;

import java.util.List;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;
import org.tenon.op.Capture;

/**
 * Parameters of one optimizer that share a learning rate and a weight decay: biases without decay, a head that learns
 * faster. PyTorch: an entry of {@code param_groups}.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public final class ParameterGroup<D extends Floating, Dev extends DeviceType> {
    private final String optimizer;
    private final List<Tensor<?, D, Dev>> parameters;
    private double lr;
    private double weightDecay;

    ParameterGroup(String optimizer, List<Tensor<?, D, Dev>> parameters, double lr, double weightDecay) {
        this.optimizer = optimizer;
        this.parameters = parameters;
        this.lr = Optimizer.checkAtLeastZero(optimizer, "lr", lr);
        this.weightDecay = Optimizer.checkAtLeastZero(optimizer, "weightDecay", weightDecay);
    }

    /** The parameters, each once. */
    public List<Tensor<?, D, Dev>> parameters() {
        return parameters;
    }

    /** The learning rate. */
    public double lr() {
        return lr;
    }

    /** Another learning rate for the steps to come. Returns this group. */
    public ParameterGroup<D, Dev> lr(double newLr) {
        Capture.refuse(optimizer, "cannot set a learning rate, except by a scheduler's step(); set it between runs");
        return scheduled(newLr);
    }

    /** As above, by a schedule, which does it in each run of a captured step. */
    ParameterGroup<D, Dev> scheduled(double newLr) {
        lr = Optimizer.checkAtLeastZero(optimizer, "lr", newLr);
        return this;
    }

    /** The weight decay. */
    public double weightDecay() {
        return weightDecay;
    }

    /** Another weight decay for the steps to come. Returns this group. */
    public ParameterGroup<D, Dev> weightDecay(double newWeightDecay) {
        Capture.refuse(optimizer, "cannot set a weight decay; set it between runs");
        weightDecay = Optimizer.checkAtLeastZero(optimizer, "weightDecay", newWeightDecay);
        return this;
    }
}

package org.tenon.optim;

import java.util.List;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;

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
        lr(lr);
        weightDecay(weightDecay);
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
        lr = Optimizer.checkAtLeastZero(optimizer, "lr", newLr);
        return this;
    }

    /** The weight decay. */
    public double weightDecay() {
        return weightDecay;
    }

    /** Another weight decay for the steps to come. Returns this group. */
    public ParameterGroup<D, Dev> weightDecay(double newWeightDecay) {
        weightDecay = Optimizer.checkAtLeastZero(optimizer, "weightDecay", newWeightDecay);
        return this;
    }
}

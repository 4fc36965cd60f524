package org.tenon.optim;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Tensor;
import org.tenon.op.Value;

/** A parameter and what its optimizer remembers of it. */
final class Slot<D extends Floating, Dev extends DeviceType> {
    private final Tensor<?, D, Dev> parameter;
    private final ParameterGroup<D, Dev> group;
    private final Map<String, Tensor<?, D, Dev>> tensors = new LinkedHashMap<>();
    private long step;

    Slot(Tensor<?, D, Dev> parameter, ParameterGroup<D, Dev> group) {
        this.parameter = parameter;
        this.group = group;
    }

    Tensor<?, D, Dev> parameter() {
        return parameter;
    }

    Value value() {
        return parameter.value();
    }

    double lr() {
        return group.lr();
    }

    double weightDecay() {
        return group.weightDecay();
    }

    /** The number of steps taken so far, the one that runs included. */
    long step() {
        return step;
    }

    void step(long newStep) {
        step = newStep;
    }

    Map<String, Tensor<?, D, Dev>> tensors() {
        return tensors;
    }

    /** A tensor of the state, or null where this optimizer has none of that name. */
    Value state(String name) {
        Tensor<?, D, Dev> tensor = tensors.get(name);
        return tensor == null ? null : tensor.value();
    }
}

package org.tenon.optim;

import java.util.LinkedHashMap;
import java.util.List;
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

    ParameterGroup<D, Dev> group() {
        return group;
    }

    double lr() {
        return group.lr();
    }

    double weightDecay() {
        return group.weightDecay();
    }

    /** The number of steps taken so far. */
    long step() {
        return step;
    }

    void step(long newStep) {
        step = newStep;
    }

    Map<String, Tensor<?, D, Dev>> tensors() {
        return tensors;
    }

    void remember(String name, Tensor<?, D, Dev> tensor) {
        tensors.put(name, tensor);
    }

    /** The states of these names, null for a name that is. */
    Value[] states(List<String> names) {
        Value[] values = new Value[names.size()];
        for (int i = 0; i < values.length; i++) {
            String name = names.get(i);
            values[i] = name == null ? null : tensors.get(name).value();
        }
        return values;
    }
}

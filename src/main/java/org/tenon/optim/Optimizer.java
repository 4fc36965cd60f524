package org.tenon.optim;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.tenon.Any;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Gradients;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.op.Graph;
import org.tenon.op.Value;

/**
 * Changes parameters in place, a step at a time. Its state belongs to the scope around its construction, so make it where the
 * model is made, outside the scopes of training steps.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public abstract class Optimizer<D extends Floating, Dev extends DeviceType> implements AutoCloseable {
    private final List<Tensor<?, D, Dev>> parameters;
    private final List<Tensor<?, D, Dev>> states = new ArrayList<>();
    private double lr;

    Optimizer(Collection<? extends Tensor<?, D, Dev>> parameters, double lr) {
        if (parameters.isEmpty()) {
            throw new TensorArgumentException(name(), "there are no parameters; give a module's parameters()");
        }
        for (Tensor<?, D, Dev> parameter : parameters) {
            if (!parameter.requiresGrad()) {
                throw new TensorArgumentException(
                        name(), "a parameter does not require gradients; call requireGrad() on it");
            }
        }
        long different = parameters.stream()
                .map(parameter -> Graph.leafOf(parameter.value()))
                .distinct()
                .count();
        if (different < parameters.size()) {
            throw new TensorArgumentException(name(), "a parameter is given twice; give each once");
        }
        this.parameters = List.copyOf(parameters);
        lr(lr);
    }

    /** The learning rate. */
    public final double lr() {
        return lr;
    }

    /** Another learning rate for the steps to come, as a schedule gives it. */
    public final void lr(double newLr) {
        lr = checkAtLeastZero("lr", newLr);
    }

    /** Changes every parameter that has a gradient; the others stay as they are. That none has one is an error. */
    public final void step(Gradients gradients) {
        if (parameters.stream().noneMatch(gradients::contains)) {
            throw new TensorArgumentException(
                    name(), "no parameter has a gradient here; the loss must depend on this optimizer's parameters");
        }
        for (int i = 0; i < parameters.size(); i++) {
            Tensor<?, D, Dev> parameter = parameters.get(i);
            if (gradients.contains(parameter)) {
                update(i, parameter.value(), gradients.get(parameter).value());
            }
        }
    }

    abstract void update(int i, Value parameter, Value gradient);

    /** Zeros of the shape of parameter {@code i}, freed with the optimizer. */
    final Value state(int i) {
        Tensor<?, D, Dev> parameter = parameters.get(i);
        Tensor<?, D, Dev> zeros = parameter.device().zeros(Any.of(parameter.shape()), parameter.dtype());
        states.add(zeros);
        return zeros.value();
    }

    final int count() {
        return parameters.size();
    }

    final double checkAtLeastZero(String what, double value) {
        if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw new TensorArgumentException(name(), what + " is " + value + "; it is 0 or more and finite");
        }
        return value;
    }

    final double checkFraction(String what, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new TensorArgumentException(name(), what + " is " + value + "; it is in [0, 1)");
        }
        return value;
    }

    private String name() {
        return getClass().getSimpleName();
    }

    /** Frees the state; the parameters are the module's. */
    @Override
    public void close() {
        states.forEach(Tensor::close);
    }
}

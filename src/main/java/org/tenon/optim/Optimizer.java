package org.tenon.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.tenon.Any;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Gradients;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.op.Capture;
import org.tenon.op.Copies;
import org.tenon.op.Graph;
import org.tenon.op.Updates;
import org.tenon.op.Updates.Update;
import org.tenon.op.Value;
import org.tenon.spi.UpdateStep;

/**
 * Changes parameters in place, a step at a time. Its state belongs to the scope around its construction, so make it where the
 * model is made, outside the scopes of training steps. PyTorch: {@code torch.optim.Optimizer}.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public abstract class Optimizer<D extends Floating, Dev extends DeviceType> implements AutoCloseable {
    private final List<ParameterGroup<D, Dev>> groups = new ArrayList<>();
    private final List<Slot<D, Dev>> slots = new ArrayList<>();

    /** Subclasses set their options before this, since it asks for {@link #states()}. */
    Optimizer(Collection<? extends Tensor<?, D, Dev>> parameters, double lr, double weightDecay) {
        add(parameters, lr, weightDecay);
    }

    /**
     * Adds parameters with a learning rate and a weight decay of their own, at first those of the first group. PyTorch:
     * {@code add_param_group}.
     *
     * @throws TensorArgumentException if a parameter is in a group already, or requires no gradients
     */
    public final ParameterGroup<D, Dev> addGroup(Collection<? extends Tensor<?, D, Dev>> parameters) {
        return add(parameters, groups.getFirst().lr(), groups.getFirst().weightDecay());
    }

    private ParameterGroup<D, Dev> add(
            Collection<? extends Tensor<?, D, Dev>> parameters, double lr, double weightDecay) {
        List<Tensor<?, D, Dev>> distinct = distinct(parameters);
        ParameterGroup<D, Dev> group = new ParameterGroup<>(name(), distinct, lr, weightDecay);
        for (Tensor<?, D, Dev> parameter : distinct) {
            Slot<D, Dev> slot = new Slot<>(parameter, group);
            for (String each : states()) {
                if (each != null) {
                    slot.remember(
                            each, parameter.device().full(Any.of(parameter.shape()), startOf(each), parameter.dtype()));
                }
            }
            slots.add(slot);
        }
        groups.add(group);
        return group;
    }

    /** The parameters, one that several modules share once. */
    private List<Tensor<?, D, Dev>> distinct(Collection<? extends Tensor<?, D, Dev>> parameters) {
        if (parameters.isEmpty()) {
            throw new TensorArgumentException(name(), "there are no parameters; give a module's parameters()");
        }
        Set<Object> known = Collections.newSetFromMap(new java.util.IdentityHashMap<>());
        slots.forEach(slot -> known.add(Graph.leafOf(slot.value())));
        Set<Object> seen = Collections.newSetFromMap(new java.util.IdentityHashMap<>());
        List<Tensor<?, D, Dev>> distinct = new ArrayList<>();
        for (Tensor<?, D, Dev> parameter : parameters) {
            if (!parameter.requiresGrad()) {
                throw new TensorArgumentException(
                        name(), "a parameter does not require gradients; call requireGrad() on it");
            }
            Object leaf = Graph.leafOf(parameter.value());
            if (leaf == null) {
                throw new TensorArgumentException(
                        name(),
                        "a tensor of shape " + Arrays.toString(parameter.shape())
                                + " was computed; give parameters, which are leaves");
            }
            if (known.contains(leaf)) {
                throw new TensorArgumentException(
                        name(),
                        "a parameter of shape " + Arrays.toString(parameter.shape())
                                + " is in a group already; each is in one");
            }
            if (seen.add(leaf)) {
                distinct.add(parameter);
            }
        }
        return List.copyOf(distinct);
    }

    /** The groups, the one of the constructor first. */
    public final List<ParameterGroup<D, Dev>> groups() {
        return Collections.unmodifiableList(groups);
    }

    /** The learning rate of the first group. */
    public final double lr() {
        return groups.getFirst().lr();
    }

    /** Another learning rate of all groups for the steps to come. For a schedule see {@link LRScheduler}. */
    public final void lr(double newLr) {
        groups.forEach(group -> group.lr(newLr));
    }

    /**
     * Changes every parameter that has a gradient; the others stay as they are. That none has one is an error. Where an operand
     * is bad, or there is no memory for a copy of a gradient, nothing changes.
     */
    public final void step(Gradients gradients) {
        List<String> states = states();
        List<Update> updates = new ArrayList<>(slots.size());
        for (Slot<D, Dev> slot : slots) {
            if (gradients.contains(slot.parameter())) {
                Value gradient = gradients.get(slot.parameter()).value();
                updates.add(new Update(slot.value(), gradient, slot.states(states), new SlotRule(slot)));
            }
        }
        if (updates.isEmpty()) {
            throw new TensorArgumentException(
                    name(), "no parameter has a gradient here; the loss must depend on this optimizer's parameters");
        }
        Updates.run(updates);
    }

    private final class SlotRule implements Updates.Rule {
        private final Slot<D, Dev> slot;

        SlotRule(Slot<D, Dev> slot) {
            this.slot = slot;
        }

        @Override
        public UpdateStep next() {
            return rule(slot, slot.step() + 1);
        }

        @Override
        public long steps() {
            return slot.step();
        }

        @Override
        public Object group() {
            return slot.group();
        }

        @Override
        public void moved(int more) {
            slot.step(slot.step() + more);
        }
    }

    /** What becomes of a parameter and its states in its step {@code t}, counted from 1. */
    abstract UpdateStep rule(Slot<D, Dev> slot, long t);

    /**
     * The names of the states of a parameter, tensors of its shape, in the order in which the rule has them; null in the place
     * of one that these options go without.
     */
    abstract List<String> states();

    /** What every element of a state is at first. */
    double startOf(String state) {
        return 0;
    }

    /**
     * What it remembers. The tensors are its own, and change with the next step: copy what is to stay. PyTorch:
     * {@code state_dict}.
     */
    public final OptimizerState<Dev> state() {
        Map<String, Tensor<?, ?, Dev>> tensors = new LinkedHashMap<>();
        Map<String, Double> numbers = new LinkedHashMap<>();
        for (int i = 0; i < slots.size(); i++) {
            String prefix = "state." + i + ".";
            slots.get(i).tensors().forEach((name, tensor) -> tensors.put(prefix + name, tensor));
            numbers.put(prefix + "step", (double) slots.get(i).step());
        }
        for (int i = 0; i < groups.size(); i++) {
            numbers.put("param_groups." + i + ".lr", groups.get(i).lr());
            numbers.put("param_groups." + i + ".weight_decay", groups.get(i).weightDecay());
        }
        return new OptimizerState<>(tensors, numbers);
    }

    /**
     * Goes on from a state that an optimizer of the same kind, parameters and groups gave: names, shapes and element types
     * agree, or nothing changes. The tensors are copied. PyTorch: {@code load_state_dict}.
     *
     * @throws TensorArgumentException if anything is missing, unknown or of another shape or type
     */
    public final void load(OptimizerState<Dev> saved) {
        Capture.refuse("load", "cannot load an optimizer's state; load it between runs");
        OptimizerState<Dev> own = state();
        checkNames(own.tensors().keySet(), saved.tensors().keySet());
        checkNames(own.numbers().keySet(), saved.numbers().keySet());
        own.tensors()
                .forEach((name, tensor) -> checkAlike(
                        name, tensor.value(), saved.tensors().get(name).value()));
        saved.numbers().forEach((name, number) -> checkAtLeastZero(name(), name, number));
        own.tensors()
                .forEach((name, tensor) ->
                        Copies.into(tensor.value(), saved.tensors().get(name).value()));
        for (int i = 0; i < slots.size(); i++) {
            slots.get(i).step(saved.numbers().get("state." + i + ".step").longValue());
        }
        for (int i = 0; i < groups.size(); i++) {
            groups.get(i).lr(saved.numbers().get("param_groups." + i + ".lr"));
            groups.get(i).weightDecay(saved.numbers().get("param_groups." + i + ".weight_decay"));
        }
    }

    private void checkNames(Set<String> own, Set<String> saved) {
        Set<String> missing = new TreeSet<>(own);
        missing.removeAll(saved);
        Set<String> unknown = new TreeSet<>(saved);
        unknown.removeAll(own);
        if (!missing.isEmpty() || !unknown.isEmpty()) {
            throw new TensorArgumentException(
                    name(),
                    "the state is of another optimizer or model: missing " + missing + ", unknown " + unknown
                            + "; load what state() of the same one gave");
        }
    }

    private void checkAlike(String name, Value own, Value saved) {
        if (own.backend() != saved.backend()
                || own.dtype() != saved.dtype()
                || !Arrays.equals(own.sizes(), saved.sizes())) {
            throw new TensorArgumentException(
                    name(), name + " is " + saved.describe() + "; " + own.describe() + " is needed");
        }
    }

    static double checkAtLeastZero(String optimizer, String what, double value) {
        if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw new TensorArgumentException(optimizer, what + " is " + value + "; it is 0 or more and finite");
        }
        return value;
    }

    static double checkFraction(String optimizer, String what, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new TensorArgumentException(optimizer, what + " is " + value + "; it is in [0, 1)");
        }
        return value;
    }

    private String name() {
        return getClass().getSimpleName();
    }

    /** Frees the state; the parameters are the module's. */
    @Override
    public void close() {
        slots.forEach(slot -> slot.tensors().values().forEach(Tensor::close));
    }
}

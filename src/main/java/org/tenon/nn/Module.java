package org.tenon.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tenon.DeviceType;
import org.tenon.Floating;
import org.tenon.Shape;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorGroup;
import org.tenon.op.Graph;

/**
 * Something with parameters: a layer, or a model made of them. PyTorch: {@code torch.nn.Module}. Parameters and children are
 * registered by name when a subclass is constructed, and belong to the scope around that: build a model outside the scopes of
 * its training steps. Returned from a scope, a module takes its tensors along.
 *
 * @param <D> element type of the parameters
 * @param <Dev> device type
 */
public abstract class Module<D extends Floating, Dev extends DeviceType> implements TensorGroup, AutoCloseable {
    private final Map<String, Tensor<?, D, Dev>> parameters = new LinkedHashMap<>();
    private final Map<String, Tensor<?, ?, Dev>> buffers = new LinkedHashMap<>();
    private final Map<String, Module<D, Dev>> children = new LinkedHashMap<>();
    private boolean training = true;

    /** A module without parameters so far. */
    protected Module() {}

    /** Makes a tensor a parameter: it requires gradients and optimizers see it. Returns it. */
    protected final <S extends Shape> Tensor<S, D, Dev> register(String name, Tensor<S, D, Dev> parameter) {
        checkName(name);
        parameters.put(name, parameter.requireGrad());
        return parameter;
    }

    /** Makes a tensor a buffer: part of the module's state, without a gradient. Returns it. */
    protected final <T extends Tensor<?, ?, Dev>> T registerBuffer(String name, T buffer) {
        checkName(name);
        buffers.put(name, buffer);
        return buffer;
    }

    /** Makes a module a part of this one. Returns it. */
    protected final <M extends Module<D, Dev>> M register(String name, M child) {
        checkName(name);
        Module<D, Dev> part = child;
        if (part.holds(this)) {
            throw new TensorArgumentException("register", "a module cannot be a part of itself; register another");
        }
        children.put(name, child);
        return child;
    }

    private boolean holds(Module<D, Dev> other) {
        return this == other || children.values().stream().anyMatch(child -> child.holds(other));
    }

    private void checkName(String name) {
        if (name.isBlank() || name.contains(".")) {
            throw new TensorArgumentException(
                    "register", "name '" + name + "' is blank or has a dot; use a plain name");
        }
        if (parameters.containsKey(name) || buffers.containsKey(name) || children.containsKey(name)) {
            throw new TensorArgumentException("register", "name '" + name + "' is taken; use another");
        }
    }

    /**
     * The parameters of this module and those in it, by names such as {@code hidden.weight}, in order of registration. One that
     * several modules share has the name under which it is met first, and is there once.
     */
    public final Map<String, Tensor<?, D, Dev>> namedParameters() {
        Map<String, Tensor<?, D, Dev>> all = new LinkedHashMap<>();
        addParameters("", all, Collections.newSetFromMap(new IdentityHashMap<>()));
        return all;
    }

    private void addParameters(String prefix, Map<String, Tensor<?, D, Dev>> all, Set<Object> seen) {
        parameters.forEach((name, tensor) -> {
            if (seen.add(Graph.leafOf(tensor.value()))) {
                all.put(prefix + name, tensor);
            }
        });
        children.forEach((name, child) -> child.addParameters(prefix + name + ".", all, seen));
    }

    /** The buffers of this module and those in it, by name. */
    public final Map<String, Tensor<?, ?, Dev>> namedBuffers() {
        Map<String, Tensor<?, ?, Dev>> all = new LinkedHashMap<>(buffers);
        children.forEach(
                (name, child) -> child.namedBuffers().forEach((inner, tensor) -> all.put(name + "." + inner, tensor)));
        return all;
    }

    /** The parameters, each once, for an optimizer. */
    public final List<Tensor<?, D, Dev>> parameters() {
        return List.copyOf(new LinkedHashSet<>(namedParameters().values()));
    }

    /** The modules registered in this one, by name. */
    public final Map<String, Module<D, Dev>> childModules() {
        return Collections.unmodifiableMap(children);
    }

    /** The number of trained numbers. */
    public final long parameterCount() {
        return parameters().stream().mapToLong(Tensor::numel).sum();
    }

    /** Puts this module and those in it into training mode, in which they are made. */
    public final void train() {
        setTraining(true);
    }

    /** Puts this module and those in it into evaluation mode: no dropout. */
    public final void eval() {
        setTraining(false);
    }

    private void setTraining(boolean value) {
        training = value;
        children.values().forEach(child -> child.setTraining(value));
    }

    /** Whether it is in training mode. */
    public final boolean isTraining() {
        return training;
    }

    @Override
    public final Collection<Tensor<?, ?, Dev>> tensors() {
        List<Tensor<?, ?, Dev>> all = new ArrayList<>(parameters());
        all.addAll(namedBuffers().values());
        return all;
    }

    /** Frees parameters and buffers. */
    @Override
    public void close() {
        tensors().forEach(Tensor::close);
    }

    /** The modules in it, indented, with their parameters' shapes. */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder(getClass().getSimpleName());
        out.append(" (").append(parameterCount()).append(" parameters)");
        parameters.forEach(
                (name, tensor) -> out.append("\n  ").append(name).append(' ').append(Arrays.toString(tensor.shape())));
        children.forEach((name, child) -> out.append("\n  ")
                .append(name)
                .append(": ")
                .append(child.toString().replace("\n", "\n  ")));
        return out.toString();
    }
}

package org.tenon;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tenon.op.Elementwise;
import org.tenon.op.GradientNorms;
import org.tenon.op.Graph;
import org.tenon.op.Node;
import org.tenon.op.Value;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.UnaryOp;

/**
 * The gradients of one {@link Tensor#backward}: for each tensor that required one, a tensor of its shape, element type and
 * device. A value like any other: several may exist at once, of different graphs, threads and devices.
 */
public final class Gradients implements TensorGroup, AutoCloseable {
    private final Map<Node, Held> byLeaf;

    private record Held(Value value, Device<?> device) {}

    private Gradients(Map<Node, Held> byLeaf) {
        this.byLeaf = byLeaf;
    }

    static Gradients of(Map<Node, Value> byLeaf, Device<?> device) {
        Map<Node, Held> held = new LinkedHashMap<>();
        byLeaf.forEach((leaf, value) -> held.put(leaf, new Held(value, device)));
        return new Gradients(held);
    }

    /** The gradient of {@code x}. An error if x does not require one, or the result did not depend on it. */
    public <S extends Shape, D extends DType, Dev extends DeviceType> Tensor<S, D, Dev> get(Tensor<S, D, Dev> x) {
        Held held = find(x);
        if (held == null) {
            throw new TensorStateException(
                    "gradients",
                    "there is none for a tensor of shape " + java.util.Arrays.toString(x.shape()) + ": "
                            + (x.requiresGrad()
                                    ? "the result did not depend on it, or it is not a leaf; ask for that of a leaf"
                                    : "it does not require one; call requireGrad() on it before the forward pass"));
        }
        return x.with(held.value());
    }

    /** Whether there is a gradient of {@code x}. */
    public boolean contains(Tensor<?, ?, ?> x) {
        return find(x) != null;
    }

    private Held find(Tensor<?, ?, ?> x) {
        Node leaf = Graph.leafOf(x.value());
        return leaf == null ? null : byLeaf.get(leaf);
    }

    /** The number of tensors with a gradient. */
    public int size() {
        return byLeaf.size();
    }

    /** The sum of both, for gradient accumulation over several batches; a gradient that only one has is taken over. */
    public Gradients add(Gradients other) {
        Map<Node, Held> sum = new LinkedHashMap<>();
        byLeaf.forEach((leaf, held) -> {
            Held more = other.byLeaf.get(leaf);
            sum.put(
                    leaf,
                    new Held(
                            more == null
                                    ? held.value().alias()
                                    : Elementwise.binary("add", BinaryOp.ADD, held.value(), more.value()),
                            held.device()));
        });
        other.byLeaf.forEach((leaf, held) ->
                sum.computeIfAbsent(leaf, missing -> new Held(held.value().alias(), held.device())));
        return new Gradients(sum);
    }

    /** Each gradient times {@code factor}, as for the mean of accumulated batches. */
    public Gradients mul(double factor) {
        Map<Node, Held> scaled = new LinkedHashMap<>();
        byLeaf.forEach((leaf, held) -> scaled.put(
                leaf, new Held(Elementwise.unary("mul", UnaryOp.MUL_SCALAR, held.value(), factor, 0), held.device())));
        return new Gradients(scaled);
    }

    /** The Euclidean norm of all gradients as one vector. Waits for the device. */
    public double norm() {
        return norm(2);
    }

    /** The p-norm {@code (sum |g|^p)^(1/p)} of all gradients as one vector; p may be infinite. Waits for the device. */
    public double norm(double p) {
        return onHost(GradientNorms.total(values(), p));
    }

    /**
     * Each gradient times {@code min(1, max / (norm + 1e-6))}, so that the Euclidean norm of all is at most {@code max}. Does
     * not wait for the device; a norm that is NaN makes all NaN. PyTorch: {@code clip_grad_norm_}.
     */
    public Gradients clipNorm(double max) {
        return clipNorm(max, 2);
    }

    /** The same for the p-norm. */
    public Gradients clipNorm(double max, double p) {
        return replaced(GradientNorms.clipNorm(values(), max, p));
    }

    /** Each element brought into {@code [-limit, limit]}. PyTorch: {@code clip_grad_value_}. */
    public Gradients clipValue(double limit) {
        if (!(limit >= 0)) {
            throw new TensorArgumentException("clipValue", "the limit " + limit + " is not 0 or more");
        }
        return replaced(values().stream()
                .map(each -> Elementwise.unary("clipValue", UnaryOp.CLAMP, each, -limit, limit))
                .toList());
    }

    /** Each gradient divided by {@code divisor}, half types in float32. Undoes the scale of a loss. */
    public Gradients div(double divisor) {
        return replaced(values().stream()
                .map(each -> GradientNorms.divided(each, divisor))
                .toList());
    }

    /** Whether every element of every gradient is finite. Waits for the device. */
    public boolean isFinite() {
        return onHost(GradientNorms.notFinite(values())) == 0;
    }

    private List<Value> values() {
        return byLeaf.values().stream().map(Held::value).toList();
    }

    private static double onHost(Value scalar) {
        try {
            return HostCopy.item(scalar);
        } finally {
            scalar.close();
        }
    }

    private Gradients replaced(List<Value> values) {
        Map<Node, Held> replaced = new LinkedHashMap<>();
        int i = 0;
        for (Map.Entry<Node, Held> each : byLeaf.entrySet()) {
            replaced.put(
                    each.getKey(), new Held(values.get(i++), each.getValue().device()));
        }
        return new Gradients(replaced);
    }

    @Override
    public Collection<Tensor<?, ?, ?>> tensors() {
        List<Tensor<?, ?, ?>> all = new ArrayList<>();
        byLeaf.values()
                .forEach(held -> all.add(new Tensor<>(held.value(), held.value().dtype(), held.device())));
        return all;
    }

    /** Frees them; a scope around does the same. */
    @Override
    public void close() {
        byLeaf.values().forEach(held -> held.value().close());
    }
}

package org.tenon.op;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.PriorityQueue;
import org.tenon.DType;
import org.tenon.TensorStateException;
import org.tenon.spi.BinaryOp;

/** Records backwards and runs them: reverse mode, each node once, consumers before producers. */
public final class Graph {
    private Graph() {}

    /** Makes a leaf of a value: gradients will end there. */
    public static void require(Value value) {
        value.checkOpen();
        if (!value.dtype().isFloating()) {
            throw Checks.error(
                    "requireGrad",
                    value.dtype() + " has no gradients; convert to a floating type with to(dtype)",
                    value);
        }
        Node node = value.node();
        if (node != null && !node.isLeaf()) {
            throw Checks.error("requireGrad", "the tensor was computed by " + node.op() + "; detach() it first", value);
        }
        if (node == null) {
            value.attach(Node.leaf(value.layout().sizes()));
        }
    }

    /** The leaf that gradients of this value end at, or null if it is none. */
    public static Node leafOf(Value value) {
        Node node = value.node();
        // In this order: one that is open now was so when its node was asked for.
        value.checkOpen();
        return node != null && node.isLeaf() ? node : null;
    }

    /** Gives {@code out} its backward, if recording is on and an input is tracked; returns {@code out}. */
    public static Value record(String op, Value out, Node.Backward backward, Value[] inputs, Value... saved) {
        if (GradMode.records(inputs)) {
            try {
                out.attach(Node.record(op, out, backward, inputs, saved));
            } catch (RuntimeException e) {
                out.close();
                throw e;
            }
        }
        return out;
    }

    /** Gradients of inputs, for a backward to return. */
    static Value[] grads(Value... gradients) {
        return gradients;
    }

    /** Whether a backward keeps the graph. */
    public enum Keep {
        /** The graph is freed. */
        NOTHING,
        /** The graph stays for another backward. */
        GRAPH,
        /** The graph stays and the gradients are part of one themselves. */
        GRAPH_OF_GRADIENTS
    }

    /** The gradients of all leaves that {@code root} depends on. {@code seed} is the gradient of root, or null for 1. */
    public static Map<Node, Value> backward(Value root, Value seed, Keep keep) {
        root.checkOpen();
        Node start = root.retainNode();
        if (start == null) {
            throw new TensorStateException(
                    "backward",
                    "the tensor does not depend on any that requires gradients (" + root.describe()
                            + "); call requireGrad() on those that should, outside noGrad, and take gradients that"
                            + " shall have gradients with KeepGraph.CREATE");
        }
        try {
            checkSeed(root, seed);
            ScopedValue.CallableOp<Map<Node, Value>, RuntimeException> run =
                    () -> Precision.with(DType.F32, () -> run(root, start, seed, keep));
            return keep == Keep.GRAPH_OF_GRADIENTS ? GradMode.on(run) : GradMode.off(run);
        } finally {
            start.release();
        }
    }

    private static void checkSeed(Value root, Value seed) {
        if (seed == null && root.count() != 1) {
            throw Checks.error(
                    "backward", "a gradient to start from is needed unless the tensor has one element; pass one", root);
        }
        if (seed != null) {
            seed.checkOpen();
            Checks.sameDevice("backward", root, seed);
            if (seed.dtype() != root.dtype() || !Arrays.equals(seed.sizes(), root.sizes())) {
                throw Checks.error(
                        "backward",
                        "the gradient differs in dtype or shape; it must have those of the tensor",
                        root,
                        seed);
            }
        }
    }

    private static Map<Node, Value> run(Value root, Node start, Value seed, Keep keep) {
        Frame frame = Frame.open();
        try {
            Map<Node, Value> leaves = frame.call(() -> {
                Map<Node, Value> found = new LinkedHashMap<>();
                Value first = seed == null
                        ? Creation.full("backward", root.backend(), root.dtype(), 1, root.sizes())
                        : seed.aliasIn(frame);
                sweep(start, first, keep, found);
                return found;
            });
            leaves.values().forEach(frame::keep);
            return leaves;
        } finally {
            frame.close();
        }
    }

    /** Consumers before producers; nodes that wait are held, since the consumer that is done may have held them alone. */
    private static void sweep(Node start, Value first, Keep keep, Map<Node, Value> leaves) {
        Map<Node, Value> pending = new HashMap<>();
        PriorityQueue<Node> order = new PriorityQueue<>((a, b) -> Long.compare(b.sequence(), a.sequence()));
        enqueue(start, first, pending, order);
        try {
            while (!order.isEmpty()) {
                Node node = order.poll();
                try {
                    Value gradient = pending.remove(node);
                    if (node.isLeaf()) {
                        leaves.put(node, gradient);
                    } else {
                        pass(node, gradient, pending, order);
                        gradient.close();
                        if (keep == Keep.NOTHING) {
                            node.free();
                        }
                    }
                } finally {
                    node.release();
                }
            }
        } finally {
            order.forEach(Node::release);
        }
    }

    private static void pass(Node node, Value gradient, Map<Node, Value> pending, PriorityQueue<Node> order) {
        Node[] inputs = node.inputs();
        Value[] gradients = Frame.results(() -> node.apply(gradient));
        for (int i = 0; i < inputs.length; i++) {
            if (inputs[i] != null && gradients[i] != null) {
                checkGradient(node, inputs[i], gradients[i]);
                enqueue(inputs[i], gradients[i], pending, order);
            }
        }
    }

    private static void enqueue(Node node, Value gradient, Map<Node, Value> pending, PriorityQueue<Node> order) {
        Value sum = pending.get(node);
        if (sum == null) {
            node.retain();
            order.add(node);
        }
        pending.put(node, sum == null ? gradient : accumulate(sum, gradient));
    }

    private static Value accumulate(Value sum, Value more) {
        Value total = Elementwise.binary("add", BinaryOp.ADD, sum, more);
        sum.close();
        more.close();
        return total;
    }

    private static void checkGradient(Node node, Node input, Value gradient) {
        if (!Arrays.equals(input.sizes(), gradient.layout().sizes())) {
            throw new TensorStateException(
                    "backward",
                    node.op() + " gave a gradient of shape " + Arrays.toString(gradient.sizes())
                            + " to an input of shape " + Arrays.toString(input.sizes()) + "; this is a bug of the op");
        }
    }
}

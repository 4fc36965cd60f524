package org.tenon.op;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.tenon.TensorStateException;

/**
 * One step of the graph of gradients: which nodes its inputs came from, what it saved, and how a gradient goes back
 * through it. A leaf has no inputs: gradients end there. A node lives as long as a value it made or a node that needs it;
 * then its saved memory is freed, without waiting for a collector.
 */
public final class Node {
    private static final AtomicLong SEQUENCE = new AtomicLong();

    private final String op;
    private final long sequence = SEQUENCE.incrementAndGet();
    private final long[] sizes;
    private final Backward backward;
    private final boolean[] needed;
    private final AtomicInteger users = new AtomicInteger(1);
    private Node[] inputs;
    private Saved[] saved;
    private int result = -1;

    private Node(String op, long[] sizes, Backward backward, boolean[] needed) {
        this.op = op;
        this.sizes = sizes;
        this.backward = backward;
        this.needed = needed;
    }

    /** How a gradient goes back through an op: one gradient an input, null where there is none to give. */
    @FunctionalInterface
    public interface Backward {
        /** The gradients of the inputs, from that of the output. Made of ops, so that it can be differentiated again. */
        Value[] apply(Incoming incoming);
    }

    /** What a {@link Backward} works from. */
    public static final class Incoming {
        private final Value gradient;
        private final Value[] saved;
        private final boolean[] needed;

        Incoming(Value gradient, Value[] saved, boolean[] needed) {
            this.gradient = gradient;
            this.saved = saved;
            this.needed = needed;
        }

        /** The gradient of the output: its sizes, its dtype. */
        public Value gradient() {
            return gradient;
        }

        /** What was saved, in the order it was given. */
        public Value saved(int i) {
            return saved[i];
        }

        /** Whether input {@code i} wants a gradient. */
        public boolean needs(int i) {
            return needed[i];
        }
    }

    static Node leaf(long[] sizes) {
        return new Node("leaf", sizes, null, null);
    }

    static Node record(String op, Value out, Backward backward, Value[] operands, Value... toSave) {
        boolean[] needed = new boolean[operands.length];
        Node node = new Node(op, out.layout().sizes(), backward, needed);
        node.inputs = new Node[operands.length];
        node.saved = new Saved[toSave.length];
        try {
            for (int i = 0; i < operands.length; i++) {
                node.inputs[i] = operands[i] == null ? null : operands[i].retainNode();
                needed[i] = node.inputs[i] != null;
            }
            for (int i = 0; i < toSave.length; i++) {
                node.saved[i] = toSave[i] == null ? null : Saved.of(toSave[i]);
                if (toSave[i] == out) {
                    node.result = i;
                }
            }
            return node;
        } catch (RuntimeException e) {
            // Another thread closed an operand meanwhile.
            node.free();
            throw e;
        }
    }

    boolean isLeaf() {
        return backward == null;
    }

    long sequence() {
        return sequence;
    }

    long[] sizes() {
        return sizes;
    }

    String op() {
        return op;
    }

    synchronized Node[] inputs() {
        if (inputs == null) {
            throw new TensorStateException(
                    "backward",
                    "the graph behind " + op + " was freed by an earlier backward; pass KeepGraph.RETAIN to the first");
        }
        return inputs;
    }

    Value[] apply(Value gradient) {
        Value[] restored;
        // Under the lock, since another thread's backward through the same graph may free it.
        synchronized (this) {
            inputs();
            restored = new Value[saved.length];
            for (int i = 0; i < restored.length; i++) {
                restored[i] = saved[i] == null ? null : saved[i].restore(op, this, i == result);
            }
        }
        return backward.apply(new Incoming(gradient, restored, needed));
    }

    void retain() {
        users.incrementAndGet();
    }

    void release() {
        if (users.decrementAndGet() == 0) {
            free();
        }
    }

    /** Lets go of what was saved and of the inputs; iterative, since graphs can be long. */
    void free() {
        ArrayDeque<Node> unused = new ArrayDeque<>();
        dismantle(unused);
        for (Node next = unused.poll(); next != null; next = unused.poll()) {
            next.dismantle(unused);
        }
    }

    private void dismantle(ArrayDeque<Node> unused) {
        Node[] oldInputs;
        Saved[] oldSaved;
        synchronized (this) {
            oldInputs = inputs;
            oldSaved = saved;
            inputs = null;
            saved = null;
        }
        if (oldSaved != null) {
            for (Saved each : oldSaved) {
                if (each != null) {
                    each.release();
                }
            }
        }
        if (oldInputs != null) {
            for (Node input : oldInputs) {
                if (input != null && input.users.decrementAndGet() == 0) {
                    unused.add(input);
                }
            }
        }
    }
}

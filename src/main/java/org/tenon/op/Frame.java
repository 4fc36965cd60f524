package org.tenon.op;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * What a scope owns: the values made while it is the innermost one. Closing frees them in reverse order. Values made
 * outside any frame belong to the garbage collector.
 */
public final class Frame {
    private static final ScopedValue<Frame> CURRENT = ScopedValue.newInstance();
    private static final int FIRST_PRUNING = 1024;

    private final Frame parent;
    private List<Value> values = new ArrayList<>();
    private int nextPruning = FIRST_PRUNING;
    private boolean closed;

    private Frame(Frame parent) {
        this.parent = parent;
    }

    /** The innermost frame, or null outside any. */
    static Frame current() {
        return CURRENT.isBound() ? CURRENT.get() : null;
    }

    /** A frame inside the current one, to be entered with {@link #call} and closed. */
    public static Frame open() {
        return new Frame(current());
    }

    /** Runs {@code body} with this as the innermost frame. */
    public <R, X extends Throwable> R call(ScopedValue.CallableOp<? extends R, X> body) throws X {
        return ScopedValue.where(CURRENT, this).call(body);
    }

    /**
     * Runs a composed op in a frame of its own, so that its temporaries go at once; the result belongs to the caller's
     * frame.
     */
    static Value result(Supplier<Value> body) {
        Frame frame = open();
        try {
            Value result = frame.call(body::get);
            return frame.export(result);
        } finally {
            frame.close();
        }
    }

    /** As above for several results, some of which may be null, the same value twice, or values from outside. */
    static Value[] results(Supplier<Value[]> body) {
        Frame frame = open();
        try {
            Value[] results = frame.call(body::get);
            Value[] exported = new Value[results.length];
            for (int i = 0; i < results.length; i++) {
                exported[i] = results[i] == null ? null : frame.export(results[i]);
            }
            return exported;
        } finally {
            frame.close();
        }
    }

    private Value export(Value value) {
        return keep(value) ? value : value.aliasIn(parent);
    }

    synchronized void add(Value value) {
        if (closed) {
            throw new org.tenon.TensorStateException("scope", "used after it closed; open a new one");
        }
        if (values.size() == nextPruning) {
            values.removeIf(each -> each.isClosed() || each.owner() != this);
            nextPruning = Math.max(FIRST_PRUNING, 2 * values.size());
        }
        values.add(value);
    }

    /** Hands a value of this frame to the parent, or to the collector where there is none. False if it is not ours. */
    public boolean keep(Value value) {
        if (value.owner() != this) {
            return false;
        }
        value.moveTo(parent);
        return true;
    }

    /** Frees what the frame still owns. */
    public void close() {
        List<Value> remaining;
        synchronized (this) {
            closed = true;
            remaining = values;
            values = List.of();
        }
        RuntimeException failure = null;
        for (int i = remaining.size() - 1; i >= 0; i--) {
            Value value = remaining.get(i);
            if (value.owner() == this) {
                try {
                    value.closeByScope();
                } catch (RuntimeException e) {
                    // A device that fails must not keep the others from being freed.
                    failure = failure == null ? e : failure;
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}

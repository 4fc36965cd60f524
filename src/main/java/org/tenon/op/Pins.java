package org.tenon.op;

/** Keeps operands in memory while kernels run on them, whatever other threads, scopes or the collector do meanwhile. */
public final class Pins implements AutoCloseable {
    private final Value[] values;

    private Pins(Value[] values) {
        this.values = values;
    }

    /** Checks that the operands are open, and holds them until closed. Nulls are passed over. */
    public static Pins of(Value... values) {
        Capture.uses(values);
        for (int i = 0; i < values.length; i++) {
            Value value = values[i];
            if (value != null && (value.isClosed() || !value.storage().retain())) {
                release(values, i);
                throw value.closedError();
            }
        }
        return new Pins(values);
    }

    private static void release(Value[] values, int count) {
        for (int i = 0; i < count; i++) {
            if (values[i] != null) {
                values[i].storage().release();
            }
        }
    }

    @Override
    public void close() {
        release(values, values.length);
    }
}

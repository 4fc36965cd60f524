package org.tenon.op;

/** Whether ops record their backward, in this thread, here. */
public final class GradMode {
    private static final ScopedValue<Boolean> ON = ScopedValue.newInstance();

    private GradMode() {}

    /** Whether ops record; they do unless told otherwise. */
    public static boolean isOn() {
        return !ON.isBound() || ON.get();
    }

    /** Whether an op on these values would record. */
    static boolean records(Value... values) {
        if (isOn()) {
            for (Value value : values) {
                if (value != null && value.isTracked()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Runs {@code body} without recording. */
    public static <R, X extends Throwable> R off(ScopedValue.CallableOp<? extends R, X> body) throws X {
        return ScopedValue.where(ON, false).call(body);
    }

    /** Runs {@code body} with recording, even inside {@link #off}. */
    public static <R, X extends Throwable> R on(ScopedValue.CallableOp<? extends R, X> body) throws X {
        return ScopedValue.where(ON, true).call(body);
    }
}

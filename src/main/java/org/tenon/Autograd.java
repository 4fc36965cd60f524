package org.tenon;

import org.tenon.op.GradMode;

/** Regions where ops record their backward, or do not. A region holds for the thread that runs it. */
public final class Autograd {
    private Autograd() {}

    /** Runs {@code body} without recording: its results do not require gradients. PyTorch's {@code no_grad}. */
    public static <R, X extends Throwable> R noGrad(ScopedValue.CallableOp<? extends R, X> body) throws X {
        return GradMode.off(body);
    }

    /** Runs {@code body} with recording, also inside {@link #noGrad}. PyTorch's {@code enable_grad}. */
    public static <R, X extends Throwable> R enableGrad(ScopedValue.CallableOp<? extends R, X> body) throws X {
        return GradMode.on(body);
    }

    /** Whether ops record here. */
    public static boolean isEnabled() {
        return GradMode.isOn();
    }
}

package org.tenon.examples;

import org.tenon.Autocast;
import org.tenon.DType;

/** What products are computed in while a model trains; its parameters are float32 always. */
enum Precision {
    /** Float32. */
    F32,
    /** Bfloat16. */
    BF16,
    /** Float16, with a scaled loss. */
    F16;

    <R> R call(ScopedValue.CallableOp<? extends R, RuntimeException> body) {
        return switch (this) {
            case F32 -> Autocast.off(body);
            case BF16 -> Autocast.call(DType.BF16, body);
            case F16 -> Autocast.call(DType.F16, body);
        };
    }
}

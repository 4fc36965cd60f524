package org.tenon.op;

import org.tenon.DType;

/** In which type products of float32 are computed, in this thread, here. */
public final class Precision {
    private static final ScopedValue<DType> HALF = ScopedValue.newInstance();

    private Precision() {}

    /** The half type of the region, or float32 outside any. */
    public static DType current() {
        return HALF.isBound() ? HALF.get() : DType.F32;
    }

    /** Whether these operands are to be cast to {@link #current} first: inside a region, all of float32. */
    static boolean narrows(Value... operands) {
        if (current() == DType.F32) {
            return false;
        }
        for (Value operand : operands) {
            if (operand.dtype() != DType.F32) {
                return false;
            }
        }
        return true;
    }

    /** Runs {@code body} with products in this type; float32 ends a region inside. */
    public static <R, X extends Throwable> R with(DType dtype, ScopedValue.CallableOp<? extends R, X> body) throws X {
        return ScopedValue.where(HALF, dtype).call(body);
    }
}

package org.tenon;

/** The floating point element types. */
public abstract sealed class Floating extends DType permits F32, F64, F16, BF16 {
    Floating(String name, int bytes) {
        super(name, bytes);
    }
}

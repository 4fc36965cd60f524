package org.tenon;

/** The element type float32: 32-bit IEEE 754 floating point. Its one value is {@link DType#F32}. */
public final class F32 extends Floating {
    F32() {
        super("float32", 4);
    }
}

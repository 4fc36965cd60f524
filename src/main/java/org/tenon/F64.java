package org.tenon;

/** The element type float64: 64-bit IEEE 754 floating point. Its one value is {@link DType#F64}. */
public final class F64 extends Floating {
    F64() {
        super("float64", 8);
    }
}

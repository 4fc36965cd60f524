package org.tenon;

/** The element type float16: 16-bit IEEE 754 floating point; stored as such, computed in float32. Its one value is {@link DType#F16}. */
public final class F16 extends Floating {
    F16() {
        super("float16", 2);
    }
}

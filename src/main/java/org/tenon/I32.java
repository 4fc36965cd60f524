package org.tenon;

/** The element type int32: 32-bit two's complement integer. Its one value is {@link DType#I32}. */
public final class I32 extends Integral {
    I32() {
        super("int32", 4);
    }
}

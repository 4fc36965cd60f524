package org.tenon;

/** The element type int64: 64-bit two's complement integer. Its one value is {@link DType#I64}. */
public final class I64 extends Integral {
    I64() {
        super("int64", 8);
    }
}

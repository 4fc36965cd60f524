package org.tenon;

/** The element type bfloat16: bfloat16, the upper half of a float32; stored as such, computed in float32. Its one value is {@link DType#BF16}. */
public final class BF16 extends Floating {
    BF16() {
        super("bfloat16", 2);
    }
}

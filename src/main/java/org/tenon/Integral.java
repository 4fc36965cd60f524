package org.tenon;

/** The integer element types. */
public abstract sealed class Integral extends DType permits I32, I64 {
    Integral(String name, int bytes) {
        super(name, bytes);
    }
}

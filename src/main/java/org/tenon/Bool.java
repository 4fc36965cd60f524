package org.tenon;

/** The element type bool: true or false, one byte each, 1 or 0. Its one value is {@link DType#BOOL}. */
public final class Bool extends DType {
    Bool() {
        super("bool", 1);
    }
}

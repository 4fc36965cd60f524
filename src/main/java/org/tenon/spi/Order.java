package org.tenon.spi;

/** The direction of a running sum. */
public enum Order {
    /** From the first element. */
    FORWARD,
    /** From the last. */
    BACKWARD
}

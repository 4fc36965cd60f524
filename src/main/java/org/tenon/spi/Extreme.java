package org.tenon.spi;

/** Which end of an order a selection takes. */
public enum Extreme {
    /** The largest elements; NaN counts as the largest. */
    LARGEST,
    /** The smallest elements. */
    SMALLEST
}

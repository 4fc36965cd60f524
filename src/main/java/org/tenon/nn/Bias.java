package org.tenon.nn;

/** Whether a layer has a bias. */
public enum Bias {
    /** It has one, which is learned. */
    LEARNED,
    /** It has none. */
    NONE
}

package org.tenon.spi;

/** What becomes of the losses of single elements. */
public enum LossReduction {
    /** They stay as they are. */
    NONE,
    /** Their mean; for a class loss, weighted by the weight of the targets. */
    MEAN,
    /** Their sum. */
    SUM,
    /** Their sum divided by the size of axis 0. */
    BATCH_MEAN
}

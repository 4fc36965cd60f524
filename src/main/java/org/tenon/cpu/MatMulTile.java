package org.tenon.cpu;

/** The sizes that a product is cut into. */
final class MatMulTile {
    /** Rows that one call of {@link Lanes#multiply} computes. */
    static final int ROWS = 6;

    /** How much of the inner axis is packed at once: a panel of both operands stays in the first two caches. */
    static final int DEPTH = 256;

    /** Rows of the result a task computes; a multiple of {@link #ROWS}. */
    static final int TASK_ROWS = 192;

    /** Columns of the result a task computes; a multiple of every {@link Lanes#columns}. */
    static final int TASK_COLUMNS = 512;

    private MatMulTile() {}
}

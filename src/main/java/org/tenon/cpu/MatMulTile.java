package org.tenon.cpu;

/** The sizes that a product is cut into. */
final class MatMulTile {
    /** Rows that one call of {@link Lanes#multiply} computes. */
    static final int ROWS = 6;

    /** How much of the inner axis one call takes: a panel of the second operand stays in the first cache. */
    static final int DEPTH = 256;

    /** Rows of the result a task computes at most; a multiple of {@link #ROWS}. */
    static final int TASK_ROWS = 192;

    /** The second operand is packed by pieces of at most so many elements; a multiple of every {@link #DEPTH} of columns. */
    static final int PACKED = 1 << 20;

    /** Columns of the result that are computed from one packed piece; a multiple of every {@link Lanes#columns}. */
    static final int COLUMNS = 512;

    /** Rows of a result that goes through float32 on its way to another type, computed at once. */
    static final int WIDENED_ROWS = 2048;

    /** A thread packs at most so many elements for itself alone. */
    static final int OWN = 1 << 18;

    /** Rows of the result for each thread, from which on a thread packs the second operand for itself. */
    static final int LEAST_ROWS = 32;

    /** Columns for each thread, from which on it packs the first operand for itself. */
    static final int LEAST_COLUMNS = 64;

    /** Packing takes so many times as long where elements to be side by side are not. */
    static final int TURNED = 3;

    private MatMulTile() {}
}

package org.tenon;

/** What a backward leaves behind; without one of these the graph is freed as it is used. */
public enum KeepGraph {
    /** The graph stays for another backward, PyTorch's {@code retain_graph}. */
    RETAIN,
    /** The graph stays, and the gradients have gradients themselves, PyTorch's {@code create_graph}. */
    CREATE
}

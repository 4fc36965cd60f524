package org.tenon.junit;

/** Who frees the tensors of a {@link DeviceTest}, and what is checked when it ends. */
public enum Buffers {
    /**
     * The test runs in a scope, which frees its tensors. What is live afterwards that was not before, and that the garbage
     * collector does not free either, fails the test.
     */
    SCOPED,

    /** There is no scope. The test closes its own tensors, and fails if one is live afterwards. */
    CLOSED,

    /** There is no scope and no check: the garbage collector frees what the test leaves. */
    UNCHECKED
}

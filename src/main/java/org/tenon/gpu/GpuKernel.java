package org.tenon.gpu;

/** A built kernel; each runtime has its own subclass. */
public abstract class GpuKernel {
    private final String name;
    private final int block;

    /** A kernel of this name, launched in groups of {@code block} threads. */
    protected GpuKernel(String name, int block) {
        this.name = name;
        this.block = block;
    }

    /** The name, for messages and profiles. */
    public final String name() {
        return name;
    }

    /** The threads of a group. */
    public final int block() {
        return block;
    }
}

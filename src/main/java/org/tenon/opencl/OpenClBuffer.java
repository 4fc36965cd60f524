package org.tenon.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jocl.Pointer;
import org.jocl.cl_mem;
import org.tenon.spi.Buffer;

/** A block of an OpenCL device's memory. */
final class OpenClBuffer extends Buffer {
    private final OpenClRuntime runtime;
    private final cl_mem memory;
    private final Pointer argument;

    OpenClBuffer(OpenClRuntime runtime, cl_mem memory, long capacity) {
        super(capacity);
        this.runtime = runtime;
        this.memory = memory;
        argument = Pointer.to(memory);
    }

    cl_mem memory() {
        return memory;
    }

    /** The memory as an argument of a kernel. */
    Pointer argument() {
        return argument;
    }

    @Override
    protected void release() {
        runtime.release(memory);
    }

    @Override
    protected void fillBytes(long from, long length, byte value) {
        runtime.fill(memory, from, length, value);
    }

    @Override
    protected boolean allBytes(long from, long length, byte value) {
        if (length == 0 || runtime.isGone()) {
            return true;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(length);
            runtime.read(this, from, copy);
            for (long i = 0; i < length; i++) {
                if (copy.get(ValueLayout.JAVA_BYTE, i) != value) {
                    return false;
                }
            }
            return true;
        }
    }
}

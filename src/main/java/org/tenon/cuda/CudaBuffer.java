package org.tenon.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jcuda.driver.JCudaDriver;
import org.tenon.spi.Buffer;

/** A block of a CUDA device's memory. */
final class CudaBuffer extends Buffer {
    private final CudaRuntime runtime;
    private final DevicePointer pointer;
    private final long address;
    private long lastUse;

    CudaBuffer(CudaRuntime runtime, DevicePointer pointer, long capacity) {
        super(capacity);
        this.runtime = runtime;
        this.pointer = pointer;
        address = pointer.address();
    }

    long address() {
        return address;
    }

    /** {@code offset} bytes from the start of the block. */
    DevicePointer at(long offset) {
        return offset == 0 ? pointer : new DevicePointer(address + offset);
    }

    /** The position in the queue of the last command that used it, 0 if none did. Kept under the queue's lock. */
    long lastUse() {
        return lastUse;
    }

    void used(long position) {
        lastUse = position;
    }

    @Override
    protected void release() {
        runtime.context().release("cuMemFree", () -> JCudaDriver.cuMemFree(pointer));
    }

    @Override
    protected void fillBytes(long from, long length, byte value) {
        runtime.fill(this, from, length, value);
    }

    @Override
    protected boolean allBytes(long from, long length, byte value) {
        if (length == 0 || runtime.context().isLost()) {
            // Of a lost device nothing can be said, and the reason of the loss must not be hidden by saying so.
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

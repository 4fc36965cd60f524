package org.tenon.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.spi.Buffer;
import org.tenon.spi.Strided;

/** Host memory: one segment of an arena of its own, 64-byte aligned, readable from every thread. */
final class CpuBuffer extends Buffer {
    private final Arena arena;
    private final MemorySegment whole;

    CpuBuffer(long capacity) {
        super(capacity);
        arena = Arena.ofShared();
        MemorySegment pages = HugePages.allocate(capacity, arena);
        whole = pages == null ? arena.allocate(capacity, 64) : pages;
    }

    /** What a kernel may touch of an operand's memory: from element 0 of its buffer to the buffer's end. */
    static MemorySegment segment(Strided operand) {
        return ((CpuBuffer) operand.buffer()).usable();
    }

    /** The elements of a dense float32 operand, from its first. */
    static MemorySegment floats(Strided operand) {
        return segment(operand).asSlice(operand.offset() * Float.BYTES, operand.count() * Float.BYTES);
    }

    MemorySegment usable() {
        return whole.asSlice(base(), bytes());
    }

    @Override
    public MemorySegment host() {
        return usable();
    }

    @Override
    protected void release() {
        arena.close();
    }

    @Override
    protected void fillBytes(long from, long length, byte value) {
        whole.asSlice(from, length).fill(value);
    }

    @Override
    protected boolean allBytes(long from, long length, byte value) {
        for (long i = from; i < from + length; i++) {
            if (whole.get(ValueLayout.JAVA_BYTE, i) != value) {
                return false;
            }
        }
        return true;
    }
}

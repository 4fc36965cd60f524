package org.tenon.spi;

import java.lang.foreign.MemorySegment;

/**
 * A block of a device's memory. Each backend has its own subclass, which holds the memory itself; what a kernel may touch
 * starts at {@link #base} and is {@link #bytes} long, the rest of the block belongs to the allocator.
 */
public abstract class Buffer {
    private final long capacity;
    private long base;
    private long bytes;
    /** Of freed blocks the next, see {@link FreeBlocks}. */
    Buffer below;
    /** Whose it is rather than the allocator's, or null. */
    private Reserve reserve;

    /** A block of {@code capacity} bytes. */
    protected Buffer(long capacity) {
        this.capacity = capacity;
    }

    /** The size of the whole block. */
    public final long capacity() {
        return capacity;
    }

    /** Where the usable part starts within the block, in bytes. */
    public final long base() {
        return base;
    }

    /** How long the usable part is. */
    public final long bytes() {
        return bytes;
    }

    /** The usable part where it is plain host memory, which a copy may read and write directly; else null. */
    public MemorySegment host() {
        return null;
    }

    /** Whether it is of a recording's own memory, which stays while the recording does. */
    public final boolean isReserved() {
        return reserve != null;
    }

    Reserve reserve() {
        return reserve;
    }

    void reserve(Reserve newReserve) {
        reserve = newReserve;
    }

    void use(long newBase, long newBytes) {
        base = newBase;
        bytes = newBytes;
    }

    /** Gives the block back to the system. Called once, by the allocator, when no kernel uses it. */
    protected abstract void release();

    /** Fills {@code length} bytes from {@code from}, counted from the start of the block, with {@code value}. */
    protected abstract void fillBytes(long from, long length, byte value);

    /** Whether {@code length} bytes from {@code from}, counted from the start of the block, all equal {@code value}. */
    protected abstract boolean allBytes(long from, long length, byte value);
}

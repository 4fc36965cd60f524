package org.tenon.spi;

/** A device's own allocation call, under the caching {@link Allocator}. */
public interface RawMemory {
    /** A new block, or null where the device has no room. */
    Buffer create(long bytes);

    /** How much the device has, in bytes. */
    long limit();
}

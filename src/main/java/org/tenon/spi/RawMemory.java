package org.tenon.spi;

/** A device's own allocation call, under the caching {@link Allocator}. */
public interface RawMemory {
    /** A new block, or null where the device has no room. */
    Buffer create(long bytes);

    /** How much the device has, in bytes. */
    long limit();

    /** The longest block that it can make: some have less for one than for all. */
    default long largest() {
        return limit();
    }
}

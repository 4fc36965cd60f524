package org.tenon.spi;

import java.util.ArrayList;
import java.util.List;
import org.tenon.OutOfDeviceMemoryException;

/**
 * Memory that a recording has to itself, since what it recorded uses the same addresses each time: while it records, all
 * that its thread allocates comes from here, and what is freed is used again by later launches of the recording alone. On the
 * allocator's books every block of it is live until the reserve is closed.
 */
public final class Reserve implements AutoCloseable {
    private final Allocator allocator;
    private final Thread thread = Thread.currentThread();
    private final FreeBlocks free = new FreeBlocks();
    private final List<Buffer> later = new ArrayList<>();
    private volatile boolean records = true;
    private boolean closed;

    Reserve(Allocator allocator) {
        this.allocator = allocator;
    }

    /** Whether it serves what the calling thread allocates. */
    boolean serves() {
        return records && thread == Thread.currentThread();
    }

    /** A block, from what is free here or in the cache, or a new one: nothing can be given back for it meanwhile. */
    synchronized Buffer take(long capacity, long bytes) {
        Buffer buffer = free.take(capacity, Allocator.most(capacity));
        if (buffer == null) {
            buffer = allocator.giveAway(capacity);
            if (buffer == null) {
                throw new OutOfDeviceMemoryException(
                        allocator.device(),
                        bytes,
                        allocator.outOfMemory(bytes) + " while a step is captured, which cannot empty the cache;"
                                + " call trimMemory() before, close tensors, or ask for less");
            }
            buffer.reserve(this);
        }
        return buffer;
    }

    /** Takes a block of its own back. */
    synchronized void takeBack(Buffer buffer) {
        if (closed) {
            buffer.reserve(null);
            allocator.takeBack(buffer);
        } else {
            free.add(buffer);
        }
    }

    /** Frees a block of the allocator's once nothing is recorded: until then its guard bands cannot be read. */
    void later(Buffer buffer) {
        later.add(buffer);
    }

    /** Ends what it serves; the blocks stay. */
    public void stop() {
        records = false;
        allocator.recorded();
    }

    /** Frees what waits for that. */
    public void freeLate() {
        List<Buffer> all = List.copyOf(later);
        later.clear();
        all.forEach(allocator::free);
    }

    /** Gives the blocks back to the allocator: those of open tensors when they are closed. */
    @Override
    public synchronized void close() {
        closed = true;
        free.clear(buffer -> {
            buffer.reserve(null);
            allocator.takeBack(buffer);
        });
    }
}

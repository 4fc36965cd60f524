package org.tenon.spi;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Blocks that were freed, found by best fit; of one capacity the last freed comes first. Taking and adding makes no garbage.
 * Not for several threads at once.
 */
final class FreeBlocks {
    /** Ascending, each with a block at least. */
    private long[] capacities = new long[64];
    /** The last freed of each capacity, from which the others hang. */
    private Buffer[] lasts = new Buffer[64];

    private int count;
    private long bytes;

    /** All together. */
    long bytes() {
        return bytes;
    }

    void add(Buffer block) {
        int at = Arrays.binarySearch(capacities, 0, count, block.capacity());
        if (at < 0) {
            at = -at - 1;
            insert(at, block.capacity());
        }
        block.below = lasts[at];
        lasts[at] = block;
        bytes += block.capacity();
    }

    private void insert(int at, long capacity) {
        if (count == capacities.length) {
            capacities = Arrays.copyOf(capacities, 2 * count);
            lasts = Arrays.copyOf(lasts, 2 * count);
        }
        System.arraycopy(capacities, at, capacities, at + 1, count - at);
        System.arraycopy(lasts, at, lasts, at + 1, count - at);
        capacities[at] = capacity;
        lasts[at] = null;
        count++;
    }

    /** The smallest block of at least and at most so many bytes, or null. */
    Buffer take(long least, long most) {
        int found = Arrays.binarySearch(capacities, 0, count, least);
        int at = found < 0 ? -found - 1 : found;
        if (at == count || capacities[at] > most) {
            return null;
        }
        Buffer block = lasts[at];
        lasts[at] = block.below;
        block.below = null;
        bytes -= block.capacity();
        if (lasts[at] == null) {
            remove(at);
        }
        return block;
    }

    private void remove(int at) {
        count--;
        System.arraycopy(capacities, at + 1, capacities, at, count - at);
        System.arraycopy(lasts, at + 1, lasts, at, count - at);
        lasts[count] = null;
    }

    /** Gives all away. */
    void clear(Consumer<Buffer> to) {
        while (count > 0) {
            to.accept(take(0, Long.MAX_VALUE));
        }
    }
}

package org.tenon.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.DType;
import org.tenon.TensorStateException;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.Strided;

/**
 * Numbers in a device's memory that recorded launches read: what would be an argument, were it the same each time. They are
 * set on the host, and sent before the launches run.
 */
final class MovingNumbers {
    /** Of kernels that read them there. */
    static final String OPTION = " -DMOVING";

    /** More than most steps need, for one that does more than when its numbers were counted. */
    private static final int SPARE = 1024;

    private final String device;
    private final Allocator allocator;
    private int room = SPARE;
    private Buffer buffer;
    private MemorySegment longs;
    private int used;
    private MemorySegment sent;
    private boolean changed;

    /** Of {@code device}, for messages. */
    MovingNumbers(String device, Allocator allocator) {
        this.device = device;
        this.allocator = allocator;
    }

    /** There will be so many more. */
    void expect(int more) {
        room += more;
    }

    /** Makes room for what is expected: not while anything is recorded, since memory may be filled when it is had. */
    void open() {
        buffer = allocator.allocate(room * (long) Long.BYTES);
        longs = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, room);
        changed = true;
    }

    /** Room for so many. */
    Place take(int count) {
        if (used + count > room) {
            throw new TensorStateException(
                    device,
                    "a captured step does much more than when it ran first: its random draws and parameter updates take"
                            + " more than " + room + " numbers; let it do the same each time");
        }
        Place place = new Place(used);
        used += count;
        sent = longs.asSlice(0, used * (long) Long.BYTES);
        return place;
    }

    /** Sends them, where any has changed. */
    void send(GpuRuntime runtime) {
        if (changed && used > 0) {
            runtime.write(sent, buffer, buffer.base());
            changed = false;
        }
    }

    /** Gives the memory back. */
    void close() {
        if (buffer != null) {
            allocator.free(buffer);
            buffer = null;
        }
    }

    /** Where some of them are. */
    final class Place implements Longs {
        private final int first;
        private int next;

        private Place(int first) {
            this.first = first;
        }

        Buffer buffer() {
            return buffer;
        }

        /** In longs from the start of the buffer's block. */
        long offset() {
            return buffer.base() / Long.BYTES + first;
        }

        /** The first {@code count} of them. */
        Strided strided(int count) {
            return new Strided(buffer, DType.I64, first, new long[] {count}, new long[] {1});
        }

        /** From the first one again. */
        Place begin() {
            next = first;
            return this;
        }

        @Override
        public Place value(long value) {
            if (longs.getAtIndex(ValueLayout.JAVA_LONG, next) != value) {
                longs.setAtIndex(ValueLayout.JAVA_LONG, next, value);
                changed = true;
            }
            next++;
            return this;
        }
    }
}

package org.tenon.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.tenon.TensorArgumentException;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.IndexCheck;

/**
 * The device's note of the first index out of range. Kernels write it ({@code Flag} in {@code common.h}); calls that wait
 * for the device read it and raise it.
 */
final class IndexFlag {
    private static final int PAIRS = 256;
    private static final long HEADER = 16;
    private static final long BYTES = HEADER + PAIRS * 2L * Long.BYTES;
    private static final int MOST_PENDING = 1 << 16;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final List<IndexCheck> pending = new ArrayList<>();
    private Buffer buffer;
    private boolean clean;

    IndexFlag(GpuRuntime runtime, Allocator allocator) {
        this.runtime = runtime;
        this.allocator = allocator;
    }

    /**
     * The number under which the next launch reports to {@link #buffer}. The caller holds this flag's monitor until that
     * launch is queued, so that no other thread reads the flag between the two.
     */
    long begin(IndexCheck check) {
        if (pending.size() == MOST_PENDING) {
            raise();
        }
        if (buffer == null) {
            buffer = allocator.reserve(BYTES);
        }
        if (!clean) {
            reset();
            clean = true;
        }
        pending.add(check);
        return pending.size();
    }

    /** The flag in the device's memory, once a launch has begun. */
    Buffer buffer() {
        return buffer;
    }

    private void reset() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment clean = arena.allocate(HEADER, 8);
            clean.set(ValueLayout.JAVA_INT, 4, -1);
            runtime.write(clean, buffer, 0);
        }
    }

    /** Waits for the launches that check, and throws what the first of them met. */
    synchronized void raise() {
        if (pending.isEmpty()) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment header = arena.allocate(HEADER, 8);
            runtime.read(buffer, 0, header);
            int launch = header.get(ValueLayout.JAVA_INT, 0);
            if (launch == 0) {
                pending.clear();
                return;
            }
            MemorySegment all = arena.allocate(BYTES, 8);
            runtime.read(buffer, 0, all);
            // The next launch that checks resets it; if that fails, so does the launch.
            clean = false;
            IndexCheck check = pending.get(launch - 1);
            pending.clear();
            throw failure(check, all);
        }
    }

    private static TensorArgumentException failure(IndexCheck check, MemorySegment flag) {
        long position = Integer.toUnsignedLong(flag.get(ValueLayout.JAVA_INT, 4));
        long count = Math.min(PAIRS, Integer.toUnsignedLong(flag.get(ValueLayout.JAVA_INT, 8)));
        for (long i = 0; i < count; i++) {
            long at = HEADER + 2 * i * Long.BYTES;
            if (flag.get(ValueLayout.JAVA_LONG, at) == position) {
                return check.failure(position, flag.get(ValueLayout.JAVA_LONG, at + Long.BYTES));
            }
        }
        return new TensorArgumentException(
                check.op(),
                "the " + check.what() + " at position " + position + " is outside [0, " + check.bound() + ")");
    }
}

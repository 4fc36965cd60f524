package org.tenon.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    private static final int FIRST_RECORDED = 2 * MOST_PENDING;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final List<IndexCheck> pending = new ArrayList<>();
    /** Those of recordings, by number: they stay, since their launches come again. */
    private final Map<Integer, IndexCheck> recorded = new HashMap<>();

    private final List<Recorded> forgotten = new ArrayList<>();
    private Buffer buffer;
    private boolean clean;
    private Recorded recording;
    private int nextRecorded = FIRST_RECORDED;
    private boolean recordedPending;

    /** The numbers of the checks of one recording. */
    static final class Recorded {
        private final List<Integer> numbers = new ArrayList<>();
    }

    IndexFlag(GpuRuntime runtime, Allocator allocator) {
        this.runtime = runtime;
        this.allocator = allocator;
    }

    /**
     * The number under which the next launch reports to {@link #buffer}. The caller holds this flag's monitor until that
     * launch is queued, so that no other thread reads the flag between the two.
     */
    long begin(IndexCheck check) {
        if (recording != null) {
            recording.numbers.add(nextRecorded);
            recorded.put(nextRecorded, check);
            return nextRecorded++;
        }
        if (pending.size() == MOST_PENDING) {
            raise();
        }
        ready();
        pending.add(check);
        return pending.size();
    }

    /** Makes the flag where there is none, and clears it. */
    private void ready() {
        if (buffer == null) {
            buffer = allocator.reserve(BYTES);
        }
        if (!clean) {
            reset();
            clean = true;
        }
    }

    /** From now on, until {@link #recorded}, checks are those of a recording. The caller holds the monitor meanwhile. */
    Recorded record() {
        ready();
        recording = new Recorded();
        return recording;
    }

    void recorded() {
        recording = null;
    }

    /** Launches what has these checks. */
    synchronized void launch(Recorded checks, GpuRuntime.Graph graph) {
        if (!checks.numbers.isEmpty()) {
            ready();
            recordedPending = true;
        }
        graph.launch();
    }

    /** They are launched no more; what they met may still have to be raised. */
    synchronized void forget(Recorded checks) {
        forgotten.add(checks);
        if (!recordedPending) {
            forget();
        }
    }

    private void forget() {
        forgotten.forEach(each -> recorded.keySet().removeAll(each.numbers));
        forgotten.clear();
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
        if (pending.isEmpty() && !recordedPending) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment header = arena.allocate(HEADER, 8);
            runtime.read(buffer, 0, header);
            int launch = header.get(ValueLayout.JAVA_INT, 0);
            if (launch == 0) {
                done();
                return;
            }
            MemorySegment all = arena.allocate(BYTES, 8);
            runtime.read(buffer, 0, all);
            // The next launch that checks resets it; if that fails, so does the launch.
            clean = false;
            IndexCheck check = launch < FIRST_RECORDED ? pending.get(launch - 1) : recorded.get(launch);
            done();
            throw failure(check, all);
        }
    }

    private void done() {
        pending.clear();
        recordedPending = false;
        forget();
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

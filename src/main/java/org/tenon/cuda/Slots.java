package org.tenon.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Pinned host memory that copies go through, since the driver moves only such memory at full speed and while the host goes
 * on: a ring of slots, each free again when its event says so. Made on first use, used under its owner's lock.
 */
final class Slots {
    /** {@code -Dtenon.cuda.slot} makes them small, for tests of copies that need many. */
    static final int BYTES = Integer.getInteger("tenon.cuda.slot", 2 << 20);

    private static final int COUNT = 4;

    private final CudaContext context;
    private final MemorySegment[] memory = new MemorySegment[COUNT];
    private final Pointer[] pointers = new Pointer[COUNT];
    private final CUevent[] events = new CUevent[COUNT];
    private final boolean[] busy = new boolean[COUNT];
    private int next;

    Slots(CudaContext context) {
        this.context = context;
    }

    /** A slot that no copy uses; waits for one if need be. */
    int take() {
        int slot = next;
        next = (next + 1) % COUNT;
        free(slot);
        if (memory[slot] == null) {
            make(slot);
        }
        return slot;
    }

    private void make(int slot) {
        if (events[slot] == null) {
            events[slot] = Queue.event(context);
        }
        Pointer made = new Pointer();
        context.check("cuMemHostAlloc", JCudaDriver.cuMemHostAlloc(made, BYTES, JCudaDriver.CU_MEMHOSTALLOC_PORTABLE));
        // Kept for as long as the process lives.
        MemorySegment segment = MemorySegment.ofBuffer(made.getByteBuffer());
        pointers[slot] = new HostPointer(segment);
        memory[slot] = segment;
    }

    MemorySegment memory(int slot) {
        return memory[slot];
    }

    Pointer pointer(int slot) {
        return pointers[slot];
    }

    /** After a copy was queued in {@code stream}: the event of its end. */
    CUevent queued(int slot, CUstream stream) {
        context.check("cuEventRecord", JCudaDriver.cuEventRecord(events[slot], stream));
        busy[slot] = true;
        return events[slot];
    }

    /** Waits for a slot's copy. */
    void free(int slot) {
        if (busy[slot]) {
            busy[slot] = false;
            context.check("cuEventSynchronize", JCudaDriver.cuEventSynchronize(events[slot]));
        }
    }
}

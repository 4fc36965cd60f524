package org.tenon.opencl;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_event;
import org.jocl.cl_mem;

/**
 * Pinned host memory that copies go through, since drivers move only such memory at full speed and while the host goes on:
 * a ring of slots, each free again when its event says so. Used under the runtime's lock.
 */
final class Staging {
    private static final int SLOTS = 4;
    private static final int SLOT_BYTES = 1 << 20;
    /**
     * JOCL waits for each copy that does not block on a thread of its own, too; {@code -Dtenon.opencl.copies=blocking} is
     * for drivers that only one thread at a time may call, as a simulator is.
     */
    private static final boolean BLOCKING = "blocking".equals(System.getProperty("tenon.opencl.copies"));

    private final String device;
    private final cl_command_queue queue;
    private final ByteBuffer[] slots = new ByteBuffer[SLOTS];
    private final Pointer[] pointers = new Pointer[SLOTS];
    private final cl_event[] busy = new cl_event[SLOTS];
    private int next;

    Staging(String device, cl_context context, cl_command_queue queue) {
        this.device = device;
        this.queue = queue;
        int[] status = new int[1];
        for (int i = 0; i < SLOTS; i++) {
            cl_mem pinned = CL.clCreateBuffer(
                    context, CL.CL_MEM_READ_WRITE | CL.CL_MEM_ALLOC_HOST_PTR, SLOT_BYTES, null, status);
            Status.check(device, "clCreateBuffer", status[0]);
            // Mapped for as long as the process lives.
            slots[i] = CL.clEnqueueMapBuffer(
                    queue, pinned, true, CL.CL_MAP_READ | CL.CL_MAP_WRITE, 0, SLOT_BYTES, 0, null, null, status);
            Status.check(device, "clEnqueueMapBuffer", status[0]);
            pointers[i] = Pointer.to(slots[i]);
        }
    }

    /** Queues copies to the device; the source may be reused on return. */
    void write(MemorySegment from, cl_mem to, long offset) {
        for (long at = 0; at < from.byteSize(); at += SLOT_BYTES) {
            long bytes = Math.min(SLOT_BYTES, from.byteSize() - at);
            int slot = take();
            MemorySegment.ofBuffer(slots[slot]).asSlice(0, bytes).copyFrom(from.asSlice(at, bytes));
            busy[slot] = new cl_event();
            Status.check(
                    device,
                    "clEnqueueWriteBuffer",
                    CL.clEnqueueWriteBuffer(
                            queue, to, BLOCKING, offset + at, bytes, pointers[slot], 0, null, busy[slot]));
        }
    }

    /** Copies from the device: while one slot is filled the one before is emptied. */
    void read(cl_mem from, long offset, MemorySegment to) {
        int before = -1;
        for (long at = 0; at < to.byteSize(); at += SLOT_BYTES) {
            long bytes = Math.min(SLOT_BYTES, to.byteSize() - at);
            int slot = take();
            busy[slot] = new cl_event();
            Status.check(
                    device,
                    "clEnqueueReadBuffer",
                    CL.clEnqueueReadBuffer(
                            queue, from, BLOCKING, offset + at, bytes, pointers[slot], 0, null, busy[slot]));
            CL.clFlush(queue);
            if (before >= 0) {
                empty(before, to.asSlice(at - SLOT_BYTES, SLOT_BYTES));
            }
            before = slot;
        }
        if (before >= 0) {
            long rest = (to.byteSize() - 1) % SLOT_BYTES + 1;
            empty(before, to.asSlice(to.byteSize() - rest, rest));
        }
    }

    private void empty(int slot, MemorySegment to) {
        free(slot);
        to.copyFrom(MemorySegment.ofBuffer(slots[slot]).asSlice(0, to.byteSize()));
    }

    private int take() {
        int slot = next;
        next = (next + 1) % SLOTS;
        free(slot);
        return slot;
    }

    /** Waits for a slot's copy. */
    private void free(int slot) {
        cl_event event = busy[slot];
        if (event != null) {
            busy[slot] = null;
            int status = CL.clWaitForEvents(1, new cl_event[] {event});
            CL.clReleaseEvent(event);
            Status.check(device, "clWaitForEvents", status);
        }
    }
}

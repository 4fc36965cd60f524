package org.tenon.opencl;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_event;
import org.jocl.cl_mem;

/**
 * Pinned host memory that copies go through, since drivers move only such memory at full speed and while the host goes on:
 * a ring of bytes, handed out in order, each piece free again when its event says so. Used under the runtime's lock.
 */
final class Staging {
    private static final int RING = 4 << 20;
    /** Less than a third of the ring, so that a read has two pieces in flight wherever in the ring it starts. */
    private static final int LARGEST = 1 << 20;
    /**
     * JOCL waits for each copy that does not block on a thread of its own, too; {@code -Dtenon.opencl.copies=blocking} is
     * for drivers that only one thread at a time may call, as a simulator is.
     */
    private static final boolean BLOCKING = "blocking".equals(System.getProperty("tenon.opencl.copies"));

    private static final int ALIGNMENT = 64;
    private static final int MOST_PIECES = 1024;

    private final Status status;
    private final cl_context context;
    private final cl_command_queue queue;
    private final ArrayDeque<Piece> pieces = new ArrayDeque<>();
    private MemorySegment ring;
    private Pointer pointer;
    /** Bytes handed out since the start, and how many of them are free again; they count on beyond the ring's end. */
    private long head;

    private long tail;

    private record Piece(long end, cl_event event) {}

    Staging(Status status, cl_context context, cl_command_queue queue) {
        this.status = status;
        this.context = context;
        this.queue = queue;
    }

    /** Queues copies to the device; the source may be reused on return. Waits only where the ring is full. */
    void write(MemorySegment from, cl_mem to, long offset) {
        for (long at = 0; at < from.byteSize(); at += LARGEST) {
            long bytes = Math.min(LARGEST, from.byteSize() - at);
            long place = room(bytes);
            MemorySegment.copy(from, at, ring, place % RING, bytes);
            cl_event event = new cl_event();
            status.check(
                    "clEnqueueWriteBuffer",
                    CL.clEnqueueWriteBuffer(queue, to, BLOCKING, offset + at, bytes, at(place), 0, null, event));
            taken(place + bytes, event);
        }
    }

    /** Copies from the device: while one piece is filled the one before is emptied. */
    void read(cl_mem from, long offset, MemorySegment to) {
        long before = -1;
        for (long at = 0; at < to.byteSize(); at += LARGEST) {
            long bytes = Math.min(LARGEST, to.byteSize() - at);
            long place = room(bytes);
            cl_event event = new cl_event();
            status.check(
                    "clEnqueueReadBuffer",
                    CL.clEnqueueReadBuffer(queue, from, BLOCKING, offset + at, bytes, at(place), 0, null, event));
            taken(place + bytes, event);
            status.check("clFlush", CL.clFlush(queue));
            if (before >= 0) {
                empty(before, to.asSlice(at - LARGEST, LARGEST));
            }
            before = place;
        }
        if (before >= 0) {
            long rest = (to.byteSize() - 1) % LARGEST + 1;
            empty(before, to.asSlice(to.byteSize() - rest, rest));
        }
    }

    private void empty(long place, MemorySegment to) {
        while (tail < place + to.byteSize()) {
            freeOldest();
        }
        MemorySegment.copy(ring, place % RING, to, 0, to.byteSize());
    }

    private Pointer at(long place) {
        return pointer.withByteOffset(place % RING);
    }

    /** Where the next piece starts. It is taken only once its copy is queued, so that a failure leaves nothing behind. */
    private long room(long bytes) {
        if (ring == null) {
            pin();
        }
        long place = (head + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        long rest = RING - place % RING;
        if (rest < bytes) {
            place += rest;
        }
        while (!pieces.isEmpty() && (place + bytes - tail > RING || pieces.size() >= MOST_PIECES)) {
            freeOldest();
        }
        return place;
    }

    private void taken(long end, cl_event event) {
        head = end;
        pieces.add(new Piece(end, event));
    }

    /**
     * Waits for the oldest copy. Where that fails for another reason than the copy itself, all is waited for: a piece that is
     * still copied must not be written.
     */
    private void freeOldest() {
        Piece oldest = pieces.remove();
        tail = oldest.end();
        int waited = status.seen("clWaitForEvents", CL.clWaitForEvents(1, new cl_event[] {oldest.event()}));
        if (waited == CL.CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST) {
            int[] reason = {waited};
            CL.clGetEventInfo(
                    oldest.event(), CL.CL_EVENT_COMMAND_EXECUTION_STATUS, Sizeof.cl_int, Pointer.to(reason), null);
            waited = reason[0];
        } else if (waited != CL.CL_SUCCESS) {
            CL.clFinish(queue);
        }
        status.release("clReleaseEvent", () -> CL.clReleaseEvent(oldest.event()));
        status.raise("clWaitForEvents", waited);
    }

    /** For as long as the process lives. */
    private void pin() {
        int[] answer = new int[1];
        cl_mem pinned = CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE | CL.CL_MEM_ALLOC_HOST_PTR, RING, null, answer);
        status.check("clCreateBuffer", answer[0]);
        ByteBuffer mapped = CL.clEnqueueMapBuffer(
                queue, pinned, true, CL.CL_MAP_READ | CL.CL_MAP_WRITE, 0, RING, 0, null, null, answer);
        if (mapped == null) {
            CL.clReleaseMemObject(pinned);
        }
        status.check("clEnqueueMapBuffer", answer[0]);
        pointer = Pointer.to(mapped);
        ring = MemorySegment.ofBuffer(mapped);
    }
}

package org.tenon.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/** Copies from the device, after all that is queued: while one slot is filled the one before is emptied. */
final class Downloads {
    private final CudaContext context;
    private final CUstream stream;
    private final Slots slots;

    /** {@code stream} is the one that kernels run in. */
    Downloads(CudaContext context, CUstream stream) {
        this.context = context;
        this.stream = stream;
        slots = new Slots(context);
    }

    /** Copies, and waits. */
    synchronized void read(CudaBuffer from, long offset, MemorySegment to) {
        context.enter();
        try {
            copy(from, offset, to);
        } catch (RuntimeException e) {
            // What was queued must not write to a slot that by then is another copy's.
            JCudaDriver.cuStreamSynchronize(stream);
            throw e;
        }
    }

    private void copy(CudaBuffer from, long offset, MemorySegment to) {
        int before = -1;
        for (long at = 0; at < to.byteSize(); at += Slots.BYTES) {
            int slot = slots.take();
            context.check(
                    "cuMemcpyDtoHAsync",
                    JCudaDriver.cuMemcpyDtoHAsync(
                            slots.pointer(slot),
                            from.at(offset + at),
                            Math.min(Slots.BYTES, to.byteSize() - at),
                            stream));
            slots.queued(slot, stream);
            if (before >= 0) {
                empty(before, to, at - Slots.BYTES);
            }
            before = slot;
        }
        if (before >= 0) {
            empty(before, to, (to.byteSize() - 1) / Slots.BYTES * Slots.BYTES);
        }
    }

    private void empty(int slot, MemorySegment to, long at) {
        slots.free(slot);
        MemorySegment.copy(slots.memory(slot), 0, to, at, Math.min(Slots.BYTES, to.byteSize() - at));
    }
}

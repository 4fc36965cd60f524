package org.tenon.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Copies to the device, in a stream of their own: they run beside the kernels that are queued already, unless these use the
 * same memory, and before those that are queued later.
 */
final class Uploads {
    private final CudaContext context;
    private final Queue queue;
    private final CUstream stream;
    private final Slots slots;

    Uploads(CudaContext context, Queue queue) {
        this.context = context;
        this.queue = queue;
        stream = Queue.stream(context);
        slots = new Slots(context);
    }

    /** Queues the copies; the source may be reused on return. */
    synchronized void write(MemorySegment from, CudaBuffer to, long offset) {
        queue.waitFor(to, stream);
        context.enter();
        try {
            queue.after(copy(from, to, offset));
        } catch (RuntimeException e) {
            // What was queued must not write to memory that by then is something else's.
            JCudaDriver.cuStreamSynchronize(stream);
            throw e;
        }
    }

    private CUevent copy(MemorySegment from, CudaBuffer to, long offset) {
        CUevent last = null;
        for (long at = 0; at < from.byteSize(); at += Slots.BYTES) {
            long bytes = Math.min(Slots.BYTES, from.byteSize() - at);
            int slot = slots.take();
            MemorySegment.copy(from, at, slots.memory(slot), 0, bytes);
            context.check(
                    "cuMemcpyHtoDAsync",
                    JCudaDriver.cuMemcpyHtoDAsync(to.at(offset + at), slots.pointer(slot), bytes, stream));
            last = slots.queued(slot, stream);
        }
        return last;
    }
}

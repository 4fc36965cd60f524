package org.tenon.cuda;

import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.tenon.TensorStateException;

/**
 * The stream that a device's kernels run in, and marks along it. A copy that runs beside the kernels waits for the first
 * mark after the last use of its memory, not for all that is queued. Its methods hold its lock, as do those who queue.
 */
final class Queue {
    private static final int MARKS = 8;
    private static final int BETWEEN_MARKS = 32;

    private final CudaContext context;
    private final CudaStream stream;
    private final CUevent[] marks = new CUevent[MARKS];
    private final long[] positions = new long[MARKS];
    private long position;
    private int newest;
    /** Copies and waits under way, which a capture would break. */
    private int others;

    private volatile CudaGraph capture;

    Queue(CudaContext context) {
        this.context = context;
        stream = stream(context);
        for (int i = 0; i < MARKS; i++) {
            marks[i] = event(context);
        }
    }

    /** A stream that waits for no other, nor they for it. */
    static CudaStream stream(CudaContext context) {
        CudaStream stream = new CudaStream();
        context.check("cuStreamCreate", JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
        return stream;
    }

    static CUevent event(CudaContext context) {
        CUevent event = new CUevent();
        context.check("cuEventCreate", JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING));
        return event;
    }

    CudaStream stream() {
        return stream;
    }

    /** The position of a command about to be queued, to be given to the buffers it uses. */
    synchronized long next() {
        return ++position;
    }

    /** A command is about to use a buffer. */
    synchronized void uses(CudaBuffer buffer, long at) {
        buffer.used(at);
        if (capture != null) {
            capture.uses(buffer);
        }
    }

    /** Before something that cannot be captured, {@code what}; after it comes {@link #leave}. */
    void enter(String what) {
        refuse(what);
        synchronized (this) {
            others++;
        }
    }

    synchronized void leave() {
        others--;
        notifyAll();
    }

    /** Throws if the calling thread captures. */
    void refuse(String what) {
        CudaGraph now = capture;
        if (now != null && now.isOwn()) {
            throw new TensorStateException(
                    context.device(), what + " cannot be part of a captured step; do it before or after the step runs");
        }
    }

    /** What is queued goes into a graph, until there is none again. The caller holds the lock meanwhile. */
    void capture(CudaGraph graph) {
        boolean interrupted = false;
        while (others > 0) {
            try {
                wait();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        capture = graph;
    }

    void captured() {
        capture = null;
    }

    /** Leaves a mark now and then. Before a command rather than after it: where this fails the command has not happened. */
    synchronized void mark() {
        if (capture == null && position - positions[newest] >= BETWEEN_MARKS) {
            leaveMark();
        }
    }

    private void leaveMark() {
        int at = (newest + 1) % MARKS;
        // Until it is recorded anew the event stands for neither position.
        positions[at] = 0;
        context.check("cuEventRecord", JCudaDriver.cuEventRecord(marks[at], stream));
        positions[at] = position;
        newest = at;
    }

    /** Lets another stream wait for all uses of a buffer queued so far. */
    synchronized void waitFor(CudaBuffer buffer, CUstream other) {
        context.enter();
        long use = buffer.lastUse();
        if (use == 0) {
            return;
        }
        if (positions[newest] < use) {
            leaveMark();
        }
        int first = newest;
        for (int i = 0; i < MARKS; i++) {
            if (positions[i] >= use && positions[i] < positions[first]) {
                first = i;
            }
        }
        context.check("cuStreamWaitEvent", JCudaDriver.cuStreamWaitEvent(other, marks[first], 0));
    }

    /** Sets an event when all that is queued so far is done. */
    synchronized void signal(CUevent event) {
        context.enter();
        context.check("cuEventRecord", JCudaDriver.cuEventRecord(event, stream));
    }

    /** Lets all that is queued from now on wait for an event. */
    synchronized void after(CUevent event) {
        context.enter();
        context.check("cuStreamWaitEvent", JCudaDriver.cuStreamWaitEvent(stream, event, 0));
    }
}

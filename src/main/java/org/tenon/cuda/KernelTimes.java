package org.tenon.cuda;

import java.util.ArrayDeque;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.tenon.gpu.ProfileTable;

/** The times of launches, from events before and after each. Safe for use from several threads. */
final class KernelTimes {
    private static final int MOST_PENDING = 2048;

    private final CudaContext context;
    private final CUstream stream;
    private final ProfileTable table;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();
    private final ArrayDeque<CUevent> spare = new ArrayDeque<>();

    private record Pending(String kernel, CUevent start, CUevent end) {}

    KernelTimes(CudaContext context, CUstream stream) {
        this.context = context;
        this.stream = stream;
        table = new ProfileTable(context.device(), this::collectLast);
    }

    /** An event before a launch, for {@link #launched}. */
    synchronized CUevent start() {
        if (pending.size() >= MOST_PENDING) {
            collect();
        }
        return record();
    }

    synchronized void launched(String kernel, CUevent start) {
        pending.add(new Pending(kernel, start, record()));
    }

    private CUevent record() {
        CUevent event = spare.poll();
        if (event == null) {
            event = new CUevent();
            context.check("cuEventCreate", JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DEFAULT));
        }
        context.check("cuEventRecord", JCudaDriver.cuEventRecord(event, stream));
        return event;
    }

    /** At the JVM's end, in a thread that has not used the device yet. */
    private void collectLast() {
        context.enter();
        collect();
    }

    /** Waits, and adds up what has run. */
    synchronized void collect() {
        float[] millis = new float[1];
        for (Pending each = pending.poll(); each != null; each = pending.poll()) {
            if (JCudaDriver.cuEventSynchronize(each.end()) == CUresult.CUDA_SUCCESS
                    && JCudaDriver.cuEventElapsedTime(millis, each.start(), each.end()) == CUresult.CUDA_SUCCESS) {
                table.add(each.kernel(), (long) (millis[0] * 1e6));
            }
            spare.add(each.start());
            spare.add(each.end());
        }
    }
}

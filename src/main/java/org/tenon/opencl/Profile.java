package org.tenon.opencl;

import java.util.ArrayDeque;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_event;
import org.tenon.gpu.ProfileTable;

/** The times of launches, from the queue's own events. Safe for use from several threads. */
final class Profile {
    private static final int MOST_PENDING = 4096;

    private final ProfileTable table;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();

    private record Pending(String kernel, cl_event event) {}

    Profile(String device) {
        table = new ProfileTable(device, this::collect);
    }

    /** Notes the event of a launch that was queued. */
    synchronized void launched(String kernel, cl_event event) {
        pending.add(new Pending(kernel, event));
        if (pending.size() >= MOST_PENDING) {
            collect();
        }
    }

    /** Waits for the launches, and adds up how long they took. */
    synchronized void collect() {
        for (Pending each = pending.poll(); each != null; each = pending.poll()) {
            if (CL.clWaitForEvents(1, new cl_event[] {each.event()}) == CL.CL_SUCCESS) {
                table.add(
                        each.kernel(),
                        at(each.event(), CL.CL_PROFILING_COMMAND_END)
                                - at(each.event(), CL.CL_PROFILING_COMMAND_START));
            }
            CL.clReleaseEvent(each.event());
        }
    }

    private static long at(cl_event event, int what) {
        long[] nanos = new long[1];
        CL.clGetEventProfilingInfo(event, what, Long.BYTES, Pointer.to(nanos), null);
        return nanos[0];
    }
}

package org.tenon.opencl;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_event;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long each kernel ran on the device, from the queue's own events, with {@code -Dtenon.profile=true}: a table in the log
 * when the JVM ends. Used under the runtime's lock.
 */
final class Profile {
    private static final Logger LOG = LoggerFactory.getLogger("org.tenon.profile");
    private static final int MOST_PENDING = 4096;

    private final String device;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();
    private final Map<String, Total> totals = new TreeMap<>();

    private record Pending(String kernel, cl_event event) {}

    private static final class Total {
        private long launches;
        private long nanos;
    }

    Profile(String device) {
        this.device = device;
    }

    static boolean wanted() {
        return Boolean.getBoolean("tenon.profile");
    }

    /** Notes the event of a launch that was queued. */
    void launched(String kernel, cl_event event) {
        pending.add(new Pending(kernel, event));
        if (pending.size() >= MOST_PENDING) {
            collect();
        }
    }

    /** Waits for the launches, and adds up how long they took. */
    void collect() {
        for (Pending each = pending.poll(); each != null; each = pending.poll()) {
            if (CL.clWaitForEvents(1, new cl_event[] {each.event()}) == CL.CL_SUCCESS) {
                Total total = totals.computeIfAbsent(each.kernel(), _ -> new Total());
                total.launches++;
                total.nanos +=
                        at(each.event(), CL.CL_PROFILING_COMMAND_END) - at(each.event(), CL.CL_PROFILING_COMMAND_START);
            }
            CL.clReleaseEvent(each.event());
        }
    }

    private static long at(cl_event event, int what) {
        long[] nanos = new long[1];
        CL.clGetEventProfilingInfo(event, what, Long.BYTES, Pointer.to(nanos), null);
        return nanos[0];
    }

    /** Writes the table, the longest first. */
    void log() {
        collect();
        totals.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Total> each) -> -each.getValue().nanos))
                .forEach(each -> LOG.info(
                        "{} {}: {} launches, {} ms",
                        device,
                        each.getKey(),
                        each.getValue().launches,
                        each.getValue().nanos / 1000 / 1000.0));
    }
}

package org.tenon.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jcuda.Pointer;
import org.tenon.gpu.Launch;

/**
 * The arguments of a launch as the driver takes them: an array of addresses, one for each argument's value. Made once and
 * filled for each launch, since the driver has read all when it returns. Used under the queue's lock.
 */
final class Arguments {
    private static final int MOST = 48;

    private final MemorySegment values = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, MOST);
    private final MemorySegment addresses = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, MOST + 1);
    private final Pointer pointer = new HostPointer(addresses);

    /** Buffers as device addresses, then the structure of longs where it lies. */
    Pointer of(Launch launch) {
        int buffers = launch.buffers();
        for (int i = 0; i < buffers; i++) {
            values.setAtIndex(ValueLayout.JAVA_LONG, i, ((CudaBuffer) launch.buffer(i)).address());
            addresses.setAtIndex(ValueLayout.JAVA_LONG, i, values.address() + (long) i * Long.BYTES);
        }
        addresses.setAtIndex(ValueLayout.JAVA_LONG, buffers, launch.structure().address());
        return pointer;
    }
}

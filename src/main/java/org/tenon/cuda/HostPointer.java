package org.tenon.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;

/** Memory outside the Java heap as JCuda takes it, of any size: its own pointers to buffers end at 2 GiB. */
final class HostPointer extends Pointer {
    /** The start of a native segment, which the caller keeps alive. */
    HostPointer(MemorySegment memory) {
        super(memory.address());
    }
}

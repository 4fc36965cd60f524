package org.tenon.spi;

import java.lang.foreign.MemorySegment;
import org.tenon.DType;
import org.tenon.DeviceType;

/** One device: its memory, its kernels, its order of events. Safe for use from several threads. */
public interface Backend {
    /** The name users know it by: {@code cpu}, {@code opencl:0}, {@code cuda:1}. */
    String name();

    /** What it is: model, memory, driver, in one line. */
    String description();

    /** The device type it stands for. */
    Class<? extends DeviceType> type();

    /**
     * The better of two devices, for {@code Devices.best()}, has the higher rank: CUDA 200, an OpenCL GPU 100, the CPU 0.
     * Below 0 it is taken only when asked for by name.
     */
    int rank();

    /** Whether it computes in this element type. */
    boolean supports(DType dtype);

    /** Where its memory comes from. */
    Allocator allocator();

    /** Its kernels. */
    Kernels kernels();

    /** Copies host memory into a buffer, {@code byteOffset} from its base. The source may be reused on return. */
    void upload(MemorySegment from, Buffer to, long byteOffset);

    /** Waits for what was launched, raises what it met, and copies from a buffer into host memory. */
    void download(Buffer from, long byteOffset, MemorySegment to);

    /**
     * Copies from a buffer of another device into one of this device without the host in between, after all that was
     * launched there and before all that is launched later on either. False, and nothing done, where the two devices have
     * no such way.
     */
    default boolean copyFrom(Backend other, Buffer from, long fromOffset, Buffer to, long toOffset, long bytes) {
        return false;
    }

    /** Waits for what was launched and raises what it met. */
    void synchronize();

    /** A recording that has nothing yet, or null where launches cannot be recorded. */
    default Recording recording() {
        return null;
    }
}

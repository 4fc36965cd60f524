package org.tenon.opencl;

import java.util.function.IntSupplier;
import org.jocl.CL;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.TensorStateException;

/**
 * What OpenCL calls answer on one device: no memory is {@link OutOfDeviceMemoryException}, after which the device goes on;
 * after the answers that no driver comes back from, every later call says that the device is gone.
 */
class Status {
    /** What the loader of drivers answers where it finds none. */
    static final int NO_PLATFORM = -1001;

    /** NVIDIA's answer once a kernel touched what is not its own. */
    private static final int BAD_ACCESS = -9999;

    private static final Logger LOG = LoggerFactory.getLogger(Status.class);

    private final String device;
    private volatile String gone;

    Status(String device) {
        this.device = device;
    }

    /** What a call answered, which tests change to see what becomes of it. */
    int seen(String call, int status) {
        return status;
    }

    /** Throws unless the call succeeded. */
    final void check(String call, int status) {
        raise(call, seen(call, status));
    }

    /** The same of an answer that was {@link #seen}. */
    final void raise(String call, int seen) {
        if (seen != CL.CL_SUCCESS) {
            throw failure(call, seen);
        }
    }

    /** Whether a call found no memory; throws where it failed in another way. */
    final boolean isOutOfMemory(String call, int status) {
        int seen = seen(call, status);
        if (isMemory(seen) || seen == CL.CL_INVALID_BUFFER_SIZE) {
            return true;
        }
        if (seen != CL.CL_SUCCESS) {
            throw failure(call, seen);
        }
        return false;
    }

    /**
     * Gives something back. That must go on whatever happens: a call that fails is made once more, and what then fails is
     * logged. Of a device that is gone nothing can be given back.
     */
    final void release(String call, IntSupplier release) {
        int answer = seen(call, release.getAsInt());
        if (answer != CL.CL_SUCCESS && gone == null) {
            answer = seen(call, release.getAsInt());
        }
        if (answer != CL.CL_SUCCESS && gone == null) {
            LOG.warn("{}: {} failed with {}", device, call, CL.stringFor_errorCode(answer));
        }
    }

    final boolean isGone() {
        return gone != null;
    }

    /** Throws where the device was lost earlier. */
    final void checkThere() {
        if (gone != null) {
            throw new TensorStateException(device, "the device is gone, start the JVM anew; lost when " + gone);
        }
    }

    private TensorStateException failure(String call, int status) {
        String what = call + " failed with " + CL.stringFor_errorCode(status);
        if (isLoss(status)) {
            gone = what;
            return new TensorStateException(device, what + "; the device is gone, start the JVM anew");
        }
        if (isMemory(status)) {
            return new OutOfDeviceMemoryException(
                    device,
                    0,
                    what + ": out of memory, and the results of this call are lost; close tensors, or trimMemory()");
        }
        return new TensorStateException(device, what);
    }

    /** Whether the device will not answer again. */
    private static boolean isLoss(int status) {
        return status == CL.CL_DEVICE_NOT_AVAILABLE
                || status == CL.CL_INVALID_CONTEXT
                || status == CL.CL_INVALID_COMMAND_QUEUE
                || status == CL.CL_INVALID_DEVICE
                || status == BAD_ACCESS;
    }

    private static boolean isMemory(int status) {
        return status == CL.CL_MEM_OBJECT_ALLOCATION_FAILURE
                || status == CL.CL_OUT_OF_RESOURCES
                || status == CL.CL_OUT_OF_HOST_MEMORY;
    }
}

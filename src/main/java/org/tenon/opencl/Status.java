package org.tenon.opencl;

import org.jocl.CL;
import org.tenon.TensorStateException;

/** What OpenCL calls answer. */
final class Status {
    /** What the loader of drivers answers where it finds none. */
    static final int NO_PLATFORM = -1001;

    private Status() {}

    /** Throws unless the call succeeded. */
    static void check(String device, String call, int status) {
        if (status != CL.CL_SUCCESS) {
            throw failure(device, call, status);
        }
    }

    static TensorStateException failure(String device, String call, int status) {
        String what = call + " failed with " + CL.stringFor_errorCode(status);
        return new TensorStateException(
                device, isGone(status) ? what + "; the device is gone, start the JVM anew" : what);
    }

    /** Whether the device will not answer again. */
    static boolean isGone(int status) {
        return status == CL.CL_DEVICE_NOT_AVAILABLE
                || status == CL.CL_INVALID_CONTEXT
                || status == CL.CL_INVALID_COMMAND_QUEUE
                || status == CL.CL_INVALID_DEVICE;
    }

    /** Whether there was too little memory. */
    static boolean isMemory(int status) {
        return status == CL.CL_MEM_OBJECT_ALLOCATION_FAILURE
                || status == CL.CL_OUT_OF_RESOURCES
                || status == CL.CL_OUT_OF_HOST_MEMORY
                || status == CL.CL_INVALID_BUFFER_SIZE;
    }
}

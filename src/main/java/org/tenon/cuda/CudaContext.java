package org.tenon.cuda;

import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.TensorStateException;

/**
 * A device's primary context, which it shares with other libraries of the process, and whether the device is lost. Each
 * use makes it the calling thread's own first: a thread may serve several devices, other libraries may have changed it, and
 * a virtual thread moves from one carrier to another, so what was set once is not known to hold.
 */
final class CudaContext {
    private static final Logger LOG = LoggerFactory.getLogger(CudaContext.class);

    private final String device;
    private final CUcontext context = new CUcontext();
    private volatile TensorStateException lost;

    /** Keeps the primary context for as long as the process lives. */
    CudaContext(String device, CUdevice id) {
        this.device = device;
        check("cuDevicePrimaryCtxRetain", JCudaDriver.cuDevicePrimaryCtxRetain(context, id));
    }

    String device() {
        return device;
    }

    CUcontext handle() {
        return context;
    }

    boolean isLost() {
        return lost != null;
    }

    /** Makes it the calling thread's context; fails if the device was lost. */
    void enter() {
        TensorStateException before = lost;
        if (before != null) {
            throw new TensorStateException(device, "lost earlier: " + before.getMessage());
        }
        check("cuCtxSetCurrent", JCudaDriver.cuCtxSetCurrent(context));
    }

    /** Throws unless the call succeeded. */
    void check(String call, int status) {
        if (status != CUresult.CUDA_SUCCESS) {
            throw failure(call, status);
        }
    }

    /** What to throw for a call that failed; remembers if the device was lost by it. */
    TensorStateException failure(String call, int status) {
        if (Status.isMemory(status)) {
            return new OutOfDeviceMemoryException(
                    device, 0, "out of memory in " + call + "; close tensors, or call trimMemory()");
        }
        TensorStateException failure = Status.failure(device, call, status);
        if (Status.isLost(status)) {
            lost = failure;
        }
        return failure;
    }

    /**
     * Gives something back. That must go on whatever happens: a call that fails is made once more, since it may have told
     * the error of another, and what then fails is logged. Of a lost device the driver has taken all back.
     */
    void release(String call, Release release) {
        if (lost != null) {
            return;
        }
        int status = attempt(release);
        if (status != CUresult.CUDA_SUCCESS && !Status.isLost(status)) {
            status = attempt(release);
        }
        if (status != CUresult.CUDA_SUCCESS) {
            LOG.warn("{}", failure(call, status).getMessage());
        }
    }

    private int attempt(Release release) {
        int status = JCudaDriver.cuCtxSetCurrent(context);
        return status == CUresult.CUDA_SUCCESS ? release.run() : status;
    }

    /** A driver call that gives something back, and its answer. */
    @FunctionalInterface
    interface Release {
        int run();
    }
}

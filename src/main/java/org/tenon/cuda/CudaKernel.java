package org.tenon.cuda;

import jcuda.driver.CUfunction;
import org.tenon.gpu.GpuKernel;

/** A kernel of a module. */
final class CudaKernel extends GpuKernel {
    private final CUfunction function;
    private final int sharedBytes;
    private int allowedBytes;

    /** {@code sharedBytes} of shared memory go to each group besides what the kernel declares. */
    CudaKernel(String name, int block, CUfunction function, int sharedBytes) {
        super(name, block);
        this.function = function;
        this.sharedBytes = sharedBytes;
    }

    CUfunction function() {
        return function;
    }

    int sharedBytes() {
        return sharedBytes;
    }

    /** What a launch may ask for besides; 0 at first. */
    int allowedBytes() {
        return allowedBytes;
    }

    void allow(int bytes) {
        allowedBytes = bytes;
    }
}

package org.tenon.opencl;

import org.jocl.cl_kernel;
import org.tenon.gpu.GpuKernel;

/** A kernel of a program. */
final class OpenClKernel extends GpuKernel {
    private final cl_kernel kernel;

    OpenClKernel(String name, int block, cl_kernel kernel) {
        super(name, block);
        this.kernel = kernel;
    }

    cl_kernel kernel() {
        return kernel;
    }
}

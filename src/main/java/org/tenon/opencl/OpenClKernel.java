package org.tenon.opencl;

import org.jocl.cl_kernel;
import org.tenon.gpu.GpuKernel;

/** A kernel of a program. */
final class OpenClKernel extends GpuKernel {
    private final cl_kernel kernel;
    private final String launching;

    OpenClKernel(String name, int block, cl_kernel kernel) {
        super(name, block);
        this.kernel = kernel;
        launching = "launching " + name;
    }

    cl_kernel kernel() {
        return kernel;
    }

    /** What errors call a launch. */
    String launching() {
        return launching;
    }
}

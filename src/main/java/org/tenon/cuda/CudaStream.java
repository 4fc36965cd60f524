package org.tenon.cuda;

import jcuda.driver.CUstream;

/** A stream whose handle can be given to libraries that JCuda does not bind. */
final class CudaStream extends CUstream {
    long handle() {
        return getNativePointer();
    }
}

package org.tenon.cuda;

import jcuda.driver.CUresult;
import org.tenon.TensorStateException;

/** What driver calls answer. */
final class Status {
    /** Newer than the list in JCuda. */
    private static final int TENSOR_MEMORY_LEAK = 721;

    private Status() {}

    static TensorStateException failure(String device, String call, int status) {
        String what = call + " failed with " + name(status);
        return new TensorStateException(
                device, isLost(status) ? what + "; the device is lost to this process, start the JVM anew" : what);
    }

    static String name(int status) {
        return CUresult.stringFor(status) + " (" + status + ")";
    }

    /** Whether the context answers nothing else from now on. */
    static boolean isLost(int status) {
        return switch (status) {
            case CUresult.CUDA_ERROR_DEINITIALIZED,
                    CUresult.CUDA_ERROR_DEVICE_UNAVAILABLE,
                    CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
                    CUresult.CUDA_ERROR_NVLINK_UNCORRECTABLE,
                    CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
                    CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
                    CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED,
                    CUresult.CUDA_ERROR_ASSERT,
                    CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
                    CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
                    CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
                    CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
                    CUresult.CUDA_ERROR_INVALID_PC,
                    CUresult.CUDA_ERROR_LAUNCH_FAILED,
                    CUresult.CUDA_ERROR_MPS_CLIENT_TERMINATED,
                    CUresult.CUDA_ERROR_EXTERNAL_DEVICE,
                    TENSOR_MEMORY_LEAK,
                    CUresult.CUDA_ERROR_UNKNOWN -> true;
            default -> false;
        };
    }

    /** Whether there was too little memory. */
    static boolean isMemory(int status) {
        return status == CUresult.CUDA_ERROR_OUT_OF_MEMORY;
    }
}

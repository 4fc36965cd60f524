package org.tenon.cuda;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;
import org.tenon.gpu.GpuRuntime.Traits;
import org.tenon.gpu.GpuRuntime.Warps;

/**
 * A device that the driver named, and what is known of it.
 *
 * @param ordinal its number for the driver
 * @param id its handle
 * @param model what its maker calls it
 * @param capability ten times the major version of what it can do, plus the minor
 * @param multiprocessors how many groups of threads run at once, roughly
 * @param memory in bytes
 * @param sharedBytes the most shared memory that a group of threads may ask for
 */
record CudaDevice(
        int ordinal, CUdevice id, String model, int capability, int multiprocessors, long memory, int sharedBytes) {
    private static final int BLOCK = 256;
    /** The first capability with clusters. */
    private static final int CLUSTERS = 90;

    private static final int NAME_BYTES = 256;
    private static final int COMPUTE_PROHIBITED = 2;

    static CudaDevice of(int ordinal) {
        String device = name(ordinal);
        CUdevice id = new CUdevice();
        check(device, "cuDeviceGet", JCudaDriver.cuDeviceGet(id, ordinal));
        byte[] model = new byte[NAME_BYTES];
        check(device, "cuDeviceGetName", JCudaDriver.cuDeviceGetName(model, model.length, id));
        long[] memory = new long[1];
        check(device, "cuDeviceTotalMem", JCudaDriver.cuDeviceTotalMem(memory, id));
        return new CudaDevice(
                ordinal,
                id,
                new String(model, StandardCharsets.UTF_8).replace("\0", "").strip(),
                10 * attribute(device, id, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                        + attribute(device, id, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
                attribute(device, id, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
                memory[0],
                attribute(device, id, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
    }

    private static int attribute(String device, CUdevice id, int what) {
        int[] value = new int[1];
        check(device, "cuDeviceGetAttribute", JCudaDriver.cuDeviceGetAttribute(value, what, id));
        return value[0];
    }

    private static void check(String device, String call, int status) {
        if (status != 0) {
            throw Status.failure(device, call, status);
        }
    }

    private static String name(int ordinal) {
        return "cuda:" + ordinal;
    }

    String name() {
        return name(ordinal);
    }

    /** Why it cannot be used, or null. */
    String trouble() {
        if (capability < Modules.BASELINE) {
            return model + " is of compute capability " + version() + ", and Tenon's kernels need "
                    + Modules.BASELINE / 10 + "." + Modules.BASELINE % 10;
        }
        int mode = attribute(name(), id, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_MODE);
        return mode == COMPUTE_PROHIBITED
                ? model + " is in compute mode \"prohibited\"; nvidia-smi -c 0 ends that"
                : null;
    }

    private String version() {
        return capability / 10 + "." + capability % 10;
    }

    /** Whether it is the stand-in for tests, which runs kernels on the CPU. */
    boolean standIn() {
        return model.contains("stand-in");
    }

    Traits traits() {
        return new Traits(true, BLOCK, 1, multiprocessors, new Warps(sharedBytes, capability >= CLUSTERS));
    }

    String description(String driver) {
        return String.format(
                Locale.ROOT,
                "%s (compute capability %s, driver for CUDA %s), %d multiprocessors, %.1f GiB",
                model,
                version(),
                driver,
                multiprocessors,
                memory / (double) (1 << 30));
    }
}

package org.tenon.opencl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_device_id;
import org.jocl.cl_kernel;
import org.jocl.cl_platform_id;
import org.tenon.gpu.GpuRuntime.Traits;

/**
 * A device that a platform named, and what is known of it.
 *
 * @param platform whose it is
 * @param id the device
 */
record Found(cl_platform_id platform, cl_device_id id) {
    private static final int LANES = 16;
    private static final int BLOCK = 256;
    /** In one launch: drivers count threads in 32 bits. */
    private static final long MOST_ITEMS = 1L << 31;

    boolean gpu() {
        return (number(CL.CL_DEVICE_TYPE) & CL.CL_DEVICE_TYPE_GPU) != 0;
    }

    /** Whether it can run our kernels at all: a compiler, and the memory order that the library counts on. */
    boolean works() {
        return number32(CL.CL_DEVICE_AVAILABLE) != 0
                && number32(CL.CL_DEVICE_COMPILER_AVAILABLE) != 0
                && number32(CL.CL_DEVICE_ENDIAN_LITTLE) != 0
                && version() >= 102;
    }

    /** The version of OpenCL as major times 100 plus minor. */
    private int version() {
        String[] parts = text(CL.CL_DEVICE_VERSION).split("[ .]");
        return Integer.parseInt(parts[1]) * 100 + Integer.parseInt(parts[2]);
    }

    long memory() {
        return number(CL.CL_DEVICE_GLOBAL_MEM_SIZE);
    }

    long largestBlock() {
        return number(CL.CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    }

    boolean roundsDivisions() {
        return (number(CL.CL_DEVICE_SINGLE_FP_CONFIG) & CL.CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
    }

    /**
     * {@code -Dtenon.opencl.block=64} gives a CPU the kernels of a GPU, or a GPU smaller groups, and
     * {@code -Dtenon.opencl.fp64=false} the kernels of a device without float64, for tests where there is no such device.
     */
    Traits traits() {
        boolean cpu = (number(CL.CL_DEVICE_TYPE) & CL.CL_DEVICE_TYPE_CPU) != 0;
        int most = Math.clamp(number(CL.CL_DEVICE_MAX_WORK_GROUP_SIZE), 1, BLOCK);
        int asked = Integer.getInteger("tenon.opencl.block", cpu ? 1 : most);
        int block = Integer.highestOneBit(Math.clamp(asked, 1, most));
        boolean fp64 = text(CL.CL_DEVICE_EXTENSIONS).contains("cl_khr_fp64")
                && !"false".equals(System.getProperty("tenon.opencl.fp64"));
        return new Traits(
                fp64,
                block,
                block == 1 ? Integer.highestOneBit(most) : block,
                block == 1 ? LANES : 1,
                Math.max(1, number32(CL.CL_DEVICE_MAX_COMPUTE_UNITS)),
                number(CL.CL_DEVICE_LOCAL_MEM_SIZE),
                null);
    }

    /** The most threads of one launch; a test of larger ones makes it small. */
    static long mostItems() {
        return Long.getLong("tenon.opencl.items", MOST_ITEMS);
    }

    /** The most threads that a kernel may have in a group on this device. */
    long largestGroup(cl_kernel kernel) {
        long[] most = new long[1];
        int status = CL.clGetKernelWorkGroupInfo(
                kernel, id, CL.CL_KERNEL_WORK_GROUP_SIZE, Sizeof.size_t, Pointer.to(most), null);
        return status == CL.CL_SUCCESS && most[0] > 0 ? most[0] : number(CL.CL_DEVICE_MAX_WORK_GROUP_SIZE);
    }

    String description() {
        Traits traits = traits();
        return text(CL.CL_DEVICE_NAME) + " (" + platformText(CL.CL_PLATFORM_NAME) + ", driver "
                + text(CL.CL_DRIVER_VERSION) + "), " + number32(CL.CL_DEVICE_MAX_COMPUTE_UNITS) + " compute units, "
                + String.format(Locale.ROOT, "%.1f GiB", memory() / (double) (1 << 30))
                + (traits.fp64() ? "" : ", no float64");
    }

    /** What a built kernel depends on, besides its source. */
    String identity() {
        return String.join(
                "\n",
                platformText(CL.CL_PLATFORM_NAME),
                platformText(CL.CL_PLATFORM_VERSION),
                text(CL.CL_DEVICE_NAME),
                text(CL.CL_DEVICE_VENDOR),
                text(CL.CL_DEVICE_VERSION),
                text(CL.CL_DRIVER_VERSION));
    }

    private long number(int what) {
        ByteBuffer value = ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
        check(CL.clGetDeviceInfo(id, what, Long.BYTES, Pointer.to(value), null));
        return value.getLong(0);
    }

    private int number32(int what) {
        ByteBuffer value = ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());
        check(CL.clGetDeviceInfo(id, what, Integer.BYTES, Pointer.to(value), null));
        return value.getInt(0);
    }

    private String text(int what) {
        long[] size = new long[1];
        check(CL.clGetDeviceInfo(id, what, 0, null, size));
        byte[] bytes = new byte[(int) size[0]];
        check(CL.clGetDeviceInfo(id, what, bytes.length, Pointer.to(bytes), null));
        return plain(bytes);
    }

    /** A device that does not say what it is cannot be used. */
    private static void check(int status) {
        if (status != CL.CL_SUCCESS) {
            throw new IllegalStateException("clGetDeviceInfo failed with " + CL.stringFor_errorCode(status));
        }
    }

    private String platformText(int what) {
        return platformText(platform, what);
    }

    static String platformText(cl_platform_id platform, int what) {
        long[] size = new long[1];
        CL.clGetPlatformInfo(platform, what, 0, null, size);
        byte[] bytes = new byte[(int) size[0]];
        CL.clGetPlatformInfo(platform, what, bytes.length, Pointer.to(bytes), null);
        return plain(bytes);
    }

    private static String plain(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8).replace("\0", "").strip();
    }
}

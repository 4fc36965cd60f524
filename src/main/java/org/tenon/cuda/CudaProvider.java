package org.tenon.cuda;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tenon.gpu.GpuBackend;
import org.tenon.gpu.Natives;
import org.tenon.spi.Availability;
import org.tenon.spi.Backend;
import org.tenon.spi.BackendProvider;

/** Finds CUDA devices, in the driver's order. Touches JCuda only once it is known to work. */
public final class CudaProvider implements BackendProvider {
    private static final Logger LOG = LoggerFactory.getLogger(CudaProvider.class);

    /** What every driver that runs the backend can compile; the kernels' own texts say no more. */
    private static final String EMPTY_MODULE = ".version 7.8\n.target sm_80\n.address_size 64\n";

    /** For the service loader. */
    public CudaProvider() {}

    @Override
    public String kind() {
        return "cuda";
    }

    @Override
    public Availability probe() {
        try {
            Class<?> jcuda = Class.forName("jcuda.LibUtils", false, CudaProvider.class.getClassLoader());
            if (!Natives.has(jcuda, Driver.bindings())) {
                return new Availability.Absent("JCuda has no library for this platform (" + Driver.bindings()
                        + " is not in the class path); it has them for Linux and Windows on x86-64, as"
                        + " org.jcuda:jcuda-natives");
            }
            Availability trouble = Driver.trouble();
            return trouble != null ? trouble : Natives.load(jcuda, List.of(Driver.bindings()), CudaProvider::devices);
        } catch (ClassNotFoundException e) {
            return new Availability.Absent("JCuda is not in the class path; add org.jcuda:jcuda");
        } catch (IOException e) {
            return new Availability.Broken(
                    "JCuda's library cannot be put in place: " + e.getMessage(),
                    "name a folder that can be written and executed with -Dtenon.cache=FOLDER",
                    e);
        } catch (LinkageError | RuntimeException e) {
            return new Availability.Broken(
                    "JCuda does not work here: " + e, "does nvidia-smi work? if not, install the driver anew", e);
        }
    }

    private static Availability devices() {
        int status = JCudaDriver.cuInit(0);
        if (status != CUresult.CUDA_SUCCESS) {
            return noDevices("cuInit", status);
        }
        int[] number = new int[1];
        status = JCudaDriver.cuDriverGetVersion(number);
        if (status != CUresult.CUDA_SUCCESS) {
            return noDevices("cuDriverGetVersion", status);
        }
        String driver = Driver.text(number[0]);
        status = JCudaDriver.cuDeviceGetCount(number);
        if (status != CUresult.CUDA_SUCCESS || number[0] == 0) {
            return noDevices(
                    "cuDeviceGetCount", status == CUresult.CUDA_SUCCESS ? CUresult.CUDA_ERROR_NO_DEVICE : status);
        }
        List<Backend> backends = new ArrayList<>();
        List<String> troubles = new ArrayList<>();
        for (int i = 0; i < number[0]; i++) {
            try {
                backends.add(new GpuBackend(open(i, driver)));
            } catch (RuntimeException e) {
                troubles.add(e.getMessage());
            }
        }
        if (backends.isEmpty()) {
            return new Availability.Broken(
                    String.join("; ", troubles), "see to it, or choose another device with -Dtenon.device", null);
        }
        troubles.forEach(trouble -> LOG.warn("a CUDA device is left out: {}", trouble));
        return new Availability.Ready(backends);
    }

    private static CudaRuntime open(int ordinal, String driver) {
        CudaDevice device = CudaDevice.of(ordinal);
        String trouble = device.trouble();
        if (trouble != null) {
            throw new IllegalStateException(device.name() + ": " + trouble);
        }
        CudaRuntime runtime = new CudaRuntime(device, driver);
        runtime.context().enter();
        JCudaDriver.cuModuleUnload(runtime.modules().load(EMPTY_MODULE, "PTX 7.8, which Tenon's kernels are in"));
        return runtime;
    }

    private static Availability noDevices(String call, int status) {
        String what = call + " failed with " + Status.name(status);
        return switch (status) {
            case CUresult.CUDA_ERROR_NO_DEVICE ->
                new Availability.Absent("the NVIDIA driver here sees no device; if nvidia-smi sees one,"
                        + " CUDA_VISIBLE_DEVICES hides it, or a container was started without --gpus");
            case CUresult.CUDA_ERROR_STUB_LIBRARY ->
                new Availability.Broken(
                        what,
                        "the toolkit's stub was found in place of the driver's " + Driver.library()
                                + "; take its folder out of the library path",
                        null);
            case CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE ->
                new Availability.Broken(
                        what,
                        "the driver's library and its kernel module are of different versions; start the machine anew,"
                                + " or take cuda-compat out of the library path",
                        null);
            case CUresult.CUDA_ERROR_SYSTEM_NOT_READY ->
                new Availability.Broken(
                        what,
                        "the machine's GPUs are not ready; on an NVSwitch machine start nvidia-fabricmanager",
                        null);
            default ->
                new Availability.Broken(
                        what,
                        "does nvidia-smi work? if it does, the module nvidia_uvm may be missing (nvidia-modprobe -u),"
                                + " else install the driver anew",
                        null);
        };
    }
}

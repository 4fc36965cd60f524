package org.tenon.cuda;

import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.tenon.Cuda;
import org.tenon.DeviceType;
import org.tenon.TensorStateException;
import org.tenon.gpu.GpuKernel;
import org.tenon.gpu.GpuRuntime;
import org.tenon.gpu.KernelNames;
import org.tenon.gpu.Launch;
import org.tenon.gpu.ProductLibrary;
import org.tenon.gpu.ProfileTable;
import org.tenon.spi.Buffer;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.RawMemory;

/** One CUDA device: its context, its streams, its modules. */
final class CudaRuntime implements GpuRuntime {
    private static final int RANK = 200;
    private static final long MOST_GROUPS = Integer.MAX_VALUE;
    /** More needs leave. */
    private static final int PLAIN_SHARED_BYTES = 48 << 10;

    private static final int PLAIN_CLUSTER = 8;

    private final CudaDevice device;
    private final String driver;
    private final CudaContext context;
    private final Queue queue;
    private final Uploads uploads;
    private final Downloads downloads;
    private final Modules modules;
    private final ProductLibrary products;
    private final KernelTimes times;
    private final CUevent meeting;
    private final Arguments arguments = new Arguments();
    private final Map<String, GpuKernel> kernels = new ConcurrentHashMap<>();
    private final Set<CudaRuntime> peers = new HashSet<>();

    /** {@code driver} is the version of CUDA that the driver is for. */
    CudaRuntime(CudaDevice device, String driver) {
        this.device = device;
        this.driver = driver;
        context = new CudaContext(device.name(), device.id());
        context.enter();
        queue = new Queue(context);
        uploads = new Uploads(context, queue);
        downloads = new Downloads(context, queue.stream());
        modules = new Modules(context, device.capability());
        products = CublasProducts.of(this, device);
        times = ProfileTable.wanted() ? new KernelTimes(context, queue.stream()) : null;
        meeting = Queue.event(context);
    }

    CudaContext context() {
        return context;
    }

    Queue queue() {
        return queue;
    }

    Modules modules() {
        return modules;
    }

    @Override
    public String name() {
        return device.name();
    }

    @Override
    public String description() {
        return device.description(driver);
    }

    @Override
    public Class<? extends DeviceType> type() {
        return Cuda.class;
    }

    @Override
    public int rank() {
        return device.standIn() ? -1 : RANK;
    }

    @Override
    public Traits traits() {
        return device.traits();
    }

    @Override
    public RawMemory memory() {
        return new RawMemory() {
            @Override
            public Buffer create(long bytes) {
                return CudaRuntime.this.create(bytes);
            }

            @Override
            public long limit() {
                return device.memory();
            }
        };
    }

    private Buffer create(long bytes) {
        context.enter();
        DevicePointer pointer = new DevicePointer();
        int status = JCudaDriver.cuMemAlloc(pointer, bytes);
        if (Status.isMemory(status)) {
            return null;
        }
        context.check("cuMemAlloc", status);
        return new CudaBuffer(this, pointer, bytes);
    }

    @Override
    public GpuKernel kernel(String file, String kernel, String options) {
        return kernels.computeIfAbsent(
                KernelNames.of(file, kernel, options), name -> build(file, kernel, options, name));
    }

    /** PTX that the user gave, or what NVRTC makes of the source in C. */
    @Override
    public GpuKernel custom(CustomKernel kernel, String preamble, String options) {
        String given = kernel.sources().ptx();
        String ptx = given == null ? Nvrtc.ptx(name(), kernel, preamble, options) : given;
        context.enter();
        CUfunction function = modules.function(ptx, "the PTX of " + kernel.name(), kernel.name());
        return kernel("custom/" + kernel.name(), options, function);
    }

    private GpuKernel build(String file, String kernel, String options, String name) {
        context.enter();
        return kernel(file + "/" + kernel, options, modules.function(file, name));
    }

    /**
     * A function as a kernel: {@code -DBLOCK=} says how many threads a group has, {@code -DSHARED=} how many bytes of shared
     * memory it gets beyond its own, {@code -DCLUSTER=} how many groups it was compiled to have work together.
     */
    CudaKernel kernel(String name, String options, CUfunction function) {
        int shared = option(options, "SHARED");
        if (shared > PLAIN_SHARED_BYTES) {
            allow(function, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, shared, name);
        }
        if (option(options, "CLUSTER") > PLAIN_CLUSTER) {
            allow(function, CUfunction_attribute.CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1, name);
        }
        return new CudaKernel(name, option(options, "BLOCK"), function, shared);
    }

    private void allow(CUfunction function, int attribute, int value, String name) {
        context.check("cuFuncSetAttribute of " + name, JCudaDriver.cuFuncSetAttribute(function, attribute, value));
    }

    /** The value of {@code -DNAME=}, or 0. */
    static int option(String options, String name) {
        for (String each : options.split(" ")) {
            if (each.startsWith("-D" + name + "=")) {
                return Integer.parseInt(each.substring(name.length() + 3));
            }
        }
        return 0;
    }

    @Override
    public void launch(GpuKernel kernel, long groups, Launch launch) {
        if (groups > MOST_GROUPS) {
            throw new TensorStateException(
                    name(),
                    kernel.name() + " would need " + groups + " groups of threads, and a launch has at most "
                            + MOST_GROUPS + "; work on parts of the tensor");
        }
        CudaKernel built = (CudaKernel) kernel;
        int shared = built.sharedBytes() + launch.sharedBytes();
        synchronized (queue) {
            context.enter();
            if (launch.sharedBytes() > built.allowedBytes()) {
                allow(
                        built.function(),
                        CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                        shared,
                        built.name());
                built.allow(launch.sharedBytes());
            }
            queue.mark();
            long position = queue.next();
            for (int i = 0; i < launch.buffers(); i++) {
                queue.uses((CudaBuffer) launch.buffer(i), position);
            }
            CUevent start = times == null ? null : times.start();
            int status = JCudaDriver.cuLaunchKernel(
                    built.function(),
                    (int) groups,
                    1,
                    1,
                    kernel.block(),
                    1,
                    1,
                    shared,
                    queue.stream(),
                    arguments.of(launch),
                    null);
            if (status != CUresult.CUDA_SUCCESS) {
                throw context.failure("cuLaunchKernel of " + kernel.name(), status);
            }
            if (times != null) {
                times.launched(kernel.name(), start);
            }
        }
    }

    @Override
    public void write(MemorySegment from, Buffer to, long offset) {
        queue.enter("a copy from host memory");
        try {
            uploads.write(from, (CudaBuffer) to, offset);
        } finally {
            queue.leave();
        }
    }

    @Override
    public void read(Buffer from, long offset, MemorySegment to) {
        queue.enter("a copy to host memory");
        try {
            downloads.read((CudaBuffer) from, offset, to);
        } finally {
            queue.leave();
        }
    }

    void fill(CudaBuffer buffer, long offset, long bytes, byte value) {
        if (bytes > 0) {
            synchronized (queue) {
                context.enter();
                queue.uses(buffer, queue.next());
                context.check(
                        "cuMemsetD8Async",
                        JCudaDriver.cuMemsetD8Async(buffer.at(offset), value, bytes, queue.stream()));
            }
        }
    }

    @Override
    public boolean copyFrom(GpuRuntime other, Buffer from, long fromOffset, Buffer to, long toOffset, long bytes) {
        if (!(other instanceof CudaRuntime source)) {
            return false;
        }
        queue.refuse("a copy between devices");
        source.queue.refuse("a copy between devices");
        source.queue.signal(source.meeting);
        try {
            synchronized (queue) {
                queue.after(source.meeting);
                open(source);
                ((CudaBuffer) to).used(queue.next());
                context.check(
                        "cuMemcpyPeerAsync",
                        JCudaDriver.cuMemcpyPeerAsync(
                                ((CudaBuffer) to).at(toOffset),
                                context.handle(),
                                ((CudaBuffer) from).at(fromOffset),
                                source.context.handle(),
                                bytes,
                                queue.stream()));
                queue.signal(meeting);
            }
            source.queue.after(meeting);
        } catch (RuntimeException e) {
            // What was queued must not read memory that by then is something else's.
            JCudaDriver.cuStreamSynchronize(queue.stream());
            throw e;
        }
        return true;
    }

    /** Lets this device read the other's memory where the machine allows it; a copy works without, through the host. */
    private void open(CudaRuntime source) {
        if (peers.add(source)) {
            int[] can = new int[1];
            if (JCudaDriver.cuDeviceCanAccessPeer(can, device.id(), source.device.id()) == CUresult.CUDA_SUCCESS
                    && can[0] != 0) {
                JCudaDriver.cuCtxEnablePeerAccess(source.context.handle(), 0);
            }
        }
    }

    @Override
    public ProductLibrary products() {
        return products;
    }

    @Override
    public void finish() {
        queue.enter("waiting for the device");
        try {
            context.enter();
            context.check("cuStreamSynchronize", JCudaDriver.cuStreamSynchronize(queue.stream()));
        } finally {
            queue.leave();
        }
        if (times != null) {
            synchronized (queue) {
                times.collect();
            }
        }
    }

    /** None while kernels are timed, each by events of its own. */
    @Override
    public Graph graph() {
        return times == null ? new CudaGraph(context, queue) : null;
    }
}

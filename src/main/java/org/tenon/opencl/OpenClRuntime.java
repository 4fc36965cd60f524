package org.tenon.opencl;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_event;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;
import org.jocl.cl_program;
import org.tenon.DeviceType;
import org.tenon.OpenCl;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.TensorStateException;
import org.tenon.gpu.GpuKernel;
import org.tenon.gpu.GpuRuntime;
import org.tenon.gpu.Launch;
import org.tenon.gpu.Sources;
import org.tenon.spi.Buffer;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.RawMemory;

/** One OpenCL device: its context, its in-order queue, its programs. */
final class OpenClRuntime implements GpuRuntime {
    private static final long STRUCTURE_BYTES = 1024;

    private final String name;
    private final Found found;
    private final Traits traits;
    private final cl_context context;
    private final cl_command_queue queue;
    private final Programs programs;
    private final Staging staging;
    private final Profile profile;
    private final Map<String, GpuKernel> kernels = new ConcurrentHashMap<>();
    private final ByteBuffer structure =
            ByteBuffer.allocateDirect((int) STRUCTURE_BYTES).order(ByteOrder.nativeOrder());
    private final MemorySegment structureBytes = MemorySegment.ofBuffer(structure);
    private final Pointer structurePointer = Pointer.to(structure);
    private final long[] globalSize = new long[1];
    private final long[] localSize = new long[1];
    private TensorStateException gone;

    OpenClRuntime(String name, Found found) {
        this.name = name;
        this.found = found;
        traits = found.traits();
        cl_device_id[] ids = {found.id()};
        int[] status = new int[1];
        cl_context_properties properties = new cl_context_properties();
        properties.addProperty(CL.CL_CONTEXT_PLATFORM, found.platform());
        context = CL.clCreateContext(properties, 1, ids, null, null, status);
        Status.check(name, "clCreateContext", status[0]);
        profile = Profile.wanted() ? new Profile(name) : null;
        queue = createQueue(status);
        Status.check(name, "clCreateCommandQueue", status[0]);
        programs = new Programs(name, context, found.id(), found.identity());
        staging = new Staging(name, context, queue);
    }

    @SuppressWarnings("deprecation")
    private cl_command_queue createQueue(int[] status) {
        return CL.clCreateCommandQueue(context, found.id(), profile == null ? 0 : CL.CL_QUEUE_PROFILING_ENABLE, status);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return found.description();
    }

    @Override
    public Class<? extends DeviceType> type() {
        return OpenCl.class;
    }

    @Override
    public int rank() {
        return found.gpu() ? 100 : -1;
    }

    @Override
    public Traits traits() {
        return traits;
    }

    @Override
    public RawMemory memory() {
        return new RawMemory() {
            @Override
            public Buffer create(long bytes) {
                return OpenClRuntime.this.create(bytes);
            }

            @Override
            public long limit() {
                return found.memory();
            }
        };
    }

    private Buffer create(long bytes) {
        checkThere();
        if (bytes > found.largestBlock()) {
            return null;
        }
        int[] status = new int[1];
        cl_mem memory = CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, bytes, null, status);
        if (Status.isMemory(status[0])) {
            return null;
        }
        check("clCreateBuffer", status[0]);
        return new OpenClBuffer(this, memory, bytes);
    }

    @Override
    public GpuKernel kernel(String file, String kernel, String options) {
        return kernels.computeIfAbsent(file + " " + kernel + " " + options, _ -> build(file, kernel, options));
    }

    private GpuKernel build(String file, String kernel, String options) {
        return kernel(programs.get(file, allOptions(options)), file + "/" + kernel, kernel, options);
    }

    @Override
    public GpuKernel custom(CustomKernel kernel, String preamble, String options) {
        String own = kernel.sources().openCl() == null
                ? kernel.sources().shared()
                : kernel.sources().openCl();
        String source = Sources.custom("portable.opencl.h", preamble, kernel.name(), own);
        cl_program program = programs.custom("the kernel of " + kernel.name(), source, allOptions(options));
        return kernel(program, "custom/" + kernel.name(), kernel.name(), options);
    }

    private String allOptions(String options) {
        return options + (traits.fp64() ? " -DFP64" : "") + " -cl-std=CL1.2"
                + (found.roundsDivisions() ? " -cl-fp32-correctly-rounded-divide-sqrt" : "");
    }

    private GpuKernel kernel(cl_program program, String name, String function, String options) {
        int[] status = new int[1];
        cl_kernel built = CL.clCreateKernel(program, function, status);
        if (status[0] == CL.CL_INVALID_KERNEL_NAME) {
            throw new TensorStateException(
                    this.name,
                    "the source of " + name + " has no kernel of the name " + function + "; KERNEL void " + function
                            + "(...) is wanted");
        }
        check("clCreateKernel " + function, status[0]);
        return new OpenClKernel(name, block(options), built);
    }

    private static int block(String options) {
        int at = options.indexOf("-DBLOCK=") + "-DBLOCK=".length();
        int end = options.indexOf(' ', at);
        return Integer.parseInt(options.substring(at, end < 0 ? options.length() : end));
    }

    @Override
    public synchronized void launch(GpuKernel kernel, long groups, Launch launch) {
        checkThere();
        cl_kernel built = ((OpenClKernel) kernel).kernel();
        int buffers = launch.buffers();
        for (int i = 0; i < buffers; i++) {
            int status = CL.clSetKernelArg(built, i, Sizeof.cl_mem, ((OpenClBuffer) launch.buffer(i)).argument());
            check("clSetKernelArg", status);
        }
        long bytes = launch.bytes();
        MemorySegment.copy(launch.structure(), 0, structureBytes, 0, bytes);
        check("clSetKernelArg", CL.clSetKernelArg(built, buffers, bytes, structurePointer));
        globalSize[0] = groups * kernel.block();
        localSize[0] = kernel.block();
        int status = enqueue(built, kernel);
        if (Status.isMemory(status)) {
            throw new OutOfDeviceMemoryException(
                    name, 0, "out of memory launching " + kernel.name() + "; close tensors, or call trimMemory()");
        }
        check("clEnqueueNDRangeKernel of " + kernel.name(), status);
    }

    private int enqueue(cl_kernel built, GpuKernel kernel) {
        cl_event event = profile == null ? null : profile.event(kernel.name());
        return CL.clEnqueueNDRangeKernel(queue, built, 1, null, globalSize, localSize, 0, null, event);
    }

    @Override
    public synchronized void write(MemorySegment from, Buffer to, long offset) {
        checkThere();
        staging.write(from, ((OpenClBuffer) to).memory(), offset);
    }

    @Override
    public synchronized void read(Buffer from, long offset, MemorySegment to) {
        checkThere();
        staging.read(((OpenClBuffer) from).memory(), offset, to);
    }

    synchronized void fill(cl_mem memory, long offset, long bytes, byte value) {
        if (bytes > 0) {
            check(
                    "clEnqueueFillBuffer",
                    CL.clEnqueueFillBuffer(
                            queue, memory, Pointer.to(new byte[] {value}), 1, offset, bytes, 0, null, null));
        }
    }

    @Override
    public synchronized void finish() {
        checkThere();
        check("clFinish", CL.clFinish(queue));
        if (profile != null) {
            profile.collect();
        }
    }

    private void checkThere() {
        if (gone != null) {
            throw new TensorStateException(name, String.format(Locale.ROOT, "lost earlier: %s", gone.getMessage()));
        }
    }

    private void check(String call, int status) {
        if (status != CL.CL_SUCCESS) {
            TensorStateException failure = Status.failure(name, call, status);
            if (Status.isGone(status)) {
                gone = failure;
            }
            throw failure;
        }
    }
}

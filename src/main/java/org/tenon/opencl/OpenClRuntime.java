package org.tenon.opencl;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
import org.tenon.TensorStateException;
import org.tenon.gpu.GpuKernel;
import org.tenon.gpu.GpuRuntime;
import org.tenon.gpu.Launch;
import org.tenon.gpu.ProfileTable;
import org.tenon.gpu.Sources;
import org.tenon.spi.Buffer;
import org.tenon.spi.CustomKernel;
import org.tenon.spi.MemoryLimit;
import org.tenon.spi.RawMemory;

/**
 * One OpenCL device: its context, its in-order queue, its programs. {@code -Dtenon.opencl.memory=4g} limits its memory.
 */
final class OpenClRuntime implements GpuRuntime {
    private static final int STRUCTURE_BYTES = 1024;
    /** Drivers may hold commands back until they are flushed; a flush for each would cost more than the launch. */
    private static final int FLUSH_EVERY = 16;

    private final String name;
    private final Found found;
    private final Status status;
    private final Traits traits;
    private final long mostItems;
    private final long largestBlock;
    private final long memoryBytes;
    private final boolean roundsDivisions;
    private final String description;
    private final cl_context context;
    private final cl_command_queue queue;
    private final Programs programs;
    private final Staging staging;
    private final Profile profile;
    private final Map<String, GpuKernel> kernels = new ConcurrentHashMap<>();
    private final ByteBuffer structure =
            ByteBuffer.allocateDirect(STRUCTURE_BYTES).order(ByteOrder.nativeOrder());
    private final MemorySegment structureBytes = MemorySegment.ofBuffer(structure);
    private final Pointer structurePointer = Pointer.to(structure);
    private final long[] globalOffset = new long[1];
    private final long[] globalSize = new long[1];
    private final long[] localSize = new long[1];
    private int sinceFlush;

    OpenClRuntime(String name, Found found) {
        this(name, found, new Status(name));
    }

    /** What the device says of itself is asked once, and before anything is made that would have to be given back. */
    OpenClRuntime(String name, Found found, Status status) {
        this.name = name;
        this.found = found;
        this.status = status;
        traits = found.traits();
        mostItems = Found.mostItems();
        largestBlock = found.largestBlock();
        Long limit = MemoryLimit.of("tenon.opencl.memory");
        memoryBytes = limit == null ? found.memory() : Math.min(limit, found.memory());
        roundsDivisions = found.roundsDivisions();
        description = found.description();
        String identity = found.identity();
        int[] answer = new int[1];
        cl_context_properties properties = new cl_context_properties();
        properties.addProperty(CL.CL_CONTEXT_PLATFORM, found.platform());
        context = CL.clCreateContext(properties, 1, new cl_device_id[] {found.id()}, null, null, answer);
        status.check("clCreateContext", answer[0]);
        profile = ProfileTable.wanted() ? new Profile(name) : null;
        queue = createQueue(answer);
        if (answer[0] != CL.CL_SUCCESS) {
            CL.clReleaseContext(context);
        }
        status.check("clCreateCommandQueue", answer[0]);
        programs = new Programs(name, status, context, found.id(), identity);
        staging = new Staging(status, context, queue);
        Runtime.getRuntime().addShutdownHook(new Thread(this::end, "tenon-" + name));
    }

    @SuppressWarnings("deprecation")
    private cl_command_queue createQueue(int[] answer) {
        return CL.clCreateCommandQueue(context, found.id(), profile == null ? 0 : CL.CL_QUEUE_PROFILING_ENABLE, answer);
    }

    /** A driver that still builds or runs a kernel while the process takes its libraries apart may crash. */
    private synchronized void end() {
        if (!status.isGone()) {
            CL.clFinish(queue);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        return description;
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
                return memoryBytes;
            }

            @Override
            public long largest() {
                return largestBlock;
            }
        };
    }

    /**
     * Drivers may put off finding the memory until a kernel needs it, when nobody can free any: moving the buffer to the
     * device makes them do it now.
     */
    private Buffer create(long bytes) {
        status.checkThere();
        if (bytes > largestBlock) {
            return null;
        }
        int[] answer = new int[1];
        cl_mem memory = CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, bytes, null, answer);
        if (status.isOutOfMemory("clCreateBuffer", answer[0])) {
            return null;
        }
        OpenClBuffer buffer = new OpenClBuffer(this, memory, bytes);
        boolean there = false;
        try {
            int moved = CL.clEnqueueMigrateMemObjects(
                    queue, 1, new cl_mem[] {memory}, CL.CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED, 0, null, null);
            there = !status.isOutOfMemory("clEnqueueMigrateMemObjects", moved);
        } finally {
            if (!there) {
                buffer.release();
            }
        }
        return there ? buffer : null;
    }

    @Override
    public GpuKernel kernel(String file, String kernel, String options) {
        return kernels.computeIfAbsent(file + " " + kernel + " " + options, _ -> build(file, kernel, options));
    }

    private GpuKernel build(String file, String kernel, String options) {
        status.checkThere();
        return kernel(programs.get(file, allOptions(options)), file + "/" + kernel, kernel, block(options));
    }

    @Override
    public GpuKernel custom(CustomKernel kernel, String preamble, String options) {
        status.checkThere();
        String own = kernel.sources().openCl() == null
                ? kernel.sources().shared()
                : kernel.sources().openCl();
        String source = Sources.custom("portable.opencl.h", preamble, kernel.name(), own);
        cl_program program = programs.custom("the kernel of " + kernel.name(), source, allOptions(options));
        return kernel(program, "custom/" + kernel.name(), kernel.name(), block(options));
    }

    private String allOptions(String options) {
        return options + (traits.fp64() ? " -DFP64" : "") + " -cl-std=CL1.2"
                + (roundsDivisions ? " -cl-fp32-correctly-rounded-divide-sqrt" : "");
    }

    private GpuKernel kernel(cl_program program, String kernel, String function, int block) {
        int[] answer = new int[1];
        cl_kernel built = CL.clCreateKernel(program, function, answer);
        if (answer[0] == CL.CL_INVALID_KERNEL_NAME) {
            throw new TensorStateException(
                    name,
                    "the source of " + kernel + " has no kernel of the name " + function + "; KERNEL void " + function
                            + "(...) is wanted");
        }
        status.check("clCreateKernel of " + kernel, answer[0]);
        long most = found.largestGroup(built);
        if (block > most) {
            CL.clReleaseKernel(built);
            throw new TensorStateException(
                    name,
                    "the kernel " + kernel + " runs in groups of at most " + most + " threads on this device, not "
                            + block + "; start with -Dtenon.opencl.block=" + Long.highestOneBit(Math.max(1, most)));
        }
        return new OpenClKernel(kernel, block, built);
    }

    private static int block(String options) {
        int at = options.indexOf("-DBLOCK=") + "-DBLOCK=".length();
        int end = options.indexOf(' ', at);
        return Integer.parseInt(options.substring(at, end < 0 ? options.length() : end));
    }

    @Override
    public synchronized void launch(GpuKernel kernel, long groups, Launch launch) {
        status.checkThere();
        flush();
        OpenClKernel ours = (OpenClKernel) kernel;
        cl_kernel built = ours.kernel();
        int buffers = launch.buffers();
        for (int i = 0; i < buffers; i++) {
            Pointer argument = ((OpenClBuffer) launch.buffer(i)).argument();
            status.check("clSetKernelArg", CL.clSetKernelArg(built, i, Sizeof.cl_mem, argument));
        }
        long bytes = launch.bytes();
        MemorySegment.copy(launch.structure(), 0, structureBytes, 0, bytes);
        status.check("clSetKernelArg", CL.clSetKernelArg(built, buffers, bytes, structurePointer));
        int block = kernel.block();
        localSize[0] = block;
        long most = Math.max(1, mostItems / block);
        for (long first = 0; first < groups; first += most) {
            globalOffset[0] = first * block;
            globalSize[0] = Math.min(most, groups - first) * block;
            enqueue(ours);
        }
        sinceFlush++;
    }

    private void enqueue(OpenClKernel kernel) {
        cl_event event = profile == null ? null : new cl_event();
        long[] offset = globalOffset[0] == 0 ? null : globalOffset;
        status.check(
                kernel.launching(),
                CL.clEnqueueNDRangeKernel(queue, kernel.kernel(), 1, offset, globalSize, localSize, 0, null, event));
        if (event != null) {
            profile.launched(kernel.name(), event);
        }
    }

    /** Before a command rather than after it: where this fails the command has not happened. */
    private void flush() {
        if (sinceFlush >= FLUSH_EVERY) {
            sinceFlush = 0;
            status.check("clFlush", CL.clFlush(queue));
        }
    }

    @Override
    public synchronized void write(MemorySegment from, Buffer to, long offset) {
        status.checkThere();
        flush();
        staging.write(from, ((OpenClBuffer) to).memory(), offset);
        sinceFlush++;
    }

    @Override
    public synchronized void read(Buffer from, long offset, MemorySegment to) {
        status.checkThere();
        staging.read(((OpenClBuffer) from).memory(), offset, to);
    }

    boolean isGone() {
        return status.isGone();
    }

    /** Gives a block back to the driver. */
    void release(cl_mem memory) {
        status.release("clReleaseMemObject", () -> CL.clReleaseMemObject(memory));
    }

    synchronized void fill(cl_mem memory, long offset, long bytes, byte value) {
        status.checkThere();
        if (bytes > 0) {
            Pointer pattern = Pointer.to(new byte[] {value});
            status.check(
                    "clEnqueueFillBuffer",
                    CL.clEnqueueFillBuffer(queue, memory, pattern, 1, offset, bytes, 0, null, null));
        }
    }

    @Override
    public synchronized void finish() {
        status.checkThere();
        status.check("clFinish", CL.clFinish(queue));
    }
}

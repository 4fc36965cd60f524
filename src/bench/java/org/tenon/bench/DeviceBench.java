package org.tenon.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;
import org.jocl.cl_platform_id;
import org.jocl.cl_program;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.op.Pins;
import org.tenon.op.Value;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;

/**
 * A device measured against itself: log-softmax beside a copy kernel of the same bytes, matrix products, steps of
 * optimizers, whole training steps op by op and captured, and what a launch costs beside a bare JOCL launch.
 * {@code DeviceBench [DEVICE [softmax|products|launches|steps|captured]]}, by default {@code opencl:0} and all. Times are the least of
 * many short samples; of a stand-in for a driver only the garbage of launches is told.
 */
public final class DeviceBench {
    private static final long WORKING_SET = 256L << 20;
    private static final int SAMPLES = 40;
    /** Short, so that some samples escape what else the machine does. */
    private static final double SAMPLE_SECONDS = 0.02;

    private static final int REPEATS = 5000;

    private DeviceBench() {}

    /** Prints the tables. */
    public static void main(String[] args) {
        Device<?> device = Devices.get(args.length == 0 ? "opencl:0" : args[0]);
        System.out.println(device + ": " + device.description());
        String only = args.length < 2 ? standIn(device) ? "launches" : "" : args[1];
        if (standIn(device) && !only.equals("launches")) {
            throw new IllegalArgumentException(
                    device + " is a stand-in, which has no speed; only launches are looked at");
        }
        if (only.isEmpty() || only.equals("softmax")) {
            softmax(device);
        }
        if (only.isEmpty() || only.equals("products")) {
            products(device);
        }
        if (only.isEmpty() || only.equals("steps")) {
            OptimizerSteps.print(device);
        }
        if (only.isEmpty() || only.equals("captured")) {
            CapturedSteps.print(device);
        }
        if (only.isEmpty() || only.equals("launches")) {
            launches(device);
            if (device.name().startsWith("opencl")) {
                bareLaunches();
            }
        }
    }

    private static <Dev extends DeviceType> void softmax(Device<Dev> device) {
        System.out.println("logSoftmax of float32; milliseconds, and the speed next to a copy of the same bytes");
        for (long[] shape : new long[][] {{65536, 10}, {32768, 128}, {4096, 1024}, {256, 32768}, {64, 131072}}) {
            Scope.run(() -> softmax(device, R2.of(shape[0], shape[1])));
        }
    }

    private static <Dev extends DeviceType> void softmax(Device<Dev> device, R2<Dim, Dim> shape) {
        long bytes = shape.sizes()[0] * shape.sizes()[1] * Float.BYTES;
        int count = Math.clamp(WORKING_SET / bytes / 4, 2, 64);
        Generator generator = new Generator(7);
        List<Value> x = new ArrayList<>();
        List<Value> y = new ArrayList<>();
        List<Value> g = new ArrayList<>();
        List<Value> out = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Tensor<R2<Dim, Dim>, F32, Dev> input = device.randn(shape, DType.F32, generator);
            x.add(input.value());
            y.add(F.logSoftmax(input, -1).value());
            g.add(device.randn(shape, DType.F32, generator).value());
            out.add(device.zeros(shape).value());
        }
        Rows rows = new Rows(shape.sizes()[0], shape.sizes()[1], 1);
        var kernels = device.backend().kernels();
        double copy = least(device, i -> {
            try (Pins _ = Pins.of(x.get(i % count), out.get(i % count))) {
                kernels.copy(x.get(i % count).strided(), out.get(i % count).strided());
            }
        });
        double forward = least(device, i -> {
            try (Pins _ = Pins.of(x.get(i % count), out.get(i % count))) {
                kernels.softmax(
                        SoftmaxKind.LOG_SOFTMAX,
                        x.get(i % count).strided(),
                        rows,
                        out.get(i % count).strided());
            }
        });
        double backward = least(device, i -> {
            try (Pins _ = Pins.of(x.get(i % count), y.get(i % count), out.get(i % count))) {
                kernels.softmaxGrad(
                        SoftmaxKind.LOG_SOFTMAX,
                        g.get(i % count).strided(),
                        y.get(i % count).strided(),
                        rows,
                        out.get(i % count).strided());
            }
        });
        System.out.printf(
                "%-16s copy %8.3f   forward %8.3f (%3.0f %%)   backward %8.3f (%3.0f %%)%n",
                shape, copy * 1e3, forward * 1e3, 100 * copy / forward, backward * 1e3, 100 * 1.5 * copy / backward);
    }

    private static <Dev extends DeviceType> void products(Device<Dev> device) {
        System.out.println("matrix product of float32, n by n; GFLOP/s");
        for (int n : new int[] {256, 512, 1024}) {
            Scope.run(() -> {
                R2<Dim, Dim> shape = R2.of(n, n);
                Tensor<R2<Dim, Dim>, F32, Dev> a = device.randn(shape);
                Tensor<R2<Dim, Dim>, F32, Dev> b = device.randn(shape);
                Tensor<R2<Dim, Dim>, F32, Dev> t = b.transpose(0, 1).as(R2.kind());
                double plain = least(device, i -> Scope.run(() -> F.matmul(a, b)));
                double transposed = least(device, i -> Scope.run(() -> F.matmul(a, t)));
                System.out.printf(
                        "%-6d %8.1f   with a transposed operand %8.1f%n",
                        n, 2e-9 * n * n * n / plain, 2e-9 * n * n * n / transposed);
            });
        }
    }

    private static <Dev extends DeviceType> void launches(Device<Dev> device) {
        Scope.run(() -> Launches.on(device).forEach((name, call) -> {
            double seconds = standIn(device) ? 0 : least(device, i -> call.run());
            // The first round compiles where nothing was timed.
            Launches.garbage(call, REPEATS);
            double garbage = Launches.garbage(call, REPEATS);
            device.synchronize();
            String time = standIn(device) ? "" : "%6.2f us, ".formatted(seconds * 1e6);
            System.out.printf("%-22s %s%6.1f bytes of garbage%n", name, time, garbage);
        }));
    }

    /** A stand-in for a driver proves nothing about speed: only garbage is told. */
    private static boolean standIn(Device<?> device) {
        return device.description().startsWith("Tenon stand-in");
    }

    /** The same copy with nothing between the loop and JOCL. */
    private static void bareLaunches() {
        cl_platform_id[] platforms = new cl_platform_id[1];
        CL.clGetPlatformIDs(1, platforms, null);
        cl_device_id[] devices = new cl_device_id[1];
        CL.clGetDeviceIDs(platforms[0], CL.CL_DEVICE_TYPE_ALL, 1, devices, null);
        cl_context_properties properties = new cl_context_properties();
        properties.addProperty(CL.CL_CONTEXT_PLATFORM, platforms[0]);
        cl_context context = CL.clCreateContext(properties, 1, devices, null, null, null);
        cl_command_queue queue = queue(context, devices[0]);
        String source = "kernel void copy(global float *out, global const float *in, long n) {"
                + " long i = get_global_id(0); if (i < n) out[i] = in[i]; }";
        cl_program program = CL.clCreateProgramWithSource(context, 1, new String[] {source}, null, null);
        CL.clBuildProgram(program, 0, null, null, null, null);
        cl_kernel kernel = CL.clCreateKernel(program, "copy", null);
        cl_mem in = CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, 1024, null, null);
        cl_mem out = CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, 1024, null, null);
        ByteBuffer n =
                ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder()).putLong(0, 256);
        Pointer inPointer = Pointer.to(in);
        Pointer outPointer = Pointer.to(out);
        Pointer nPointer = Pointer.to(n);
        long[] global = {256};
        long[] local = {256};
        double bare = least(() -> CL.clFinish(queue), i -> {
            CL.clSetKernelArg(kernel, 0, Sizeof.cl_mem, outPointer);
            CL.clSetKernelArg(kernel, 1, Sizeof.cl_mem, inPointer);
            CL.clSetKernelArg(kernel, 2, Sizeof.cl_long, nPointer);
            CL.clEnqueueNDRangeKernel(queue, kernel, 1, null, global, local, 0, null, null);
        });
        System.out.printf("a bare JOCL launch of the same copy %.2f us%n", bare * 1e6);
    }

    @SuppressWarnings("deprecation")
    private static cl_command_queue queue(cl_context context, cl_device_id device) {
        return CL.clCreateCommandQueue(context, device, 0, null);
    }

    private static double least(Device<?> device, IntConsumer call) {
        return least(device::synchronize, call);
    }

    /** Seconds a call. */
    private static double least(Runnable wait, IntConsumer call) {
        int batch = 1;
        while (time(wait, call, batch) < SAMPLE_SECONDS) {
            batch *= 2;
        }
        int repeats = batch;
        return IntStream.range(0, SAMPLES)
                .mapToDouble(i -> time(wait, call, repeats) / repeats)
                .min()
                .orElseThrow();
    }

    private static double time(Runnable wait, IntConsumer call, int batch) {
        wait.run();
        long start = System.nanoTime();
        for (int i = 0; i < batch; i++) {
            call.accept(i);
        }
        wait.run();
        return (System.nanoTime() - start) * 1e-9;
    }
}

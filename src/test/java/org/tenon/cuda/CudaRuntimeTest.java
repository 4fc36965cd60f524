package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jcuda.driver.CUcontext;
import jcuda.driver.CUfunction;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.TensorStateException;
import org.tenon.gpu.GpuKernel;
import org.tenon.gpu.GpuRuntime.Traits;
import org.tenon.gpu.GpuRuntime.Warps;
import org.tenon.gpu.TestLaunches;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;

/** The runtime itself, on the stand-in driver. */
class CudaRuntimeTest {
    private static final String FILL = "-DT=u32 -DBLOCK=256";

    private static StandIn standIn;

    private CudaRuntime runtime;

    @BeforeAll
    static void findStandIn() {
        standIn = OnStandIn.assumeThere();
    }

    @BeforeEach
    void open() {
        runtime = new CudaRuntime(CudaDevice.of(0), "12.6");
    }

    @AfterEach
    void nothingWasDamaged() {
        standIn.reset();
        standIn.delay(0);
        assertThat(standIn.damage()).isZero();
    }

    private CudaBuffer buffer(long bytes) {
        return (CudaBuffer) runtime.memory().create(bytes);
    }

    /** Fills {@code count} ints: the kernel's structure has the count, axes, the offset and the bits before sizes. */
    private void fill(GpuKernel kernel, Buffer buffer, long count, int value) {
        runtime.launch(
                kernel,
                (count + 255) / 256,
                TestLaunches.of(buffer, count, 1, 0, value, count, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0));
    }

    private void free(CudaBuffer buffer) {
        runtime.finish();
        runtime.context().release("cuMemFree", () -> JCudaDriver.cuMemFree(buffer.at(0)));
    }

    @Test
    void copiesOfAnySizeAndOffset() {
        int slot = Slots.BYTES;
        for (int bytes : new int[] {1, 4095, slot - 1, slot, slot + 1, 5 * slot + 3}) {
            CudaBuffer buffer = buffer(bytes + 64);
            byte[] sent = new byte[bytes];
            new java.util.Random(bytes).nextBytes(sent);
            runtime.write(MemorySegment.ofArray(sent), buffer, 7);
            byte[] got = new byte[bytes];
            runtime.read(buffer, 7, MemorySegment.ofArray(got));
            assertThat(got).isEqualTo(sent);
            runtime.read(buffer, 8, MemorySegment.ofArray(got).asSlice(0, bytes - 1));
            assertThat(java.util.Arrays.mismatch(got, 0, bytes - 1, sent, 1, bytes))
                    .isEqualTo(-1);
            free(buffer);
        }
    }

    /** Uploads to memory that kernels still read, and kernels on memory that is still uploaded. */
    @Test
    void aCopyWaitsForWhatUsesItsMemoryAndIsWaitedFor() {
        GpuKernel kernel = runtime.kernel("fill", "fill", FILL);
        int count = 1000;
        CudaBuffer buffer = buffer(4L * count);
        int[] numbers = new int[count];
        int[] got = new int[count];
        standIn.delay(2000);
        for (int round = 1; round <= 20; round++) {
            fill(kernel, buffer, count, -1);
            java.util.Arrays.fill(numbers, round);
            runtime.write(MemorySegment.ofArray(numbers), buffer, 0);
            if (round % 2 == 0) {
                fill(kernel, buffer, count / 2, -round);
            }
            runtime.read(buffer, 0, MemorySegment.ofArray(got));
            assertThat(got[0]).isEqualTo(round % 2 == 0 ? -round : round);
            assertThat(got[count - 1]).isEqualTo(round);
        }
        free(buffer);
    }

    /** More than all slots hold goes to memory that nobody uses while a long kernel runs. */
    @Test
    void aCopyRunsBesideKernels() {
        CUfunction function = function("simcuda_sleep", ".param .u64 a, .param .u32 b", "");
        CudaBuffer other = buffer(4096);
        CudaBuffer buffer = buffer(8L * Slots.BYTES);
        fillWith(other, (byte) 0);
        runtime.finish();
        runtime.launch(new CudaKernel("sleep", 1, function, 0), 1, TestLaunches.of(other, 1500));
        byte[] sent = new byte[8 * Slots.BYTES];
        new java.util.Random(1).nextBytes(sent);
        runtime.write(MemorySegment.ofArray(sent), buffer, 0);
        assertThat(JCudaDriver.cuStreamQuery(runtime.queue().stream()))
                .as("the kernel still runs, though 16 MiB went through 8 MiB of slots")
                .isEqualTo(CUresult.CUDA_ERROR_NOT_READY);
        byte[] got = new byte[sent.length];
        runtime.read(buffer, 0, MemorySegment.ofArray(got));
        assertThat(java.util.Arrays.mismatch(got, sent)).isEqualTo(-1);
        free(other);
        free(buffer);
    }

    private void fillWith(CudaBuffer buffer, byte value) {
        runtime.fill(buffer, 0, buffer.capacity(), value);
    }

    @Test
    void aLaunchMakesNoGarbage() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        GpuKernel kernel = runtime.kernel("fill", "fill", FILL);
        CudaBuffer buffer = buffer(4096);
        org.tenon.gpu.Launch launch =
                TestLaunches.of(buffer, 1, 1, 0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
        int launches = 20_000;
        long bytes = Long.MAX_VALUE;
        // The first rounds compile.
        for (int round = 0; round < 4; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < launches; i++) {
                runtime.launch(kernel, 1, launch);
            }
            bytes = Math.min(bytes, threads.getCurrentThreadAllocatedBytes() - before);
            runtime.finish();
        }
        System.out.println("cuda: " + bytes / (double) launches + " bytes of garbage a launch");
        assertThat(bytes / launches).isLessThan(8);
        free(buffer);
    }

    @Test
    void tooManyGroupsAreRefused() {
        CudaBuffer buffer = buffer(512);
        assertThatThrownBy(() ->
                        runtime.launch(runtime.kernel("fill", "fill", FILL), 1L << 31, TestLaunches.of(buffer, 1)))
                .isInstanceOf(TensorStateException.class)
                .hasMessage("cuda:0: fill/fill would need 2147483648 groups of threads, and a launch has at most"
                        + " 2147483647; work on parts of the tensor");
        free(buffer);
    }

    @Test
    void aKernelThatIsMissingIsNamed() {
        assertThatThrownBy(() -> runtime.kernel("fill", "fill", "-DT=u128 -DBLOCK=256"))
                .isInstanceOf(TensorStateException.class)
                .hasMessage(
                        "cuda:0: there is no kernel fill__fill__T_u128__BLOCK_256 in fill.ptx; this build's PTX does"
                                + " not fit its sources, ci/ptx.sh makes it anew");
        assertThatThrownBy(() -> runtime.kernel("nothing", "fill", FILL))
                .hasMessageContaining("/org/tenon/kernels/ptx/nothing.ptx is not in the class path");
    }

    @Test
    void whatTheCompilerSaysIsTold() {
        runtime.context().enter();
        String head = ".target sm_80\n.address_size 64\n.visible .entry a()\n{\nret;\n}\n";
        assertThatThrownBy(() -> runtime.modules().load(".version 7.8\n" + head + "}", "a text"))
                .isInstanceOf(TensorStateException.class)
                .hasMessageStartingWith(
                        "cuda:0: the driver cannot compile a text: CUDA_ERROR_INVALID_PTX (218)\nptxas ");
        assertThatThrownBy(() -> runtime.modules().load(".version 9.9\n" + head, "a text"))
                .hasMessageContaining(
                        "CUDA_ERROR_UNSUPPORTED_PTX_VERSION (222); install a newer NVIDIA driver\nptxas ");
    }

    private CUfunction function(String name, String parameters, String directives) {
        runtime.context().enter();
        String text = ".version 7.8\n.target sm_90\n.address_size 64\n.visible .entry " + name + "(" + parameters
                + ")\n" + directives + "{\nret;\n}\n";
        CUfunction function = new CUfunction();
        runtime.context()
                .check(
                        "cuModuleGetFunction",
                        JCudaDriver.cuModuleGetFunction(
                                function, runtime.modules().load(text, "a test"), name));
        return function;
    }

    @Test
    void sharedMemoryBeyondThePlainLimit() {
        CUfunction sum = function("simcuda_sum", ".param .u64 a", "");
        CudaBuffer buffer = buffer(512);
        GpuKernel plain = new CudaKernel("sum", 64, sum, 100_000);
        assertThatThrownBy(() -> runtime.launch(plain, 1, TestLaunches.of(buffer)))
                .hasMessageStartingWith("cuda:0: cuLaunchKernel of sum failed with CUDA_ERROR_INVALID_VALUE");
        runtime.launch(runtime.kernel("sum", "-DBLOCK=64 -DSHARED=100000", sum), 1, TestLaunches.of(buffer));
        assertThat(firstInt(buffer)).isEqualTo(64 * 63 / 2);
        assertThatThrownBy(() -> runtime.kernel("sum", "-DBLOCK=64 -DSHARED=1000000", sum))
                .hasMessageStartingWith("cuda:0: cuFuncSetAttribute of sum failed with CUDA_ERROR_INVALID_VALUE");
        free(buffer);
    }

    @Test
    void clustersBeyondThePortableSize() {
        CUfunction ranks =
                function("simcuda_ranks", ".param .u64 a", ".explicitcluster\n.reqnctapercluster 16, 1, 1\n");
        CudaBuffer buffer = buffer(512);
        GpuKernel plain = new CudaKernel("ranks", 32, ranks, 0);
        assertThatThrownBy(() -> runtime.launch(plain, 16, TestLaunches.of(buffer)))
                .hasMessageStartingWith("cuda:0: cuLaunchKernel of ranks failed with ");
        runtime.launch(runtime.kernel("ranks", "-DBLOCK=32 -DCLUSTER=16", ranks), 16, TestLaunches.of(buffer));
        assertThat(firstInt(buffer)).isEqualTo(1600);
        free(buffer);
    }

    private int firstInt(CudaBuffer buffer) {
        int[] got = new int[1];
        runtime.read(buffer, 0, MemorySegment.ofArray(got));
        return got[0];
    }

    @Test
    void optionsOfKernels() {
        assertThat(CudaRuntime.option("-DT=f32 -DBLOCK=256 -DSHARED=65536", "SHARED"))
                .isEqualTo(65536);
        assertThat(CudaRuntime.option("-DT=f32 -DXBLOCK=256", "BLOCK")).isZero();
    }

    @Test
    void anyThreadMayUseIt() throws Exception {
        GpuKernel kernel = runtime.kernel("fill", "fill", FILL);
        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            java.util.List<Future<int[]>> all = new java.util.ArrayList<>();
            for (int i = 0; i < 40; i++) {
                int value = i;
                all.add(pool.submit(() -> {
                    CudaBuffer buffer = buffer(4000);
                    int[] got = new int[1000];
                    fill(kernel, buffer, 1000, value);
                    Thread.yield();
                    runtime.read(buffer, 0, MemorySegment.ofArray(got));
                    free(buffer);
                    return got;
                }));
            }
            for (int i = 0; i < 40; i++) {
                assertThat(all.get(i).get()).containsOnly(i);
            }
        }
    }

    /** Another library, or another device, has left its own context behind. */
    @Test
    void theContextIsSetAnewEachTime() {
        CudaBuffer buffer = buffer(4096);
        JCudaDriver.cuCtxSetCurrent(new CUcontext());
        fillWith(buffer, (byte) 1);
        JCudaDriver.cuCtxSetCurrent(new CUcontext());
        byte[] got = new byte[4096];
        runtime.read(buffer, 0, MemorySegment.ofArray(got));
        assertThat(got).containsOnly(1);
        JCudaDriver.cuCtxSetCurrent(new CUcontext());
        runtime.finish();
        JCudaDriver.cuCtxSetCurrent(new CUcontext());
        free(buffer);
    }

    @Test
    void memoryThatRunsOutIsTrimmedAndTriedAgain() {
        Allocator allocator = new Allocator(runtime.name(), runtime.memory());
        long taken = standIn.liveBytes();
        standIn.memoryLimit(taken + (64L << 20));
        Buffer first = allocator.allocate(40L << 20);
        allocator.free(first);
        assertThat(allocator.stats().cachedBytes()).isGreaterThan(0);
        // Fits only once the cached block went back.
        Buffer second = allocator.allocate(56L << 20);
        assertThat(allocator.stats().cachedBytes()).isZero();
        assertThatThrownBy(() -> allocator.allocate(16L << 20))
                .isInstanceOf(OutOfDeviceMemoryException.class)
                .hasMessageStartingWith("cuda:0: out of memory asking 16 MiB (live ")
                .hasMessageEndingWith("; close tensors, or ask for less");
        allocator.free(second);
        Buffer third = allocator.allocate(16L << 20);
        allocator.free(third);
        allocator.trim();
        assertThat(standIn.liveBytes()).isEqualTo(taken);
    }

    @Test
    void addressesAreLong() {
        assertThat(new DevicePointer(0x7F00_1234_5678_9ABCL).address()).isEqualTo(0x7F00_1234_5678_9ABCL);
        CudaBuffer buffer = buffer(4096);
        assertThat(buffer.at(100)).isNotSameAs(buffer.at(0));
        assertThat(buffer.at(100).address()).isEqualTo(buffer.address() + 100);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment native8 = arena.allocate(ValueLayout.JAVA_LONG);
            assertThat(new HostPointer(native8).toString()).contains(Long.toHexString(native8.address()));
        }
        free(buffer);
    }

    @Test
    void howKernelsAreShaped() {
        assertThat(runtime.traits()).isEqualTo(new Traits(true, 256, 1, 8, new Warps(232_448, true)));
        assertThat(runtime.rank()).as("never chosen").isLessThan(0);
        assertThat(runtime.description())
                .isEqualTo("Tenon stand-in driver (no GPU) (compute capability 9.0, driver for CUDA 12.6), 8"
                        + " multiprocessors, 4.0 GiB");
    }
}

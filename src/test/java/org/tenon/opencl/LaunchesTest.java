package org.tenon.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.OpenCl;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorStateException;
import org.tenon.gpu.GpuBackend;
import org.tenon.op.Creation;
import org.tenon.op.Elementwise;
import org.tenon.op.Reductions;
import org.tenon.op.Value;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.UnaryOp;
import org.tenon.support.ChildJvm;

/** Kernels are built and launched: what a bad one says, and that neither threads nor timing change a result. */
class LaunchesTest {
    /** What a child JVM runs: some kernels. */
    static final class SomeKernels {
        private SomeKernels() {}

        public static void main(String[] arguments) {
            Device<OpenCl> device = org.tenon.Devices.openCl(0);
            Tensor<R2<Dim, Dim>, F32, OpenCl> x = device.ones(R2.of(7, 9));
            System.out.println("sum " + F.exp(F.exp(x)).sum().item());
        }
    }

    /** The compiler's own words, with the file and the line that a reader can open. */
    @Test
    void aKernelThatDoesNotBuildShowsTheLineOfItsSource() throws IOException {
        OpenClRuntime runtime = new OpenClRuntime("opencl:test", Present.found());
        assertThatThrownBy(() -> runtime.kernel("where", "where", "-DT=u24 -DEACH=4 -DBLOCK=64"))
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("kernels/where.k does not build with -DT=u24 -DEACH=4 -DBLOCK=64")
                .hasMessageContaining("kernels/where.k:" + line("kernels/where.k", "GLOBAL MEM_OF(T) *out") + ":")
                .hasMessageContaining("mem_u24");
        assertThat(runtime.kernel("where", "where", "-DT=u32 -DEACH=4 -DBLOCK=64")
                        .block())
                .isEqualTo(64);
    }

    private static int line(String file, String text) throws IOException {
        List<String> lines = Files.readAllLines(Path.of(file));
        return 1
                + IntStream.range(0, lines.size())
                        .filter(i -> lines.get(i).contains(text))
                        .findFirst()
                        .orElseThrow();
    }

    @Test
    void aKernelWhoseGroupIsTooLargeIsRefused() {
        OpenClRuntime runtime = new OpenClRuntime("opencl:test", Present.found());
        assertThatThrownBy(() -> runtime.kernel("fill", "fill", "-DT=u32 -DBLOCK=1048576"))
                .isInstanceOf(TensorStateException.class);
        assertThat(runtime.kernel("fill", "fill", "-DT=u32 -DBLOCK=256").block())
                .isEqualTo(256);
    }

    /** Launches of more threads than drivers count come in several; here of more than 512. */
    @Test
    void aLaunchInPartsIsTheSameAsAWhole() {
        Present.device();
        GpuBackend whole = new GpuBackend(new OpenClRuntime("opencl:test", Present.found()));
        GpuBackend parts = new GpuBackend(Present.runtime("tenon.opencl.items", "512"));
        assertThat(results(parts)).isEqualTo(results(whole));
    }

    /** And so it is with the groups that work together on a GPU. */
    @Test
    void theGroupsOfAGpuInParts() {
        Present.device();
        GpuBackend whole = new GpuBackend(Present.runtime("tenon.opencl.block", "64"));
        System.setProperty("tenon.opencl.block", "64");
        try {
            GpuBackend parts = new GpuBackend(Present.runtime("tenon.opencl.items", "512"));
            assertThat(results(parts)).isEqualTo(results(whole));
        } finally {
            System.clearProperty("tenon.opencl.block");
        }
    }

    private static List<Float> results(GpuBackend backend) {
        List<Float> all = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            float[] values = new float[37 * 301];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) Math.sin(i);
            }
            Value x = Creation.upload(backend, DType.F32, arena.allocateFrom(ValueLayout.JAVA_FLOAT, values), 37, 301);
            Value y = Elementwise.unary("exp", UnaryOp.EXP, x);
            for (Value each : List.of(
                    y, Reductions.reduce("sum", ReduceOp.SUM, y, 0), Reductions.reduce("sum", ReduceOp.SUM, y, 1))) {
                MemorySegment host = arena.allocate(each.count() * Float.BYTES, 4);
                Creation.download(each, host);
                for (float value : host.toArray(ValueLayout.JAVA_FLOAT)) {
                    all.add(value);
                }
            }
        }
        return all;
    }

    private static float[] training(Device<OpenCl> device, Runnable between) {
        return Scope.call(() -> {
            Tensor<R2<Dim, Dim>, F32, OpenCl> x = device.randn(R2.<Dim, Dim>of(64, 96), DType.F32, new Generator(1));
            Tensor<R2<Dim, Dim>, F32, OpenCl> w = device.randn(R2.<Dim, Dim>of(96, 40), DType.F32, new Generator(2))
                    .requireGrad();
            float[] slope = null;
            for (int i = 0; i < 5; i++) {
                var y = F.logSoftmax(F.matmul(x, w), -1);
                between.run();
                var gradients = y.sum().backward();
                between.run();
                slope = gradients.get(w).toFloatArray();
            }
            return slope;
        });
    }

    @Test
    void waitingInBetweenChangesNoBit() {
        Device<OpenCl> device = Present.device();
        float[] free = training(device, () -> {});
        assertThat(training(device, device::synchronize)).isEqualTo(free);
        assertThat(training(device, () -> device.ones(R2.of(1, 1)).toFloatArray()))
                .isEqualTo(free);
    }

    @Test
    void severalThreadsOnOneDevice() {
        Device<OpenCl> device = Present.device();
        float[] alone = training(device, () -> {});
        List<CompletableFuture<float[]>> threads = IntStream.range(0, 4)
                .mapToObj(i -> CompletableFuture.supplyAsync(
                        () -> training(device, i % 2 == 0 ? () -> {} : device::synchronize)))
                .toList();
        threads.forEach(each -> assertThat(each.join()).isEqualTo(alone));
    }

    @Test
    void profilesNameTheKernels() throws IOException {
        Present.device();
        ChildJvm child =
                ChildJvm.run(SomeKernels.class, List.of("--enable-native-access=ALL-UNNAMED", "-Dtenon.profile=true"));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output())
                .containsPattern("opencl:0 unary/unary_dense: 2 launches, [0-9.]+ ms")
                .containsPattern("opencl:0 reduce/reduce_\\w+: 1 launches");
    }
}

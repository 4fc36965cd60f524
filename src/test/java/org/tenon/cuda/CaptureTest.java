package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tenon.CapturedStep;
import org.tenon.Cuda;
import org.tenon.Device;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.R1;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorStateException;
import org.tenon.TestDevices;
import org.tenon.capture.CapturedTraining;
import org.tenon.spi.Backend;
import org.tenon.support.ChildJvm;

/** Captured steps as graphs of the driver, on the stand-in. */
class CaptureTest {
    private static StandIn standIn;

    private Device<Cuda> device;

    @BeforeAll
    static void findStandIn() {
        standIn = OnStandIn.assumeThere();
    }

    @BeforeEach
    void open() {
        device = TestDevices.of(OnStandIn.open());
    }

    @AfterEach
    void nothingIsLeft() {
        standIn.reset();
        standIn.delay(0);
        assertThat(standIn.damage()).isZero();
        assertThat(standIn.liveGraphs()).isZero();
        assertThat(device.memory().liveBuffers()).isZero();
        device.trimMemory();
    }

    @Test
    void aRunIsOneLaunchAndNextToNoGarbage() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        Scope.run(() -> {
            CapturedTraining<Cuda> training = new CapturedTraining<>(device, "AdamW in two groups");
            training.batch(1);
            try (var step = training.captured()) {
                standIn.reset();
                step.run();
                long launches = standIn.count("cuLaunchKernel");
                step.run();
                device.synchronize();
                standIn.reset();
                step.run();
                Map<String, Long> counts = standIn.counts();
                System.out.println("cuda: a step of " + launches + " launches is captured; a run calls " + counts);
                assertThat(counts)
                        .containsEntry("cuGraphLaunch", 1L)
                        .containsEntry("cuMemcpyHtoDAsync", 1L)
                        .doesNotContainKeys("cuLaunchKernel", "cuMemAlloc", "cuMemFree", "cuMemsetD8Async");
                device.synchronize();
                // The memory's guards are fills, not kernels. Copies tell both dropouts where their numbers start.
                assertThat(standIn.count("kernel")).isEqualTo(launches + 2);
                long least = Long.MAX_VALUE;
                int runs = 300;
                for (int round = 0; round < 4; round++) {
                    long before = threads.getCurrentThreadAllocatedBytes();
                    for (int i = 0; i < runs; i++) {
                        step.run();
                    }
                    least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / runs);
                    device.synchronize();
                }
                System.out.println("cuda: " + least + " bytes of garbage a run of a captured step");
                assertThat(least).isLessThan(2048);
            }
        });
    }

    /** Numbers of the next run do not reach one that is still queued. */
    @Test
    void manyRunsAreQueuedAtOnce() {
        List<Object> wanted = CapturedTraining.eager(device, "AdamW", 9);
        standIn.delay(2000);
        assertThat(CapturedTraining.captured(device, "AdamW", 9)).isEqualTo(wanted);
        List<Object> last = Scope.call(() -> {
            CapturedTraining<Cuda> training = new CapturedTraining<>(device, "AdamW");
            try (var step = training.captured()) {
                for (int i = 0; i < 9; i++) {
                    training.batch(i);
                    step.run();
                }
            }
            return training.state();
        });
        assertThat(last).isEqualTo(wanted.subList(9, wanted.size()));
    }

    /** What it uses stays, though everyone else has let go of it. */
    @Test
    void whatItUsesIsKept() {
        Scope.run(() -> {
            Tensor<R1<Dim>, F32, Cuda> x = device.<Dim>tensor(1f, 2f);
            try (CapturedStep<Tensor<R1<Dim>, F32, Cuda>> step = device.capture(() -> x.add(x))) {
                step.run();
                step.run();
                x.close();
                for (int i = 0; i < 3; i++) {
                    Scope.run(() -> device.<Dim>tensor(7f, 7f).add(device.<Dim>tensor(7f, 7f)));
                    assertThat(step.run().toFloatArray()).containsExactly(2, 4);
                }
            }
        });
    }

    /** Another thread's work is not captured, nor is it refused. */
    @Test
    void otherThreadsWait() throws Exception {
        try (ExecutorService pool = Executors.newFixedThreadPool(3)) {
            Scope.call(() -> {
                Tensor<R1<Dim>, F32, Cuda> x = device.<Dim>tensor(1f, 2f);
                CountDownLatch within = new CountDownLatch(1);
                List<Future<Double>> others = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    float number = i;
                    others.add(pool.submit(() -> {
                        within.await();
                        double sum = 0;
                        for (int round = 0; round < 20; round++) {
                            sum += Scope.call(() -> device.<Dim>tensor(number, 1f)
                                    .mul(device.<Dim>tensor(2f, 3f))
                                    .sum()
                                    .item());
                            device.synchronize();
                        }
                        return sum;
                    }));
                }
                int[] runs = {0};
                try (CapturedStep<Tensor<R1<Dim>, F32, Cuda>> step = device.capture(() -> {
                    Tensor<R1<Dim>, F32, Cuda> y = x.add(x);
                    if (runs[0]++ == 1) {
                        within.countDown();
                        pause();
                    }
                    return y.add(x);
                })) {
                    for (int i = 0; i < 6; i++) {
                        assertThat(step.run().toFloatArray()).containsExactly(3, 6);
                    }
                    standIn.reset();
                    for (int i = 0; i < others.size(); i++) {
                        assertThat(others.get(i).get()).isEqualTo(20 * (2.0 * i + 3));
                    }
                    standIn.reset();
                    step.run();
                    device.synchronize();
                    assertThat(standIn.count("kernel")).isEqualTo(2);
                }
                return null;
            });
        }
    }

    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void noMemoryWhileItCaptures() {
        Scope.run(() -> {
            Tensor<R1<Dim>, F32, Cuda> x = device.<Dim>tensor(1f, 2f);
            int[] runs = {0};
            try (CapturedStep<Tensor<R1<Dim>, F32, Cuda>> step = device.capture(() -> {
                if (runs[0]++ == 1) {
                    device.zeros(R1.of(16 << 20));
                }
                return x.add(x);
            })) {
                step.run();
                standIn.memoryLimit(standIn.liveBytes() + (32 << 20));
                assertThatThrownBy(step::run)
                        .isInstanceOf(OutOfDeviceMemoryException.class)
                        .hasMessageStartingWith("cuda:0: out of memory asking 64 MiB (live ")
                        .hasMessageEndingWith(
                                " while a step is captured, which cannot empty the cache; call trimMemory()"
                                        + " before, close tensors, or ask for less");
                assertThat(x.add(x).toFloatArray()).containsExactly(2, 4);
                for (int i = 0; i < 3; i++) {
                    assertThat(step.run().toFloatArray()).containsExactly(2, 4);
                }
            }
        });
    }

    /** What goes past the ops is refused by the device, or by the driver. */
    @Test
    void whatGoesPastTheOps() {
        Scope.run(() -> {
            Tensor<R1<Dim>, F32, Cuda> x = device.<Dim>tensor(1f, 2f);
            Backend backend = device.backend();
            MemorySegment host = MemorySegment.ofArray(new byte[8]);
            Map<String, Runnable> bad = Map.of(
                    "waiting for the device cannot be part of a captured step; do it before or after the step runs",
                    backend::synchronize,
                    "a copy to host memory cannot be part of a captured step",
                    () -> backend.download(x.value().strided().buffer(), 0, host),
                    "a copy from host memory cannot be part of a captured step",
                    () -> backend.upload(host, x.value().strided().buffer(), 0),
                    "failed with CUDA_ERROR_STREAM_CAPTURE_INVALIDATED (901)",
                    () -> JCudaDriver.cuCtxSynchronize());
            bad.forEach((message, call) -> {
                int[] runs = {0};
                try (CapturedStep<Tensor<R1<Dim>, F32, Cuda>> step = device.capture(() -> {
                    x.add(x);
                    if (runs[0]++ == 1) {
                        call.run();
                    }
                    return x.add(x);
                })) {
                    step.run();
                    assertThatThrownBy(step::run)
                            .isInstanceOf(TensorStateException.class)
                            .hasMessageStartingWith("cuda:0: ")
                            .hasMessageContaining(message);
                    for (int i = 0; i < 3; i++) {
                        assertThat(step.run().toFloatArray()).containsExactly(2, 4);
                    }
                }
            });
        });
    }

    @Test
    void everyCallFailsOnce() throws IOException {
        ChildJvm child = OnStandIn.child(CaptureFaults.class, Map.of(), List.of());
        child.output()
                .lines()
                .filter(line -> line.startsWith("run "))
                .forEach(line -> System.out.println("faults: " + line));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("damage 0\n", "wrong 0\n").doesNotContain("WRONG");
        assertThat(child.output())
                .contains(
                        "run 1 cuStreamBeginCapture",
                        "run 1 cuStreamEndCapture",
                        "run 1 cuGraphInstantiateWithFlags",
                        "run 1 cuGraphDestroy",
                        "run 1 cuGraphLaunch",
                        "run 1 cuLaunchKernel",
                        "run 2 cuGraphLaunch",
                        "run 2 cuMemcpyHtoDAsync");
    }
}

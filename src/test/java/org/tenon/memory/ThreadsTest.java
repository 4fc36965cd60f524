package org.tenon.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorStateException;
import org.tenon.junit.Buffers;
import org.tenon.junit.DeviceTest;

/** Several threads on one device. */
@Tag("plain")
class ThreadsTest {
    private static final int THREADS = 4;

    private static <R> List<R> together(int threads, Callable<R> body) throws InterruptedException {
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<R> results = new ArrayList<>();
            for (Future<R> each : pool.invokeAll(java.util.Collections.nCopies(threads, body))) {
                results.add(each.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        }
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void threadsTrainAtOnceWithTheSameBits(Device<?> device) throws InterruptedException {
        long before = device.memory().liveBuffers();
        List<float[]> results = together(THREADS, () -> slopes(device));
        for (float[] each : results) {
            assertThat(each).isEqualTo(results.getFirst());
        }
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    private static <Dev extends DeviceType> float[] slopes(Device<Dev> device) {
        return Scope.call(() -> {
            Tensor<R2<Dim, Dim>, F32, Dev> w = device.randn(R2.<Dim, Dim>of(40, 30), DType.F32, new Generator(1));
            Tensor<R2<Dim, Dim>, F32, Dev> leaf = w.requireGrad();
            Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.of(50, 40), DType.F32, new Generator(2));
            Tensor<R1<Dim>, org.tenon.I64, Dev> t = device.randint(R1.of(50), 0, 30, DType.I64, new Generator(3));
            float[] slope = null;
            for (int i = 0; i < 30; i++) {
                slope = Scope.call(() -> F.crossEntropy(F.matmul(x, leaf), t)
                        .backward()
                        .get(leaf)
                        .toFloatArray());
            }
            return slope;
        });
    }

    /** One thread closes a tensor while others compute with it: each op gives the right result or says it is closed. */
    @DeviceTest(buffers = Buffers.CLOSED)
    void closingWhileComputing(Device<?> device) throws InterruptedException {
        closing(device);
    }

    private static <Dev extends DeviceType> void closing(Device<Dev> device) throws InterruptedException {
        long before = device.memory().liveBuffers();
        for (int round = 0; round < 100; round++) {
            Tensor<R1<Dim>, F32, Dev> x = device.ones(R1.of(5000));
            List<Integer> done = together(
                    THREADS,
                    () -> Scope.call(() -> {
                        int right = 0;
                        try {
                            for (int i = 0; i < 50; i++) {
                                if (i == 20) {
                                    x.close();
                                }
                                float[] doubled = x.mul(2).toFloatArray();
                                for (float each : doubled) {
                                    assertThat(each == 2).isTrue();
                                }
                                right++;
                            }
                            throw new AssertionError("a closed tensor was used");
                        } catch (TensorStateException e) {
                            assertThat(e).hasMessageContaining("after it was closed");
                        }
                        return right;
                    }));
            assertThat(done).allMatch(right -> right <= 20);
        }
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void allocatingAtOnceLosesNothing(Device<?> device) throws InterruptedException {
        long before = device.memory().liveBuffers();
        together(THREADS, () -> {
            for (int i = 0; i < 2000; i++) {
                long size = 1 + (i * 7919L) % 5000;
                Scope.run(() ->
                        assertThat(F.mean(device.ones(R1.of(size))).item()).isEqualTo(1));
            }
            return null;
        });
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }
}

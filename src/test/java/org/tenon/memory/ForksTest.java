package org.tenon.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.HostArray;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.data.Batch;
import org.tenon.data.DataLoader;
import org.tenon.data.TensorDataset;
import org.tenon.junit.Buffers;
import org.tenon.junit.DeviceTest;
import org.tenon.junit.TestDevices;
import org.tenon.nn.Linear;
import org.tenon.optim.AdamW;

/** Virtual threads, structured forks, trainings at once, and one thread on all devices. */
class ForksTest {
    private static final int FORKS = 60;

    private static <R> List<R> all(ExecutorService pool, int times, Callable<R> body) throws InterruptedException {
        try (pool) {
            List<R> results = new ArrayList<>();
            for (Future<R> each : pool.invokeAll(Collections.nCopies(times, body))) {
                results.add(each.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        }
    }

    /** Each has scopes of its own, and moves from carrier to carrier meanwhile. */
    @DeviceTest(buffers = Buffers.CLOSED)
    void virtualThreads(Device<?> device) throws InterruptedException {
        virtual(device);
    }

    private static <Dev extends DeviceType> void virtual(Device<Dev> device) throws InterruptedException {
        try (Tensor<R1<Dim>, F32, Dev> shared = device.full(R1.of(1000), 3, DType.F32)) {
            List<Double> sums = all(
                    Executors.newVirtualThreadPerTaskExecutor(),
                    FORKS,
                    () -> Scope.call(() -> {
                        Tensor<R1<Dim>, F32, Dev> doubled = Scope.call(() -> {
                            Tensor<R1<Dim>, F32, Dev> product = shared.mul(2);
                            Thread.yield();
                            return product;
                        });
                        Thread.sleep(1);
                        return doubled.add(shared).sum().item();
                    }));
            assertThat(sums).hasSize(FORKS).containsOnly(9000.0);
        }
    }

    /**
     * The forks of a structured task scope see the scope around it: what they make outside a scope of their own belongs to
     * that one, and ends with it. The class is a preview, which javac lets no one name without a flag.
     */
    @DeviceTest(buffers = Buffers.CLOSED)
    void structuredForks(Device<?> device) throws Exception {
        structured(device);
    }

    private static <Dev extends DeviceType> void structured(Device<Dev> device) throws Exception {
        Class<?> type;
        Method open;
        try {
            type = Class.forName("java.util.concurrent.StructuredTaskScope");
            open = type.getMethod("open");
        } catch (ReflectiveOperationException e) {
            Assumptions.abort("this JDK has no StructuredTaskScope.open(): " + e);
            return;
        }
        Method fork = type.getMethod("fork", Callable.class);
        Method join = type.getMethod("join");
        long before = device.memory().liveBuffers();
        List<Tensor<R1<Dim>, F32, Dev>> made = Collections.synchronizedList(new ArrayList<>());
        Scope.callWith(_ -> {
            Tensor<R1<Dim>, F32, Dev> shared = device.full(R1.of(500), 2, DType.F32);
            try (AutoCloseable forks = (AutoCloseable) open.invoke(null)) {
                for (int i = 0; i < FORKS; i++) {
                    fork.invoke(forks, (Callable<Void>) () -> {
                        made.add(Scope.call(() -> shared.mul(shared).add(1)));
                        return null;
                    });
                }
                join.invoke(forks);
            }
            assertThat(made).hasSize(FORKS);
            assertThat(device.memory().liveBuffers()).isEqualTo(before + 1 + FORKS);
            for (Tensor<R1<Dim>, F32, Dev> each : made) {
                assertThat(each.sum().item()).isEqualTo(2500);
            }
            return null;
        });
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
        assertThat(made).allSatisfy(each -> assertThat(each.value().isClosed()).isTrue());
    }

    /** Models, AdamW and epochs of one loader, each in a thread: all do what one alone does, bit for bit. */
    @DeviceTest(buffers = Buffers.CLOSED)
    void trainingsAtOnce(Device<?> device) throws InterruptedException {
        trainings(device);
    }

    private static <Dev extends DeviceType> void trainings(Device<Dev> device) throws InterruptedException {
        float[] inputs = new float[60 * 8];
        long[] targets = new long[60];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = (i * 37 % 101) / 50f - 1;
        }
        for (int i = 0; i < targets.length; i++) {
            targets[i] = i % 4;
        }
        HostArray<R2<Dim, Dim>, F32> x = HostArray.of(inputs, R2.of(60, 8));
        HostArray<R1<Dim>, I64> t = HostArray.of(targets, R1.of(60));
        var loader = DataLoader.of(TensorDataset.of(x, t).on(device), 16).shuffle(3);
        List<Double> alone = train(device, loader);
        assertThat(all(Executors.newFixedThreadPool(4), 4, () -> train(device, loader)))
                .allSatisfy(losses -> assertThat(losses).isEqualTo(alone));
    }

    private static <Dev extends DeviceType> List<Double> train(
            Device<Dev> device, DataLoader<Batch<Tensor<R2<Dim, Dim>, F32, Dev>, Tensor<R1<Dim>, I64, Dev>>> loader) {
        return Scope.call(() -> {
            Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> model = Linear.of(device, DType.F32, 8, 4, new Generator(1));
            AdamW<F32, Dev> optimizer = new AdamW<>(model.parameters(), 0.01);
            List<Double> losses = new ArrayList<>();
            for (int epoch = 0; epoch < 2; epoch++) {
                try (var batches = loader.epoch(epoch)) {
                    for (var batch : batches) {
                        losses.add(Scope.call(() -> {
                            var loss = F.crossEntropy(model.forward(batch.input()), batch.target());
                            optimizer.step(loss.backward());
                            return loss.item();
                        }));
                    }
                }
            }
            losses.add(model.weight().sum().item());
            return losses;
        });
    }

    /** From device to device and back, by one thread and then by several at once: the values stay. */
    @Test
    void oneThreadOnAllDevices() throws InterruptedException {
        List<Device<?>> devices = TestDevices.all();
        List<Long> before =
                devices.stream().map(each -> each.memory().liveBuffers()).toList();
        Callable<Boolean> around = () -> {
            Scope.run(() -> {
                for (int i = 0; i < 5; i++) {
                    for (Device<?> from : devices) {
                        for (Device<?> to : devices) {
                            float value = 1 + i;
                            assertThat(moved(from, to, value)).containsOnly(2 * value);
                        }
                    }
                }
            });
            return true;
        };
        assertThat(all(Executors.newSingleThreadExecutor(), 1, around)).containsOnly(true);
        assertThat(all(Executors.newFixedThreadPool(3), 3, around)).containsOnly(true);
        assertThat(devices.stream().map(each -> each.memory().liveBuffers()).toList())
                .isEqualTo(before);
    }

    private static <A extends DeviceType, B extends DeviceType> float[] moved(
            Device<A> from, Device<B> to, float value) {
        Tensor<R1<Dim>, F32, A> x = from.full(R1.of(3000), value, DType.F32);
        return x.to(to).mul(2).to(from).toFloatArray();
    }
}

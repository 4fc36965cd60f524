package org.tenon.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Gradients;
import org.tenon.KeepGraph;
import org.tenon.R1;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorStateException;
import org.tenon.junit.Buffers;
import org.tenon.junit.DeviceTest;

/**
 * Tensors that several threads use while one closes them, or the scope they belong to: each op gives the right values or
 * says that the tensor was closed, and never computes with memory that by then is another's, nor forgets a gradient. One more
 * thread takes every buffer that gets free and fills it with other numbers.
 *
 * <p>{@code -Dtenon.test.threads.seconds=600} makes each of these tests longer than a second, on each device.
 */
@Tag("plain")
class SharedTensorsTest {
    private static final double SECONDS = Double.parseDouble(System.getProperty("tenon.test.threads.seconds", "1"));
    private static final int USERS = 3;
    private static final int USES = 40;
    private static final float FOREIGN = 7777;

    /** What was done with a tensor of {@code n} elements, all {@code v}; throws where a value is wrong. */
    @FunctionalInterface
    private interface Use<Dev extends DeviceType> {
        void with(Tensor<R1<Dim>, F32, Dev> x, float v);
    }

    private static <Dev extends DeviceType> List<Use<Dev>> uses() {
        return List.of(
                (x, v) -> all(x.toFloatArray(), v, "copied"),
                (x, v) -> all(x.mul(2).toFloatArray(), 2 * v, "mul"),
                (x, v) -> all(x.add(x).toFloatArray(), 2 * v, "add"),
                (x, v) -> all(x.slice(0, 1, x.size(0)).toFloatArray(), v, "slice"),
                (x, v) -> all(x.slice(0, 0, x.size(0), 2).contiguous().toFloatArray(), v, "contiguous"),
                (x, v) -> all(x.to(DType.I64).to(DType.F32).toFloatArray(), v, "to"),
                (x, v) -> all(x.to(Devices.cpu()).toFloatArray(), v, "to the cpu"),
                (x, v) -> all(new float[] {(float) x.sum().item()}, v * x.numel(), "sum"),
                (x, v) -> all(F.softmax(x, 0).mul(x.numel()).toFloatArray(), 1, "softmax"),
                (x, v) -> all(x.detach().copy().toFloatArray(), v, "copy"),
                SharedTensorsTest::backward);
    }

    /** The gradient is there whenever the result is. */
    private static <Dev extends DeviceType> void backward(Tensor<R1<Dim>, F32, Dev> x, float v) {
        boolean tracked = x.requiresGrad();
        Tensor<R1<Dim>, F32, Dev> y = x.mul(x);
        if (tracked) {
            assertThat(y.requiresGrad()).as("the result is tracked").isTrue();
            Gradients gradients = y.sum().backward();
            all(gradients.get(x).toFloatArray(), 2 * v, "gradient");
        } else {
            all(y.toFloatArray(), v * v, "square");
        }
    }

    /** Sizes are powers of two, so that means are exact and softmax is to within a rounding. */
    private static void all(float[] got, float wanted, String what) {
        for (int i = 0; i < got.length; i++) {
            if (!(Math.abs(got[i] - wanted) <= 1e-5f * Math.abs(wanted))) {
                throw new AssertionError(what + ": " + got[i] + " at " + i + " of " + got.length + ", not " + wanted);
            }
        }
    }

    /** Runs bodies at the same time and throws what one throws; the others may only find that it does not come any more. */
    private static void together(List<Callable<Void>> bodies) throws InterruptedException {
        AssertionError failure = null;
        try (ExecutorService pool = Executors.newFixedThreadPool(bodies.size())) {
            for (Future<Void> each : pool.invokeAll(bodies)) {
                try {
                    each.get();
                } catch (ExecutionException e) {
                    boolean alone =
                            e.getCause() instanceof BrokenBarrierException || e.getCause() instanceof TimeoutException;
                    failure = failure == null || !alone ? new AssertionError(e.getCause()) : failure;
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static long end() {
        return System.nanoTime() + (long) (SECONDS * 1e9);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void closedWhileUsed(Device<?> device) throws InterruptedException {
        hammer(device, Life.CLOSED);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void itsScopeClosedWhileUsed(Device<?> device) throws InterruptedException {
        hammer(device, Life.SCOPED);
    }

    private enum Life {
        CLOSED,
        SCOPED
    }

    /** What the threads of a test tell each other. */
    private static final class Shared<Dev extends DeviceType> {
        private final CyclicBarrier round = new CyclicBarrier(USERS + 1);
        final AtomicLong uses = new AtomicLong();
        final AtomicLong closed = new AtomicLong();
        volatile Tensor<R1<Dim>, F32, Dev> tensor;
        volatile float value;
        volatile boolean over;
        long rounds;

        /** Waits for the others. One that failed does not come. */
        void meet() throws Exception {
            round.await(2, TimeUnit.MINUTES);
        }

        /** Ends all that is done together when one of it fails. */
        Callable<Void> orEnd(Callable<Void> body) {
            return () -> {
                try {
                    return body.call();
                } catch (Throwable e) {
                    over = true;
                    round.reset();
                    throw e;
                }
            };
        }
    }

    private static <Dev extends DeviceType> void hammer(Device<Dev> device, Life life) throws InterruptedException {
        long before = device.memory().liveBuffers();
        Shared<Dev> shared = new Shared<>();
        List<Callable<Void>> bodies = new ArrayList<>();
        bodies.add(shared.orEnd(() -> own(device, shared, life)));
        bodies.add(() -> takeWhatIsFree(device, shared));
        for (int i = 0; i < USERS; i++) {
            long seed = i;
            bodies.add(shared.orEnd(() -> use(shared, seed)));
        }
        together(bodies);
        System.out.printf(
                "threads: %s, %s: %,d rounds, %,d uses, %,d of them told that it was closed%n",
                device, life, shared.rounds, shared.uses.get(), shared.closed.get());
        assertThat(shared.closed.get()).as("closed while in use").isPositive();
        assertThat(shared.uses.get() - shared.closed.get()).as("used").isPositive();
        assertThat(device.memory().liveBuffers()).isEqualTo(before);
    }

    /** Makes a tensor each round, lets the others have it, and takes it away after a moment. */
    private static <Dev extends DeviceType> Void own(Device<Dev> device, Shared<Dev> shared, Life life)
            throws Exception {
        Random random = new Random(1);
        long end = end();
        try {
            while (System.nanoTime() < end) {
                if (life == Life.SCOPED) {
                    Scope.call(() -> {
                        round(device, shared, random);
                        return null;
                    });
                } else {
                    round(device, shared, random).close();
                }
                shared.rounds++;
                shared.meet();
            }
        } finally {
            shared.over = true;
            shared.tensor = null;
        }
        shared.meet();
        return null;
    }

    private static <Dev extends DeviceType> Tensor<R1<Dim>, F32, Dev> round(
            Device<Dev> device, Shared<Dev> shared, Random random) throws Exception {
        float value = 1 + random.nextInt(100);
        Tensor<R1<Dim>, F32, Dev> x = device.full(R1.of(256L << random.nextInt(5)), value, DType.F32);
        if (random.nextBoolean()) {
            x.requireGrad();
        }
        shared.value = value;
        shared.tensor = x;
        shared.meet();
        // The moments differ, so that it goes before, within and after any step of an op.
        long wait = System.nanoTime() + random.nextInt(1 << (8 + random.nextInt(14)));
        while (System.nanoTime() < wait) {
            Thread.onSpinWait();
        }
        return x;
    }

    private static <Dev extends DeviceType> Void use(Shared<Dev> shared, long seed) throws Exception {
        Random random = new Random(seed);
        List<Use<Dev>> uses = uses();
        while (true) {
            shared.meet();
            if (shared.over) {
                return null;
            }
            Tensor<R1<Dim>, F32, Dev> x = shared.tensor;
            float v = shared.value;
            try {
                for (int i = 0; i < USES; i++) {
                    shared.uses.incrementAndGet();
                    Scope.run(() -> uses.get(random.nextInt(uses.size())).with(x, v));
                }
            } catch (TensorStateException e) {
                shared.closed.incrementAndGet();
                assertThat(e).hasMessageContaining("tensor used after it").hasMessageContaining("closed");
            }
            shared.meet();
        }
    }

    private static <Dev extends DeviceType> Void takeWhatIsFree(Device<Dev> device, Shared<Dev> shared) {
        for (int i = 0; !shared.over; i++) {
            long size = 256L << i % 5;
            Scope.run(() -> {
                for (int k = 0; k < 3; k++) {
                    device.full(R1.of(size), FOREIGN, DType.F32);
                }
            });
            Thread.yield();
        }
        return null;
    }

    /** Backwards through one graph at once: all are right where it is kept, else one is and the others are told. */
    @DeviceTest(buffers = Buffers.CLOSED)
    void backwardsThroughOneGraph(Device<?> device) throws InterruptedException {
        graph(device);
    }

    private static <Dev extends DeviceType> void graph(Device<Dev> device) throws InterruptedException {
        long end = end();
        for (int round = 0; System.nanoTime() < end; round++) {
            boolean kept = round % 2 == 0;
            Tensor<R1<Dim>, F32, Dev> x = device.full(R1.of(512), 3, DType.F32).requireGrad();
            Tensor<R1<Dim>, F32, Dev> y = Scope.call(() -> x.mul(x).mul(x).mul(2));
            AtomicLong right = new AtomicLong();
            CountDownLatch start = new CountDownLatch(1);
            Callable<Void> body = () -> {
                start.await();
                try {
                    Scope.run(() -> {
                        Tensor<R1<Dim>, F32, Dev> seed = device.full(R1.of(512), 1, DType.F32);
                        Gradients gradients = kept ? y.backward(seed, KeepGraph.RETAIN) : y.backward(seed);
                        all(gradients.get(x).toFloatArray(), 54, "gradient");
                        right.incrementAndGet();
                    });
                } catch (TensorStateException e) {
                    assertThat(kept).as("it was kept").isFalse();
                    assertThat(e).hasMessageContaining("was freed by an earlier backward");
                }
                return null;
            };
            List<Callable<Void>> bodies = new ArrayList<>(java.util.Collections.nCopies(USERS, body));
            bodies.add(() -> {
                start.countDown();
                return null;
            });
            together(bodies);
            assertThat(right.get()).isGreaterThanOrEqualTo(kept ? USERS : 0);
            y.close();
            x.close();
        }
    }
}

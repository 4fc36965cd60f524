package org.tenon.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.tenon.Autocast;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.nn.LayerNorm;
import org.tenon.nn.Linear;
import org.tenon.nn.Module;
import org.tenon.optim.AdamW;
import org.tenon.spi.MemoryStats;

/**
 * What {@link SoakTest} runs in a JVM of its own, {@code DEVICE SECONDS}: training steps with a random number of rows, and
 * ops on random shapes and element types beside them: some to settle, for a quarter as long at most, and then ten tenths, after
 * each of which it prints what is held after a collection, as {@code step live-bytes live-buffers reserved-bytes heap
 * resident}.
 */
final class Soak<Dev extends DeviceType> {
    private static final int FEATURES = 24;
    private static final int CLASSES = 10;
    /** Enough for each size that there can be to have been live as often at once as it can. */
    private static final int SETTLED = 3000;

    private final Device<Dev> device;
    private final Random random = new Random(20261125);
    private final Generator generator = new Generator(1);
    private final Net<Dev> net;
    private final AdamW<F32, Dev> optimizer;
    private final List<Floating> types;

    private static final class Net<Dev extends DeviceType> extends Module<F32, Dev> {
        private final Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> first;
        private final LayerNorm<R2<Dim, Dim>, F32, Dev> norm;
        private final Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> second;

        Net(Device<Dev> device, Generator generator) {
            first = register("first", Linear.of(device, DType.F32, FEATURES, 32, generator));
            norm = register("norm", new LayerNorm<>(device, DType.F32, 32));
            second = register("second", Linear.of(device, DType.F32, 32, CLASSES, generator));
        }

        Tensor<R2<Dim, Dim>, F32, Dev> forward(Tensor<R2<Dim, Dim>, F32, Dev> x) {
            return second.forward(F.gelu(norm.forward(first.forward(x))));
        }
    }

    private Soak(Device<Dev> device) {
        this.device = device;
        net = new Net<>(device, generator);
        optimizer = new AdamW<>(net.parameters(), 0.001);
        types = device.supports(DType.F64)
                ? List.of(DType.F32, DType.F16, DType.BF16, DType.F64)
                : List.of(DType.F32, DType.F16, DType.BF16);
    }

    public static void main(String[] arguments) throws IOException {
        new Soak<>(Devices.get(arguments[0])).run(Double.parseDouble(arguments[1]));
    }

    private void run(double seconds) throws IOException {
        long step = train(0, SETTLED, seconds / 4);
        System.out.println("settled " + (step == SETTLED));
        held(step);
        for (int tenth = 1; tenth <= 10; tenth++) {
            step = train(step, Long.MAX_VALUE, seconds / 10);
            System.out.println(held(step));
        }
        optimizer.close();
        net.close();
        System.out.println("then live " + device.memory().liveBuffers());
    }

    /** Steps from number {@code step} on, one at least, to {@code end} or as long as there is time; gives the next number. */
    private long train(long step, long end, double seconds) {
        long start = System.nanoTime();
        long next = step;
        do {
            double loss = Scope.call(this::step);
            if (!(loss > 0 && loss < 20)) {
                throw new IllegalStateException("step " + next + ": the loss is " + loss);
            }
            next++;
        } while (next < end && System.nanoTime() - start < seconds * 1e9);
        return next;
    }

    private double step() {
        Tensor<R0, F32, Dev> loss =
                random.nextInt(3) == 0 ? Autocast.call(DType.BF16, () -> loss(rows())) : loss(rows());
        optimizer.step(loss.backward().clipNorm(1));
        beside(types.get(random.nextInt(types.size())));
        return loss.item();
    }

    private long rows() {
        return 1 + 19L * random.nextInt(6);
    }

    private Tensor<R0, F32, Dev> loss(long rows) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.of(rows, FEATURES), DType.F32, generator);
        Tensor<R1<Dim>, I64, Dev> targets = device.randint(R1.of(rows), 0, CLASSES, DType.I64, generator);
        return F.crossEntropy(net.forward(x), targets);
    }

    /** A product and what follows it, of any sizes and of any element type, forward and backward. */
    private <D extends Floating> void beside(D dtype) {
        Tensor<R2<Dim, Dim>, D, Dev> a = device.<R2<Dim, Dim>, D>randn(R2.of(rows(), rows()), dtype, generator)
                .requireGrad();
        Tensor<R2<Dim, Dim>, D, Dev> b = device.randn(R2.of(a.size(1), rows()), dtype, generator);
        Tensor<R2<Dim, Dim>, D, Dev> y = F.logSoftmax(F.matmul(a, b), -1);
        Tensor<R2<Dim, Dim>, D, Dev> part = y.slice(0, 0, 1 + random.nextInt((int) y.size(0)));
        Tensor<R2<Dim, Dim>, D, Dev> slope = F.mean(part).backward().get(a);
        if (slope.numel() != a.numel()) {
            throw new IllegalStateException("a gradient of " + slope.numel() + " elements, not " + a.numel());
        }
    }

    private String held(long step) throws IOException {
        device.synchronize();
        System.gc();
        System.gc();
        MemoryStats memory = device.memory();
        Runtime jvm = Runtime.getRuntime();
        return "%d %d %d %d %d %d"
                .formatted(
                        step,
                        memory.liveBytes(),
                        memory.liveBuffers(),
                        memory.liveBytes() + memory.cachedBytes(),
                        jvm.totalMemory() - jvm.freeMemory(),
                        resident());
    }

    private static long resident() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElseThrow();
    }
}

package org.tenon.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tenon.Autograd;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.nn.Linear;
import org.tenon.optim.SGD;

/**
 * What {@link MemoryTest} runs in a JVM of its own: {@code scope STEPS} and {@code collector STEPS} train and print the
 * resident memory; {@code full} fills the device; {@code leak} drops tensors;
 * {@code exact} makes some of few bytes.
 */
final class Allocations {
    private Allocations() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        switch (arguments[0]) {
            case "scope" -> train(Devices.cpu(), Integer.parseInt(arguments[1]), true);
            case "collector" -> train(Devices.cpu(), Integer.parseInt(arguments[1]), false);
            case "full" -> fill(Devices.cpu());
            case "leak" -> leak(Devices.cpu());
            case "exact" -> exact(Devices.cpu());
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    /** Training steps of a small model; ten times, the resident memory in MiB and the live buffers. */
    private static <Dev extends DeviceType> void train(Device<Dev> device, int steps, boolean scoped)
            throws IOException {
        Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> model = Linear.of(device, DType.F32, 64, 32, new Generator(1));
        SGD<F32, Dev> optimizer = new SGD<>(model.parameters(), 0.01, SGD.Options.DEFAULTS.momentum(0.9));
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.of(32, 64), DType.F32, new Generator(2));
        Tensor<R1<Dim>, I64, Dev> targets = device.randint(R1.of(32), 0, 32, DType.I64, new Generator(3));
        for (int i = 1; i <= steps; i++) {
            if (scoped) {
                Scope.run(() -> step(model, optimizer, x, targets));
            } else {
                step(model, optimizer, x, targets);
            }
            if (i % (steps / 10) == 0) {
                System.out.printf(
                        "%d %d %d%n", i, resident() >> 20, device.memory().liveBuffers());
            }
        }
        double loss =
                Autograd.noGrad(() -> F.crossEntropy(model.forward(x), targets).item());
        System.out.println("loss " + loss);
    }

    private static <Dev extends DeviceType> void step(
            Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> model,
            SGD<F32, Dev> optimizer,
            Tensor<R2<Dim, Dim>, F32, Dev> x,
            Tensor<R1<Dim>, I64, Dev> targets) {
        optimizer.step(
                F.nllLoss(F.logSoftmax(F.tanh(model.forward(x)), -1), targets).backward());
    }

    private static long resident() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElseThrow();
    }

    private static <Dev extends DeviceType> void fill(Device<Dev> device) {
        Scope.run(() -> {
            device.zeros(R1.of(4 << 20));
            report(() -> device.zeros(R1.of(16 << 20)));
            Tensor<R1<Dim>, F32, Dev> x = device.ones(R1.of(4 << 20));
            Tensor<R1<Dim>, F32, Dev> y = device.ones(R1.of(14 << 18));
            report(() -> F.exp(F.exp(x)));
            System.out.println("then " + x.sum().item());
        });
        System.out.println("live " + device.memory().liveBuffers());
        for (int i = 0; i < 100; i++) {
            device.zeros(R1.of(4 << 20));
        }
        System.out.println("dropped tensors make room");
        report(() -> device.zeros(R2.of(1L << 30, 1L << 29)));
        report(() -> device.zeros(R2.of(1L << 40, 1L << 40)));
    }

    private static void report(Runnable allocation) {
        try {
            allocation.run();
            System.out.println("no error");
        } catch (OutOfDeviceMemoryException | org.tenon.TensorArgumentException e) {
            System.out.println(e.getClass().getSimpleName() + " " + e.getMessage());
        }
    }

    private static <Dev extends DeviceType> void leak(Device<Dev> device) throws InterruptedException {
        for (int i = 0; i < 100; i++) {
            device.ones(R1.of(10));
        }
        for (int i = 0; i < 100 && device.memory().liveBuffers() > 0; i++) {
            System.gc();
            Thread.sleep(20);
        }
        System.out.println("live " + device.memory().liveBuffers());
        Tensor<R1<Dim>, F32, Dev> closed = device.ones(R1.of(10));
        closed.close();
        try {
            closed.sum();
        } catch (org.tenon.TensorStateException e) {
            System.out.println(e.getMessage());
        }
    }

    private static <Dev extends DeviceType> void exact(Device<Dev> device) {
        for (int i = 1; i <= 2; i++) {
            Tensor<R1<Dim>, F32, Dev> x = device.ones(R1.of(3));
            System.out.println("live " + device.memory().liveBytes());
            x.close();
            System.out.println("cached " + device.memory().cachedBytes());
        }
    }
}

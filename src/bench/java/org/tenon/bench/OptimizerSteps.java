package org.tenon.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.optim.AdamW;
import org.tenon.optim.Lion;
import org.tenon.optim.Optimizer;
import org.tenon.optim.RMSprop;
import org.tenon.optim.SGD;

/**
 * Steps of optimizers on the parameters of a GPT of four layers and 128 features: all in one optimizer, and each in one of its
 * own, which is a launch for each. Both in turns in one run; the least of many, the wait for the device included.
 */
final class OptimizerSteps {
    private static final int STEPS = 200;

    private OptimizerSteps() {}

    private static List<long[]> shapes() {
        List<long[]> shapes = new ArrayList<>(List.of(new long[] {65, 128}, new long[] {64, 128}));
        for (int layer = 0; layer < 4; layer++) {
            shapes.addAll(List.of(
                    new long[] {128},
                    new long[] {128},
                    new long[] {384, 128},
                    new long[] {384},
                    new long[] {128, 128},
                    new long[] {128},
                    new long[] {128},
                    new long[] {128},
                    new long[] {512, 128},
                    new long[] {512},
                    new long[] {128, 512},
                    new long[] {128}));
        }
        shapes.addAll(List.of(new long[] {128}, new long[] {128}));
        return shapes;
    }

    static <Dev extends DeviceType> void print(Device<Dev> device) {
        Scope.run(() -> {
            Generator generator = new Generator(1);
            List<Tensor<Any, F32, Dev>> parameters = shapes().stream()
                    .map(shape ->
                            device.randn(Any.of(shape), DType.F32, generator).requireGrad())
                    .toList();
            Gradients gradients = parameters.stream()
                    .map(p -> p.mul(p).sum().backward())
                    .reduce(Gradients::add)
                    .orElseThrow();
            System.out.printf(
                    "%d parameters of %d elements%n",
                    parameters.size(),
                    parameters.stream().mapToLong(Tensor::numel).sum());
            row(device, parameters, gradients, "SGD", p -> new SGD<>(p, 1e-5));
            row(device, parameters, gradients, "AdamW", p -> new AdamW<>(p, 1e-5));
            row(device, parameters, gradients, "RMSprop", p -> new RMSprop<>(p, 1e-5));
            row(device, parameters, gradients, "Lion", p -> new Lion<>(p, 1e-5));
            double[] clip = new double[STEPS];
            long before = allocated();
            for (int i = 0; i < STEPS; i++) {
                clip[i] = seconds(device, () -> Scope.run(() -> gradients.clipNorm(1)));
            }
            System.out.printf(
                    "clipNorm %8.1f us, %8d bytes of garbage%n", least(clip) * 1e6, (allocated() - before) / STEPS);
        });
    }

    private static <Dev extends DeviceType> void row(
            Device<Dev> device,
            List<Tensor<Any, F32, Dev>> parameters,
            Gradients gradients,
            String name,
            Function<List<Tensor<Any, F32, Dev>>, Optimizer<F32, Dev>> make) {
        Optimizer<F32, Dev> all = make.apply(parameters);
        List<Optimizer<F32, Dev>> each =
                parameters.stream().map(p -> make.apply(List.of(p))).toList();
        double[] fused = new double[STEPS];
        double[] apart = new double[STEPS];
        long garbage = 0;
        for (int i = 0; i < STEPS; i++) {
            long before = allocated();
            fused[i] = seconds(device, () -> all.step(gradients));
            garbage += i < STEPS / 2 ? 0 : allocated() - before;
            apart[i] = seconds(device, () -> each.forEach(one -> one.step(gradients)));
        }
        System.out.printf(
                "%-8s together %8.1f us, apart %8.1f us, %5.2f times; together %8d bytes of garbage%n",
                name, least(fused) * 1e6, least(apart) * 1e6, least(apart) / least(fused), garbage / (STEPS / 2));
        all.close();
        each.forEach(Optimizer::close);
    }

    private static double seconds(Device<?> device, Runnable call) {
        long start = System.nanoTime();
        call.run();
        device.synchronize();
        return (System.nanoTime() - start) * 1e-9;
    }

    private static double least(double[] samples) {
        return Arrays.stream(samples).min().orElseThrow();
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
                .getThreadAllocatedBytes(Thread.currentThread().threadId());
    }
}

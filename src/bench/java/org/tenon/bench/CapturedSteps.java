package org.tenon.bench;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.tenon.CapturedStep;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.nn.Linear;
import org.tenon.optim.AdamW;

/**
 * A whole training step of a classifier, 784 to 128 to 10 with dropout and AdamW, op by op and captured, in turns in one run:
 * the least of many, the wait for the device included, and what the host alone does.
 */
final class CapturedSteps {
    private static final int STEPS = 300;
    private static final int BATCH = 64;

    private CapturedSteps() {}

    static <Dev extends DeviceType> void print(Device<Dev> device) {
        Scope.run(() -> {
            Generator generator = new Generator(1);
            Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> first = Linear.of(device, DType.F32, 784, 128, generator);
            Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> second = Linear.of(device, DType.F32, 128, 10, generator);
            List<Tensor<?, F32, Dev>> parameters = new ArrayList<>(first.parameters());
            parameters.addAll(second.parameters());
            AdamW<F32, Dev> optimizer = new AdamW<>(parameters, 1e-4);
            Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.of(BATCH, 784), DType.F32, generator);
            Tensor<R1<Dim>, I64, Dev> target = device.randint(R1.of(BATCH), 0, 10, DType.I64, generator);
            Supplier<Tensor<R0, F32, Dev>> step = () -> {
                var hidden = F.dropout(F.relu(first.forward(x)), 0.1, generator);
                Tensor<R0, F32, Dev> loss = F.crossEntropy(second.forward(hidden), target);
                optimizer.step(loss.backward());
                return loss;
            };
            try (CapturedStep<Tensor<R0, F32, Dev>> captured = device.capture(step)) {
                Samples apart = new Samples(device, () -> Scope.run(step::get));
                Samples together = new Samples(device, captured::run);
                for (int i = 0; i < STEPS; i++) {
                    apart.take(i);
                    together.take(i);
                }
                System.out.println("op by op " + apart);
                System.out.println("captured " + together);
            }
            optimizer.close();
        });
    }

    private static final class Samples {
        private final Device<?> device;
        private final Runnable call;
        private final double[] host = new double[STEPS];
        private final double[] whole = new double[STEPS];
        private long garbage;

        Samples(Device<?> device, Runnable call) {
            this.device = device;
            this.call = call;
        }

        void take(int i) {
            long before = allocated();
            long start = System.nanoTime();
            call.run();
            host[i] = (System.nanoTime() - start) * 1e-3;
            garbage += i < STEPS / 2 ? 0 : allocated() - before;
            device.synchronize();
            whole[i] = (System.nanoTime() - start) * 1e-3;
        }

        private static long allocated() {
            return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
                    .getThreadAllocatedBytes(Thread.currentThread().threadId());
        }

        @Override
        public String toString() {
            return "%8.1f us a step, of which the host launches for %8.1f us, %8d bytes of garbage"
                    .formatted(
                            Arrays.stream(whole).min().orElseThrow(),
                            Arrays.stream(host).min().orElseThrow(),
                            garbage / (STEPS / 2));
        }
    }
}

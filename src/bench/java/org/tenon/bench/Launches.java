package org.tenon.bench;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.ClassLoss;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.Kernels;
import org.tenon.spi.LossReduction;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;
import org.tenon.spi.UpdateStep;

/** Small launches of each kind, whose time is what a launch costs, and the bytes that they leave to the garbage collector. */
final class Launches {
    /** An op makes a tensor: the one launch here that is not bare. */
    static final String OP = "exp, as an op";

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Launches() {}

    /** The launches by name; they use tensors of the open scope. */
    static <Dev extends DeviceType> Map<String, Runnable> on(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.<R2<Dim, Dim>>randn(R2.of(16, 16));
        Tensor<R2<Dim, Dim>, F32, Dev> out = device.<R2<Dim, Dim>>zeros(R2.of(16, 16));
        Strided in = x.value().strided();
        Strided column = x.transpose(0, 1).value().strided();
        Strided to = out.value().strided();
        Strided sums = device.<R1<Dim>>zeros(R1.of(16)).value().strided();
        Strided product = x.reshape(R3.of(1, 16, 16)).value().strided();
        Strided products = out.reshape(R3.of(1, 16, 16)).value().strided();
        Strided state = device.<R2<Dim, Dim>>zeros(R2.of(16, 16)).value().strided();
        Strided targets = device.<Dim>tensor(new long[16]).value().strided();
        Strided weight = device.zeros(R1.of(1)).value().strided();
        UpdateStep step = new UpdateStep.Adam(1e-3, 0.9, 0.999, 1e-8, 0, true, 1);
        Strided[][] adam = {{to, in, state, state}};
        Rows rows = new Rows(16, 16, 1);
        IndexCheck check = new IndexCheck("nllLoss", "target", 16, null);
        ClassLoss loss = new ClassLoss(rows, targets, null, LossReduction.MEAN, check, weight);
        Kernels kernels = device.backend().kernels();
        Map<String, Runnable> all = new LinkedHashMap<>();
        all.put(OP, () -> Scope.run(() -> F.exp(x)));
        all.put("fill", () -> kernels.fill(to, 1));
        all.put("copy", () -> kernels.copy(in, to));
        all.put("copy of a transpose", () -> kernels.copy(column, to));
        all.put("exp", () -> kernels.unary(UnaryOp.EXP, in, 0, 0, to));
        all.put("add", () -> kernels.binary(BinaryOp.ADD, in, column, to));
        all.put("sum of rows", () -> kernels.reduce(ReduceOp.SUM, in, 1, sums));
        all.put("logSoftmax", () -> kernels.softmax(SoftmaxKind.LOG_SOFTMAX, in, rows, to));
        all.put("matmul", () -> kernels.matmul(product, product, products));
        all.put("nll", () -> kernels.nll(loss, in, weight));
        all.put("adam", () -> kernels.update(step, adam));
        return all;
    }

    /** Bytes of garbage that a call makes on this thread. */
    static double garbage(Runnable call, int repeats) {
        long before = allocated();
        for (int i = 0; i < repeats; i++) {
            call.run();
        }
        return (double) (allocated() - before) / repeats;
    }

    private static long allocated() {
        return THREADS.getThreadAllocatedBytes(Thread.currentThread().threadId());
    }
}

package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tenon.Cpu;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.support.ChildJvm;

/**
 * Once compiled, rows do not make several vectors each: where the compiler leaves them objects a row takes many times as long. Lengths that are a multiple of
 * a vector come first, so that the ends of others are met by code that was compiled without them.
 */
class RowAllocationTest {
    private static final int ROWS = 64;
    /** An op's own objects are some 1,500 bytes, a slice of memory a row 4,500, a vector a row 6,000. Where vectors stay objects there are several. */
    private static final long MOST = 15_000;

    private static final long SECONDS = 60;

    @Test
    void rowsOfAnyLengthMakeFew() throws IOException {
        ChildJvm child = ChildJvm.run(RowAllocationTest.class, List.of("-Dtenon.cpu.threads=1"));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("steady").doesNotContain("too many");
    }

    /** Each op until its calls make little, or for a minute. */
    public static void main(String[] arguments) {
        Device<Cpu> cpu = Devices.cpu();
        for (int length : new int[] {2048, 128, 100, 1000, 17, 10, 2050}) {
            Scope.run(() -> {
                Tensor<R2<Dim, Dim>, F32, Cpu> x = cpu.randn(R2.of(ROWS, length));
                await("softmax of " + length, () -> F.softmax(x, -1).close());
                await("logSoftmax of " + length, () -> F.logSoftmax(x, -1).close());
            });
        }
        System.out.println("steady");
    }

    private static void await(String name, Runnable call) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long end = System.nanoTime() + SECONDS * 1_000_000_000;
        long made;
        do {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 20; i++) {
                call.run();
            }
            made = (threads.getCurrentThreadAllocatedBytes() - before) / 20;
        } while (made > MOST && System.nanoTime() < end);
        System.out.println(name + ": " + made + (made > MOST ? " bytes, too many" : ""));
    }
}

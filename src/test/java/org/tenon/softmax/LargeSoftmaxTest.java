package org.tenon.softmax;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.tenon.DType.F16;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.tenon.Cpu;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F16;
import org.tenon.Generator;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;

/** Tensors of more than 2^31 elements: the CPU's log-softmax counts in 64 bits. */
@EnabledIfSystemProperty(
        named = "tenon.test.large",
        matches = "true",
        disabledReason = "it takes 9 GB of memory; run with -Dtenon.test.large=true")
class LargeSoftmaxTest {
    private static final long BEYOND = 1L << 31;

    private final Device<Cpu> device = Devices.cpu();

    @Test
    void manyRows() {
        Scope.run(() -> {
            long rows = BEYOND / 1000 + 7;
            Tensor<R2<Dim, Dim>, F16, Cpu> row = device.randn(R2.of(1, 1000), F16, new Generator(1));
            Tensor<R2<Dim, Dim>, F16, Cpu> y = F.logSoftmax(row.expand(R2.of(rows, 1000)), 1);
            float[] wanted = F.logSoftmax(row, 1).toFloatArray();
            for (long at : new long[] {0, BEYOND / 1000 - 1, BEYOND / 1000, BEYOND / 1000 + 1, rows - 1}) {
                assertThat(y.slice(0, at, at + 1).toFloatArray()).isEqualTo(wanted);
            }
        });
    }

    @Test
    void oneRow() {
        Scope.run(() -> {
            long length = BEYOND + 5;
            Tensor<R1<Dim>, F16, Cpu> x = device.zeros(R1.of(length), F16);
            x.slice(0, length - 1, length).copyFrom(device.full(R1.of(1), 20, F16));
            Tensor<R1<Dim>, F16, Cpu> y = F.logSoftmax(x, 0);
            double total = Math.log(length - 1 + Math.exp(20));
            assertThat(y.slice(0, 0, 3).toDoubleArray())
                    .containsExactly(new double[] {-total, -total, -total}, within(0.01));
            assertThat(y.slice(0, length - 2, length).toDoubleArray())
                    .containsExactly(new double[] {-total, 20 - total}, within(0.01));
        });
    }

    @Test
    void longColumns() {
        Scope.run(() -> {
            long width = BEYOND / 2 + 3;
            Tensor<R2<Dim, Dim>, F16, Cpu> x =
                    device.<Dim, Dim>tensor(new float[][] {{1}, {3}}).to(F16).expand(R2.of(2, width));
            Tensor<R2<Dim, Dim>, F16, Cpu> y = F.logSoftmax(x, 0);
            double[] wanted = F.logSoftmax(x.slice(1, 0, 1), 0).toDoubleArray();
            for (long at : new long[] {0, width / 2, width - 1}) {
                assertThat(y.slice(1, at, at + 1).toDoubleArray()).isEqualTo(wanted);
            }
        });
    }
}

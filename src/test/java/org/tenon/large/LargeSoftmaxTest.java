package org.tenon.large;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.tenon.DType.F16;

import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F16;
import org.tenon.Generator;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;

/** Tensors of more than 2^31 elements: log-softmax counts in 64 bits, on each device. */
@Large.OnRequest
class LargeSoftmaxTest {
    /** No power of two: an offset that lost its upper bits is in the middle of another row. */
    private static final int COLUMNS = 1009;

    @DeviceTest
    void manyRows(Device<?> device) {
        Large.assumeKernels(device, 5, 9, 1);
        rows(device);
        device.trimMemory();
    }

    private static <Dev extends DeviceType> void rows(Device<Dev> device) {
        Scope.run(() -> {
            long last = Large.BEYOND / COLUMNS;
            long rows = last + 7;
            Tensor<R2<Dim, Dim>, F16, Dev> row = device.randn(R2.of(1, COLUMNS), F16, new Generator(1));
            Tensor<R2<Dim, Dim>, F16, Dev> y = F.logSoftmax(row.expand(R2.of(rows, COLUMNS)), 1);
            float[] wanted = F.logSoftmax(row, 1).toFloatArray();
            for (long at : new long[] {0, last / 2, last - 1, last, last + 1, rows - 1}) {
                assertThat(y.slice(0, at, at + 1).toFloatArray())
                        .as("row " + at)
                        .isEqualTo(wanted);
            }
            // And all the others.
            assertThat(y.max(0).toFloatArray()).isEqualTo(wanted);
            assertThat(y.min(0).toFloatArray()).isEqualTo(wanted);
        });
    }

    @DeviceTest
    void oneRow(Device<?> device) {
        Large.assumeKernels(device, 5, 9, 1);
        row(device);
        device.trimMemory();
    }

    private static <Dev extends DeviceType> void row(Device<Dev> device) {
        Scope.run(() -> {
            long length = Large.BEYOND + 5;
            Tensor<R1<Dim>, F16, Dev> x = device.zeros(R1.of(length), F16);
            x.slice(0, length - 1, length).copyFrom(device.full(R1.of(1), 20, F16));
            Tensor<R1<Dim>, F16, Dev> y = F.logSoftmax(x, 0);
            double total = Math.log(length - 1 + Math.exp(20));
            assertThat(y.slice(0, 0, 3).toDoubleArray())
                    .containsExactly(new double[] {-total, -total, -total}, within(0.01));
            assertThat(y.slice(0, length - 2, length).toDoubleArray())
                    .containsExactly(new double[] {-total, 20 - total}, within(0.01));
        });
    }

    @DeviceTest
    void longColumns(Device<?> device) {
        Large.assumeKernels(device, 5, 9, 1);
        columns(device);
        device.trimMemory();
    }

    private static <Dev extends DeviceType> void columns(Device<Dev> device) {
        Scope.run(() -> {
            long width = Large.BEYOND / 2 + 3;
            Tensor<R2<Dim, Dim>, F16, Dev> x =
                    device.<Dim, Dim>tensor(new float[][] {{1}, {3}}).to(F16).expand(R2.of(2, width));
            Tensor<R2<Dim, Dim>, F16, Dev> y = F.logSoftmax(x, 0);
            double[] wanted = F.logSoftmax(x.slice(1, 0, 1), 0).toDoubleArray();
            for (long at : new long[] {0, width / 2, width - 1}) {
                assertThat(y.slice(1, at, at + 1).toDoubleArray()).isEqualTo(wanted);
            }
            assertThat(y.max(1).toDoubleArray()).isEqualTo(wanted);
            assertThat(y.min(1).toDoubleArray()).isEqualTo(wanted);
        });
    }
}

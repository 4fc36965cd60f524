package org.tenon.large;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tenon.DType.BOOL;
import static org.tenon.DType.F16;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.tenon.Any;
import org.tenon.Bool;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F16;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;
import org.tenon.junit.TestDevices;

/** Copies and kernels count bytes and elements in 64 bits: on each device, tensors of more than 2^31 of both. */
@Large.OnRequest
class LargeTensorsTest {
    /** No power of two: an offset that lost its upper bits is in the middle of another row. */
    private static final int COLUMNS = 1009;

    private static final long ROWS = Large.BEYOND / COLUMNS + 7;

    @DeviceTest
    void copiesToEveryOtherDevice(Device<?> from) {
        Large.assumeMemory(from, 3, 3, 5);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = Bools.make(arena);
            copies(from, data);
        }
        from.trimMemory();
    }

    private static <Dev extends DeviceType> void copies(Device<Dev> from, MemorySegment data) {
        Scope.run(() -> {
            Tensor<R1<Dim>, Bool, Dev> x = from.tensor(data, R1.of(Bools.COUNT), BOOL);
            data.fill((byte) 2);
            x.copyTo(data);
            Bools.check(data, 0, 0);
            long start = Large.BEYOND - 3;
            MemorySegment part = data.asSlice(0, Bools.COUNT - start);
            x.slice(0, start, Bools.COUNT).logicalNot().copyTo(part);
            Bools.check(part, start, 1);
            for (Device<?> to : TestDevices.all()) {
                if (!Large.hasBuffers(to, 3)) {
                    System.out.println(to + " has no buffers of more than 2 GiB");
                } else if (!to.name().equals(from.name())) {
                    Scope.run(() -> copy(x, to, data));
                    to.trimMemory();
                }
            }
        });
    }

    /** All, and a part that starts beyond. */
    private static <From extends DeviceType, To extends DeviceType> void copy(
            Tensor<R1<Dim>, Bool, From> x, Device<To> to, MemorySegment data) {
        data.fill((byte) 2);
        x.to(to).copyTo(data);
        Bools.check(data, 0, 0);
        long start = Large.BEYOND - 3;
        MemorySegment part = data.asSlice(0, Bools.COUNT - start);
        x.slice(0, start, Bools.COUNT).to(to).copyTo(part);
        Bools.check(part, start, 0);
        System.out.println("2 GiB from " + x.device() + " to " + to + ", as they were");
    }

    @DeviceTest
    void aKernelOnEveryElement(Device<?> device) {
        Large.assumeKernels(device, 3, 5, 3);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment data = Bools.make(arena);
            turned(device, data);
        }
        device.trimMemory();
    }

    private static <Dev extends DeviceType> void turned(Device<Dev> device, MemorySegment data) {
        Scope.run(() -> {
            Tensor<R1<Dim>, Bool, Dev> x = device.tensor(data, R1.of(Bools.COUNT), BOOL);
            data.fill((byte) 2);
            x.logicalNot().copyTo(data);
            Bools.check(data, 0, 1);
        });
    }

    /** Half types: more than 2^31 elements, and more than 2^32 bytes. */
    @DeviceTest
    void copiesSumsAndExtremes(Device<?> device) {
        Large.assumeKernels(device, 5, 9, 1);
        rows(device);
        device.trimMemory();
    }

    private static <Dev extends DeviceType> void rows(Device<Dev> device) {
        Scope.run(() -> {
            Tensor<R2<Dim, Dim>, F16, Dev> row =
                    device.arange(COLUMNS, F16).reshape(R2.of(1, COLUMNS)).contiguous();
            R2<Dim, Dim> shape = R2.of(ROWS, COLUMNS);
            Tensor<R2<Dim, Dim>, F16, Dev> x = row.expand(shape).contiguous();
            Tensor<R2<Dim, Dim>, F16, Dev> negative = x.neg();
            Tensor<R1<Dim>, I64, Dev> picked = device.tensor(ROWS - 1, 0L, Large.BEYOND / COLUMNS);
            float[] some = x.indexSelect(0, picked).toFloatArray();
            for (int i = 0; i < some.length; i++) {
                assertThat(some[i]).isEqualTo(i % COLUMNS);
            }
            x.close();
            // Every element takes part: two that are not each other's opposite are seen.
            Tensor<R2<Dim, Dim>, F16, Dev> zero = negative.add(row.expand(shape));
            negative.close();
            assertThat(zero.max().item()).isZero();
            assertThat(zero.min().item()).isZero();
            assertThat(zero.sum().item()).isZero();
        });
    }

    @DeviceTest
    void aTransposedCopy(Device<?> device) {
        Large.assumeKernels(device, 5, 9, 1);
        transposed(device);
        device.trimMemory();
    }

    private static <Dev extends DeviceType> void transposed(Device<Dev> device) {
        Scope.run(() -> {
            Tensor<Any, F16, Dev> x = device.arange(COLUMNS, F16)
                    .reshape(Any.of(1, COLUMNS))
                    .expand(Any.of(ROWS, COLUMNS))
                    .contiguous();
            Tensor<Any, F16, Dev> columns = x.transpose(0, 1).contiguous();
            x.close();
            double[] wanted = IntStream.range(0, COLUMNS).asDoubleStream().toArray();
            assertThat(columns.max(1).toDoubleArray()).isEqualTo(wanted);
            assertThat(columns.min(1).toDoubleArray()).isEqualTo(wanted);
        });
    }

    @DeviceTest
    void theOneThatDiffers(Device<?> device) {
        Large.assumeKernels(device, 5, 5, 1);
        peak(device);
        device.trimMemory();
    }

    private static <Dev extends DeviceType> void peak(Device<Dev> device) {
        Scope.run(() -> {
            long length = Large.BEYOND + 77;
            long at = length - 3;
            Tensor<R1<Dim>, F16, Dev> x = device.zeros(R1.of(length), F16);
            x.slice(0, at, at + 1).copyFrom(device.full(R1.of(1), 20, F16));
            assertThat(x.argmax().item()).isEqualTo(at);
            assertThat(x.sum().item()).isEqualTo(20);
            assertThat(x.max().item()).isEqualTo(20);
            assertThat(x.slice(0, at - 1, length).toFloatArray()).containsExactly(0, 20, 0, 0);
        });
    }
}

package org.tenon.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.tenon.DType.F16;
import static org.tenon.DType.F32;
import static org.tenon.DType.I32;
import static org.tenon.DType.I64;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.OutOfDeviceMemoryException;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.TensorStateException;
import org.tenon.junit.Buffers;
import org.tenon.junit.DeviceTest;

/** Calls that look reasonable and are not: sizes that overflow, numbers a type lacks, memory that overlaps or is gone. */
@Tag("plain")
class MisuseTest {
    private static void refused(Runnable call, String... fragments) {
        assertThatThrownBy(() -> Scope.run(call))
                .isInstanceOf(TensorArgumentException.class)
                .satisfies(error -> assertThat(error.getMessage()).contains(fragments));
    }

    private static <Dev extends DeviceType> Tensor<R1<Dim>, F32, Dev> count(Device<Dev> device, long n) {
        return device.arange(n, F32);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void sizesWhoseProductOverflows(Device<?> device) {
        Scope.run(() -> {
            Tensor<?, F32, ?> none = device.zeros(R1.of(0));
            Tensor<?, F32, ?> four = device.zeros(R1.of(4));
            for (long[] sizes : new long[][] {{1L << 32, 1L << 32}, {1L << 31, 1L << 31, 4}}) {
                refused(() -> none.reshape(sizes), "reshape: ", "more than 2^63 bytes");
                refused(() -> none.view(Any.of(sizes)), "view: ", "more than 2^63 bytes");
            }
            refused(() -> four.reshape((1L << 62) + 1, 4), "more than 2^63 bytes");
            refused(() -> four.reshape(-1, 1L << 32, 1L << 32), "more than 2^63 bytes");
            refused(() -> device.zeros(R3_WITH_0), "more than 2^63 bytes");
            refused(() -> eightTimes(device), "dim 0 gets longer than 2^63");
        });
    }

    private static final Any R3_WITH_0 = Any.of(1L << 32, 1L << 32, 0);

    private static <Dev extends DeviceType> void eightTimes(Device<Dev> device) {
        Tensor<R1<Dim>, F32, Dev> x = device.ones(R1.<Dim>of(1)).expand(R1.of(1L << 60));
        F.cat(java.util.Collections.nCopies(8, x), 0);
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void boundsAtTheEndOf64Bits(Device<?> device) {
        Scope.run(() -> bounds(device));
    }

    private static <Dev extends DeviceType> void bounds(Device<Dev> device) {
        Tensor<R1<Dim>, F32, Dev> x = count(device, 5).requireGrad();
        Tensor<R1<Dim>, F32, Dev> far = x.slice(0, 1, Long.MAX_VALUE, Long.MAX_VALUE);
        assertThat(far.toFloatArray()).containsExactly(1);
        assertThat(far.sum().backward().get(x).toFloatArray()).containsExactly(0, 1, 0, 0, 0);
        assertThat(x.slice(0, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 62).toFloatArray())
                .containsExactly(0);
        assertThat(x.slice(0, 0, 5, 4).toFloatArray()).containsExactly(0, 4);
        assertThat(x.split(Long.MAX_VALUE, 0)).hasSize(1);
        refused(
                () -> x.narrow(0, 2, Long.MAX_VALUE),
                Long.MAX_VALUE + " elements from 2 are not all on dim 0; it has 5");
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void anIntegerTensorTakesItsOwnNumbersOnly(Device<?> device) {
        Scope.run(() -> {
            Tensor<R1<Dim>, ?, ?> x = device.<Dim>tensor(1, 2);
            for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY, 1e300, 0x1p31, 0.5}) {
                refused(() -> x.add(bad), "add: " + bad + " is no int32", "whole number of [-2147483648, 2147483647]");
                refused(() -> x.mul(bad), "mul: " + bad + " is no int32");
            }
            refused(() -> device.<Dim>tensor(1L).mul(0x1p63), "is no int64");
            assertThat(x.add(Integer.MIN_VALUE).toIntArray())
                    .containsExactly(Integer.MIN_VALUE + 1, Integer.MIN_VALUE + 2);
            assertThat(x.clamp(Double.NEGATIVE_INFINITY, 1e300).toIntArray()).containsExactly(1, 2);
            refused(() -> device.arange(2147483646, 2147483650.0, 1, I32), "arange: 2.147483649E9 is no int32");
            refused(() -> device.arange(0, 5, 1, DType.BOOL), "arange: 4.0 is no bool");
            assertThat(device.arange(5, 0, -2, I32).toIntArray()).containsExactly(5, 3, 1);
        });
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void rangesOfRandomNumbersFitTheirType(Device<?> device) {
        Scope.run(() -> {
            Generator g = new Generator(1);
            refused(() -> device.randint(R1.of(4), 0, 1L << 40, I32, g), "randint: ", "is no int32");
            refused(() -> device.randint(R1.of(4), (1L << 53) + 1, (1L << 53) + 9, I64, g), "9007199254740993", "2^53");
            refused(() -> device.randint(R1.of(4), Long.MIN_VALUE, Long.MAX_VALUE, I64, g), "too large");
            refused(() -> device.randint(R1.of(4), 3, 3, I64, g), "give low < high");
            assertThat(device.randint(R1.of(99), Integer.MAX_VALUE - 1, 1L << 31, I32, g)
                            .toIntArray())
                    .contains(Integer.MAX_VALUE)
                    .containsOnly(Integer.MAX_VALUE - 1, Integer.MAX_VALUE);
            double infinite = Double.POSITIVE_INFINITY;
            refused(() -> device.uniform(R1.of(4), -infinite, infinite, F32, g), "too wide for float32");
            refused(() -> device.uniform(R1.of(4), -3e38, 3e38, F32, g), "too wide for float32");
            refused(() -> device.uniform(R1.of(4), 0, 1e6, F16, g), "too wide for float16", "at most 65504.0 apart");
            refused(() -> device.uniform(R1.of(4), Double.NaN, 1, F32, g), "give low <= high");
        });
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void aPermutationThatDoesNotFit(Device<?> device) {
        assertThatThrownBy(() -> device.permutation(1L << 45, new Generator(1)))
                .isInstanceOf(OutOfDeviceMemoryException.class)
                .hasMessageContaining("out of memory asking 256 TiB");
        refused(() -> device.permutation(Long.MAX_VALUE, new Generator(1)), "more than 2^63 bytes");
        refused(() -> device.permutation(-1, new Generator(1)), "n -1 is negative");
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void copiesWithinOneTensor(Device<?> device) {
        Scope.run(() -> overlapping(device, 10));
        Scope.run(() -> overlapping(device, 100_000));
    }

    private static <Dev extends DeviceType> void overlapping(Device<Dev> device, int n) {
        Tensor<R1<Dim>, F32, Dev> up = count(device, n);
        up.slice(0, 1, n).copyFrom(up.slice(0, 0, n - 1));
        Tensor<R1<Dim>, F32, Dev> down = count(device, n);
        down.slice(0, 0, n - 1).copyFrom(down.slice(0, 1, n));
        float[] higher = up.toFloatArray();
        float[] lower = down.toFloatArray();
        for (int i = 0; i < n; i++) {
            assertThat(higher[i] == Math.max(0, i - 1) && lower[i] == Math.min(n - 1, i + 1))
                    .isTrue();
        }
        int side = (int) Math.sqrt(n);
        Tensor<Any, F32, Dev> square = count(device, (long) side * side).reshape(side, side);
        float[] turned = square.transpose(0, 1).contiguous().toFloatArray();
        square.copyFrom(square.transpose(0, 1));
        assertThat(square.toFloatArray()).isEqualTo(turned);
        square.copyFrom(square);
        assertThat(square.toFloatArray()).isEqualTo(turned);
        Tensor<R1<Dim>, F32, Dev> repeated = device.ones(R1.<Dim>of(1)).expand(R1.of(4));
        refused(() -> repeated.copyFrom(count(device, 4)), "copyFrom: the target is expanded");
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void hostMemoryThatIsGone(Device<?> device) throws InterruptedException {
        Arena arena = Arena.ofConfined();
        MemorySegment data = arena.allocate(8, 8);
        List<Runnable> calls = List.of(
                () -> device.tensor(data, R1.of(2), F32),
                () -> device.ones(R1.of(2)).copyTo(data));
        List<Throwable> elsewhere = new ArrayList<>();
        Thread other = Thread.ofPlatform()
                .start(() -> calls.forEach(call -> {
                    try {
                        Scope.run(call);
                    } catch (RuntimeException e) {
                        elsewhere.add(e);
                    }
                }));
        other.join();
        assertThat(elsewhere)
                .hasSize(2)
                .allSatisfy(error -> assertThat(error)
                        .isInstanceOf(TensorArgumentException.class)
                        .hasMessageContaining("arena of another thread; use Arena.ofShared()"));
        arena.close();
        calls.forEach(call -> refused(call, "arena that was closed"));
        MemorySegment fixed = MemorySegment.ofArray(new float[2]).asReadOnly();
        refused(() -> device.ones(R1.of(2)).copyTo(fixed), "copyTo: the target is read-only");
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void theGradientOfALeafThatWasClosed(Device<?> device) {
        Scope.run(() -> {
            Tensor<R1<Dim>, F32, ?> x = device.<R1<Dim>>ones(R1.of(2)).requireGrad();
            Gradients gradients = x.sum().backward();
            x.close();
            assertThatThrownBy(() -> gradients.get(x))
                    .isInstanceOf(TensorStateException.class)
                    .hasMessageContaining("after it was closed");
        });
    }

    @DeviceTest(buffers = Buffers.CLOSED)
    void aScopeThatEndedKeepsNothing(Device<?> device) {
        Scope[] ended = new Scope[1];
        Tensor<?, ?, ?>[] lost = new Tensor<?, ?, ?>[1];
        Scope.callWith(scope -> {
            ended[0] = scope;
            lost[0] = device.ones(R2.of(2, 2));
            return null;
        });
        assertThatThrownBy(() -> ended[0].keep(lost[0]))
                .isInstanceOf(TensorStateException.class)
                .hasMessageContaining("after its scope closed");
    }
}

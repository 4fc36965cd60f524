package org.tenon.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.R0;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;

/** Tensors as text. */
class TensorTextTest {
    @DeviceTest
    void smallTensorsAreShownWhole(Device<?> device) {
        Scope.run(() -> small(device));
    }

    private static <Dev extends DeviceType> void small(Device<Dev> device) {
        assertThat(device.tensor(new float[][] {{1, -2.5f}, {Float.NaN, Float.NEGATIVE_INFINITY}}))
                .hasToString(
                        "tensor([[ 1.0000, -2.5000],\n        [    nan,    -inf]], float32[2, 2], " + device + ")");
        assertThat(device.tensor(1L, 20, -3)).hasToString("tensor([ 1, 20, -3], int64[3], " + device + ")");
        assertThat(device.tensor(true, false)).hasToString("tensor([ true, false], bool[2], " + device + ")");
        Tensor<R0, ?, ?> scalar = device.scalar(2.5, DType.F64);
        assertThat(scalar).hasToString("tensor(2.5000, float64[], " + device + ")");
        assertThat(device.zeros(R2.of(0, 3))).hasToString("tensor([], float32[0, 3], " + device + ")");
        assertThat(device.tensor(1e-7, 1).toString()).contains("1.0000e-07");
        assertThat(device.tensor(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, R3.of(2, 2, 2))
                        .toString())
                .startsWith("tensor([[[1.0000, 2.0000],\n         [3.0000, 4.0000]],\n\n        [[5.0000, 6.0000],");
    }

    @DeviceTest
    void largeOnesAreAbbreviatedWithoutBeingCopiedWhole(Device<?> device) {
        Scope.run(() -> large(device));
    }

    private static <Dev extends DeviceType> void large(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, ?, Dev> x =
                device.<Dim, DType>arange(6_000_000, DType.I32).reshape(R2.of(2000, 3000));
        assertThat(x).hasToString("""
            tensor([[      0,       1,       2, ...,    2997,    2998,    2999],
                    [   3000,    3001,    3002, ...,    5997,    5998,    5999],
                    [   6000,    6001,    6002, ...,    8997,    8998,    8999],
                    ...,
                    [5991000, 5991001, 5991002, ..., 5993997, 5993998, 5993999],
                    [5994000, 5994001, 5994002, ..., 5996997, 5996998, 5996999],
                    [5997000, 5997001, 5997002, ..., 5999997, 5999998, 5999999]], int32[2000, 3000], %s)\
            """.formatted(device));
    }
}

package org.tenon.devicetest;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.tenon.DType.F16;
import static org.tenon.DType.F32;
import static org.tenon.DType.F64;
import static org.tenon.junit.TensorAssertions.assertClose;
import static org.tenon.junit.TensorAssertions.assertEqual;

import org.junit.jupiter.api.Tag;
import org.opentest4j.AssertionFailedError;
import org.tenon.Cpu;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;
import org.tenon.junit.Tolerance;

@Tag("plain")
class TensorAssertionsTest {
    @DeviceTest
    void whatIsNearEnoughPasses(Device<?> device) {
        Device<Cpu> cpu = Devices.cpu();
        assertClose(device.tensor(1f, Float.NaN, Float.POSITIVE_INFINITY), 1, Double.NaN, Double.POSITIVE_INFINITY);
        assertClose(device.tensor(1f, 2f), cpu.tensor(1f + 1e-6f, 2f));
        assertClose(device.tensor(1f, 2f).to(F16), cpu.tensor(1.0005, 2), Tolerance.of(F16));
        assertClose(device.tensor(1f, 2f), cpu.tensor(1.4, 2), new Tolerance(0, 0.5));
        assertEqual(device.tensor(Long.MAX_VALUE), cpu.tensor(Long.MAX_VALUE));
        assertClose(device.zeros(R1.of(0)), cpu.zeros(R1.of(0)));
    }

    @DeviceTest
    void whatDiffersIsToldByPositionValuesErrorAndTolerance(Device<?> device) {
        Device<Cpu> cpu = Devices.cpu();
        Tensor<R2<Dim, Dim>, ?, Cpu> expected = cpu.tensor(new float[] {1, 2, 3, 4, 5, 6}, R2.of(2, 3));
        assertThatThrownBy(() ->
                        assertClose(device.tensor(new float[] {1, 2, 3.5f, 4, 5, Float.NaN}, R2.of(2, 3)), expected))
                .isInstanceOf(AssertionFailedError.class)
                .hasMessageContaining("2 of 6 elements of float32 [2, 3] on " + device)
                .hasMessageContaining("at [0, 2]: 3.5, expected 3.0, error 0.500, allowed 1.39e-05")
                .hasMessageContaining("at [1, 2]: NaN, expected 6.0")
                .hasMessageContaining("largest error 0.500");
        assertThatThrownBy(() -> assertClose(device.zeros(R1.of(100)), cpu.ones(R1.of(100))))
                .hasMessageContaining("100 of 100")
                .hasMessageContaining("at [4]")
                .hasMessageNotContaining("at [5]");
        assertThatThrownBy(() -> assertEqual(device.tensor(Long.MAX_VALUE), cpu.tensor(Long.MAX_VALUE - 1)))
                .hasMessageContaining("9223372036854775807, expected 9223372036854775806");
        assertThatThrownBy(() -> assertClose(device.tensor(Float.POSITIVE_INFINITY), 1))
                .hasMessageContaining("Infinity");
        assertThatThrownBy(() -> assertClose(device.tensor(1f), Double.POSITIVE_INFINITY))
                .hasMessageContaining("Infinity");
    }

    @DeviceTest
    void shapesAndTypesMustAgree(Device<?> device) {
        Device<Cpu> cpu = Devices.cpu();
        assertThatThrownBy(() -> assertClose(device.ones(R1.of(2)), cpu.ones(R1.of(3))))
                .hasMessage("the shape is [2], expected [3]");
        assertThatThrownBy(() -> assertClose(device.ones(R1.of(2)), cpu.ones(R1.of(2), F16)))
                .hasMessage("the element type is float32, expected float16");
        assertThatThrownBy(() -> assertEqual(device.ones(R1.of(2)), cpu.ones(R1.of(2), F64)))
                .hasMessage("the element type is float32, expected float64");
        assertThatThrownBy(() -> assertClose(device.ones(R1.of(2)), 1))
                .hasMessage("there are 2 elements, shape [2], expected 1");
        assertThatThrownBy(() -> new Tolerance(-1, Double.NaN)).hasMessageContaining("both are 0 or more");
        assertClose(device.ones(R1.of(2), F32), cpu.ones(R1.of(2), F64));
    }
}

package com.example;

import static org.tenon.junit.TensorAssertions.assertClose;

import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.R2;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;

class SoftmaxTest {
    @DeviceTest
    <Dev extends DeviceType> void rowsSumToOne(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.of(4, 1000));
        assertClose(F.softmax(x, -1).sum(R2.dim1()), 1, 1, 1, 1);
    }

    @DeviceTest
    <Dev extends DeviceType> void everyDeviceAgreesWithFloat64(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F64, Cpu> x = Devices.cpu().tensor(new double[][] {{1, 2, 3}, {-1e4, 0, 1e4}});
        assertClose(F.logSoftmax(x.to(DType.F32).to(device), -1), F.logSoftmax(x, -1));
    }
}

package org.tenon.core;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.R2;
import org.tenon.Tensor;

/** What {@link DevicesTest} runs under other settings: prints the device and the bits of some results. */
final class Report {
    private Report() {}

    public static void main(String[] arguments) {
        Device<?> device = Devices.best();
        System.out.println("device " + device + ": " + device.description());
        System.out.println("bits " + bits(device));
    }

    private static <Dev extends DeviceType> int bits(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.<Dim, Dim>of(300, 700), DType.F32, new Generator(1));
        Tensor<R2<Dim, Dim>, F32, Dev> w = device.randn(R2.<Dim, Dim>of(700, 90), DType.F32, new Generator(2))
                .requireGrad();
        Tensor<R2<Dim, Dim>, F32, Dev> y = F.logSoftmax(F.matmul(x, w), 1);
        float[] slope = y.sum().backward().get(w).toFloatArray();
        int hash = Arrays.hashCode(y.toFloatArray());
        hash = 31 * hash + Arrays.hashCode(slope);
        hash = 31 * hash + Float.hashCode((float) F.mean(x).item());
        hash = 31 * hash + Float.hashCode((float) F.var(x).item());
        return 31 * hash + Arrays.hashCode(x.cumsum(0).toFloatArray());
    }
}

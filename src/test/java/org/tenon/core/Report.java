package org.tenon.core;

import java.util.Arrays;
import java.util.List;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.KlTarget;
import org.tenon.R0;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.Tensor;

/**
 * What {@link DevicesTest} runs under other settings: prints the device and the bits of some results, and what devices
 * there are where asked for {@code all}.
 */
final class Report {
    private Report() {}

    public static void main(String[] arguments) {
        if (List.of(arguments).contains("all")) {
            Devices.report().forEach(line -> System.out.println("found " + line));
        }
        Device<?> device = Devices.best();
        System.out.println("device " + device + ": " + device.description());
        boolean small = arguments.length > 0;
        System.out.println("bits " + (small ? bits(device, 9, 37, 11) : bits(device, 300, 700, 90)));
    }

    private static <Dev extends DeviceType> int bits(Device<Dev> device, long rows, long depth, long columns) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.<Dim, Dim>of(rows, depth), DType.F32, new Generator(1));
        Tensor<R2<Dim, Dim>, F32, Dev> w = device.randn(R2.<Dim, Dim>of(depth, columns), DType.F32, new Generator(2))
                .requireGrad();
        Tensor<R2<Dim, Dim>, F32, Dev> y = F.logSoftmax(F.gelu(F.matmul(x, w), F.Approximation.TANH), 1);
        float[] slope = y.sum().backward().get(w).toFloatArray();
        int hash = Arrays.hashCode(y.toFloatArray());
        hash = 31 * hash + Arrays.hashCode(slope);
        hash = 31 * hash + Float.hashCode((float) F.mean(x).item());
        hash = 31 * hash + Float.hashCode((float) F.var(x).item());
        Tensor<R2<Dim, Dim>, F32, Dev> shares = F.softmax(x, 0).requireGrad();
        Tensor<R0, F32, Dev> divergence = F.klDiv(F.logSoftmax(x, 1), shares, KlTarget.PROBABILITIES, Reduction.mean());
        hash = 31 * hash + Float.hashCode((float) divergence.item());
        hash = 31 * hash + Arrays.hashCode(divergence.backward().get(shares).toFloatArray());
        for (Tensor<R2<Dim, Dim>, F32, Dev> each : List.of(
                x.cumsum(0),
                F.softmax(x, 1),
                F.softmax(x, 0),
                F.tanh(x),
                F.exp(x),
                F.log(x.abs()),
                F.log1p(x.abs()),
                F.sin(x),
                F.cos(x),
                F.sigmoid(x),
                F.silu(x),
                F.gelu(x),
                F.pow(x.abs(), 1.7))) {
            hash = 31 * hash + Arrays.hashCode(each.toFloatArray());
        }
        return hash;
    }
}

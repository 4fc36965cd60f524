package org.tenon.nn;

import org.tenon.Any;
import org.tenon.Bool;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Scope;
import org.tenon.Tensor;

/** Normal numbers between two bounds, all at once on the device. */
final class TruncatedNormal {
    /** Beyond this float32 has no numbers between the distribution function's values. */
    private static final double FARTHEST = 6;

    private static final int HALVINGS = 30;

    private TruncatedNormal() {}

    static <Dev extends DeviceType> Tensor<Any, F32, Dev> draw(
            Device<Dev> device,
            long[] shape,
            double mean,
            double deviation,
            double low,
            double high,
            Generator generator) {
        return Scope.call(() -> {
            double from = Math.clamp((low - mean) / deviation, -FARTHEST, FARTHEST);
            double to = Math.clamp((high - mean) / deviation, -FARTHEST, FARTHEST);
            Tensor<Any, F32, Dev> below = device.full(Any.of(shape), from, DType.F32);
            Tensor<Any, F32, Dev> above = device.full(Any.of(shape), to, DType.F32);
            Tensor<Any, F32, Dev> least = height(below);
            Tensor<Any, F32, Dev> wanted =
                    least.add(height(above).sub(least).mul(device.rand(Any.of(shape), DType.F32, generator)));
            for (int i = 0; i < HALVINGS; i++) {
                Tensor<Any, F32, Dev> middle = below.add(above).mul(0.5);
                Tensor<Any, Bool, Dev> lower = height(middle).lt(wanted);
                below = F.where(lower, middle, below);
                above = F.where(lower, above, middle);
            }
            return below.add(above).mul(0.5 * deviation).add(mean).clamp(low, high);
        });
    }

    /** Twice the distribution function, less 1. */
    private static <Dev extends DeviceType> Tensor<Any, F32, Dev> height(Tensor<Any, F32, Dev> x) {
        return F.erf(x.mul(Math.sqrt(0.5)));
    }
}

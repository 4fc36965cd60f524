package org.tenon.support;

import java.util.ArrayList;
import java.util.List;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.nn.Linear;
import org.tenon.optim.AdamW;

/** A small model, trained for a few steps: all that a device is asked for in a training. */
public final class Training {
    private Training() {}

    /** The losses of three steps, and what the weights then are. Leaves nothing on the device. */
    public static <Dev extends DeviceType> List<Double> steps(Device<Dev> device) {
        try {
            return Scope.call(() -> {
                Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> model =
                        Linear.of(device, DType.F32, 6, 4, new Generator(1));
                AdamW<F32, Dev> optimizer = new AdamW<>(model.parameters(), 0.1);
                List<Double> losses = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    long seed = 10 + i;
                    losses.add(Scope.call(() -> {
                        Tensor<R2<Dim, Dim>, F32, Dev> x = device.tensor(numbers(5 * 6, seed), R2.of(5, 6));
                        Tensor<R1<Dim>, I64, Dev> t = device.tensor(0L, 3L, 1L, 2L, 3L);
                        Tensor<?, F32, Dev> loss = F.nllLoss(F.logSoftmax(F.tanh(model.forward(x)), -1), t);
                        optimizer.step(loss.backward());
                        return loss.item();
                    }));
                }
                losses.add(model.weight().to(Devices.cpu()).to(device).sum().item());
                device.synchronize();
                return losses;
            });
        } finally {
            device.trimMemory();
        }
    }

    private static float[] numbers(int count, long seed) {
        java.util.Random random = new java.util.Random(seed);
        float[] all = new float[count];
        for (int i = 0; i < count; i++) {
            all[i] = (float) random.nextGaussian();
        }
        return all;
    }
}

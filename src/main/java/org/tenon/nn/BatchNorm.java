package org.tenon.nn;

import java.util.Arrays;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.NormOptions;
import org.tenon.R1;
import org.tenon.Shape;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;

/**
 * What {@link BatchNorm1d} and {@link BatchNorm2d} share: each channel, axis 1, is normalised; while training with the
 * statistics of the batch, of which running means are kept in the buffers {@code running_mean} and {@code running_var}, in
 * evaluation with these. The weight starts at 1, the bias at 0.
 *
 * @param <S> the shape of input and output
 * @param <D> element type
 * @param <Dev> device type
 */
public abstract sealed class BatchNorm<S extends Shape, D extends Floating, Dev extends DeviceType>
        extends Layer<S, S, D, Dev> permits BatchNorm1d, BatchNorm2d {
    private final Tensor<R1<Dim>, D, Dev> runningMean;
    private final Tensor<R1<Dim>, D, Dev> runningVar;
    private final NormOptions<D, Dev> options;
    private final double momentum;

    /**
     * What is not learned.
     *
     * @param eps added to the variance
     * @param momentum how much of a batch's statistics goes into the running ones
     */
    public record Options(double eps, double momentum) {
        /** PyTorch's: 1e-5 and 0.1. */
        public static final Options DEFAULTS = new Options(1e-5, 0.1);
    }

    BatchNorm(Device<Dev> device, D dtype, long channels, Options options) {
        if (channels < 1) {
            throw new TensorArgumentException("batchNorm", channels + " channels are too few; there is at least one");
        }
        if (!(options.momentum() >= 0 && options.momentum() <= 1)) {
            throw new TensorArgumentException("batchNorm", "momentum " + options.momentum() + " is outside [0, 1]");
        }
        momentum = options.momentum();
        this.options = NormOptions.<D, Dev>defaults()
                .weight(register("weight", device.ones(R1.of(channels), dtype)))
                .bias(register("bias", device.zeros(R1.of(channels), dtype)))
                .eps(options.eps());
        runningMean = registerBuffer("running_mean", device.zeros(R1.<Dim>of(channels), dtype));
        runningVar = registerBuffer("running_var", device.ones(R1.<Dim>of(channels), dtype));
    }

    /** The mean of each channel over the batches so far, weighted towards the last. */
    public final Tensor<R1<Dim>, D, Dev> runningMean() {
        return runningMean;
    }

    /** The variance likewise. */
    public final Tensor<R1<Dim>, D, Dev> runningVar() {
        return runningVar;
    }

    abstract boolean admits(int rank);

    @Override
    public final Tensor<S, D, Dev> forward(Tensor<S, D, Dev> x) {
        if (!admits(x.rank())) {
            throw new TensorArgumentException(
                    "batchNorm",
                    getClass().getSimpleName() + " does not take shape " + Arrays.toString(x.shape())
                            + "; 1d wants (N, C) or (N, C, L), 2d (N, C, H, W)");
        }
        return isTraining()
                ? F.batchNorm(x, runningMean, runningVar, momentum, options)
                : F.batchNorm(x, runningMean, runningVar, options);
    }
}

package org.tenon.nn;

import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.Floating;
import org.tenon.R4;

/**
 * Batch normalisation of images. PyTorch: {@code torch.nn.BatchNorm2d}.
 *
 * @param <N> the batch
 * @param <C> the channels
 * @param <H> the rows
 * @param <W> the columns
 * @param <D> element type
 * @param <Dev> device type
 */
public final class BatchNorm2d<
                N extends Dim, C extends Dim, H extends Dim, W extends Dim, D extends Floating, Dev extends DeviceType>
        extends BatchNorm<R4<N, C, H, W>, D, Dev> {
    /** For this many channels, with eps 1e-5 and momentum 0.1. */
    public BatchNorm2d(Device<Dev> device, D dtype, long channels) {
        this(device, dtype, channels, Options.DEFAULTS);
    }

    /** With these options. */
    public BatchNorm2d(Device<Dev> device, D dtype, long channels, Options options) {
        super(device, dtype, channels, options);
    }

    @Override
    boolean admits(int rank) {
        return rank == 4;
    }
}

package org.tenon.nn;

import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.Floating;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Shape;

/**
 * Batch normalisation of vectors or sequences. PyTorch: {@code torch.nn.BatchNorm1d}.
 *
 * @param <S> the shape of input and output, (N, C) or (N, C, L)
 * @param <D> element type
 * @param <Dev> device type
 */
public final class BatchNorm1d<S extends Shape, D extends Floating, Dev extends DeviceType>
        extends BatchNorm<S, D, Dev> {
    private BatchNorm1d(Device<Dev> device, D dtype, long channels, Options options) {
        super(device, dtype, channels, options);
    }

    /** For vectors: (N, C). */
    public static <N extends Dim, C extends Dim, D extends Floating, Dev extends DeviceType>
            BatchNorm1d<R2<N, C>, D, Dev> of(Device<Dev> device, D dtype, long channels, Options options) {
        return new BatchNorm1d<>(device, dtype, channels, options);
    }

    /** For sequences: (N, C, L). */
    public static <N extends Dim, C extends Dim, L extends Dim, D extends Floating, Dev extends DeviceType>
            BatchNorm1d<R3<N, C, L>, D, Dev> ofSequences(Device<Dev> device, D dtype, long channels, Options options) {
        return new BatchNorm1d<>(device, dtype, channels, options);
    }

    @Override
    boolean admits(int rank) {
        return rank == 2 || rank == 3;
    }
}

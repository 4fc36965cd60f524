package org.tenon.nn;

import org.tenon.CtcOptions;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Integral;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/**
 * {@link F#ctcLoss} with its options fixed. PyTorch: {@code torch.nn.CTCLoss}.
 *
 * @param <N> the batch
 * @param <R> the shape of the loss
 */
public final class CTCLoss<N extends Dim, R extends Shape> {
    private final CtcOptions options;
    private final Reduction<R1<N>, R> reduction;

    /** With these options. */
    public CTCLoss(CtcOptions options, Reduction<R1<N>, R> reduction) {
        this.options = options;
        this.reduction = reduction;
    }

    /** The loss of log-probabilities (T, N, C) against targets (N, S), and how much of each counts. */
    public <T extends Dim, C extends Dim, L extends Dim, D extends Floating, Dev extends DeviceType>
            Tensor<R, D, Dev> forward(
                    Tensor<R3<T, N, C>, D, Dev> logp,
                    Tensor<R2<N, L>, ? extends Integral, Dev> targets,
                    long[] inputLengths,
                    long[] targetLengths) {
        return F.ctcLoss(logp, targets, inputLengths, targetLengths, options, reduction);
    }
}

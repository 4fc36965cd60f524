package org.tenon.op;

import static org.tenon.op.UnaryGradients.over;
import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.shift;
import static org.tenon.op.UnaryGradients.times;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.LossReduction;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.SoftmaxKind;

/** Losses that are composed of other ops. */
public final class Losses {
    private Losses() {}

    /** {@link Nll} of the log-softmax of {@code x}, with label smoothing {@code e} in [0, 1]. */
    public static Value crossEntropy(
            Value x, Value target, Value weight, long ignore, double e, LossReduction reduction) {
        Nll.check("crossEntropy", x, target, weight, reduction);
        Checks.floating("crossEntropy", x);
        checkSmoothing(e, x);
        if (e == 0 && ClassEntropy.fits(x)) {
            return ClassEntropy.apply(x, target, weight, ignore, reduction);
        }
        return Frame.result(() -> {
            int axis = Nll.classAxis(x);
            Value wide = weight == null ? null : Copies.widened(weight);
            Value logp = Softmax.apply(SoftmaxKind.LOG_SOFTMAX, x, axis, wide(x.dtype()));
            Value nll = Nll.apply("crossEntropy", logp, target, wide, ignore, reduction);
            if (e == 0) {
                return Copies.to(nll, x.dtype());
            }
            Value smooth = smoothPart(logp, target, wide, ignore, reduction);
            // Without classes all of it is 0, and stays that.
            double share = e / Math.max(1, x.size(axis));
            return Copies.to(plus(scale(nll, 1 - e), scale(smooth, share)), x.dtype());
        });
    }

    private static void checkSmoothing(double e, Value x) {
        if (!(e >= 0 && e <= 1)) {
            throw Checks.error("crossEntropy", "labelSmoothing " + e + " is outside [0, 1]", x);
        }
    }

    /** The loss against all classes alike: {@code -sum(w * logp)}, reduced as the loss itself is. */
    private static Value smoothPart(Value logp, Value target, Value weight, long ignore, LossReduction reduction) {
        int axis = Nll.classAxis(logp);
        Value weighted = weight == null ? logp : times(logp, alongClasses(weight, logp));
        Value perTarget = scale(Reductions.reduce("crossEntropy", ReduceOp.SUM, weighted, axis), -1);
        Value minusOnes = Creation.full("crossEntropy", logp.backend(), logp.dtype(), -1, logp.sizes());
        Value counts = Nll.apply("crossEntropy", minusOnes, target, null, ignore, LossReduction.NONE);
        Value zero = Creation.full("crossEntropy", logp.backend(), logp.dtype(), 0);
        Value counted = Elementwise.where(Elementwise.compare("crossEntropy", BinaryOp.NE, counts, 0), perTarget, zero);
        return switch (reduction) {
            case NONE -> counted;
            case SUM, BATCH_MEAN -> sum(counted);
            case MEAN -> {
                Value total = Nll.apply("crossEntropy", minusOnes, target, weight, ignore, LossReduction.SUM);
                yield over(sum(counted), total);
            }
        };
    }

    /** Against probabilities of the shape of {@code x}: {@code -sum(t * w * logp)}; the mean is over targets, not weights. */
    public static Value crossEntropyOfProbabilities(
            Value x, Value target, Value weight, double e, LossReduction reduction) {
        Checks.operands("crossEntropy", x, target, weight);
        Checks.floating("crossEntropy", x);
        Checks.sameDtype("crossEntropy", x, target);
        if (x.rank() == 0 || !Arrays.equals(x.sizes(), target.sizes())) {
            throw Checks.error(
                    "crossEntropy",
                    "probabilities differ in shape; they must have the input's shape, rank 1 or more",
                    x,
                    target);
        }
        if (reduction == LossReduction.BATCH_MEAN) {
            throw Checks.error("crossEntropy", "batchMean is for klDiv; use none, mean or sum", x);
        }
        Nll.checkWeight("crossEntropy", x, weight);
        checkSmoothing(e, x);
        int axis = Nll.classAxis(x);
        return Frame.result(() -> {
            Value logp = Softmax.apply(SoftmaxKind.LOG_SOFTMAX, x, axis, wide(x.dtype()));
            Value p = Copies.widened(target);
            Value smoothed = e == 0 ? p : shift(scale(p, 1 - e), e / x.size(axis));
            Value terms =
                    times(smoothed, weight == null ? logp : times(logp, alongClasses(Copies.widened(weight), logp)));
            Value loss = switch (reduction) {
                case NONE -> scale(Reductions.reduce("crossEntropy", ReduceOp.SUM, terms, axis), -1);
                case SUM, BATCH_MEAN -> scale(sum(terms), -1);
                case MEAN -> scale(sum(terms), -1.0 / (x.count() / (double) x.size(axis)));
            };
            return Copies.to(loss, x.dtype());
        });
    }

    private static Value alongClasses(Value weight, Value x) {
        long[] sizes = new long[x.rank()];
        Arrays.fill(sizes, 1);
        sizes[Nll.classAxis(x)] = weight.count();
        return Views.reshape("crossEntropy", weight, sizes);
    }

    private static DType wide(DType dtype) {
        return dtype.bytes() == 2 ? DType.F32 : dtype;
    }

    private static Value sum(Value x) {
        return Reductions.reduce("sum", ReduceOp.SUM, x);
    }
}

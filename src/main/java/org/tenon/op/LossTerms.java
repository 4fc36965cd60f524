package org.tenon.op;

import static org.tenon.op.Graph.grads;
import static org.tenon.op.UnaryGradients.minus;
import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.shift;
import static org.tenon.op.UnaryGradients.times;

import java.util.Arrays;
import java.util.function.Supplier;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.LossOp;
import org.tenon.spi.LossReduction;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.UnaryOp;

/** Losses of single elements against targets of the same shape, for KL of one that broadcasts. Half types compute in float32. */
public final class LossTerms {
    private LossTerms() {}

    /** {@code t * (log t - x)} or, of the target's logarithm, {@code exp(t) * (t - x)}, reduced. */
    public static Value klDiv(Value x, Value target, boolean logTarget, LossReduction reduction) {
        Checks.operands("klDiv", x, target);
        Checks.floating("klDiv", x);
        Checks.sameDtype("klDiv", x, target);
        Checks.broadcast("klDiv", x, target);
        if (reduction == LossReduction.BATCH_MEAN && x.rank() == 0) {
            throw Checks.error("klDiv", "batchMean needs a batch axis; use mean or sum", x);
        }
        return ElementLosses.apply("klDiv", logTarget ? LossOp.KL_LOG : LossOp.KL, 0, x, target, reduction);
    }

    /** {@code (x - t)^2}. */
    public static Value mse(Value x, Value target, LossReduction reduction) {
        check("mseLoss", x, target, reduction);
        return ElementLosses.apply("mseLoss", LossOp.MSE, 0, x, target, reduction);
    }

    /** {@code |x - t|}. */
    public static Value l1(Value x, Value target, LossReduction reduction) {
        check("l1Loss", x, target, reduction);
        return ElementLosses.apply("l1Loss", LossOp.L1, 0, x, target, reduction);
    }

    /** {@code d^2 / 2} up to {@code delta}, {@code delta (|d| - delta / 2)} beyond. */
    public static Value huber(Value x, Value target, double delta, LossReduction reduction) {
        check("huberLoss", x, target, reduction);
        if (!(delta > 0)) {
            throw Checks.error("huberLoss", "delta is " + delta + "; it must be positive", x);
        }
        return ElementLosses.apply("huberLoss", LossOp.HUBER, delta, x, target, reduction);
    }

    /** {@code d^2 / (2 beta)} up to {@code beta}, {@code |d| - beta / 2} beyond; of beta 0 {@code |d|}. */
    public static Value smoothL1(Value x, Value target, double beta, LossReduction reduction) {
        check("smoothL1Loss", x, target, reduction);
        if (!(beta >= 0)) {
            throw Checks.error("smoothL1Loss", "beta is " + beta + "; it must be 0 or more", x);
        }
        return ElementLosses.apply(
                "smoothL1Loss", beta == 0 ? LossOp.L1 : LossOp.SMOOTH_L1, beta, x, target, reduction);
    }

    /**
     * {@code weight ((1 - t) x + (1 + (posWeight - 1) t) log(1 + e^-x))}, of which what {@code posWeight} adds is added to the loss without it.
     * Nothing overflows. Both weights broadcast or are null.
     */
    public static Value bceWithLogits(Value x, Value target, Value weight, Value posWeight, LossReduction reduction) {
        String op = "binaryCrossEntropyWithLogits";
        check(op, x, target, reduction);
        checkWeight(op, "weight", x, weight);
        checkWeight(op, "posWeight", x, posWeight);
        if (weight == null && posWeight == null) {
            return ElementLosses.apply(op, LossOp.BCE_LOGITS, 0, x, target, reduction);
        }
        return reduced(op, x, reduction, () -> {
            Value logit = Copies.widened(x);
            Value t = Copies.widened(target);
            Value loss = ElementLosses.apply(op, LossOp.BCE_LOGITS, 0, logit, t, LossReduction.NONE);
            if (posWeight != null) {
                Value more = times(t, shift(Copies.widened(posWeight), -1));
                loss = plus(loss, times(more, softplus(scale(logit, -1))));
            }
            return weight == null ? loss : times(loss, Copies.widened(weight));
        });
    }

    private static void checkWeight(String op, String what, Value x, Value weight) {
        if (weight != null) {
            Checks.operands(op, x, weight);
            Checks.sameDtype(op, x, weight);
            if (!Arrays.equals(Checks.broadcast(op, x, weight), x.sizes())) {
                throw Checks.error(
                        op,
                        "the " + what + " has shape " + Arrays.toString(weight.sizes())
                                + "; it must broadcast to the input",
                        x,
                        weight);
            }
        }
    }

    /** {@code log(1 + e^x)}, and its slope, the logistic function. */
    private static Value softplus(Value x) {
        Value y = GradMode.off(() -> {
            Value small = UnaryGradients.call(UnaryOp.EXP, scale(UnaryGradients.call(UnaryOp.ABS, x), -1));
            return plus(UnaryGradients.call(UnaryOp.LOG1P, small), UnaryGradients.call(UnaryOp.RELU, x));
        });
        return Graph.record(
                "softplus",
                y,
                in -> grads(times(in.gradient(), UnaryGradients.call(UnaryOp.SIGMOID, in.saved(0)))),
                new Value[] {x},
                x);
    }

    /** {@code max(0, margin - t (a - b))}. */
    public static Value marginRanking(Value a, Value b, Value target, double margin, LossReduction reduction) {
        String op = "marginRankingLoss";
        check(op, a, target, reduction);
        check(op, a, b, reduction);
        return reduced(op, a, reduction, () -> {
            Value ahead = times(Copies.widened(target), difference(a, b));
            return UnaryGradients.call(UnaryOp.RELU, shift(scale(ahead, -1), margin));
        });
    }

    /** x where t is 1, {@code max(0, margin - x)} where it is -1. */
    public static Value hingeEmbedding(Value x, Value target, double margin, LossReduction reduction) {
        String op = "hingeEmbeddingLoss";
        check(op, x, target, reduction);
        return reduced(op, x, reduction, () -> {
            Value distance = Copies.widened(x);
            Value t = Copies.widened(target);
            Value zero = Creation.full(op, x.backend(), distance.dtype(), 0);
            Value below = UnaryGradients.call(UnaryOp.RELU, shift(scale(distance, -1), margin));
            return plus(
                    Elementwise.where(Elementwise.compare(op, BinaryOp.NE, t, 1), below, zero),
                    Elementwise.where(Elementwise.compare(op, BinaryOp.NE, t, -1), distance, zero));
        });
    }

    private static Value difference(Value x, Value target) {
        return minus(Copies.widened(x), Copies.widened(target));
    }

    private static void check(String op, Value x, Value target, LossReduction reduction) {
        Checks.operands(op, x, target);
        Checks.floating(op, x);
        Checks.sameDtype(op, x, target);
        if (!Arrays.equals(x.sizes(), target.sizes())) {
            throw Checks.error(
                    op,
                    "shapes " + Arrays.toString(x.sizes()) + " and " + Arrays.toString(target.sizes())
                            + " differ; a loss compares element by element",
                    x,
                    target);
        }
        checkReduction(op, x, reduction);
    }

    static void checkReduction(String op, Value x, LossReduction reduction) {
        if (reduction == LossReduction.BATCH_MEAN) {
            throw Checks.error(op, "batchMean is for klDiv; use none, mean or sum", x);
        }
    }

    /** The terms, reduced, in the element type of {@code x}. */
    static Value reduced(String op, Value x, LossReduction reduction, Supplier<Value> terms) {
        return Frame.result(() -> {
            Value losses = terms.get();
            Value loss = switch (reduction) {
                case NONE -> losses;
                case SUM, BATCH_MEAN -> Reductions.reduce(op, ReduceOp.SUM, losses);
                case MEAN -> Reductions.reduce(op, ReduceOp.MEAN, losses);
            };
            return Copies.to(loss, x.dtype());
        });
    }
}

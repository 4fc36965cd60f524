package org.tenon.op;

import static org.tenon.op.UnaryGradients.minus;
import static org.tenon.op.UnaryGradients.oneMinus;
import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.shift;
import static org.tenon.op.UnaryGradients.times;

import java.util.Arrays;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.LossReduction;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.UnaryOp;

/** Similarities of vectors, and losses of rows. Half types compute in float32. */
public final class VectorLosses {
    /** PyTorch's: keeps the length of a zero vector from 0. */
    private static final double LEAST_SQUARE = 1e-12;

    private VectorLosses() {}

    /** {@code a b / (max(|a|, eps) max(|b|, eps))} along an axis. */
    public static Value cosineSimilarity(Value a, Value b, int dim, double eps) {
        String op = "cosineSimilarity";
        checkPair(op, a, b);
        int axis = Checks.axis(op, dim, a);
        if (a.rank() == 0) {
            throw Checks.error(op, "scalars have no axis; give rank 1 or more", a);
        }
        if (!(eps > 0)) {
            throw Checks.error(op, "eps is " + eps + "; it must be positive", a);
        }
        return Frame.result(() -> {
            Value x = Copies.widened(a);
            Value y = Copies.widened(b);
            Value product = sum(op, times(x, y), axis);
            return Copies.to(
                    times(times(product, inverseLength(op, x, axis, eps)), inverseLength(op, y, axis, eps)), a.dtype());
        });
    }

    private static Value inverseLength(String op, Value x, int axis, double eps) {
        Value square = sum(op, times(x, x), axis);
        Value bounded = Elementwise.unary(op, UnaryOp.CLAMP, square, eps * eps, Double.POSITIVE_INFINITY);
        return UnaryGradients.call(UnaryOp.RSQRT, bounded);
    }

    private static Value sum(String op, Value x, int axis) {
        return Reductions.reduce(op, ReduceOp.SUM, x, axis);
    }

    private static void checkPair(String op, Value a, Value b) {
        Checks.operands(op, a, b);
        Checks.floating(op, a);
        Checks.sameDtype(op, a, b);
        if (!Arrays.equals(a.sizes(), b.sizes())) {
            throw Checks.error(
                    op,
                    "shapes " + Arrays.toString(a.sizes()) + " and " + Arrays.toString(b.sizes())
                            + " differ; they must be equal",
                    a,
                    b);
        }
    }

    /** Of pairs of rows with cosine c: {@code 1 - c} where the target is 1, {@code max(0, c - margin)} where it is -1. */
    public static Value cosineEmbedding(Value a, Value b, Value target, double margin, LossReduction reduction) {
        String op = "cosineEmbeddingLoss";
        checkPair(op, a, b);
        Checks.operands(op, a, target);
        if (a.rank() != 2 || target.rank() != 1 || target.size(0) != a.size(0)) {
            throw Checks.error(op, "the shapes do not fit; give rows (N, E) twice and a target (N)", a, b, target);
        }
        LossTerms.checkReduction(op, a, reduction);
        return LossTerms.reduced(op, a, reduction, () -> {
            Value x = Copies.widened(a);
            Value y = Copies.widened(b);
            Value squares =
                    times(shift(sum(op, times(x, x), 1), LEAST_SQUARE), shift(sum(op, times(y, y), 1), LEAST_SQUARE));
            Value cosine = times(sum(op, times(x, y), 1), UnaryGradients.call(UnaryOp.RSQRT, squares));
            Value zero = Creation.full(op, a.backend(), x.dtype(), 0);
            Value apart = UnaryGradients.call(UnaryOp.RELU, shift(cosine, -margin));
            return plus(
                    Elementwise.where(Elementwise.compare(op, BinaryOp.EQ, target, 1), oneMinus(cosine), zero),
                    Elementwise.where(Elementwise.compare(op, BinaryOp.EQ, target, -1), apart, zero));
        });
    }

    /** {@code sum(weight[t] max(0, margin - x[t] + x[j])^p) / C} over the classes j other than t. */
    public static Value multiMargin(
            Value x, Value target, int p, double margin, Value weight, LossReduction reduction) {
        String op = "multiMarginLoss";
        Checks.operands(op, x, target, weight);
        Checks.floating(op, x);
        Checks.integral(op, "the target", target);
        if (x.rank() != 2 || target.rank() != 1 || target.size(0) != x.size(0)) {
            throw Checks.error(op, "the shapes do not fit; give scores (N, C) and a target (N)", x, target);
        }
        if (p != 1 && p != 2) {
            throw Checks.error(op, "p is " + p + "; it must be 1 or 2", x);
        }
        Nll.checkWeight(op, x, weight);
        LossTerms.checkReduction(op, x, reduction);
        return LossTerms.reduced(op, x, reduction, () -> {
            Value scores = Copies.widened(x);
            Value at = Views.unsqueeze(target, 1);
            Value own = Indexing.gather(op, "target", scores, 1, at);
            Value over = UnaryGradients.call(UnaryOp.RELU, shift(minus(scores, own), margin));
            Value powered = p == 1 ? over : times(over, over);
            Value classes = Creation.arange(x.backend(), target.dtype(), 0, x.size(1), 1);
            Value zero = Creation.full(op, x.backend(), scores.dtype(), 0);
            Value others = Elementwise.where(Elementwise.binary(op, BinaryOp.EQ, at, classes), zero, powered);
            Value loss = scale(sum(op, others, 1), 1.0 / x.size(1));
            return weight == null ? loss : times(loss, Indexing.indexSelect(op, Copies.widened(weight), 0, target));
        });
    }
}

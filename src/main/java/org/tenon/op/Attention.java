package org.tenon.op;

import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.scale;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.Generator;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.SoftmaxKind;

/** Attention: {@code softmax(q k^T scale + masks) v}. A position that may attend to nothing gets zeros. */
public final class Attention {
    private static final String OP = "scaledDotProductAttention";

    private Attention() {}

    /**
     * What is not q, k and v.
     *
     * @param causal whether position t attends to positions 0 to t only
     * @param allowed bool, or null
     * @param bias added to the scores, or null
     * @param dropout of the weights
     * @param generator for it, or null
     * @param scale NaN for {@code 1 / sqrt(E)}
     */
    public record Setting(
            boolean causal, Value allowed, Value bias, double dropout, Generator generator, double scale) {}

    /** {@code q [..., T, E], k [..., U, E], v [..., U, V]} to {@code [..., T, V]}. */
    public static Value apply(Value q, Value k, Value v, Setting setting) {
        check(q, k, v, setting);
        double factor = Double.isNaN(setting.scale()) ? 1 / Math.sqrt(q.size(q.rank() - 1)) : setting.scale();
        if (TiledAttention.fits(q, k, v, setting)) {
            return TiledAttention.apply(q, k, v, setting, factor);
        }
        return Frame.result(() -> {
            Value scores = MatMul.matmul(OP, scale(q, factor), Views.transpose(k, -1, -2));
            Value weights = weights(scores, setting);
            if (setting.dropout() > 0) {
                weights = Random.dropout(weights, setting.dropout(), setting.generator());
            }
            return MatMul.matmul(OP, weights, v);
        });
    }

    private static void check(Value q, Value k, Value v, Setting setting) {
        Checks.operands(OP, q, k, v, setting.allowed(), setting.bias());
        Checks.floating(OP, q);
        Checks.sameDtype(OP, q, k);
        Checks.sameDtype(OP, q, v);
        int rank = q.rank();
        boolean ranks = rank >= 2 && k.rank() == rank && v.rank() == rank;
        if (!ranks
                || !Arrays.equals(lead(q), lead(k))
                || !Arrays.equals(lead(q), lead(v))
                || q.size(rank - 1) != k.size(rank - 1)
                || k.size(rank - 2) != v.size(rank - 2)) {
            throw Checks.error(
                    OP,
                    "query, key and value of shapes " + Arrays.toString(q.sizes()) + ", "
                            + Arrays.toString(k.sizes()) + ", " + Arrays.toString(v.sizes())
                            + " do not fit; give [..., T, E], [..., U, E] and [..., U, V]",
                    q,
                    k,
                    v);
        }
        long[] scores = scoreSizes(q, k);
        if (setting.allowed() != null) {
            Checks.bool(OP, "the mask", setting.allowed());
            checkMask("mask", setting.allowed(), scores);
        }
        if (setting.bias() != null) {
            Checks.sameDtype(OP, q, setting.bias());
            checkMask("bias", setting.bias(), scores);
        }
        Checks.probability(OP, "dropout", setting.dropout(), q);
    }

    private static long[] lead(Value x) {
        return Arrays.copyOf(x.layout().sizes(), x.rank() - 2);
    }

    static long[] scoreSizes(Value q, Value k) {
        long[] sizes = q.sizes();
        sizes[sizes.length - 1] = k.size(k.rank() - 2);
        return sizes;
    }

    private static void checkMask(String what, Value mask, long[] scores) {
        long[] sizes = mask.layout().sizes();
        boolean good = sizes.length <= scores.length;
        for (int i = 1; good && i <= sizes.length; i++) {
            long size = sizes[sizes.length - i];
            good = size == 1 || size == scores[scores.length - i];
        }
        if (!good) {
            throw Checks.error(
                    OP,
                    "the " + what + " has shape " + Arrays.toString(sizes) + "; it must broadcast to the scores, "
                            + Arrays.toString(scores),
                    mask);
        }
    }

    static Value weights(Value scores, Setting setting) {
        boolean masked = setting.allowed() != null || setting.bias() != null;
        if (scores.count() == 0 || !masked && !setting.causal()) {
            return Softmax.apply(SoftmaxKind.SOFTMAX, scores, -1);
        }
        Value never = Creation.full(OP, scores.backend(), scores.dtype(), Double.NEGATIVE_INFINITY);
        Value seen = setting.bias() == null ? scores : plus(scores, setting.bias());
        if (setting.allowed() != null) {
            seen = Elementwise.where(setting.allowed(), seen, never);
        }
        if (setting.causal()) {
            seen = Elementwise.where(earlier(scores), seen, never);
        }
        if (!masked) {
            return Softmax.apply(SoftmaxKind.SOFTMAX, seen, -1);
        }
        Value dead = dead(seen, never);
        Value zero = Creation.full(OP, scores.backend(), scores.dtype(), 0);
        Value alive = Softmax.apply(SoftmaxKind.SOFTMAX, Elementwise.where(dead, zero, seen), -1);
        return Elementwise.where(dead, zero, alive);
    }

    /** Rows whose scores are all -inf. */
    private static Value dead(Value scores, Value never) {
        return GradMode.off(() -> Elementwise.binary(
                OP, BinaryOp.EQ, Reductions.reduceKeepDim(OP, ReduceOp.MAX, scores, scores.rank() - 1), never));
    }

    /** {@code [T, U]}: where the key is not later than the query. */
    private static Value earlier(Value scores) {
        long t = scores.size(scores.rank() - 2);
        long u = scores.size(scores.rank() - 1);
        Value queries = Views.unsqueeze(Creation.arange(scores.backend(), DType.I64, 0, t, 1), 1);
        Value keys = Creation.arange(scores.backend(), DType.I64, 0, u, 1);
        return Elementwise.binary(OP, BinaryOp.GE, queries, keys);
    }
}

package org.tenon.op;

import static org.tenon.op.UnaryGradients.divide;
import static org.tenon.op.UnaryGradients.over;
import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.shift;
import static org.tenon.op.UnaryGradients.times;

import java.util.List;
import org.tenon.DType;
import org.tenon.TensorArgumentException;
import org.tenon.spi.Backend;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.UnaryOp;

/** Norms over many gradients at once, on the device; nothing waits for it. Half types are summed in float32. */
public final class GradientNorms {
    /** PyTorch's: keeps the factor finite where the norm is 0. */
    private static final double LEAST_NORM = 1e-6;

    private GradientNorms() {}

    /** {@code (sum |g|^p)^(1/p)} over all elements of all gradients, a scalar of float64 if any is, else of float32. */
    public static Value total(List<Value> gradients, double p) {
        if (!(p > 0)) {
            throw new TensorArgumentException(
                    "norm", "p " + p + " is not positive; use 2, or infinity for the largest");
        }
        return Frame.result(() -> GradMode.off(() -> {
            boolean largest = p == Double.POSITIVE_INFINITY;
            Value total = null;
            for (Value each : gradients) {
                if (each.count() == 0) {
                    continue;
                }
                Value part = at(largest ? largest(each) : sum(each, p), gradients);
                total = total == null
                        ? part
                        : largest ? Elementwise.binary("norm", BinaryOp.MAXIMUM, total, part) : plus(total, part);
            }
            if (total == null) {
                return Creation.full("norm", gradients.getFirst().backend(), widest(gradients), 0);
            }
            return largest
                    ? total
                    : p == 2 ? UnaryGradients.call(UnaryOp.SQRT, total) : UnaryGradients.pow(total, 1 / p);
        }));
    }

    private static Value sum(Value g, double p) {
        Value wide = Copies.widened(g);
        Value terms = p == 2 ? times(wide, wide) : UnaryGradients.pow(UnaryGradients.call(UnaryOp.ABS, wide), p);
        return Reductions.reduce("norm", ReduceOp.SUM, terms);
    }

    private static Value largest(Value g) {
        return Reductions.reduce("norm", ReduceOp.MAX, UnaryGradients.call(UnaryOp.ABS, Copies.widened(g)));
    }

    /** A scalar where the first gradient is, in the type of the result. */
    private static Value at(Value scalar, List<Value> gradients) {
        return Copies.to(Copies.to(scalar, gradients.getFirst().backend()), widest(gradients));
    }

    private static DType widest(List<Value> gradients) {
        return gradients.stream().anyMatch(each -> each.dtype() == DType.F64) ? DType.F64 : DType.F32;
    }

    /** Each gradient times {@code min(1, max / (norm + 1e-6))}. */
    public static List<Value> clipNorm(List<Value> gradients, double max, double p) {
        if (!(max >= 0)) {
            throw new TensorArgumentException("clipNorm", "the norm " + max + " is not 0 or more");
        }
        Value[] clipped = Frame.results(() -> GradMode.off(() -> {
            Value norm = shift(total(gradients, p), LEAST_NORM);
            Value ratio = over(Creation.full("clipNorm", norm.backend(), norm.dtype(), max), norm);
            Value factor = Elementwise.unary("clipNorm", UnaryOp.CLAMP, ratio, 0, 1);
            return gradients.stream().map(each -> scaled(each, factor)).toArray(Value[]::new);
        }));
        return List.of(clipped);
    }

    private static Value scaled(Value g, Value factor) {
        Backend backend = g.backend();
        Value wide = Copies.widened(g);
        return Copies.to(times(wide, Copies.to(Copies.to(factor, backend), wide.dtype())), g.dtype());
    }

    /** A scalar that is 0 if every element of every gradient is finite, else NaN. */
    public static Value notFinite(List<Value> gradients) {
        return Frame.result(() -> GradMode.off(() -> {
            Value total = Creation.full("isFinite", gradients.getFirst().backend(), widest(gradients), 0);
            for (Value each : gradients) {
                total = plus(total, at(Reductions.reduce("isFinite", ReduceOp.SUM, scale(each, 0)), gradients));
            }
            return total;
        }));
    }

    /** Each gradient divided by a number, half types in float32. */
    public static Value divided(Value g, double divisor) {
        return Frame.result(() -> GradMode.off(() -> Copies.to(divide(Copies.widened(g), divisor), g.dtype())));
    }
}

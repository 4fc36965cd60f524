package org.tenon.op;

import static org.tenon.op.Graph.grads;
import static org.tenon.op.UnaryGradients.call;
import static org.tenon.op.UnaryGradients.divide;
import static org.tenon.op.UnaryGradients.minus;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.shift;
import static org.tenon.op.UnaryGradients.times;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.ElementLoss;
import org.tenon.spi.LossOp;
import org.tenon.spi.LossReduction;
import org.tenon.spi.UnaryOp;

/**
 * Losses of single elements as one kernel each way: the terms, or their sum over a divisor, and the gradients of both operands. These are
 * computed from the operands again; nothing else is saved.
 */
final class ElementLosses {
    private ElementLosses() {}

    /** The operands are of one floating type and broadcast; {@code reduction} has been checked. */
    static Value apply(String name, LossOp op, double p0, Value x, Value target, LossReduction reduction) {
        long[] sizes = Checks.broadcast(name, x, target);
        boolean scalar = reduction != LossReduction.NONE;
        double divisor = switch (reduction) {
            case NONE, SUM -> 1;
            case MEAN -> Arrays.stream(sizes).asDoubleStream().reduce(1, (a, b) -> a * b);
            case BATCH_MEAN -> x.size(0);
        };
        Value out = Value.allocate(name, x.backend(), x.dtype(), scalar ? new long[0] : sizes);
        try (Pins _ = Pins.of(x, target, out)) {
            x.backend()
                    .kernels()
                    .elementLoss(
                            new ElementLoss(op, p0, divisor, Elementwise.expanded(target, sizes)),
                            Elementwise.expanded(x, sizes),
                            out.strided());
        }
        Rule rule = new Rule(name, op, p0, divisor, sizes, x.sizes(), target.sizes());
        boolean saves = !op.isLinear() || target.isTracked();
        return Graph.record(name, out, rule::gradients, new Value[] {x, target}, saves ? x : null, target);
    }

    /** What is not an operand; {@code sizes} are those to which the operands broadcast. */
    private record Rule(
            String name, LossOp op, double p0, double divisor, long[] sizes, long[] xSizes, long[] targetSizes) {
        Value[] gradients(Node.Incoming in) {
            Value g = in.gradient();
            Value x = in.saved(0);
            Value target = in.saved(1);
            boolean repeats = !Arrays.equals(xSizes, sizes) || !Arrays.equals(targetSizes, sizes);
            // A gradient of a half type that is summed afterwards would be rounded twice.
            if (GradMode.records(g, x, target) || repeats && g.dtype().bytes() == 2) {
                return grads(
                        in.needs(0) ? composed(g, slope(x, target), xSizes) : null,
                        in.needs(1) ? composed(g, targetSlope(x, target), targetSizes) : null);
            }
            Value dx = in.needs(0) ? Value.allocate(name, g.backend(), g.dtype(), sizes) : null;
            Value dtarget = in.needs(1) ? Value.allocate(name, g.backend(), g.dtype(), sizes) : null;
            // Where x was not saved it does not count.
            Value any = x == null ? target : x;
            try (Pins _ = Pins.of(g, any, target, dx, dtarget)) {
                g.backend()
                        .kernels()
                        .elementLossGrad(
                                new ElementLoss(op, p0, divisor, Elementwise.expanded(target, sizes)),
                                Elementwise.expanded(g, sizes),
                                Elementwise.expanded(any, sizes),
                                dx == null ? null : dx.strided(),
                                dtarget == null ? null : dtarget.strided());
            }
            return grads(
                    dx == null ? null : Elementwise.sumTo(dx, xSizes),
                    dtarget == null ? null : Elementwise.sumTo(dtarget, targetSizes));
        }

        /** Out of ops that have gradients themselves, in float32 where the operands are half. */
        private Value composed(Value g, Value slope, long[] operandSizes) {
            Value all = times(divide(Copies.widened(g), divisor), slope);
            return Copies.to(Elementwise.sumTo(Views.expand("expand", all, sizes), operandSizes), g.dtype());
        }

        private Value slope(Value x, Value target) {
            Value t = Copies.widened(target);
            return switch (op) {
                case KL -> scale(t, -1);
                case KL_LOG -> scale(call(UnaryOp.EXP, t), -1);
                case MSE -> scale(difference(x, t), 2);
                case L1 -> call(UnaryOp.SIGN, difference(x, t));
                case HUBER -> clamped(difference(x, t));
                case SMOOTH_L1 -> {
                    // In the type of d a small beta is no divisor.
                    double divisor = t.dtype() == DType.F64 ? p0 : Math.max(p0, Float.MIN_NORMAL);
                    yield Elementwise.unary(name, UnaryOp.CLAMP, divide(difference(x, t), divisor), -1, 1);
                }
                case BCE_LOGITS -> minus(call(UnaryOp.SIGMOID, Copies.widened(x)), t);
            };
        }

        private Value targetSlope(Value x, Value target) {
            return switch (op) {
                case KL -> {
                    Value log = call(UnaryOp.LOG, Copies.widened(target));
                    yield shift(minus(log, Copies.widened(x)), 1);
                }
                case KL_LOG -> {
                    Value t = Copies.widened(target);
                    yield times(call(UnaryOp.EXP, t), shift(minus(t, Copies.widened(x)), 1));
                }
                case MSE, L1, HUBER, SMOOTH_L1 -> scale(slope(x, target), -1);
                case BCE_LOGITS -> scale(Copies.widened(x), -1);
            };
        }

        private static Value difference(Value x, Value t) {
            return minus(Copies.widened(x), t);
        }

        private Value clamped(Value d) {
            return Elementwise.unary(name, UnaryOp.CLAMP, d, -p0, p0);
        }
    }
}

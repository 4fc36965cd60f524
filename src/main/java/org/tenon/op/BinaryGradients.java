package org.tenon.op;

import static org.tenon.op.Elementwise.sumTo;
import static org.tenon.op.Graph.grads;
import static org.tenon.op.UnaryGradients.call;
import static org.tenon.op.UnaryGradients.over;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.shift;
import static org.tenon.op.UnaryGradients.times;

import org.tenon.spi.BinaryOp;
import org.tenon.spi.UnaryOp;

/** The derivatives of {@link BinaryOp}, summed over broadcast axes. Only what a wanted gradient needs is saved. */
final class BinaryGradients {
    private BinaryGradients() {}

    /** The gradient of one operand, before the sum over broadcast axes. */
    @FunctionalInterface
    private interface Term {
        Value of(Value g, Node.Incoming in);
    }

    static Value record(String op, BinaryOp function, Value a, Value b, Value y) {
        if (!GradMode.records(a, b)) {
            return y;
        }
        return switch (function) {
            case ADD -> linear(op, a, b, y, 1);
            case SUB -> linear(op, a, b, y, -1);
            case MUL ->
                record(
                        op,
                        a,
                        b,
                        y,
                        (g, in) -> times(g, in.saved(1)),
                        (g, in) -> times(g, in.saved(0)),
                        b.isTracked() ? a : null,
                        a.isTracked() ? b : null);
            case DIV ->
                record(
                        op,
                        a,
                        b,
                        y,
                        (g, in) -> over(g, in.saved(0)),
                        (g, in) -> scale(over(times(g, in.saved(1)), in.saved(0)), -1),
                        b,
                        b.isTracked() ? y : null);
            case POW -> record(op, a, b, y, BinaryGradients::powerBase, BinaryGradients::powerExponent, a, b, y);
            case MAXIMUM ->
                record(op, a, b, y, (g, in) -> won(g, BinaryOp.GT, in, 0), (g, in) -> won(g, BinaryOp.GT, in, 1), a, b);
            case MINIMUM ->
                record(op, a, b, y, (g, in) -> won(g, BinaryOp.LT, in, 0), (g, in) -> won(g, BinaryOp.LT, in, 1), a, b);
            case EQ, NE, LT, LE, GT, GE -> y;
            case ABS_GRAD,
                    SQRT_GRAD,
                    RSQRT_GRAD,
                    RECIPROCAL_GRAD,
                    LOG1P_GRAD,
                    SIN_GRAD,
                    COS_GRAD,
                    TANH_GRAD,
                    SIGMOID_GRAD,
                    RELU_GRAD,
                    GELU_GRAD,
                    GELU_TANH_GRAD,
                    SILU_GRAD,
                    ERF_GRAD ->
                throw new IllegalStateException(function + " is a fused derivative and must not be recorded");
        };
    }

    private static Value linear(String op, Value a, Value b, Value y, double sign) {
        long[] aSizes = a.sizes();
        long[] bSizes = b.sizes();
        return Graph.record(
                op,
                y,
                in -> {
                    Value g = in.gradient();
                    return grads(
                            in.needs(0) ? sumTo(g, aSizes) : null,
                            in.needs(1) ? sumTo(sign == 1 ? g : scale(g, sign), bSizes) : null);
                },
                new Value[] {a, b});
    }

    private static Value record(String op, Value a, Value b, Value y, Term forA, Term forB, Value... saved) {
        long[] aSizes = a.sizes();
        long[] bSizes = b.sizes();
        return Graph.record(
                op,
                y,
                in -> grads(
                        in.needs(0) ? sumTo(forA.of(in.gradient(), in), aSizes) : null,
                        in.needs(1) ? sumTo(forB.of(in.gradient(), in), bSizes) : null),
                new Value[] {a, b},
                saved);
    }

    /** Where operand {@code winner} wins the whole gradient, where they tie half of it. */
    private static Value won(Value g, BinaryOp comparison, Node.Incoming in, int winner) {
        Value p = in.saved(winner);
        Value q = in.saved(1 - winner);
        Value zero = Creation.full("maximum", g.backend(), g.dtype(), 0);
        Value tied = Elementwise.where(Elementwise.binary("maximum", BinaryOp.EQ, p, q), scale(g, 0.5), zero);
        return Elementwise.where(Elementwise.binary("maximum", comparison, p, q), g, tied);
    }

    /** {@code g b a^(b-1)}, 0 where b is 0. */
    private static Value powerBase(Value g, Node.Incoming in) {
        Value a = in.saved(0);
        Value b = in.saved(1);
        Value zero = Creation.full("pow", g.backend(), g.dtype(), 0);
        Value slope = times(b, Elementwise.binary("pow", BinaryOp.POW, a, shift(b, -1)));
        return times(g, Elementwise.where(Elementwise.binary("pow", BinaryOp.EQ, b, zero), zero, slope));
    }

    /** {@code g y log a}, 0 where a is 0 and b at least 0. */
    private static Value powerExponent(Value g, Node.Incoming in) {
        Value a = in.saved(0);
        Value zero = Creation.full("pow", g.backend(), g.dtype(), 0);
        Value noBase = Elementwise.binary("pow", BinaryOp.EQ, a, zero);
        Value flat = Elementwise.where(noBase, Elementwise.binary("pow", BinaryOp.GE, in.saved(1), zero), noBase);
        return times(g, Elementwise.where(flat, zero, times(in.saved(2), call(UnaryOp.LOG, a))));
    }
}

package org.tenon.op;

import static org.tenon.op.Graph.grads;

import java.util.function.Supplier;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.UnaryOp;

/**
 * The derivatives of {@link UnaryOp}. Each exists twice: as one fused kernel, and, for a graph of gradients, as a
 * composition of ops that can be differentiated again. What is saved is the output where the derivative can be had from it.
 */
final class UnaryGradients {
    private UnaryGradients() {}

    static Value record(String op, UnaryOp function, Value x, double p0, double p1, Value y) {
        Value[] inputs = {x};
        return switch (function) {
            case NEG -> Graph.record(op, y, in -> grads(scale(in.gradient(), -1)), inputs);
            case ADD_SCALAR -> Graph.record(op, y, in -> grads(in.gradient()), inputs);
            case MUL_SCALAR -> Graph.record(op, y, in -> grads(scale(in.gradient(), p0)), inputs);
            case DIV_SCALAR -> Graph.record(op, y, in -> grads(divide(in.gradient(), p0)), inputs);
            case SIGN -> Graph.record(op, y, in -> grads(Creation.zeros(op, in.gradient())), inputs);
            case EXP -> saving(op, y, x, y, UnaryGradients::times);
            case LOG -> saving(op, y, x, x, UnaryGradients::over);
            case POW_SCALAR ->
                saving(op, y, x, x, (g, v) -> p0 == 0 ? Creation.zeros(op, g) : times(g, scale(pow(v, p0 - 1), p0)));
            case CLAMP -> saving(op, y, x, x, (g, v) -> clampGradient(g, v, p0, p1));
            case ABS ->
                saving(op, y, x, x, (g, v) -> fused(BinaryOp.ABS_GRAD, g, v, () -> times(g, call(UnaryOp.SIGN, v))));
            case SQRT -> saving(op, y, x, y, (g, v) -> fused(BinaryOp.SQRT_GRAD, g, v, () -> over(g, scale(v, 2))));
            case RSQRT ->
                saving(
                        op,
                        y,
                        x,
                        y,
                        (g, v) -> fused(BinaryOp.RSQRT_GRAD, g, v, () -> times(times(times(g, v), v), scale(v, -0.5))));
            case RECIPROCAL ->
                saving(
                        op,
                        y,
                        x,
                        y,
                        (g, v) -> fused(BinaryOp.RECIPROCAL_GRAD, g, v, () -> times(times(g, v), scale(v, -1))));
            case LOG1P -> saving(op, y, x, x, (g, v) -> fused(BinaryOp.LOG1P_GRAD, g, v, () -> over(g, shift(v, 1))));
            case SIN ->
                saving(op, y, x, x, (g, v) -> fused(BinaryOp.SIN_GRAD, g, v, () -> times(g, call(UnaryOp.COS, v))));
            case COS ->
                saving(
                        op,
                        y,
                        x,
                        x,
                        (g, v) -> fused(BinaryOp.COS_GRAD, g, v, () -> times(g, scale(call(UnaryOp.SIN, v), -1))));
            case TANH, SIGMOID, RELU -> saving(op, y, x, y, (g, v) -> slope(function, g, v));
            case GELU, GELU_TANH, SILU -> saving(op, y, x, x, (g, v) -> slope(function, g, v));
            case ERF -> saving(op, y, x, x, (g, v) -> fused(BinaryOp.ERF_GRAD, g, v, () -> times(g, erfSlope(v))));
            case ISNAN, NOT -> y;
        };
    }

    @FunctionalInterface
    private interface Slope {
        Value times(Value g, Value saved);
    }

    private static Value saving(String op, Value y, Value x, Value saved, Slope slope) {
        return Graph.record(op, y, in -> grads(slope.times(in.gradient(), in.saved(0))), new Value[] {x}, saved);
    }

    private static Value fused(BinaryOp kernel, Value g, Value saved, Supplier<Value> composed) {
        return GradMode.records(g, saved) ? composed.get() : Elementwise.binary("backward", kernel, g, saved);
    }

    /** {@code g} times the derivative of an activation: of TANH, SIGMOID and RELU at their result {@code v}, of others at their argument. */
    private static Value slope(UnaryOp function, Value g, Value v) {
        return switch (function) {
            case TANH -> fused(BinaryOp.TANH_GRAD, g, v, () -> times(g, oneMinus(times(v, v))));
            case SIGMOID -> fused(BinaryOp.SIGMOID_GRAD, g, v, () -> times(g, times(v, oneMinus(v))));
            case RELU -> fused(BinaryOp.RELU_GRAD, g, v, () -> reluGradient(g, v));
            case GELU -> fused(BinaryOp.GELU_GRAD, g, v, () -> times(g, geluSlope(v)));
            case GELU_TANH -> fused(BinaryOp.GELU_TANH_GRAD, g, v, () -> times(g, geluTanhSlope(v)));
            case SILU -> fused(BinaryOp.SILU_GRAD, g, v, () -> times(g, siluSlope(v)));
            default -> throw new IllegalStateException(function + " is no activation");
        };
    }

    /** {@code g} times the derivative of an activation at its argument {@code x}. */
    static Value slopeAt(UnaryOp function, Value g, Value x) {
        return switch (function) {
            case TANH, SIGMOID, RELU -> slope(function, g, call(function, x));
            default -> slope(function, g, x);
        };
    }

    private static Value clampGradient(Value g, Value x, double low, double high) {
        Value zero = Creation.full("clamp", g.backend(), g.dtype(), 0);
        Value lowest = Creation.full("clamp", g.backend(), g.dtype(), low);
        Value highest = Creation.full("clamp", g.backend(), g.dtype(), high);
        Value above = Elementwise.where(Elementwise.binary("clamp", BinaryOp.LT, x, lowest), zero, g);
        return Elementwise.where(Elementwise.binary("clamp", BinaryOp.GT, x, highest), zero, above);
    }

    private static Value reluGradient(Value g, Value y) {
        Value zero = Creation.full("relu", g.backend(), g.dtype(), 0);
        return Elementwise.where(Elementwise.binary("relu", BinaryOp.GT, y, zero), g, zero);
    }

    /** {@code Phi(x) + x phi(x)}, with the normal distribution's Phi and phi. */
    private static Value geluSlope(Value x) {
        Value cdf = scale(shift(call(UnaryOp.ERF, scale(x, Math.sqrt(0.5))), 1), 0.5);
        Value pdf = scale(call(UnaryOp.EXP, scale(times(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
        return plus(cdf, times(x, pdf));
    }

    private static Value geluTanhSlope(Value x) {
        double root = Math.sqrt(2 / Math.PI);
        Value square = times(x, x);
        Value t = call(UnaryOp.TANH, times(x, shift(scale(square, root * 0.044715), root)));
        Value inner = shift(scale(square, root * 3 * 0.044715), root);
        return plus(scale(shift(t, 1), 0.5), scale(times(times(x, inner), oneMinus(times(t, t))), 0.5));
    }

    /** {@code s(x) (1 + x s(-x))}, with the sigmoid s: one less s(x) would have its error, times x. */
    private static Value siluSlope(Value x) {
        Value rest = call(UnaryOp.SIGMOID, scale(x, -1));
        return times(call(UnaryOp.SIGMOID, x), shift(times(x, rest), 1));
    }

    private static Value erfSlope(Value x) {
        return scale(call(UnaryOp.EXP, scale(times(x, x), -1)), 2 / Math.sqrt(Math.PI));
    }

    static Value times(Value a, Value b) {
        return Elementwise.binary("mul", BinaryOp.MUL, a, b);
    }

    static Value over(Value a, Value b) {
        return Elementwise.binary("div", BinaryOp.DIV, a, b);
    }

    static Value plus(Value a, Value b) {
        return Elementwise.binary("add", BinaryOp.ADD, a, b);
    }

    static Value minus(Value a, Value b) {
        return Elementwise.binary("sub", BinaryOp.SUB, a, b);
    }

    static Value divide(Value x, double divisor) {
        return Elementwise.unary("div", UnaryOp.DIV_SCALAR, x, divisor, 0);
    }

    static Value scale(Value x, double factor) {
        return Elementwise.unary("mul", UnaryOp.MUL_SCALAR, x, factor, 0);
    }

    static Value shift(Value x, double term) {
        return Elementwise.unary("add", UnaryOp.ADD_SCALAR, x, term, 0);
    }

    static Value oneMinus(Value x) {
        return shift(scale(x, -1), 1);
    }

    static Value pow(Value x, double exponent) {
        return Elementwise.unary("pow", UnaryOp.POW_SCALAR, x, exponent, 0);
    }

    static Value call(UnaryOp function, Value x) {
        return Elementwise.unary(function.name().toLowerCase(java.util.Locale.ROOT), function, x);
    }
}

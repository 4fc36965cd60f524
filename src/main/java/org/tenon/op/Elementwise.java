package org.tenon.op;

import static org.tenon.op.Graph.grads;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/** Elementwise functions of one, two and three inputs, broadcast as PyTorch does. */
public final class Elementwise {
    private Elementwise() {}

    /** A function without scalars. */
    public static Value unary(String op, UnaryOp function, Value x) {
        return unary(op, function, x, 0, 0);
    }

    /** A function of one input, {@code p0} and {@code p1} as {@link UnaryOp} says. */
    public static Value unary(String op, UnaryOp function, Value x, double p0, double p1) {
        x.checkOpen();
        check(op, function, x, p0, p1);
        boolean bool = function == UnaryOp.ISNAN || function == UnaryOp.NOT;
        Value out = Value.allocate(
                op, x.backend(), bool ? DType.BOOL : x.dtype(), x.layout().sizes());
        try (Pins _ = Pins.of(x, out)) {
            x.backend().kernels().unary(function, x.strided(), p0, p1, out.strided());
        }
        return bool || !GradMode.records(x) ? out : UnaryGradients.record(op, function, x, p0, p1, out);
    }

    private static void check(String op, UnaryOp function, Value x, double p0, double p1) {
        switch (function) {
            case ISNAN, NOT -> {}
            case NEG, ABS, SIGN, RELU -> Checks.notBool(op, x);
            case ADD_SCALAR, MUL_SCALAR -> {
                Checks.notBool(op, x);
                Checks.holds(op, x.dtype(), p0);
            }
            case CLAMP -> {
                Checks.notBool(op, x);
                Checks.bound(op, p0, x);
                Checks.bound(op, p1, x);
            }
            case EXP,
                    LOG,
                    LOG1P,
                    SQRT,
                    RSQRT,
                    RECIPROCAL,
                    SIN,
                    COS,
                    TANH,
                    SIGMOID,
                    GELU,
                    GELU_TANH,
                    SILU,
                    ERF,
                    DIV_SCALAR,
                    POW_SCALAR -> Checks.floating(op, x);
        }
    }

    /** A function of two inputs of one dtype. */
    public static Value binary(String op, BinaryOp function, Value a, Value b) {
        Checks.operands(op, a, b);
        Checks.sameDtype(op, a, b);
        check(op, function, a);
        long[] sizes = Checks.broadcast(op, a, b);
        Value out = Value.allocate(op, a.backend(), function.compares() ? DType.BOOL : a.dtype(), sizes);
        try (Pins _ = Pins.of(a, b, out)) {
            a.backend().kernels().binary(function, expanded(a, sizes), expanded(b, sizes), out.strided());
        }
        return function.compares() ? out : BinaryGradients.record(op, function, a, b, out);
    }

    private static void check(String op, BinaryOp function, Value a) {
        switch (function) {
            case ADD, MUL, EQ, NE, LT, LE, GT, GE -> {}
            case SUB, MAXIMUM, MINIMUM, RELU_GRAD, ABS_GRAD -> Checks.notBool(op, a);
            case DIV,
                    POW,
                    SQRT_GRAD,
                    RSQRT_GRAD,
                    RECIPROCAL_GRAD,
                    LOG1P_GRAD,
                    SIN_GRAD,
                    COS_GRAD,
                    TANH_GRAD,
                    SIGMOID_GRAD,
                    GELU_GRAD,
                    GELU_TANH_GRAD,
                    SILU_GRAD,
                    ERF_GRAD -> Checks.floating(op, a);
        }
    }

    /** A comparison with a number, which is rounded to a floating type; that of integers is exact. */
    public static Value compare(String op, BinaryOp function, Value x, double number) {
        x.checkOpen();
        boolean up = function == BinaryOp.LT || function == BinaryOp.GE;
        double bound = x.dtype().isFloating() ? number : up ? Math.ceil(number) : Math.floor(number);
        if (!x.dtype().isFloating() && !decides(bound, number, function, x.dtype())) {
            boolean all = switch (function) {
                case NE -> true;
                case LT, LE -> number > 0;
                case GT, GE -> number < 0;
                default -> false;
            };
            return Creation.full(op, x.backend(), DType.BOOL, all ? 1 : 0, x.sizes());
        }
        return Frame.result(() -> binary(op, function, x, Creation.full(op, x.backend(), x.dtype(), bound)));
    }

    /** Whether the answer depends on the element at all: the type has the number, or has numbers on both sides of it. */
    private static boolean decides(double bound, double number, BinaryOp function, DType dtype) {
        boolean equality = function == BinaryOp.EQ || function == BinaryOp.NE;
        return bound >= Checks.least(dtype) && bound < Checks.end(dtype) && !(equality && bound != number);
    }

    /** {@code condition ? a : b}, all three broadcast together. */
    public static Value where(Value condition, Value a, Value b) {
        Checks.operands("where", condition, a, b);
        Checks.bool("where", "the condition", condition);
        Checks.sameDtype("where", a, b);
        Checks.broadcast("where", a, b);
        Checks.broadcast("where", condition, a);
        long[] sizes = widest(Checks.broadcast("where", condition, b), Checks.broadcast("where", a, b));
        Value out = Value.allocate("where", a.backend(), a.dtype(), sizes);
        try (Pins _ = Pins.of(condition, a, b, out)) {
            a.backend()
                    .kernels()
                    .where(expanded(condition, sizes), expanded(a, sizes), expanded(b, sizes), out.strided());
        }
        long[] aSizes = a.sizes();
        long[] bSizes = b.sizes();
        return Graph.record(
                "where",
                out,
                in -> {
                    Value g = in.gradient();
                    Value zero = Creation.full("where", g.backend(), g.dtype(), 0);
                    return grads(
                            in.needs(0) ? sumTo(where(in.saved(0), g, zero), aSizes) : null,
                            in.needs(1) ? sumTo(where(in.saved(0), zero, g), bSizes) : null);
                },
                new Value[] {a, b},
                condition);
    }

    private static long[] widest(long[] x, long[] y) {
        long[] out = new long[Math.max(x.length, y.length)];
        for (int i = 1; i <= out.length; i++) {
            long p = i <= x.length ? x[x.length - i] : 1;
            long q = i <= y.length ? y[y.length - i] : 1;
            out[out.length - i] = p == 1 ? q : p;
        }
        return out;
    }

    static Strided expanded(Value x, long[] sizes) {
        return x.layout().expand(sizes).over(x.storage().buffer(), x.dtype());
    }

    /** The gradient of a broadcast: sums over the axes along which an operand was repeated. */
    static Value sumTo(Value g, long[] sizes) {
        if (Arrays.equals(g.layout().sizes(), sizes)) {
            return g;
        }
        int extra = g.rank() - sizes.length;
        int[] dims = java.util.stream.IntStream.range(0, g.rank())
                .filter(i -> i < extra || sizes[i - extra] == 1 && g.size(i) != 1)
                .toArray();
        return Views.reshape("sum", dims.length == 0 ? g : Reductions.reduce("sum", ReduceOp.SUM, g, dims), sizes);
    }
}

package org.tenon.contract;

import static org.tenon.contract.OpSpec.ALL;
import static org.tenon.contract.OpSpec.FLOATS;
import static org.tenon.contract.OpSpec.NUMBERS;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Tensor;

/** Specs of the ops that work element by element. */
final class ElementwiseSpecs {
    private ElementwiseSpecs() {}

    private static final List<OpSpec> SPECS = new ArrayList<>();

    private interface Op extends UnaryOperator<Tensor<Any, F32, Cpu>> {}

    private interface Op2 extends BinaryOperator<Tensor<Any, F32, Cpu>> {}

    private interface Comparison {
        Tensor<?, ?, ?> of(Tensor<Any, F32, Cpu> a, Tensor<Any, F32, Cpu> b);
    }

    static List<OpSpec> all() {
        if (SPECS.isEmpty()) {
            floats();
            numbers();
            pairs();
            comparisons();
        }
        return SPECS;
    }

    private static void unary(
            String method, List<DType> dtypes, List<List<Array>> samples, Op op, DoubleUnaryOperator reference) {
        SPECS.add(new OpSpec(
                method,
                method,
                dtypes,
                samples,
                x -> op.apply(x.get(0)),
                x -> x.get(0).map(reference),
                null,
                false));
    }

    private static void floats() {
        unary("exp", FLOATS, Samples.onesAndEdges(-4, 4), F::exp, Math::exp);
        unary("log", FLOATS, Samples.onesAndEdges(0.01, 9), F::log, Math::log);
        unary("log1p", FLOATS, Samples.onesAndEdges(-0.9, 9), F::log1p, Math::log1p);
        unary("sqrt", FLOATS, Samples.onesAndEdges(0, 9), F::sqrt, Math::sqrt);
        unary("rsqrt", FLOATS, Samples.onesAndEdges(0.1, 9), F::rsqrt, v -> 1 / Math.sqrt(v));
        unary("reciprocal", FLOATS, Samples.onesAndEdges(0.1, 9), F::reciprocal, v -> 1 / v);
        unary("sin", FLOATS, Samples.onesAndEdges(-9, 9), F::sin, Math::sin);
        unary("cos", FLOATS, Samples.onesAndEdges(-9, 9), F::cos, Math::cos);
        unary("tanh", FLOATS, Samples.onesAndEdges(-4, 4), F::tanh, Math::tanh);
        unary("sigmoid", FLOATS, Samples.onesAndEdges(-9, 9), F::sigmoid, Numbers::sigmoid);
        unary("silu", FLOATS, Samples.ones(-9, 9), F::silu, v -> v * Numbers.sigmoid(v));
        unary("gelu", FLOATS, Samples.ones(-6, 6), x -> F.gelu(x), Numbers::gelu);
        unary("gelu", FLOATS, Samples.ones(-6, 6), x -> F.gelu(x, F.Approximation.TANH), Numbers::geluTanh);
        unary("erf", FLOATS, Samples.onesAndEdges(-4, 4), F::erf, Numbers::erf);
        unary("pow", FLOATS, Samples.onesAndEdges(0.1, 3), x -> F.pow(x, 2.5), v -> Math.pow(v, 2.5));
        unary("pow", FLOATS, Samples.onesAndEdges(-3, 3), x -> F.pow(x, 2), v -> v * v);
        unary("pow", FLOATS, Samples.onesAndEdges(-3, 3), x -> F.pow(x, 0), v -> 1);
        unary("div", FLOATS, Samples.onesAndEdges(-3, 3), x -> F.div(x, 4), v -> v / 4);
    }

    private static void numbers() {
        unary("neg", NUMBERS, Samples.onesAndEdges(-9, 9), x -> x.neg(), v -> -v);
        unary("abs", NUMBERS, Samples.onesAndEdges(-9, 9), x -> x.abs(), Math::abs);
        unary("sign", NUMBERS, Samples.onesAndEdges(-9, 9), x -> x.sign(), Math::signum);
        unary("relu", FLOATS, Samples.onesAndEdges(-9, 9), F::relu, v -> Math.max(v, 0));
        unary("add", NUMBERS, Samples.onesAndEdges(-9, 9), x -> x.add(3), v -> v + 3);
        unary("sub", NUMBERS, Samples.onesAndEdges(-9, 9), x -> x.sub(3), v -> v - 3);
        unary("mul", NUMBERS, Samples.onesAndEdges(-9, 9), x -> x.mul(-2), v -> v * -2);
        unary(
                "clamp",
                NUMBERS,
                Samples.onesAndEdges(-9, 9),
                x -> x.clamp(-2, 3),
                v -> Double.isNaN(v) ? v : Math.min(Math.max(v, -2), 3));
        unary("clamp", NUMBERS, Samples.ones(-9, 9), x -> x.clamp(Double.NEGATIVE_INFINITY, 3), v -> Math.min(v, 3));
        SPECS.add(new OpSpec(
                "isnan",
                "isnan",
                ALL,
                Samples.onesAndEdges(-9, 9),
                x -> x.get(0).isnan(),
                x -> x.get(0).map(v -> Double.isNaN(v) ? 1 : 0),
                DType.BOOL,
                false));
        SPECS.add(new OpSpec(
                "logicalNot",
                "logicalNot",
                ALL,
                Samples.onesAndEdges(-1, 1),
                x -> x.get(0).logicalNot(),
                x -> x.get(0).map(v -> v == 0 ? 1 : 0),
                DType.BOOL,
                false));
    }

    private static void pair(
            String method, List<DType> dtypes, List<List<Array>> samples, Op2 op, DoubleBinaryOperator reference) {
        SPECS.add(new OpSpec(
                method,
                method + " of two",
                dtypes,
                samples,
                x -> op.apply(x.get(0), x.get(1)),
                x -> x.get(0).zip(x.get(1), reference),
                null,
                false));
    }

    private static void pairs() {
        pair("add", NUMBERS, Samples.pairsAndEdges(-9, 9), F::add, Double::sum);
        pair("sub", NUMBERS, Samples.pairsAndEdges(-9, 9), F::sub, (a, b) -> a - b);
        pair("mul", NUMBERS, Samples.pairsAndEdges(-9, 9), F::mul, (a, b) -> a * b);
        pair("div", FLOATS, Samples.pairsAndEdges(1, 9), F::div, (a, b) -> a / b);
        pair("pow", FLOATS, Samples.pairs(0.5, 2), F::pow, Math::pow);
        pair("maximum", NUMBERS, Samples.pairsAndEdges(-9, 9), F::maximum, Math::max);
        pair("minimum", NUMBERS, Samples.pairsAndEdges(-9, 9), F::minimum, Math::min);
        pair("add", NUMBERS, Samples.pairs(-9, 9).subList(0, 10), (a, b) -> a.add(b), Double::sum);
        pair("sub", NUMBERS, Samples.pairs(-9, 9).subList(0, 10), (a, b) -> a.sub(b), (a, b) -> a - b);
        pair("mul", NUMBERS, Samples.pairs(-9, 9).subList(0, 10), (a, b) -> a.mul(b), (a, b) -> a * b);
        pair("maximum", NUMBERS, Samples.pairs(-9, 9).subList(0, 10), (a, b) -> a.maximum(b), Math::max);
        pair("minimum", NUMBERS, Samples.pairs(-9, 9).subList(0, 10), (a, b) -> a.minimum(b), Math::min);
        SPECS.add(new OpSpec(
                "where",
                "where",
                ALL,
                Samples.pairs(-3, 3),
                x -> F.where(x.get(0).gt(x.get(1)), x.get(0), x.get(1)),
                x -> x.get(0).zip(x.get(1), (a, b) -> a > b ? a : b),
                null,
                false));
    }

    private static void compare(String method, Comparison op, DoubleBinaryOperator reference) {
        SPECS.add(new OpSpec(
                method,
                method,
                ALL,
                Samples.pairsAndEdges(-2, 2),
                x -> op.of(x.get(0), x.get(1)),
                x -> x.get(0).zip(x.get(1), reference),
                DType.BOOL,
                false));
    }

    private interface ToNumber {
        Tensor<?, ?, ?> of(Tensor<Any, F32, Cpu> a);
    }

    private static void compareToOne(String method, ToNumber op, DoubleBinaryOperator reference) {
        SPECS.add(new OpSpec(
                method,
                method + " a number",
                NUMBERS,
                Samples.onesAndEdges(-2, 2),
                x -> op.of(x.get(0)),
                x -> x.get(0).map(v -> reference.applyAsDouble(v, 1)),
                DType.BOOL,
                false));
    }

    private static void comparisons() {
        compare("eq", (a, b) -> a.eq(b), (a, b) -> a == b ? 1 : 0);
        compare("ne", (a, b) -> a.ne(b), (a, b) -> a != b ? 1 : 0);
        compare("lt", (a, b) -> a.lt(b), (a, b) -> a < b ? 1 : 0);
        compare("le", (a, b) -> a.le(b), (a, b) -> a <= b ? 1 : 0);
        compare("gt", (a, b) -> a.gt(b), (a, b) -> a > b ? 1 : 0);
        compare("ge", (a, b) -> a.ge(b), (a, b) -> a >= b ? 1 : 0);
        compareToOne("eq", a -> a.eq(1), (a, b) -> a == b ? 1 : 0);
        compareToOne("ne", a -> a.ne(1), (a, b) -> a != b ? 1 : 0);
        compareToOne("lt", a -> a.lt(1), (a, b) -> a < b ? 1 : 0);
        compareToOne("le", a -> a.le(1), (a, b) -> a <= b ? 1 : 0);
        compareToOne("gt", a -> a.gt(1), (a, b) -> a > b ? 1 : 0);
        compareToOne("ge", a -> a.ge(1), (a, b) -> a >= b ? 1 : 0);
    }
}

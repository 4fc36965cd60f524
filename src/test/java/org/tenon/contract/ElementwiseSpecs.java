package org.tenon.contract;

import static org.tenon.contract.Specs.ALL;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.NUMBERS;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;
import static org.tenon.contract.Specs.specials;

import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Tensor;

/** Functions of single elements and of pairs. */
final class ElementwiseSpecs {
    private ElementwiseSpecs() {}

    static void add(List<OpSpec> all) {
        unary(all);
        scalars(all);
        binary(all);
        comparisons(all);
        misc(all);
    }

    static Tensor<Any, F64, Cpu> made(Device<Cpu> device, Arr x) {
        return ContractTest.Layout.upload(device, x);
    }

    static Tensor<Any, F64, Cpu> closed(Device<Cpu> device) {
        Tensor<Any, F64, Cpu> x = made(device, Arr.vector(DType.F64, 1, 2));
        x.close();
        return x;
    }

    private static void floating(
            List<OpSpec> all, String name, OpSpec.Op op, DoubleUnaryOperator f, double low, double high) {
        OpSpec spec = spec(all, "F." + name);
        for (DType dtype : FLOATS) {
            spec.sample(dtype + " [3, 5]", op, x -> Reference.map(x.get(0), f), Arr.uniform(dtype, 1, low, high, 3, 5));
            spec.sample(dtype + " [67]", op, x -> Reference.map(x.get(0), f), Arr.uniform(dtype, 2, low, high, 67));
            spec.sample(dtype + " scalar", op, x -> Reference.map(x.get(0), f), Arr.uniform(dtype, 3, low, high));
            spec.sample(dtype + " [0, 3]", op, x -> Reference.map(x.get(0), f), Arr.uniform(dtype, 3, low, high, 0, 3));
            spec.sample(dtype + " specials", op, x -> Reference.map(x.get(0), f), specials(dtype));
        }
        spec.grad("[3, 4]", op, Arr.uniform(DType.F64, 4, low + 0.05, high, 3, 4));
        spec.refuses("a closed tensor", "after it was closed", d -> op.apply(in(d, closed(d))));
        for (DType dtype : List.of(DType.I64, DType.BOOL)) {
            if (!name.startsWith("relu") || dtype == DType.BOOL) {
                spec.refuses(
                        dtype.toString(),
                        "not defined for " + dtype,
                        d -> op.apply(in(d, made(d, Arr.any(dtype, 1, 3)))));
            }
        }
    }

    static OpSpec.In in(Device<Cpu> device, Tensor<?, ?, ?>... inputs) {
        return new OpSpec.In(
                device, java.util.Arrays.stream(inputs).map(OpSpec::untyped).toList());
    }

    private static void unary(List<OpSpec> all) {
        floating(all, "exp(Tensor)", x -> F.exp(x.a()), Math::exp, -5, 5);
        floating(all, "log(Tensor)", x -> F.log(x.a()), Math::log, 0.1, 9);
        floating(all, "log1p(Tensor)", x -> F.log1p(x.a()), Math::log1p, -0.9, 9);
        floating(all, "sqrt(Tensor)", x -> F.sqrt(x.a()), Math::sqrt, 0.1, 9);
        floating(all, "rsqrt(Tensor)", x -> F.rsqrt(x.a()), x -> 1 / Math.sqrt(x), 0.2, 9);
        floating(all, "reciprocal(Tensor)", x -> F.reciprocal(x.a()), x -> 1 / x, 0.2, 9);
        floating(all, "sin(Tensor)", x -> F.sin(x.a()), Math::sin, -9, 9);
        floating(all, "cos(Tensor)", x -> F.cos(x.a()), Math::cos, -9, 9);
        floating(all, "tanh(Tensor)", x -> F.tanh(x.a()), Math::tanh, -4, 4);
        floating(all, "sigmoid(Tensor)", x -> F.sigmoid(x.a()), Reference::sigmoid, -9, 9);
        floating(all, "relu(Tensor)", x -> F.relu(x.a()), x -> Reference.max(x, 0), -3, 3);
        floating(all, "silu(Tensor)", x -> F.silu(x.a()), x -> x * Reference.sigmoid(x), -20, 20);
        floating(all, "erf(Tensor)", x -> F.erf(x.a()), Reference::erf, -4, 4);
        floating(all, "gelu(Tensor)", x -> F.gelu(x.a()), Reference::gelu, -5, 5);
        floating(
                all,
                "gelu(Tensor,Approximation)",
                x -> F.gelu(x.a(), F.Approximation.TANH),
                Reference::geluTanh,
                -5,
                5);
        floating(all, "pow(Tensor,double)", x -> F.pow(x.a(), 3), x -> Reference.pow(x, 3), -3, 3);
        floating(all, "div(Tensor,double)", x -> F.div(x.a(), 3), x -> x / 3, -9, 9);
        OpSpec pow = spec(all, "F.pow(Tensor,double) exponents");
        for (double e : new double[] {0, 0.5, 1, 2, -1, -2.5}) {
            for (DType dtype : FLOATS) {
                pow.sample(
                        dtype + " to " + e,
                        x -> F.pow(x.a(), e),
                        x -> Reference.map(x.get(0), v -> Reference.pow(v, e)),
                        Arr.uniform(dtype, 1, 0.5, 3, 9));
                pow.sample(
                        dtype + " specials to " + e,
                        x -> F.pow(x.a(), e),
                        x -> Reference.map(x.get(0), v -> Reference.pow(v, e)),
                        specials(dtype));
            }
            pow.grad("to " + e, x -> F.pow(x.a(), e), Arr.uniform(DType.F64, 1, 0.5, 3, 5));
        }
        OpSpec div = spec(all, "F.div(Tensor,double) divisors");
        for (double by : new double[] {0, Double.POSITIVE_INFINITY, -7, 1e-310}) {
            div.sample(
                    "float64 by " + by,
                    x -> F.div(x.a(), by),
                    x -> Reference.map(x.get(0), v -> v / by),
                    Arr.vector(DType.F64, 0, 1, -1, by, Double.NaN, 1e-310));
        }
        numeric(all, "neg()", x -> x.a().neg(), x -> -x, x -> -x, true);
        numeric(all, "abs()", x -> x.a().abs(), Math::abs, Math::abs, true);
        numeric(all, "sign()", x -> x.a().sign(), Reference::sign, Long::signum, false);
        numeric(all, "add(double)", x -> x.a().add(3), x -> x + 3, x -> x + 3, true);
        numeric(all, "sub(double)", x -> x.a().sub(3), x -> x - 3, x -> x - 3, true);
        numeric(all, "mul(double)", x -> x.a().mul(3), x -> x * 3, x -> x * 3, true);
        numeric(
                all,
                "clamp(double,double)",
                x -> x.a().clamp(-1, 2),
                x -> Reference.min(Reference.max(x, -1), 2),
                x -> Math.min(Math.max(x, -1), 2),
                true);
        specOf(all, "Tensor.clamp(double,double)")
                .refuses(
                        "bounds in the wrong order",
                        "above high",
                        d -> made(d, Arr.vector(DType.F64, 1)).clamp(2, 1));
        specOf(all, "Tensor.add(double)")
                .refuses(
                        "a fraction to integers",
                        "0.5 is no int32",
                        d -> made(d, Arr.any(DType.I32, 1, 3)).add(0.5));
        specOf(all, "Tensor.mul(double)")
                .refuses(
                        "a fraction to integers",
                        "0.5 is no int64",
                        d -> made(d, Arr.any(DType.I64, 1, 3)).mul(0.5));
    }

    static OpSpec specOf(List<OpSpec> all, String name) {
        return all.stream().filter(spec -> spec.name.equals(name)).findFirst().orElseThrow();
    }

    private static void numeric(
            List<OpSpec> all, String name, OpSpec.Op op, DoubleUnaryOperator f, LongUnaryOperator n, boolean gradient) {
        OpSpec spec = spec(all, "Tensor." + name);
        for (DType dtype : NUMBERS) {
            OpSpec.Ref ref = x -> Reference.map(x.get(0), f, n);
            spec.sample(dtype + " [3, 5]", op, ref, Arr.any(dtype, 1, 3, 5));
            spec.sample(dtype + " [2, 3, 67]", op, ref, Arr.any(dtype, 2, 2, 3, 67));
            spec.sample(dtype + " scalar", op, ref, Arr.any(dtype, 3));
            spec.sample(dtype + " [2, 0]", op, ref, Arr.any(dtype, 3, 2, 0));
            spec.sample(dtype + " extremes", op, ref, dtype.isFloating() ? specials(dtype) : extremes(dtype));
        }
        if (gradient) {
            spec.grad("[3, 4]", op, Arr.uniform(DType.F64, 4, 0.1, 1.9, 3, 4));
            spec.grad("[4] below 0", op, Arr.uniform(DType.F64, 4, -5, -1.1, 4));
        }
        spec.refuses("a closed tensor", "after it was closed", d -> op.apply(in(d, closed(d))));
        spec.refuses("bool", "not defined for bool", d -> op.apply(in(d, made(d, Arr.any(DType.BOOL, 1, 3)))));
    }

    static Arr extremes(DType dtype) {
        long max = dtype == DType.I32 ? Integer.MAX_VALUE : Long.MAX_VALUE;
        return Arr.longs(dtype, dims(8), new long[] {0, 1, -1, max, max - 1, -max - 1, -max, max / 2 + 1});
    }

    private static void scalars(List<OpSpec> all) {
        OpSpec isnan = spec(all, "Tensor.isnan()");
        OpSpec not = spec(all, "Tensor.logicalNot()");
        for (DType dtype : ALL) {
            Arr x = dtype.isFloating() ? specials(dtype) : Arr.any(dtype, 1, 19);
            isnan.exact(dtype + "", in -> in.a().isnan(), in -> bools(in.get(0), Double::isNaN), x);
            not.exact(dtype + "", in -> in.a().logicalNot(), in -> bools(in.get(0), v -> v == 0), x);
            isnan.exact(
                    dtype + " [2, 3, 5]",
                    in -> in.a().isnan(),
                    in -> bools(in.get(0), Double::isNaN),
                    Arr.any(dtype, 1, 2, 3, 5));
        }
    }

    private static Arr bools(Arr x, java.util.function.DoublePredicate test) {
        long[] out = new long[x.count()];
        for (int i = 0; i < out.length; i++) {
            out[i] = test.test(x.at(i)) ? 1 : 0;
        }
        return Arr.longs(DType.BOOL, x.shape(), out);
    }

    private record Pair(String name, Arr a, Arr b) {}

    private static List<Pair> pairs(DType dtype, boolean lowerRank, boolean positive) {
        java.util.function.BiFunction<Integer, long[], Arr> make =
                (seed, shape) -> positive ? Arr.uniform(dtype, seed, 0.3, 3, shape) : Arr.any(dtype, seed, shape);
        List<Pair> pairs = new java.util.ArrayList<>(List.of(
                new Pair("[3, 5] with [3, 5]", make.apply(1, dims(3, 5)), make.apply(2, dims(3, 5))),
                new Pair("[3, 5] with [1, 5]", make.apply(1, dims(3, 5)), make.apply(2, dims(1, 5))),
                new Pair("[3, 1] with [1, 5]", make.apply(1, dims(3, 1)), make.apply(2, dims(1, 5))),
                new Pair("[131] with [1]", make.apply(1, dims(131)), make.apply(2, dims(1))),
                new Pair("scalars", make.apply(1, dims()), make.apply(2, dims())),
                new Pair("[0, 5] with [1, 5]", make.apply(1, dims(0, 5)), make.apply(2, dims(1, 5))),
                new Pair("[2, 3, 4] with [2, 1, 4]", make.apply(1, dims(2, 3, 4)), make.apply(2, dims(2, 1, 4)))));
        if (lowerRank) {
            pairs.add(new Pair("[3, 5] with [5]", make.apply(1, dims(3, 5)), make.apply(2, dims(5))));
            pairs.add(new Pair("[3, 5] with scalar", make.apply(1, dims(3, 5)), make.apply(2, dims())));
            pairs.add(new Pair("[4, 1, 3] with [2, 1]", make.apply(1, dims(4, 1, 3)), make.apply(2, dims(2, 1))));
        }
        return pairs;
    }

    private static void pairwise(
            List<OpSpec> all,
            String name,
            List<DType> dtypes,
            OpSpec.Op op,
            DoubleBinaryOperator f,
            LongBinaryOperator n) {
        OpSpec spec = spec(all, name);
        boolean lowerRank = name.startsWith("F.");
        boolean positive = n == null;
        OpSpec.Ref ref = x -> Reference.zip(x.get(0), x.get(1), f, n);
        for (DType dtype : dtypes) {
            for (Pair pair : pairs(dtype, lowerRank, positive)) {
                spec.sample(dtype + " " + pair.name, op, ref, pair.a, pair.b);
            }
            if (dtype.isFloating()) {
                Arr x = specials(dtype);
                spec.sample(dtype + " specials", op, ref, x.reshaped(x.count(), 1), x.reshaped(1, x.count()));
            } else if (dtype != DType.BOOL) {
                Arr x = extremes(dtype);
                spec.sample(dtype + " wrap-around", op, ref, x.reshaped(8, 1), x.reshaped(1, 8));
            }
        }
        for (Pair pair : pairs(DType.F64, lowerRank, positive)) {
            spec.grad(pair.name, op, small(pair.a), small(pair.b));
        }
        spec.refuses(
                "sizes that do not broadcast",
                "do not broadcast",
                d -> op.apply(in(d, made(d, Arr.any(DType.F64, 1, 2, 3)), made(d, Arr.any(DType.F64, 1, 2, 4)))));
        spec.refuses(
                "two dtypes",
                "element types differ",
                d -> op.apply(in(d, made(d, Arr.any(DType.F64, 1, 3)), made(d, Arr.any(DType.F32, 1, 3)))));
        spec.refuses(
                "a closed operand",
                "after it was closed",
                d -> op.apply(in(d, made(d, Arr.any(DType.F64, 1, 2)), closed(d))));
        if (lowerRank) {
            spec.refuses(
                    "a second of higher rank",
                    "more than the first",
                    d -> op.apply(in(d, made(d, Arr.any(DType.F64, 1, 3)), made(d, Arr.any(DType.F64, 1, 3, 3)))));
        }
    }

    private static Arr small(Arr x) {
        return x.count() > 30 ? Arr.floats(x.dtype(), dims(9), java.util.Arrays.copyOf(x.f(), 9)) : x;
    }

    private static void binary(List<OpSpec> all) {
        List<DType> withBool = ALL;
        DoubleBinaryOperator add = (a, b) -> a + b;
        DoubleBinaryOperator sub = (a, b) -> a - b;
        DoubleBinaryOperator mul = (a, b) -> a * b;
        LongBinaryOperator addN = (a, b) -> a + b;
        LongBinaryOperator subN = (a, b) -> a - b;
        LongBinaryOperator mulN = (a, b) -> a * b;
        List<DType> n = withBool.subList(0, 6);
        pairwise(all, "Tensor.add(Tensor)", n, x -> x.a().add(x.b()), add, addN);
        pairwise(all, "Tensor.sub(Tensor)", n, x -> x.a().sub(x.b()), sub, subN);
        pairwise(all, "Tensor.mul(Tensor)", withBool, x -> x.a().mul(x.b()), mul, mulN);
        pairwise(all, "Tensor.maximum(Tensor)", n, x -> x.a().maximum(x.b()), Reference::max, Math::max);
        pairwise(all, "Tensor.minimum(Tensor)", n, x -> x.a().minimum(x.b()), Reference::min, Math::min);
        pairwise(all, "F.add(Tensor,Tensor)", n, x -> F.add(x.a(), x.b()), add, addN);
        pairwise(all, "F.sub(Tensor,Tensor)", n, x -> F.sub(x.a(), x.b()), sub, subN);
        pairwise(all, "F.mul(Tensor,Tensor)", withBool, x -> F.mul(x.a(), x.b()), mul, mulN);
        pairwise(all, "F.maximum(Tensor,Tensor)", n, x -> F.maximum(x.a(), x.b()), Reference::max, Math::max);
        pairwise(all, "F.minimum(Tensor,Tensor)", n, x -> F.minimum(x.a(), x.b()), Reference::min, Math::min);
        pairwise(all, "F.div(Tensor,Tensor)", FLOATS, x -> F.div(x.a(), x.b()), (a, b) -> a / b, null);
        pairwise(all, "F.pow(Tensor,Tensor)", FLOATS, x -> F.pow(x.a(), x.b()), Reference::pow, null);
        specOf(all, "Tensor.add(Tensor)")
                .exact(
                        "bool, which is or",
                        x -> x.a().add(x.b()),
                        x -> Reference.zip(x.get(0), x.get(1), add, (a, b) -> a | b),
                        Arr.any(DType.BOOL, 1, 5, 7),
                        Arr.any(DType.BOOL, 2, 1, 7));
    }

    private static void compared(
            List<OpSpec> all, String name, OpSpec.Op op, OpSpec.Op number, Reference.Test f, Reference.LongTest n) {
        OpSpec spec = spec(all, "Tensor." + name + "(Tensor)");
        OpSpec scalar = spec(all, "Tensor." + name + "(double)");
        OpSpec.Ref ref = x -> Reference.compare(x.get(0), x.get(1), f, n);
        OpSpec.Ref refNumber = x -> Reference.compare(x.get(0), Arr.of(x.get(0).dtype(), dims(), 1), f, n);
        for (DType dtype : ALL) {
            Arr a = Arr.any(dtype, 1, 5, 7);
            spec.exact(dtype + " [5, 7] with [1, 7]", op, ref, a, Arr.any(dtype, 2, 1, 7));
            spec.exact(dtype + " equal", op, ref, a, a);
            Arr x = dtype.isFloating() ? specials(dtype) : dtype == DType.BOOL ? Arr.any(dtype, 1, 3) : extremes(dtype);
            spec.exact(dtype + " specials", op, ref, x.reshaped(x.count(), 1), x.reshaped(1, x.count()));
            scalar.exact(dtype + " with 1", number, refNumber, x);
        }
        spec.refuses(
                "sizes that do not broadcast",
                "do not broadcast",
                d -> op.apply(in(d, made(d, Arr.any(DType.F64, 1, 2, 3)), made(d, Arr.any(DType.F64, 1, 2, 4)))));
        scalar.refuses("a closed tensor", "after it was closed", d -> number.apply(in(d, closed(d))));
    }

    private static void comparisons(List<OpSpec> all) {
        compared(all, "eq", x -> x.a().eq(x.b()), x -> x.a().eq(1), (a, b) -> a == b, (a, b) -> a == b);
        compared(all, "ne", x -> x.a().ne(x.b()), x -> x.a().ne(1), (a, b) -> a != b, (a, b) -> a != b);
        compared(all, "lt", x -> x.a().lt(x.b()), x -> x.a().lt(1), (a, b) -> a < b, (a, b) -> a < b);
        compared(all, "le", x -> x.a().le(x.b()), x -> x.a().le(1), (a, b) -> a <= b, (a, b) -> a <= b);
        compared(all, "gt", x -> x.a().gt(x.b()), x -> x.a().gt(1), (a, b) -> a > b, (a, b) -> a > b);
        compared(all, "ge", x -> x.a().ge(x.b()), x -> x.a().ge(1), (a, b) -> a >= b, (a, b) -> a >= b);
        specOf(all, "Tensor.lt(double)")
                .exact(
                        "int32 with 2.5, as between numbers",
                        x -> x.a().lt(2.5),
                        x -> bools(x.get(0), v -> v < 2.5),
                        Arr.vector(DType.I32, 1, 2, 3));
        specOf(all, "Tensor.eq(double)")
                .exact(
                        "int32 with 2.5, as between numbers",
                        x -> x.a().eq(2.5),
                        x -> bools(x.get(0), v -> v == 2.5),
                        Arr.vector(DType.I32, 1, 2, 3));
    }

    private static void misc(List<OpSpec> all) {
        OpSpec where = spec(all, "F.where(Tensor,Tensor,Tensor)");
        OpSpec.Op op = x -> F.where(x.bools(0), x.all().get(1), x.all().get(2));
        OpSpec.Ref ref = x -> Reference.where(x.get(0), x.get(1), x.get(2));
        for (DType dtype : ALL) {
            where.exact(
                    dtype + " [3, 5]",
                    op,
                    ref,
                    Arr.any(DType.BOOL, 1, 3, 5),
                    Arr.any(dtype, 2, 3, 5),
                    Arr.any(dtype, 3, 3, 5));
            where.exact(
                    dtype + " broadcast",
                    op,
                    ref,
                    Arr.any(DType.BOOL, 1, 3, 1),
                    Arr.any(dtype, 2, 1, 5),
                    Arr.any(dtype, 3, 3, 5));
        }
        where.grad(
                "broadcast",
                op,
                new int[] {1, 2},
                Arr.any(DType.BOOL, 1, 3, 4),
                Arr.any(DType.F64, 2, 1, 4),
                Arr.any(DType.F64, 3, 3, 1));
        where.refuses(
                "a condition that is not bool",
                "must be bool",
                d -> op.apply(in(
                        d,
                        made(d, Arr.any(DType.I32, 1, 3)),
                        made(d, Arr.any(DType.F32, 1, 3)),
                        made(d, Arr.any(DType.F32, 1, 3)))));
        OpSpec to = spec(all, "Tensor.to(DType)");
        to.view();
        for (DType from : ALL) {
            for (DType into : ALL) {
                to.exact(
                        from + " to " + into, x -> x.a().to(into), x -> x.get(0).as(into), Arr.any(from, 4, 5, 13));
                if (from.isFloating() && into.isFloating()) {
                    to.exact(
                            from + " specials to " + into,
                            x -> x.a().to(into),
                            x -> x.get(0).as(into),
                            specials(from));
                }
            }
        }
        to.exact(
                "int64 extremes wrap to int32",
                x -> x.a().to(DType.I32),
                x -> x.get(0).as(DType.I32),
                extremes(DType.I64));
        to.exact(
                "int64 extremes to float64",
                x -> x.a().to(DType.F64),
                x -> x.get(0).as(DType.F64),
                extremes(DType.I64));
        to.exact(
                "float64 ties to float16",
                x -> x.a().to(DType.F16),
                x -> x.get(0).as(DType.F16),
                Arr.vector(
                        DType.F64,
                        1 + 0x1p-11,
                        1 + 0x1p-11 + 0x1p-40,
                        1 + 0x3p-11,
                        65519.99,
                        65520,
                        0x1p-25,
                        0x1.0001p-25,
                        -0x1.8p-24));
        to.exact(
                "float64 ties to bfloat16",
                x -> x.a().to(DType.BF16),
                x -> x.get(0).as(DType.BF16),
                Arr.vector(DType.F64, 1 + 0x1p-8, 1 + 0x1p-8 + 0x1p-40, 1 + 0x3p-8, 3.4e38, -1e-40));
        to.grad("from float64 to float32 and back", x -> x.a().to(DType.F64), Arr.any(DType.F64, 1, 5));
        spec(all, "Tensor.to(Device)")
                .view()
                .exact("its own", x -> x.a().to(x.device()), x -> x.get(0), Arr.any(DType.F32, 1, 3, 4))
                .exact(
                        "by way of the CPU",
                        x -> x.a().to(org.tenon.Devices.cpu()).to(x.device()),
                        x -> x.get(0),
                        Arr.any(DType.F64, 1, 3, 4));
    }
}

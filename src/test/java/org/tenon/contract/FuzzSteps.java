package org.tenon.contract;

import static org.tenon.contract.OpSpec.asBools;
import static org.tenon.contract.OpSpec.asInts;
import static org.tenon.contract.OpSpec.untyped;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Tensor;
import org.tenon.spi.Extreme;

/** The steps that a random program is made of. Which are taken depends on shapes and types alone, never on values. */
final class FuzzSteps {
    /** A tensor, and what it holds. */
    record Held(Tensor<Any, F64, Cpu> tensor, Arr values) {}

    /** What a step did: its text, its result and what that must be. */
    record Made(String text, Tensor<?, ?, ?> result, Arr expected, double tolerance) {}

    /** A step, from a tensor and others to choose from; null where it does not fit. */
    interface Step {
        Made take(Held x, List<Held> pool, Random random);
    }

    private static final double LIMIT = 4;
    private static final int MOST = 3000;

    static final List<Step> ALL = List.of(
            FuzzSteps::unary,
            FuzzSteps::unary,
            FuzzSteps::binary,
            FuzzSteps::binary,
            FuzzSteps::compare,
            FuzzSteps::where,
            FuzzSteps::cast,
            FuzzSteps::permute,
            FuzzSteps::slice,
            FuzzSteps::select,
            FuzzSteps::unsqueeze,
            FuzzSteps::squeeze,
            FuzzSteps::expand,
            FuzzSteps::reshape,
            FuzzSteps::contiguous,
            FuzzSteps::cat,
            FuzzSteps::indexSelect,
            FuzzSteps::gather,
            FuzzSteps::sum,
            FuzzSteps::extreme,
            FuzzSteps::arg,
            FuzzSteps::topk,
            FuzzSteps::cumsum,
            FuzzSteps::softmax,
            FuzzSteps::matmul,
            FuzzSteps::copyFrom);

    private FuzzSteps() {}

    private static Made exact(String text, Tensor<?, ?, ?> result, Arr expected) {
        return new Made(text, result, expected, OpSpec.EXACT);
    }

    private static double tolerance(Arr x) {
        return OpSpec.tolerance(x.dtype());
    }

    private static boolean floating(Held x) {
        return x.values().dtype().isFloating();
    }

    private static int rank(Held x) {
        return x.values().shape().length;
    }

    private static int anyDim(Held x, Random random) {
        return random.nextInt(rank(x)) - (random.nextBoolean() ? rank(x) : 0);
    }

    private static long size(Held x, int dim) {
        return x.values().shape()[Reference.wrap(dim, rank(x))];
    }

    /** Floating values kept small, so that what follows neither overflows nor loses its digits. */
    private static Held small(Held x) {
        if (!floating(x)) {
            return x;
        }
        return new Held(
                x.tensor().clamp(-LIMIT, LIMIT),
                Reference.map(x.values(), v -> Double.isNaN(v) ? v : Math.clamp(v, -LIMIT, LIMIT)));
    }

    private record Function(String name, UnaryOperator<Tensor<Any, F64, Cpu>> op, DoubleUnaryOperator reference) {}

    private static final List<Function> FUNCTIONS = List.of(
            new Function("exp", F::exp, Math::exp),
            new Function("tanh", F::tanh, Math::tanh),
            new Function("sigmoid", F::sigmoid, Reference::sigmoid),
            new Function("silu", F::silu, v -> v * Reference.sigmoid(v)),
            new Function("gelu", F::gelu, Reference::gelu),
            new Function("relu", F::relu, v -> Double.isNaN(v) ? v : Math.max(v, 0)),
            new Function("sin", F::sin, Math::sin),
            new Function("cos", F::cos, Math::cos),
            new Function("erf", F::erf, Reference::erf),
            new Function("log1p of exp", x -> F.log1p(F.exp(x).to(DType.F64)), v -> Math.log1p(Math.exp(v))),
            new Function("neg", Tensor::neg, v -> -v),
            new Function("abs", Tensor::abs, Math::abs),
            new Function("sign", Tensor::sign, Reference::sign),
            new Function("mul 3", x -> x.mul(3), v -> v * 3),
            new Function("add 0.5", x -> x.add(0.5), v -> v + 0.5));

    private static Made unary(Held x, List<Held> pool, Random random) {
        Function function = FUNCTIONS.get(random.nextInt(FUNCTIONS.size()));
        if (!floating(x) || function.name().contains(" of ") && x.values().dtype() != DType.F64) {
            return null;
        }
        Held from = small(x);
        return new Made(
                function.name(),
                function.op().apply(from.tensor()),
                Reference.map(from.values(), function.reference()),
                2 * tolerance(x.values()));
    }

    /** Another tensor of the same type whose shape broadcasts with this one's, or this one with an axis cut to one. */
    private static Held partner(Held x, List<Held> pool, Random random) {
        List<Held> fit = new ArrayList<>();
        for (Held other : pool) {
            if (other.values().dtype() == x.values().dtype()
                    && rank(other) <= rank(x)
                    && broadcasts(x.values().shape(), other.values().shape())) {
                fit.add(other);
            }
        }
        Held other = fit.isEmpty() ? x : fit.get(random.nextInt(fit.size()));
        if (rank(other) > 0 && random.nextInt(3) == 0) {
            int dim = random.nextInt(rank(other));
            if (size(other, dim) > 0) {
                return new Held(other.tensor().slice(dim, 0, 1), Reference.slice(other.values(), dim, 0, 1, 1));
            }
        }
        return other;
    }

    private static boolean broadcasts(long[] a, long[] b) {
        long count = 1;
        for (int i = 1; i <= Math.max(a.length, b.length); i++) {
            long p = i <= a.length ? a[a.length - i] : 1;
            long q = i <= b.length ? b[b.length - i] : 1;
            if (p != q && p != 1 && q != 1) {
                return false;
            }
            count *= p == 1 ? q : p;
        }
        return count <= MOST;
    }

    private static Made binary(Held x, List<Held> pool, Random random) {
        if (x.values().dtype() == DType.BOOL) {
            return null;
        }
        Held a = small(x);
        Held b = small(partner(x, pool, random));
        double tolerance = 4 * tolerance(x.values());
        return switch (random.nextInt(6)) {
            case 0 ->
                new Made(
                        "add",
                        F.add(a.tensor(), b.tensor()),
                        Reference.zip(a.values(), b.values(), Double::sum, Long::sum),
                        tolerance);
            case 1 ->
                new Made(
                        "sub",
                        F.sub(a.tensor(), b.tensor()),
                        Reference.zip(a.values(), b.values(), (p, q) -> p - q, (p, q) -> p - q),
                        tolerance);
            case 2 ->
                new Made(
                        "mul",
                        F.mul(a.tensor(), b.tensor()),
                        Reference.zip(a.values(), b.values(), (p, q) -> p * q, (p, q) -> p * q),
                        tolerance);
            case 3 ->
                exact(
                        "maximum",
                        F.maximum(a.tensor(), b.tensor()),
                        Reference.zip(a.values(), b.values(), Reference::max, Math::max));
            case 4 ->
                exact(
                        "minimum",
                        F.minimum(a.tensor(), b.tensor()),
                        Reference.zip(a.values(), b.values(), Reference::min, Math::min));
            default ->
                floating(x)
                        ? new Made(
                                "div",
                                F.div(a.tensor(), b.tensor()),
                                Reference.zip(a.values(), b.values(), (p, q) -> p / q, null),
                                tolerance)
                        : null;
        };
    }

    private static Made compare(Held x, List<Held> pool, Random random) {
        double number = random.nextInt(3) - 1;
        Arr y = Arr.of(x.values().dtype(), Arr.dims(), number);
        return switch (x.values().dtype() == DType.BOOL ? 3 : random.nextInt(3)) {
            case 0 ->
                exact(
                        "lt " + number,
                        x.tensor().lt(number),
                        Reference.compare(x.values(), y, (p, q) -> p < q, (p, q) -> p < q));
            case 1 ->
                exact(
                        "ge " + number,
                        x.tensor().ge(number),
                        Reference.compare(x.values(), y, (p, q) -> p >= q, (p, q) -> p >= q));
            case 2 ->
                exact(
                        "eq " + number,
                        x.tensor().eq(number),
                        Reference.compare(x.values(), y, (p, q) -> p == q, (p, q) -> p == q));
            default -> exact("logicalNot", x.tensor().logicalNot(), Reference.mapLong(x.values(), v -> v == 0 ? 1 : 0));
        };
    }

    private static Made where(Held x, List<Held> pool, Random random) {
        for (Held condition : pool) {
            if (condition.values().dtype() == DType.BOOL
                    && rank(condition) == rank(x)
                    && broadcasts(condition.values().shape(), x.values().shape())) {
                Held other = partner(x, pool, random);
                long[] both = Reference.broadcast(
                        condition.values().shape(), x.values().shape());
                if (!broadcasts(both, other.values().shape())) {
                    return null;
                }
                return exact(
                        "where",
                        F.where(asBools(condition.tensor()), x.tensor(), other.tensor()),
                        Reference.where(condition.values(), x.values(), other.values()));
            }
        }
        return null;
    }

    private static Made cast(Held x, List<Held> pool, Random random) {
        List<DType> types = List.of(DType.F32, DType.F16, DType.BF16, DType.I32, DType.I64, DType.BOOL, DType.F64);
        DType to = types.get(random.nextInt(x.tensor().device().supports(DType.F64) ? 7 : 6));
        Held from = small(x);
        return exact("to " + to, from.tensor().to(to), from.values().as(to));
    }

    private static Made permute(Held x, List<Held> pool, Random random) {
        int[] order = new int[rank(x)];
        Arrays.setAll(order, i -> i);
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        return exact(
                "permute " + Arrays.toString(order), x.tensor().permute(order), Reference.permute(x.values(), order));
    }

    private static Made slice(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0) {
            return null;
        }
        int dim = random.nextInt(rank(x));
        int size = (int) size(x, dim);
        int start = random.nextInt(size + 1);
        int end = start + random.nextInt(size - start + 1);
        int step = 1 + random.nextInt(3);
        return exact(
                "slice " + dim + ": " + start + ", " + end + ", " + step,
                x.tensor().slice(dim, start, end, step),
                Reference.slice(x.values(), dim, start, end, step));
    }

    private static Made select(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0) {
            return null;
        }
        int dim = random.nextInt(rank(x));
        if (size(x, dim) == 0) {
            return null;
        }
        int index = random.nextInt((int) size(x, dim));
        Arr one = Reference.slice(x.values(), dim, index, index + 1, 1);
        return exact(
                "select " + dim + ": " + index,
                x.tensor().select(dim, index),
                one.reshaped(Reference.without(one.shape(), dim)));
    }

    private static Made unsqueeze(Held x, List<Held> pool, Random random) {
        if (rank(x) >= 5) {
            return null;
        }
        int dim = random.nextInt(rank(x) + 1);
        long[] shape = new long[rank(x) + 1];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = i == dim ? 1 : x.values().shape()[i < dim ? i : i - 1];
        }
        return exact("unsqueeze " + dim, x.tensor().unsqueeze(dim), x.values().reshaped(shape));
    }

    private static Made squeeze(Held x, List<Held> pool, Random random) {
        for (int dim = 0; dim < rank(x); dim++) {
            if (size(x, dim) == 1) {
                return exact(
                        "squeeze " + dim,
                        x.tensor().squeeze(dim),
                        x.values().reshaped(Reference.without(x.values().shape(), dim)));
            }
        }
        return null;
    }

    private static Made expand(Held x, List<Held> pool, Random random) {
        long[] shape = x.values().shape().clone();
        for (int dim = 0; dim < shape.length; dim++) {
            shape[dim] = shape[dim] == 1 ? 1 + random.nextInt(5) : shape[dim];
        }
        if (shape.length < 4 && random.nextBoolean()) {
            shape = Reference.joined(Arr.dims(1 + random.nextInt(3)), shape);
        }
        if (Arr.count(shape) > MOST) {
            return null;
        }
        return exact(
                "expand " + Arrays.toString(shape),
                x.tensor().expand(Any.of(shape)),
                Reference.expand(x.values(), shape));
    }

    private static Made reshape(Held x, List<Held> pool, Random random) {
        long count = x.values().count();
        long divisor = 1 + random.nextInt(6);
        long[] shape =
                count % divisor == 0 && random.nextBoolean() ? Arr.dims(divisor, count / divisor) : Arr.dims(count);
        return exact(
                "reshape " + Arrays.toString(shape),
                x.tensor().reshape(shape),
                x.values().reshaped(shape));
    }

    private static Made contiguous(Held x, List<Held> pool, Random random) {
        return random.nextBoolean()
                ? exact("contiguous", x.tensor().contiguous(), x.values())
                : exact("copy", x.tensor().copy(), x.values());
    }

    private static Made cat(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0 || 3 * x.values().count() > MOST) {
            return null;
        }
        int dim = random.nextInt(rank(x));
        Made part = slice(x, pool, random);
        if (!Arrays.equals(
                Reference.without(part.expected().shape(), dim),
                Reference.without(x.values().shape(), dim))) {
            return null;
        }
        return exact(
                "cat with " + part.text(),
                F.cat(List.of(x.tensor(), untyped(part.result()), x.tensor()), dim),
                Reference.cat(List.of(x.values(), part.expected(), x.values()), dim));
    }

    private static Made indexSelect(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0) {
            return null;
        }
        int dim = random.nextInt(rank(x));
        if (size(x, dim) == 0 || 2 * x.values().count() > MOST) {
            return null;
        }
        Arr index = Arr.ints(
                random.nextBoolean() ? DType.I64 : DType.I32,
                random.nextInt(1000),
                0,
                size(x, dim),
                1 + random.nextInt(2 * (int) size(x, dim)));
        return exact(
                "indexSelect " + dim + " of " + index.count(),
                x.tensor().indexSelect(dim, asInts(made(x, index))),
                Reference.indexSelect(x.values(), dim, index));
    }

    private static Made gather(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0) {
            return null;
        }
        int dim = random.nextInt(rank(x));
        if (size(x, dim) == 0) {
            return null;
        }
        long[] shape = x.values().shape().clone();
        shape[dim] = 1 + random.nextInt((int) size(x, dim));
        Arr index = Arr.ints(DType.I64, random.nextInt(1000), 0, size(x, dim), shape);
        return exact(
                "gather " + dim,
                x.tensor().gather(dim, asInts(made(x, index))),
                Reference.gather(x.values(), dim, index));
    }

    private static Tensor<?, ?, ?> made(Held beside, Arr values) {
        return beside.tensor().device().tensor(values.bytes(), Any.of(values.shape()), values.dtype());
    }

    private static int[] someDims(Held x, Random random) {
        int[] all = new int[rank(x)];
        int count = 0;
        for (int dim = 0; dim < all.length; dim++) {
            if (random.nextBoolean()) {
                all[count++] = dim;
            }
        }
        return count == 0 ? new int[] {anyDim(x, random)} : Arrays.copyOf(all, count);
    }

    private static Made sum(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0 || x.values().dtype() == DType.BOOL) {
            return null;
        }
        Held from = small(x);
        int[] dims = someDims(x, random);
        boolean keep = random.nextBoolean();
        long terms = 1;
        for (int dim : dims) {
            terms *= size(x, dim);
        }
        return new Made(
                "sum " + Arrays.toString(dims) + (keep ? " keeping" : ""),
                keep ? from.tensor().sumKeepDim(dims) : from.tensor().sum(dims),
                Reference.reduce(
                        from.values(),
                        keep,
                        Reference::sum,
                        row -> Arrays.stream(row).sum(),
                        dims),
                tolerance(x.values()) * Math.max(1, LIMIT * terms / 16));
    }

    private static Made extreme(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0 || x.values().count() == 0 || x.values().dtype() == DType.BOOL) {
            return null;
        }
        int[] dims = someDims(x, random);
        return random.nextBoolean()
                ? exact(
                        "max " + Arrays.toString(dims),
                        x.tensor().max(dims),
                        Reference.reduce(
                                x.values(),
                                false,
                                row -> Arrays.stream(row).reduce(Double.NEGATIVE_INFINITY, Reference::max),
                                row -> Arrays.stream(row).max().orElseThrow(),
                                dims))
                : exact(
                        "minKeepDim " + Arrays.toString(dims),
                        x.tensor().minKeepDim(dims),
                        Reference.reduce(
                                x.values(),
                                true,
                                row -> Arrays.stream(row).reduce(Double.POSITIVE_INFINITY, Reference::min),
                                row -> Arrays.stream(row).min().orElseThrow(),
                                dims));
    }

    private static Made arg(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0 || x.values().count() == 0 || x.values().dtype() == DType.BOOL) {
            return null;
        }
        int dim = anyDim(x, random);
        return random.nextBoolean()
                ? exact("argmax " + dim, x.tensor().argmax(dim), Reference.arg(x.values(), true, dim))
                : exact("argmin " + dim, x.tensor().argmin(dim), Reference.arg(x.values(), false, dim));
    }

    private static Made topk(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0 || x.values().count() == 0 || x.values().dtype() == DType.BOOL) {
            return null;
        }
        int dim = anyDim(x, random);
        int k = 1 + random.nextInt((int) size(x, dim));
        boolean largest = random.nextBoolean();
        var top = x.tensor().topk(k, dim, largest ? Extreme.LARGEST : Extreme.SMALLEST);
        return random.nextBoolean()
                ? exact("topk " + k + " along " + dim, top.values(), Reference.topk(x.values(), k, dim, largest, false))
                : exact(
                        "topk's indices " + k + " along " + dim,
                        top.indices(),
                        Reference.topk(x.values(), k, dim, largest, true));
    }

    private static Made cumsum(Held x, List<Held> pool, Random random) {
        if (rank(x) == 0 || x.values().dtype() == DType.BOOL) {
            return null;
        }
        Held from = small(x);
        int dim = anyDim(x, random);
        return new Made(
                "cumsum " + dim,
                from.tensor().cumsum(dim),
                Reference.cumsum(from.values(), dim),
                tolerance(x.values()) * Math.max(1, LIMIT * size(x, dim) / 16));
    }

    private static Made softmax(Held x, List<Held> pool, Random random) {
        if (!floating(x) || rank(x) == 0) {
            return null;
        }
        int dim = anyDim(x, random);
        boolean log = random.nextBoolean();
        return new Made(
                (log ? "logSoftmax " : "softmax ") + dim,
                log ? F.logSoftmax(x.tensor(), dim) : F.softmax(x.tensor(), dim),
                Reference.softmax(x.values(), dim, x.values().dtype(), log),
                2 * tolerance(x.values()));
    }

    private static Made matmul(Held x, List<Held> pool, Random random) {
        if (!floating(x) || rank(x) < 2 || rank(x) > 3) {
            return null;
        }
        Held a = small(x);
        Tensor<Any, F64, Cpu> t = a.tensor().transpose(rank(x) - 2, rank(x) - 1);
        int[] order = new int[rank(x)];
        Arrays.setAll(order, i -> i);
        order[rank(x) - 1] = rank(x) - 2;
        order[rank(x) - 2] = rank(x) - 1;
        long inner = size(x, -1);
        Arr product = Reference.matmul(a.values(), Reference.permute(a.values(), order));
        if (product.count() > MOST) {
            return null;
        }
        return new Made(
                "matmul with its transpose",
                a.tensor().matmul(t),
                product,
                tolerance(x.values()) * Math.max(1, LIMIT * LIMIT * inner / 16));
    }

    private static Made copyFrom(Held x, List<Held> pool, Random random) {
        Tensor<Any, F64, Cpu> target = untyped(
                x.tensor().device().zeros(Any.of(x.values().shape()), x.values().dtype()));
        target.copyFrom(x.tensor());
        return exact("copyFrom", target, x.values());
    }
}

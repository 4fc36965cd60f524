package org.tenon.op;

import static org.tenon.op.UnaryGradients.plus;
import static org.tenon.op.UnaryGradients.scale;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.DType;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.TensorArgumentException;
import org.tenon.spi.Backend;
import org.tenon.spi.RandomOp;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/** Values from a generator, and the ops that use chance. */
public final class Random {
    /** Half of the least positive number that float32 draws: its logarithm, like those of all below 1, is finite. */
    private static final double LEAST_UNIFORM = 0x1p-25;

    private Random() {}

    /** {@code p0} and {@code p1} as {@link RandomOp} says. */
    public static Value create(
            String op,
            RandomOp kind,
            Backend backend,
            DType dtype,
            double p0,
            double p1,
            Generator generator,
            long... sizes) {
        check(op, kind, dtype, p0, p1);
        Value out = Value.allocate(op, backend, dtype, Checks.newSizes(op, sizes));
        long counters = kind.counters(out.count(), dtype);
        try (Pins _ = Pins.of(out)) {
            Strided numbers = out.strided();
            if (!Capture.draws(kind, generator, counters, p0, p1, numbers)) {
                long offset = generator.advance(counters);
                backend.kernels().random(kind, generator.seed(), offset, p0, p1, numbers);
            }
        }
        return out;
    }

    private static void check(String op, RandomOp kind, DType dtype, double p0, double p1) {
        boolean good = switch (kind) {
            case UNIFORM -> p0 <= p1;
            case INTEGERS -> p0 < p1;
            case NORMAL -> p1 >= 0;
            case BERNOULLI -> p0 >= 0 && p0 <= 1;
        };
        if (!good) {
            String wanted = switch (kind) {
                case UNIFORM -> "low <= high";
                case INTEGERS -> "low < high";
                case NORMAL -> "a standard deviation of 0 or more";
                case BERNOULLI -> "a probability in [0, 1]";
            };
            throw new TensorArgumentException(op, "parameters " + p0 + " and " + p1 + " are bad; give " + wanted);
        }
        if (kind == RandomOp.UNIFORM) {
            Checks.holdsRange(op, (Floating) dtype, p0, p1);
        } else if (kind == RandomOp.INTEGERS) {
            Checks.holds(op, dtype, p0);
            Checks.holds(op, dtype, p1 - 1);
        }
    }

    /** Integers of {@code [low, high)}, which float64 must hold: kernels take them as such. */
    public static Value integers(
            Backend backend, DType dtype, long low, long high, Generator generator, long... sizes) {
        if (Math.min(low, high) < -(1L << 53) || Math.max(low, high) > 1L << 53 || high - low > 1L << 53) {
            throw new TensorArgumentException(
                    "randint",
                    "bounds " + low + " and " + high + " are too large; give numbers of [-2^53, 2^53], at most 2^53"
                            + " apart, and add what is missing");
        }
        return create("randint", RandomOp.INTEGERS, backend, dtype, low, high, generator, sizes);
    }

    /** The numbers 0 to n - 1 in random order: the order of Fisher, Yates and Durstenfeld, drawn on the host. */
    public static Value permutation(Backend backend, long n, Generator generator) {
        if (n < 0) {
            throw new TensorArgumentException("permutation", "n " + n + " is negative; it is 0 or more");
        }
        Capture.refuse("permutation", "cannot draw on the host; draw before the step runs, and copyFrom() it");
        Value out = Value.allocate("permutation", backend, DType.I64, n);
        try (Arena arena = Arena.ofShared();
                Pins _ = Pins.of(out)) {
            MemorySegment order =
                    arena.allocate(Math.max(8, n * Long.BYTES), 64).asSlice(0, n * Long.BYTES);
            for (long i = 0; i < n; i++) {
                order.setAtIndex(ValueLayout.JAVA_LONG, i, i);
            }
            var chance = generator.stream(n);
            for (long i = n - 1; i > 0; i--) {
                long j = chance.below(i + 1);
                long swapped = order.getAtIndex(ValueLayout.JAVA_LONG, i);
                order.setAtIndex(ValueLayout.JAVA_LONG, i, order.getAtIndex(ValueLayout.JAVA_LONG, j));
                order.setAtIndex(ValueLayout.JAVA_LONG, j, swapped);
            }
            backend.upload(order, out.strided().buffer(), 0);
            return out;
        }
    }

    /** Elements set to 0 with probability {@code p}, the others scaled by {@code 1 / (1 - p)}. */
    public static Value dropout(Value x, double p, Generator generator) {
        Checks.operands("dropout", x);
        Checks.floating("dropout", x);
        Checks.probability("dropout", "probability", p, x);
        return Frame.result(() -> {
            if (p == 1) {
                return scale(x, 0);
            }
            Value drawn = Draws.place("dropout", x.backend());
            try (Pins _ = Pins.of(drawn)) {
                return dropped(x, Draws.take(p, generator, x.count(), x.dtype(), drawn), drawn);
            }
        });
    }

    /** Its gradient drops the same elements. */
    static Value dropped(Value x, Draws draws, Value drawn) {
        Value out = Value.allocate("dropout", x.backend(), x.dtype(), x.sizes());
        try (Operands all = Operands.of(x);
                Pins _ = Pins.of(all.value(0), drawn, out)) {
            x.backend().kernels().dropout(draws.dropout(drawn), all.strided(0), out.strided());
        }
        return Graph.record(
                "dropout", out, in -> Graph.grads(dropped(in.gradient(), draws, in.saved(0))), new Value[] {x}, drawn);
    }

    /** Whether {@link #gumbelSoftmax} gives one-hot vectors. */
    public enum Hardness {
        /** Probabilities. */
        SOFT,
        /** One-hot, with the gradient of the probabilities. */
        HARD
    }

    /** Softmax of {@code (x + g) / tau} with Gumbel noise g (Jang et al. 2017, Maddison et al. 2017). */
    public static Value gumbelSoftmax(Value x, double tau, Hardness hardness, int dim, Generator generator) {
        Checks.operands("gumbelSoftmax", x);
        Checks.floating("gumbelSoftmax", x);
        int axis = Checks.axis("gumbelSoftmax", dim, x);
        if (!(tau > 0)) {
            throw Checks.error("gumbelSoftmax", "tau " + tau + " is no temperature; it is above 0", x);
        }
        return Frame.result(() -> {
            DType wide = x.dtype().bytes() == 2 ? DType.F32 : x.dtype();
            Value uniform = create(
                    "gumbelSoftmax", RandomOp.UNIFORM, x.backend(), wide, LEAST_UNIFORM, 1, generator, x.sizes());
            Value noise = Copies.to(negativeLog(negativeLog(uniform)), x.dtype());
            Value soft = Softmax.apply(SoftmaxKind.SOFTMAX, scale(plus(x, noise), 1 / tau), axis);
            if (hardness == Hardness.SOFT) {
                return soft;
            }
            Value winner =
                    Reductions.reduce("argmax", ReduceOp.ARGMAX, soft, x.rank() == 0 ? new int[0] : new int[] {axis});
            Value at = x.rank() == 0 ? winner : Views.unsqueeze(winner, axis);
            Value classes = Creation.arange(x.backend(), DType.I64, 0, x.rank() == 0 ? 1 : x.size(axis), 1);
            long[] sizes = new long[x.rank()];
            java.util.Arrays.fill(sizes, 1);
            if (x.rank() > 0) {
                sizes[axis] = x.size(axis);
            }
            Value hard = Copies.to(
                    Elementwise.binary(
                            "gumbelSoftmax",
                            org.tenon.spi.BinaryOp.EQ,
                            Views.reshape("gumbelSoftmax", classes, sizes),
                            at),
                    x.dtype());
            return plus(UnaryGradients.minus(hard, Views.detach(soft)), soft);
        });
    }

    private static Value negativeLog(Value x) {
        return scale(UnaryGradients.call(UnaryOp.LOG, x), -1);
    }
}

package org.tenon.op;

import static org.tenon.op.Graph.grads;
import static org.tenon.op.UnaryGradients.plus;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.Generator;
import org.tenon.spi.Epilogue;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/**
 * What comes after a product, {@code residual + dropout(activation(x + bias))}, as one kernel. Backward is one for
 * {@code dx = dropout(g) * activation'(x + bias)}, which computes x + bias again, or dropout alone, or nothing; the gradient of the
 * residual is g, that of the bias the sum of dx over rows.
 */
public final class Epilogues {
    private static final String OP = "epilogue";

    private Epilogues() {}

    /**
     * What is not x.
     *
     * @param bias of the last size, or null
     * @param activation or null
     * @param dropout the probability
     * @param generator for it, or null
     * @param residual of the sizes of x, or null
     */
    public record Parts(Value bias, UnaryOp activation, double dropout, Generator generator, Value residual) {
        private boolean isNothing() {
            return bias == null && activation == null && dropout == 0 && residual == null;
        }
    }

    /** {@code x} itself where there is no part. */
    public static Value apply(Value x, Parts parts) {
        check(x, parts);
        return parts.isNothing() ? x : Frame.result(() -> joined(x, parts));
    }

    private static void check(Value x, Parts parts) {
        Checks.operands(OP, x, parts.bias(), parts.residual());
        Checks.floating(OP, x);
        if (parts.bias() != null) {
            Checks.sameDtype(OP, x, parts.bias());
            if (x.rank() == 0 || !Arrays.equals(parts.bias().sizes(), new long[] {x.size(x.rank() - 1)})) {
                throw Checks.error(
                        OP,
                        "the bias has shape " + Arrays.toString(parts.bias().sizes()) + "; "
                                + (x.rank() == 0
                                        ? "a scalar has no axis for it"
                                        : "one axis, as long as the last, is needed"),
                        x);
            }
        }
        if (parts.residual() != null) {
            Checks.sameDtype(OP, x, parts.residual());
            if (!Arrays.equals(parts.residual().sizes(), x.sizes())) {
                throw Checks.error(
                        OP,
                        "the residual has shape "
                                + Arrays.toString(parts.residual().sizes()) + "; that of the input is needed",
                        x);
            }
        }
        Checks.probability(OP, "dropout", parts.dropout(), x);
    }

    private static Value joined(Value x, Parts parts) {
        boolean draws = parts.dropout() > 0 && parts.dropout() < 1;
        Value drawn = draws ? Draws.place(OP, x.backend()) : null;
        Value out = Value.allocate(OP, x.backend(), x.dtype(), x.sizes());
        Rule rule;
        try (Operands all = Operands.of(x, parts.bias(), parts.residual());
                Pins _ = Pins.of(all.value(0), all.value(1), all.value(2), drawn, out)) {
            Draws draw = draws
                    ? Draws.take(parts.dropout(), parts.generator(), x.count(), x.dtype(), drawn)
                    : parts.dropout() == 0 ? null : new Draws(1, 0, 0);
            rule = new Rule(parts.activation(), draw);
            x.backend()
                    .kernels()
                    .epilogue(rule.epilogue(all.strided(1), drawn, all.strided(2)), all.strided(0), out.strided());
        }
        long[] biasSizes = parts.bias() == null ? null : parts.bias().sizes();
        boolean bends = parts.activation() != null;
        return Graph.record(
                OP,
                out,
                in -> rule.gradients(in, biasSizes),
                new Value[] {x, parts.bias(), parts.residual()},
                drawn,
                bends ? x : null,
                bends ? parts.bias() : null);
    }

    /**
     * What is not an operand.
     *
     * @param activation or null
     * @param draws which elements are dropped, or null
     */
    private record Rule(UnaryOp activation, Draws draws) {
        Epilogue epilogue(Strided bias, Value drawn, Strided residual) {
            return new Epilogue(activation, bias, draws == null ? null : draws.dropout(drawn), residual);
        }

        private Value[] gradients(Node.Incoming in, long[] biasSizes) {
            Value dx = in.needs(0) || in.needs(1) ? inner(in) : null;
            return grads(
                    in.needs(0) ? dx : null,
                    in.needs(1) ? Elementwise.sumTo(dx, biasSizes) : null,
                    in.needs(2) ? in.gradient() : null);
        }

        /** The gradient of {@code x + bias}. */
        private Value inner(Node.Incoming in) {
            Value g = in.gradient();
            Value drawn = in.saved(0);
            if (activation == null) {
                return draws == null ? g : Random.dropped(g, draws, drawn);
            }
            Value x = in.saved(1);
            Value bias = in.saved(2);
            if (GradMode.records(g, x, bias)) {
                return composed(g, x, bias, drawn);
            }
            Value dx = Value.allocate(OP, x.backend(), x.dtype(), x.sizes());
            try (Operands all = Operands.of(g, x, bias);
                    Pins _ = Pins.of(all.value(0), all.value(1), all.value(2), drawn, dx)) {
                x.backend()
                        .kernels()
                        .epilogueGrad(
                                epilogue(all.strided(2), drawn, null), all.strided(0), all.strided(1), dx.strided());
            }
            return dx;
        }

        /** The same out of ops that have gradients themselves, in float32 where the operands are half. */
        private Value composed(Value g, Value x, Value bias, Value drawn) {
            DType dtype = x.dtype();
            Value wide = Copies.widened(x);
            Value sum = bias == null ? wide : plus(wide, Copies.widened(bias));
            Value left = Copies.widened(g);
            Value kept = draws == null ? left : Random.dropped(left, draws, drawn);
            return Copies.to(UnaryGradients.slopeAt(activation, kept, sum), dtype);
        }
    }
}

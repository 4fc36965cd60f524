package org.tenon.op;

import static org.tenon.op.Graph.grads;
import static org.tenon.op.UnaryGradients.minus;
import static org.tenon.op.UnaryGradients.scale;
import static org.tenon.op.UnaryGradients.times;

import org.tenon.DType;
import org.tenon.spi.Attending;
import org.tenon.spi.AttentionKernels;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Strided;

/** Attention as a kernel each way, where the device has it. A gradient that shall have gradients itself is composed. */
final class TiledAttention {
    private static final String OP = "scaledDotProductAttention";
    private static final int RANK = 4;

    private TiledAttention() {}

    /** Whether there is a kernel for it. A bias that needs a gradient, and all that is empty, is for the other ops. */
    static boolean fits(Value q, Value k, Value v, Attention.Setting setting) {
        AttentionKernels kernels = q.backend().kernels().attention();
        boolean narrows = Precision.narrows(q, k, v);
        Value bias = setting.bias();
        return kernels != null
                && q.rank() <= RANK
                && setting.dropout() < 1
                && (bias == null || !narrows && !GradMode.records(bias))
                && q.count() > 0
                && k.count() > 0
                && v.count() > 0
                && kernels.takes(narrows ? Precision.current() : q.dtype(), four(q), four(k), four(v));
    }

    private static long[] four(Value x) {
        return layout(x).sizes();
    }

    /** With axes of size 1 before the others. */
    private static Layout layout(Value x) {
        Layout layout = x.layout();
        while (layout.rank() < RANK) {
            layout = layout.with(0, 1);
        }
        return layout;
    }

    private static Strided strided(Value x) {
        return layout(x).over(x.storage().buffer(), x.dtype());
    }

    /** {@code factor} is the scale of the scores. */
    static Value apply(Value q, Value k, Value v, Attention.Setting setting, double factor) {
        if (Precision.narrows(q, k, v)) {
            DType half = Precision.current();
            return Frame.result(() -> Copies.to(
                    apply(Copies.to(q, half), Copies.to(k, half), Copies.to(v, half), setting, factor), q.dtype()));
        }
        return Frame.result(() -> attend(rows(q), rows(k), rows(v), new Rule(setting, factor)));
    }

    /** With rows of neighbours. */
    private static Value rows(Value x) {
        int last = x.rank() - 1;
        return x.size(last) == 1 || x.layout().strides()[last] == 1 ? x : Copies.contiguous(x);
    }

    private static Value attend(Value q, Value k, Value v, Rule rule) {
        long[] sizes = q.sizes();
        sizes[sizes.length - 1] = v.size(v.rank() - 1);
        long[] scores = Attention.scoreSizes(q, k);
        Value drawn = rule.draws() ? Draws.place(OP, q.backend()) : null;
        Value top = Value.allocate(OP, q.backend(), DType.F32, Layout.remove(sizes, sizes.length - 1));
        Value share = Value.allocate(OP, q.backend(), DType.F32, Layout.remove(sizes, sizes.length - 1));
        Value out = Value.allocate(OP, q.backend(), q.dtype(), sizes);
        Value allowed = rule.setting.allowed();
        Value bias = rule.setting.bias();
        Rule drawing;
        try (Pins _ = Pins.of(q, k, v, allowed, bias, drawn, top, share, out)) {
            drawing = rule.drawing(q.dtype(), scores, drawn);
            Attending attending = drawing.attending(q, k, v, allowed, bias, drawn, top, share);
            q.backend().kernels().attention().forward(attending, strided(out));
        }
        return Graph.record(
                OP,
                out,
                in -> drawing.gradients(in),
                new Value[] {q, k, v},
                q,
                k,
                v,
                allowed,
                bias,
                drawn,
                top,
                share,
                out);
    }

    /**
     * What is not an operand.
     *
     * @param setting whose masks are operands
     * @param factor the scale of the scores
     * @param numbers of dropout once they are drawn, else null
     */
    private record Rule(Attention.Setting setting, double factor, Draws numbers) {
        Rule(Attention.Setting setting, double factor) {
            this(setting, factor, null);
        }

        boolean draws() {
            return setting.dropout() > 0;
        }

        /** With numbers for dropout, which {@code drawn} receives where launches are recorded. */
        Rule drawing(DType dtype, long[] scores, Value drawn) {
            if (!draws()) {
                return this;
            }
            long count = 1;
            for (long size : scores) {
                count *= size;
            }
            return new Rule(setting, factor, Draws.take(setting.dropout(), setting.generator(), count, dtype, drawn));
        }

        Attending attending(Value q, Value k, Value v, Value allowed, Value bias, Value drawn, Value top, Value share) {
            return new Attending(
                    strided(q),
                    strided(k),
                    strided(v),
                    factor,
                    setting.causal(),
                    mask(allowed, q, k),
                    mask(bias, q, k),
                    draws() ? numbers.dropout(drawn) : null,
                    top.strided(),
                    share.strided());
        }

        private static Strided mask(Value mask, Value q, Value k) {
            if (mask == null) {
                return null;
            }
            long[] sizes = four(q).clone();
            sizes[RANK - 1] = k.size(k.rank() - 2);
            return mask.layout().expand(sizes).over(mask.storage().buffer(), mask.dtype());
        }

        private Value[] gradients(Node.Incoming in) {
            Value q = in.saved(0);
            Value k = in.saved(1);
            Value v = in.saved(2);
            if (GradMode.records(in.gradient(), q, k, v)) {
                return composed(in);
            }
            Value g = rows(in.gradient());
            boolean keys = in.needs(1) || in.needs(2);
            Value dq = in.needs(0) ? Value.allocate(OP, q.backend(), q.dtype(), q.sizes()) : null;
            Value dk = keys ? Value.allocate(OP, q.backend(), q.dtype(), k.sizes()) : null;
            Value dv = keys ? Value.allocate(OP, q.backend(), q.dtype(), v.sizes()) : null;
            Value out = in.saved(8);
            try (Pins _ = Pins.of(
                    q, k, v, in.saved(3), in.saved(4), in.saved(5), in.saved(6), in.saved(7), out, g, dq, dk, dv)) {
                q.backend()
                        .kernels()
                        .attention()
                        .backward(
                                attending(q, k, v, in.saved(3), in.saved(4), in.saved(5), in.saved(6), in.saved(7)),
                                strided(g),
                                strided(out),
                                dq == null ? null : strided(dq),
                                dk == null ? null : strided(dk),
                                dv == null ? null : strided(dv));
            }
            return grads(dq, in.needs(1) ? dk : null, in.needs(2) ? dv : null);
        }

        /** The same out of ops that have gradients themselves, in float32 where the operands are half. */
        private Value[] composed(Node.Incoming in) {
            DType dtype = in.saved(0).dtype();
            Value q = Copies.widened(in.saved(0));
            Value k = Copies.widened(in.saved(1));
            Value v = Copies.widened(in.saved(2));
            Value g = Copies.widened(in.gradient());
            Value bias = in.saved(4) == null ? null : Copies.widened(in.saved(4));
            Value scores = product(scale(q, factor), turned(k));
            Value weights = Attention.weights(
                    scores, new Attention.Setting(setting.causal(), in.saved(3), bias, 0, null, factor));
            Value left = dropped(product(g, turned(v)), in.saved(5));
            Value mean = Reductions.reduceKeepDim(OP, ReduceOp.SUM, times(weights, left), weights.rank() - 1);
            Value ds = scale(times(weights, minus(left, mean)), factor);
            return grads(
                    in.needs(0) ? Copies.to(product(ds, k), dtype) : null,
                    in.needs(1) ? Copies.to(product(turned(ds), q), dtype) : null,
                    in.needs(2) ? Copies.to(product(turned(dropped(weights, in.saved(5))), g), dtype) : null);
        }

        private static Value product(Value x, Value y) {
            return MatMul.matmul(OP, x, y);
        }

        private static Value turned(Value x) {
            return Views.transpose(x, -1, -2);
        }

        private Value dropped(Value x, Value drawn) {
            return draws() ? Random.dropped(x, numbers, drawn) : x;
        }
    }
}

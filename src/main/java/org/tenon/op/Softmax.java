package org.tenon.op;

import static org.tenon.op.Graph.grads;
import static org.tenon.op.UnaryGradients.minus;
import static org.tenon.op.UnaryGradients.times;

import org.tenon.DType;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.UnaryOp;

/**
 * Softmax and log-softmax along an axis, in two passes: the maximum, then the sum of exponentials. The backward works from
 * the saved output, never the input.
 */
public final class Softmax {
    private Softmax() {}

    /** In the element type of {@code x}, which must be floating. */
    public static Value apply(SoftmaxKind kind, Value x, int dim) {
        return apply(kind, x, dim, x.dtype());
    }

    /** Of {@code x} cast to {@code as} first; a widening cast is part of the same pass. */
    public static Value apply(SoftmaxKind kind, Value x, int dim, DType as) {
        String op = name(kind);
        x.checkOpen();
        int axis = Checks.axis(op, dim, x);
        if (!as.isFloating()) {
            throw Checks.error(op, "not defined for " + as + "; give a floating dtype", x);
        }
        if (x.dtype() != as && !widens(x.dtype(), as)) {
            return Frame.result(() -> run(op, kind, Copies.to(x, as), axis, as));
        }
        return run(op, kind, x, axis, as);
    }

    private static String name(SoftmaxKind kind) {
        return switch (kind) {
            case LOG_SOFTMAX -> "logSoftmax";
            case SOFTMAX -> "softmax";
        };
    }

    /** Which casts are part of the same pass: those of half types to float32. */
    private static boolean widens(DType from, DType to) {
        return to == DType.F32 && (from == DType.F16 || from == DType.BF16);
    }

    private static Value run(String op, SoftmaxKind kind, Value x, int axis, DType as) {
        Rows rows = Rows.along(x.layout().sizes(), axis);
        DType original = x.dtype();
        Value y;
        try (Dense dense = Dense.of(x)) {
            y = Value.allocate(op, x.backend(), as, x.layout().sizes());
            try (Pins _ = Pins.of(dense.value(), y)) {
                x.backend().kernels().softmax(kind, dense.value().strided(), rows, y.strided());
            }
        }
        return Graph.record(
                op, y, in -> grads(gradient(kind, in.gradient(), in.saved(0), axis, original)), new Value[] {x}, y);
    }

    private static Value gradient(SoftmaxKind kind, Value g, Value y, int axis, DType original) {
        if (GradMode.records(g, y)) {
            return Copies.to(composedGradient(kind, Copies.widened(g), Copies.widened(y), axis), original);
        }
        Value dx;
        try (Dense dense = Dense.of(g)) {
            dx = Value.allocate("softmaxGrad", g.backend(), original, g.sizes());
            try (Pins _ = Pins.of(dense.value(), y, dx)) {
                g.backend()
                        .kernels()
                        .softmaxGrad(
                                kind, dense.value().strided(), y.strided(), Rows.along(g.sizes(), axis), dx.strided());
            }
        }
        return dx;
    }

    /** The same out of ops that have gradients themselves. */
    static Value composedGradient(SoftmaxKind kind, Value g, Value y, int axis) {
        int[] along = g.rank() == 0 ? new int[0] : new int[] {axis};
        return switch (kind) {
            case LOG_SOFTMAX ->
                minus(
                        g,
                        times(
                                UnaryGradients.call(UnaryOp.EXP, y),
                                Reductions.reduceKeepDim("sum", ReduceOp.SUM, g, along)));
            case SOFTMAX -> times(y, minus(g, Reductions.reduceKeepDim("sum", ReduceOp.SUM, times(g, y), along)));
        };
    }
}

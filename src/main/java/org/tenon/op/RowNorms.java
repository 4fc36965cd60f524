package org.tenon.op;

import static org.tenon.op.Graph.grads;

import org.tenon.DType;
import org.tenon.spi.Norm;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** Layer norm and RMS norm, each a kernel forward and one backward, which has no gradient itself. */
final class RowNorms {
    private RowNorms() {}

    /**
     * Over rows of {@code length} neighbours.
     *
     * @param composed the gradients of x, weight and bias out of ops that have gradients themselves
     */
    static Value apply(
            String op, Value x, long length, Value weight, Value bias, double eps, boolean centred, Composed composed) {
        Rows rows = new Rows(length == 0 ? 0 : x.layout().count() / length, length, 1);
        DType wide = x.dtype() == DType.F64 ? DType.F64 : DType.F32;
        long[] biasSizes = bias == null ? null : bias.sizes();
        return Frame.result(() -> {
            Value mean = centred ? Value.allocate(op, x.backend(), wide, rows.outer()) : null;
            Value scale = Value.allocate(op, x.backend(), wide, rows.outer());
            Value y = Value.allocate(op, x.backend(), x.dtype(), x.layout().sizes());
            try (Operands all = Operands.of(x, weight, bias);
                    Pins _ = Pins.of(all.value(0), all.value(1), all.value(2), mean, scale, y)) {
                Norm norm = norm(rows, eps, all.strided(1), all.strided(2), mean, scale);
                x.backend().kernels().norm(norm, all.strided(0), y.strided());
            }
            return Graph.record(
                    op,
                    y,
                    in -> GradMode.records(in.gradient(), in.saved(0), in.saved(1))
                            ? composed.gradients(in)
                            : gradients(op, in, rows, eps, centred, biasSizes),
                    new Value[] {x, weight, bias},
                    x,
                    weight,
                    mean,
                    scale);
        });
    }

    /** A backward that can be differentiated. */
    @FunctionalInterface
    interface Composed {
        Value[] gradients(Node.Incoming in);
    }

    private static Norm norm(Rows rows, double eps, Strided weight, Strided bias, Value mean, Value scale) {
        return new Norm(rows, eps, weight, bias, mean == null ? null : mean.strided(), scale.strided());
    }

    private static Value[] gradients(
            String op, Node.Incoming in, Rows rows, double eps, boolean centred, long[] biasSizes) {
        Value g = in.gradient();
        Value x = in.saved(0);
        Value weight = in.saved(1);
        Value mean = centred ? in.saved(2) : null;
        Value scale = in.saved(3);
        Value dx = in.needs(0)
                ? Value.allocate(op, x.backend(), x.dtype(), x.layout().sizes())
                : null;
        Value dweight = in.needs(1) ? Value.allocate(op, x.backend(), x.dtype(), weight.sizes()) : null;
        Value dbias = in.needs(2) ? Value.allocate(op, x.backend(), x.dtype(), biasSizes) : null;
        try (Operands all = Operands.of(x, weight, g);
                Pins _ = Pins.of(all.value(0), all.value(1), all.value(2), mean, scale, dx, dweight, dbias)) {
            x.backend()
                    .kernels()
                    .normGrad(
                            norm(rows, eps, all.strided(1), null, mean, scale),
                            all.strided(2),
                            all.strided(0),
                            dx == null ? null : dx.strided(),
                            dweight == null ? null : dweight.strided(),
                            dbias == null ? null : dbias.strided());
        }
        return grads(dx, dweight, dbias);
    }
}

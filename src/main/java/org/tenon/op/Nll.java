package org.tenon.op;

import static org.tenon.op.Graph.grads;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.ClassLoss;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.LossReduction;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** The negative log likelihood of classes, {@code -w[t] * logp[t]}, and its backward, which is an op of its own. */
public final class Nll {
    private Nll() {}

    /**
     * {@code logp} is (C), (N, C) or (N, C, d...), {@code target} the same without the class axis, {@code weight} (C) or
     * null.
     */
    public static Value apply(Value logp, Value target, Value weight, long ignore, LossReduction reduction) {
        return apply("nllLoss", logp, target, weight, ignore, reduction);
    }

    static Value apply(String op, Value logp, Value target, Value weight, long ignore, LossReduction reduction) {
        check(op, logp, target, weight, reduction);
        Checks.floating(op, logp);
        return forward(logp, new Targets(op, target, weight, ignore, reduction, logp.sizes()));
    }

    /** The axis of the classes: the first of one, else the second. */
    static int classAxis(Value x) {
        return x.rank() == 1 ? 0 : 1;
    }

    static void check(String op, Value input, Value target, Value weight, LossReduction reduction) {
        Checks.operands(op, input, target, weight);
        Checks.integral(op, "the target", target);
        if (input.rank() == 0) {
            throw Checks.error(
                    op, "a scalar input has no class axis; the input is (C), (N, C) or (N, C, d1, ...)", input);
        }
        long[] expected = Layout.remove(input.layout().sizes(), classAxis(input));
        if (!Arrays.equals(expected, target.sizes())) {
            throw Checks.error(
                    op,
                    "a target of shape " + Arrays.toString(target.sizes()) + " does not fit input "
                            + Arrays.toString(input.sizes()) + "; it must have shape " + Arrays.toString(expected),
                    input,
                    target);
        }
        checkWeight(op, input, weight);
        if (reduction == LossReduction.BATCH_MEAN) {
            throw Checks.error(op, "batchMean is for klDiv; use none, mean or sum", input);
        }
    }

    static void checkWeight(String op, Value input, Value weight) {
        if (weight == null) {
            return;
        }
        long classes = input.size(classAxis(input));
        Checks.sameDtype(op, input, weight);
        if (weight.rank() != 1 || weight.size(0) != classes) {
            throw Checks.error(
                    op,
                    "the weight has shape " + Arrays.toString(weight.sizes()) + "; one per class is needed, [" + classes
                            + "]",
                    input,
                    weight);
        }
    }

    /** All that both directions need beside the log-probabilities or their gradient. */
    record Targets(String op, Value target, Value weight, long ignore, LossReduction reduction, long[] inputSizes) {
        Rows rows() {
            return Rows.along(inputSizes, inputSizes.length == 1 ? 0 : 1);
        }

        IndexCheck check() {
            return new IndexCheck(op, "target", rows().len(), ignore);
        }

        /** What kernels are told, with row-major operands. */
        ClassLoss loss(Strided denseTarget, Strided denseWeight, Value total) {
            return new ClassLoss(
                    rows(), denseTarget, denseWeight, reduction, check(), total == null ? null : total.strided());
        }

        Targets with(Value newTarget, Value newWeight) {
            return new Targets(op, newTarget, newWeight, ignore, reduction, inputSizes);
        }
    }

    private static Value forward(Value logp, Targets t) {
        boolean scalar = t.reduction != LossReduction.NONE;
        Value total = scalar ? Value.allocate(t.op, logp.backend(), accumulator(logp.dtype())) : null;
        Value out;
        try (Operands all = Operands.of(logp, t.target, t.weight)) {
            out = Value.allocate(t.op, logp.backend(), logp.dtype(), scalar ? new long[0] : t.target.sizes());
            try (Pins _ = Pins.of(all.value(0), all.value(1), all.value(2), out, total)) {
                ClassLoss loss = t.loss(all.strided(1), all.strided(2), total);
                logp.backend().kernels().nll(loss, all.strided(0), out.strided());
            }
        }
        Graph.record(
                t.op,
                out,
                in -> grads(backward(in.gradient(), t.with(in.saved(0), in.saved(1)), in.saved(2))),
                new Value[] {logp},
                t.target,
                t.weight,
                total);
        if (total != null) {
            total.close();
        }
        return out;
    }

    /** The dense gradient of the input. It is linear in {@code g}, and its own backward is the forward again. */
    static Value backward(Value g, Targets t, Value total) {
        Value dx;
        try (Operands all = Operands.of(g, t.target, t.weight)) {
            dx = Value.allocate(t.op, g.backend(), g.dtype(), t.inputSizes);
            try (Pins _ = Pins.of(all.value(0), all.value(1), all.value(2), total, dx)) {
                ClassLoss loss = t.loss(all.strided(1), all.strided(2), total);
                g.backend().kernels().nllGrad(loss, all.strided(0), dx.strided());
            }
        }
        return Graph.record(
                t.op,
                dx,
                in -> grads(forward(in.gradient(), t.with(in.saved(0), in.saved(1)))),
                new Value[] {g},
                t.target,
                t.weight);
    }

    /** Sums of weights are wider than half types, and not wider than the device's types. */
    static DType accumulator(DType dtype) {
        return dtype == DType.F64 ? DType.F64 : DType.F32;
    }
}

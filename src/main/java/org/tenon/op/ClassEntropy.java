package org.tenon.op;

import static org.tenon.op.Graph.grads;

import org.tenon.DType;
import org.tenon.op.Nll.Targets;
import org.tenon.spi.ClassLoss;
import org.tenon.spi.LossReduction;
import org.tenon.spi.SoftmaxKind;

/**
 * Cross entropy against classes as a kernel each way: log-probabilities are never written. Forward keeps the maximum and the sum of
 * exponentials of each row, from which the backward makes {@code (softmax(x) - onehot) * w * g / total} in one pass.
 */
final class ClassEntropy {
    private static final String OP = "crossEntropy";

    private ClassEntropy() {}

    /** Where there are classes, as many as an array may have elements. */
    static boolean fits(Value x) {
        long classes = x.size(Nll.classAxis(x));
        return classes > 0 && classes <= Integer.MAX_VALUE;
    }

    static Value apply(Value x, Value target, Value weight, long ignore, LossReduction reduction) {
        Targets t = new Targets(OP, target, weight, ignore, reduction, x.sizes());
        DType wide = Nll.accumulator(x.dtype());
        boolean scalar = reduction != LossReduction.NONE;
        return Frame.result(() -> {
            Value known = Value.allocate(OP, x.backend(), wide, t.rows().count(), 2);
            Value total = scalar ? Value.allocate(OP, x.backend(), wide) : null;
            Value out = Value.allocate(OP, x.backend(), x.dtype(), scalar ? new long[0] : target.sizes());
            try (Operands all = Operands.of(x, target, weight);
                    Pins _ = Pins.of(all.value(0), all.value(1), all.value(2), known, total, out)) {
                ClassLoss loss = t.loss(all.strided(1), all.strided(2), total);
                x.backend().kernels().crossEntropy(loss, all.strided(0), known.strided(), out.strided());
            }
            return Graph.record(
                    OP, out, in -> grads(gradient(in, t)), new Value[] {x}, x, target, weight, known, total);
        });
    }

    private static Value gradient(Node.Incoming in, Targets given) {
        Value g = in.gradient();
        Value x = in.saved(0);
        Targets t = given.with(in.saved(1), in.saved(2));
        Value known = in.saved(3);
        Value total = in.saved(4);
        if (GradMode.records(g, x)) {
            return composed(g, x, t, total);
        }
        Value dx = Value.allocate(OP, x.backend(), x.dtype(), x.sizes());
        try (Operands all = Operands.of(g, x, t.target(), t.weight());
                Pins _ = Pins.of(all.value(0), all.value(1), all.value(2), all.value(3), known, total, dx)) {
            ClassLoss loss = t.loss(all.strided(2), all.strided(3), total);
            x.backend().kernels().crossEntropyGrad(loss, all.strided(0), all.strided(1), known.strided(), dx.strided());
        }
        return dx;
    }

    /** The same out of ops that have gradients themselves, in float32 where x is half. */
    private static Value composed(Value g, Value x, Targets t, Value total) {
        int axis = Nll.classAxis(x);
        Value logp = Softmax.apply(SoftmaxKind.LOG_SOFTMAX, Copies.widened(x), axis);
        Value weight = t.weight() == null ? null : Copies.widened(t.weight());
        Value slope = Nll.backward(Copies.widened(g), t.with(t.target(), weight), total);
        return Copies.to(Softmax.composedGradient(SoftmaxKind.LOG_SOFTMAX, slope, logp, axis), x.dtype());
    }
}

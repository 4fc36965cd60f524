package org.tenon.gpu;

import org.tenon.spi.ElementLoss;
import org.tenon.spi.LossOp;
import org.tenon.spi.Strided;

/** Launches of losses of single elements; their sums are {@link Reductions}. */
final class ElementLosses {
    /** Elements of a thread. */
    private static final int VECTOR = 4;

    private final GpuRuntime runtime;
    private final Reductions reductions;
    private final Variants forwards;
    private final Variants backwards;

    ElementLosses(GpuRuntime runtime, Reductions reductions) {
        this.runtime = runtime;
        this.reductions = reductions;
        forwards = Variants.ofFloats(runtime, "loss", "loss");
        backwards = Variants.ofFloats(runtime, "loss", "loss_grad");
    }

    /** Builds every kernel there is. */
    void buildAll() {
        forwards.buildAll();
        backwards.buildAll();
    }

    void loss(ElementLoss loss, Strided x, Strided out) {
        if (out.rank() == 0 && x.rank() > 0) {
            reductions.loss(loss, x, out);
            return;
        }
        Axes axes = Launch.axes().set(x.sizes(), x.strides(), loss.target().strides(), out.strides());
        for (long part = 0; part < axes.parts(); part++) {
            axes.part(part);
            Launch launch = Launch.begin().buffer(out).buffer(x).buffer(loss.target());
            head(launch, axes, loss, x)
                    .value(0)
                    .offset(out, axes.offset(2))
                    .zeros(3)
                    .value(
                            isAligned(axes, 0, x) && isAligned(axes, 1, loss.target()) && isAligned(axes, 2, out)
                                    ? 1
                                    : 0)
                    .sizes(axes)
                    .strides(axes, 0)
                    .strides(axes, 1)
                    .zeros(Axes.RANK)
                    .each(runtime, forwards.get(Types.index(x.dtype())), threads(axes));
        }
    }

    void grad(ElementLoss loss, Strided g, Strided x, Strided dx, Strided dtarget) {
        Strided out = dx == null ? dtarget : dx;
        Strided other = dtarget == null ? dx : dtarget;
        Axes axes = Launch.axes().set(x.sizes(), x.strides(), loss.target().strides(), g.strides(), out.strides());
        boolean repeats = axes.rank() == 1 && axes.stride(2, 0) == 0;
        boolean aligned = isAligned(axes, 0, x)
                && isAligned(axes, 1, loss.target())
                && (repeats || isAligned(axes, 2, g))
                && isAligned(axes, 3, out)
                && isAligned(axes, 3, other);
        for (long part = 0; part < axes.parts(); part++) {
            axes.part(part);
            Launch launch =
                    Launch.begin().buffer(out).buffer(other).buffer(g).buffer(x).buffer(loss.target());
            head(launch, axes, loss, x)
                    .offset(g, axes.offset(2))
                    .offset(out, axes.offset(3))
                    .offset(other, axes.offset(3))
                    .value(dx == null ? 0 : 1)
                    .value(dtarget == null ? 0 : 1)
                    .value(aligned ? 1 : 0)
                    .sizes(axes)
                    .strides(axes, 0)
                    .strides(axes, 1)
                    .strides(axes, 2)
                    .each(runtime, backwards.get(Types.index(x.dtype())), threads(axes));
        }
    }

    private static Launch head(Launch launch, Axes axes, ElementLoss loss, Strided x) {
        return launch.value(axes.count())
                .value(axes.rank())
                .value(number(loss.op()))
                .value(Types.bits(x.dtype(), loss.p0()))
                .value(Types.bits(x.dtype(), loss.divisor()))
                .offset(x, axes.offset(0))
                .offset(loss.target(), axes.offset(1));
    }

    /** As the kernels count them. */
    static long number(LossOp op) {
        return switch (op) {
            case KL -> 1;
            case KL_LOG -> 2;
            case MSE -> 3;
            case L1 -> 4;
            case HUBER -> 5;
            case SMOOTH_L1 -> 6;
            case BCE_LOGITS -> 7;
        };
    }

    private static boolean isAligned(Axes axes, int number, Strided operand) {
        return axes.isDense(number)
                && Launch.startsAt(operand, VECTOR * operand.dtype().bytes());
    }

    private static long threads(Axes axes) {
        return (axes.count() + VECTOR - 1) / VECTOR;
    }
}

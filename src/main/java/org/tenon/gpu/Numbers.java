package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Kernels.AdamStep;
import org.tenon.spi.Kernels.SgdStep;
import org.tenon.spi.RandomOp;
import org.tenon.spi.Strided;

/** Launches of random numbers and of optimizer steps. */
final class Numbers {
    private static final String[] STEPS = {"sgd", "sgd_momentum", "adam"};

    private final GpuRuntime runtime;
    private final Variants randoms;
    private final Variants updates;

    Numbers(GpuRuntime runtime) {
        this.runtime = runtime;
        randoms = new Variants(
                RandomOp.values().length * Types.COUNT,
                Numbers::exists,
                i -> runtime.kernel(
                        "random",
                        "random",
                        "-DOP=" + RandomOp.values()[i / Types.COUNT] + " -DT="
                                + Types.name(Types.ALL.get(i % Types.COUNT)) + " -DBLOCK="
                                + runtime.traits().threads()));
        updates = new Variants(
                STEPS.length * 4,
                i -> runtime.kernel(
                        "update",
                        STEPS[i % STEPS.length],
                        "-DT=" + Types.name(Types.ALL.get(i / STEPS.length)) + " -DBLOCK="
                                + runtime.traits().threads()));
    }

    private static boolean exists(int i) {
        DType dtype = Types.ALL.get(i % Types.COUNT);
        return switch (RandomOp.values()[i / Types.COUNT]) {
            case UNIFORM, NORMAL -> dtype.isFloating();
            case INTEGERS -> !dtype.isFloating() && dtype != DType.BOOL;
            case BERNOULLI -> true;
        };
    }

    /** Builds every kernel there is. */
    void buildAll() {
        randoms.buildAll();
        updates.buildAll();
    }

    void random(RandomOp op, long seed, long offset, double p0, double p1, Strided out) {
        if (out.count() == 0) {
            return;
        }
        Launch launch = Launch.begin()
                .buffer(out)
                .value(out.count())
                .offset(out)
                .value(seed)
                .value(offset);
        DType dtype = out.dtype();
        switch (op) {
            case UNIFORM ->
                launch.value(Types.bits(dtype, p0))
                        .value(Types.bits(dtype, spread(dtype, p0, p1)))
                        .value(Types.bits(dtype, p0 < p1 ? RandomOp.below(p1, dtype) : p1));
            case NORMAL ->
                launch.value(Types.bits(dtype, p0)).value(Types.bits(dtype, p1)).value(0);
            case INTEGERS ->
                launch.value((long) p0).value((long) p1 - (long) p0).value(0);
            case BERNOULLI ->
                launch.value((long) Math.ceil(p0 * 0x1p24)).value(0).value(0);
        }
        launch.each(
                runtime, randoms.get(op.ordinal() * Types.COUNT + Types.index(dtype)), op.counters(out.count(), dtype));
    }

    private static double spread(DType dtype, double p0, double p1) {
        return dtype == DType.F64 ? p1 - p0 : (float) (p1 - p0);
    }

    void sgd(Strided p, Strided g, Strided v, SgdStep step) {
        if (p.count() == 0) {
            return;
        }
        Launch launch = Launch.begin().buffer(p).buffer(g);
        if (v != null) {
            launch.buffer(v);
        }
        launch.value(p.count()).offset(p).offset(g);
        (v == null ? launch.value(0) : launch.offset(v)).value(0);
        DType dtype = p.dtype();
        launch.value(Types.bits(dtype, step.lr()))
                .value(Types.bits(dtype, step.momentum()))
                .value(Types.bits(dtype, 1 - step.dampening()))
                .value(Types.bits(dtype, step.weightDecay()))
                .value(step.nesterov() ? 1 : 0)
                .value(step.first() ? 1 : 0);
        launch.zeros(8).each(runtime, update(v == null ? 0 : 1, dtype), p.count());
    }

    void adam(Strided p, Strided g, Strided m, Strided v, AdamStep step) {
        if (p.count() == 0) {
            return;
        }
        DType dtype = p.dtype();
        Launch.begin()
                .buffer(p)
                .buffer(g)
                .buffer(m)
                .buffer(v)
                .value(p.count())
                .offset(p)
                .offset(g)
                .offset(m)
                .offset(v)
                .value(0)
                .value(0)
                .value(0)
                .value(Types.bits(dtype, step.decoupled() ? 0 : step.weightDecay()))
                .value(0)
                .value(0)
                .value(Types.bits(dtype, step.beta1()))
                .value(Types.bits(dtype, step.beta2()))
                .value(Types.bits(dtype, 1 - step.beta1()))
                .value(Types.bits(dtype, 1 - step.beta2()))
                .value(Types.bits(dtype, step.lr() / (1 - Math.pow(step.beta1(), step.t()))))
                .value(Types.bits(dtype, 1 / Math.sqrt(1 - Math.pow(step.beta2(), step.t()))))
                .value(Types.bits(dtype, step.eps()))
                .value(Types.bits(dtype, step.decoupled() ? 1 - step.lr() * step.weightDecay() : 1))
                .each(runtime, update(2, dtype), p.count());
    }

    private GpuKernel update(int step, DType dtype) {
        return updates.get(step + STEPS.length * Types.index(dtype));
    }
}

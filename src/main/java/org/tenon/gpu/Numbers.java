package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Dropout;
import org.tenon.spi.RandomOp;
import org.tenon.spi.Strided;

/** Launches of random numbers: of a seed and a counter that are known, or that are in the device's memory by then. */
final class Numbers {
    /** Elements that are read and written at once. */
    private static final int VECTOR = 4;

    private final GpuRuntime runtime;
    private final Variants randoms;
    private final Variants moving;
    private final Variants dropouts;

    Numbers(GpuRuntime runtime) {
        this.runtime = runtime;
        randoms = variants("");
        moving = variants(MovingNumbers.OPTION);
        dropouts = new Variants(
                Types.FLOATS.size(),
                i -> runtime.kernel(
                        "dropout",
                        "dropout",
                        "-DT=" + Types.name(Types.FLOATS.get(i)) + " -DBLOCK="
                                + runtime.traits().threads()));
    }

    private Variants variants(String option) {
        return new Variants(
                RandomOp.values().length * Types.COUNT,
                Numbers::exists,
                i -> runtime.kernel(
                        "random",
                        "random",
                        "-DOP=" + RandomOp.values()[i / Types.COUNT] + " -DT="
                                + Types.name(Types.ALL.get(i % Types.COUNT)) + " -DBLOCK="
                                + runtime.traits().threads() + option));
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
        moving.buildAll();
        dropouts.buildAll();
    }

    void dropout(Dropout dropout, Strided in, Strided out) {
        if (out.count() == 0) {
            return;
        }
        DType dtype = out.dtype();
        int vector = VECTOR * dtype.bytes();
        Strided drawn = dropout.drawn();
        Launch launch = Launch.begin()
                .buffer(out)
                .buffer(in)
                .buffer(drawn == null ? in : drawn)
                .value(out.count())
                .offset(in)
                .offset(out)
                .value(bound(1 - dropout.p()))
                .value(Types.bits(dtype, dropout.rest()))
                .value(dropout.seed())
                .value(dropout.counter());
        if (drawn == null) {
            launch.zeros(2);
        } else {
            launch.value(1).offset(drawn);
        }
        launch.value(Launch.startsAt(in, vector) && Launch.startsAt(out, vector) ? 1 : 0)
                .each(runtime, dropouts.get(Types.index(dtype)), RandomOp.BERNOULLI.counters(out.count(), dtype));
    }

    void random(RandomOp op, long seed, long offset, double p0, double p1, Strided out) {
        if (out.count() > 0) {
            launch(randoms, op, seed, offset, p0, p1, out, Launch.begin().buffer(out));
        }
    }

    /** With seed and counter from {@code drawn}, two of int64. */
    void random(RandomOp op, Strided drawn, double p0, double p1, Strided out) {
        if (out.count() > 0) {
            long place = drawn.buffer().base() / Long.BYTES + drawn.offset();
            launch(moving, op, place, 0, p0, p1, out, Launch.begin().buffer(out).buffer(drawn));
        }
    }

    /** Builds the kernel that moving numbers need. */
    void prepare(RandomOp op, DType dtype) {
        moving.get(number(op, dtype));
    }

    private static int number(RandomOp op, DType dtype) {
        return op.ordinal() * Types.COUNT + Types.index(dtype);
    }

    /** What a word's upper 24 bits are below where {@link RandomOp#BERNOULLI} of this probability gives 1. */
    static long bound(double p) {
        return (long) Math.ceil(p * 0x1p24);
    }

    private void launch(
            Variants variants, RandomOp op, long seed, long offset, double p0, double p1, Strided out, Launch launch) {
        launch.value(out.count()).offset(out).value(seed).value(offset);
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
            case BERNOULLI -> launch.value(bound(p0)).value(0).value(0);
        }
        launch.each(runtime, variants.get(number(op, dtype)), op.counters(out.count(), dtype));
    }

    private static double spread(DType dtype, double p0, double p1) {
        return dtype == DType.F64 ? p1 - p0 : (float) (p1 - p0);
    }
}

package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.RandomOp;
import org.tenon.spi.Strided;

/** Launches of random numbers. */
final class Numbers {
    private static final DType[] DTYPES = {DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64, DType.BOOL
    };

    private final GpuRuntime runtime;
    private final Variants randoms;

    Numbers(GpuRuntime runtime) {
        this.runtime = runtime;
        randoms = new Variants(
                RandomOp.values().length * Types.COUNT,
                Numbers::exists,
                i -> runtime.kernel(
                        "random",
                        "random",
                        "-DOP=" + RandomOp.values()[i / Types.COUNT] + " -DT=" + Types.name(DTYPES[i % Types.COUNT])
                                + " -DBLOCK=" + runtime.traits().threads()));
    }

    private static boolean exists(int i) {
        DType dtype = DTYPES[i % Types.COUNT];
        return switch (RandomOp.values()[i / Types.COUNT]) {
            case UNIFORM, NORMAL -> dtype.isFloating();
            case INTEGERS -> !dtype.isFloating() && dtype != DType.BOOL;
            case BERNOULLI -> true;
        };
    }

    /** Builds every kernel there is. */
    void buildAll() {
        randoms.buildAll();
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
}

package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Strided;
import org.tenon.spi.UpdateStep;

/**
 * Launches of optimizer steps: one for up to {@link #SLOTS} parameters. Kernels of OpenCL 1.2 take buffers as arguments only,
 * which leaves room for so many.
 */
final class Updates {
    /** As in the source of the kernels. */
    private static final int SLOTS = 8;

    private static final int STATES = 3;
    private static final int DTYPES = 4;
    private static final DType[] FLOATING = {DType.F32, DType.F64, DType.F16, DType.BF16};

    private final GpuRuntime runtime;
    private final Variants kernels;

    private enum Kernel {
        SGD(0),
        SGD_MOMENTUM(1),
        ADAM(2),
        RMSPROP(3),
        ADAGRAD(1),
        LION(1);

        private final int states;

        Kernel(int states) {
            this.states = states;
        }
    }

    Updates(GpuRuntime runtime) {
        this.runtime = runtime;
        Kernel[] all = Kernel.values();
        kernels = new Variants(
                all.length * DTYPES,
                i -> runtime.kernel(
                        "update",
                        all[i / DTYPES].name().toLowerCase(java.util.Locale.ROOT),
                        "-DT=" + Types.name(FLOATING[i % DTYPES]) + " -DBLOCK="
                                + runtime.traits().threads()));
    }

    /** Builds every kernel there is. */
    void buildAll() {
        kernels.buildAll();
    }

    void update(UpdateStep step, Strided[][] rows) {
        Kernel kernel = kernel(step, rows[0]);
        Strided[][] some = new Strided[SLOTS][];
        int used = 0;
        for (Strided[] row : rows) {
            if (row[0].count() > 0) {
                some[used++] = row;
            }
            if (used == SLOTS) {
                launch(kernel, step, some, used);
                used = 0;
            }
        }
        if (used > 0) {
            launch(kernel, step, some, used);
        }
    }

    private static Kernel kernel(UpdateStep step, Strided[] row) {
        return switch (step) {
            case UpdateStep.Sgd _ -> row[2] == null ? Kernel.SGD : Kernel.SGD_MOMENTUM;
            case UpdateStep.Adam _ -> Kernel.ADAM;
            case UpdateStep.Rmsprop _ -> Kernel.RMSPROP;
            case UpdateStep.Adagrad _ -> Kernel.ADAGRAD;
            case UpdateStep.Lion _ -> Kernel.LION;
        };
    }

    private void launch(Kernel kernel, UpdateStep step, Strided[][] rows, int used) {
        DType dtype = rows[0][0].dtype();
        GpuKernel built = kernels.get(kernel.ordinal() * DTYPES + Types.index(dtype));
        Launch launch = Launch.begin();
        for (int operand = 0; operand < 2 + kernel.states; operand++) {
            for (int slot = 0; slot < SLOTS; slot++) {
                Strided[] row = rows[slot < used ? slot : 0];
                launch.buffer(row[operand] == null ? row[0] : row[operand]);
            }
        }
        long groups = 0;
        for (int slot = 0; slot < SLOTS; slot++) {
            launch.value(slot < used ? groups : Long.MAX_VALUE);
            groups += slot < used ? (rows[slot][0].count() + built.block() - 1) / built.block() : 0;
        }
        for (int slot = 0; slot < SLOTS; slot++) {
            launch.value(slot < used ? rows[slot][0].count() : 0);
        }
        for (int operand = 0; operand < 2 + STATES; operand++) {
            for (int slot = 0; slot < SLOTS; slot++) {
                Strided[] row = rows[slot];
                if (slot < used && operand < 2 + kernel.states && row[operand] != null) {
                    launch.offset(row[operand]);
                } else {
                    launch.value(0);
                }
            }
        }
        numbers(launch, step, dtype, rows[0]);
        launch.run(runtime, built, groups);
    }

    /** The numbers in the order of the kernels' structure, those that a rule lacks as 0. */
    private static void numbers(Launch launch, UpdateStep step, DType dtype, Strided[] row) {
        switch (step) {
            case UpdateStep.Sgd s ->
                launch.value(Types.bits(dtype, s.lr()))
                        .value(Types.bits(dtype, s.momentum()))
                        .value(Types.bits(dtype, 1 - s.dampening()))
                        .value(Types.bits(dtype, s.weightDecay()))
                        .value(s.nesterov() ? 1 : 0)
                        .value(s.first() ? 1 : 0)
                        .zeros(10);
            case UpdateStep.Adam s ->
                launch.zeros(3)
                        .value(Types.bits(dtype, s.decoupled() ? 0 : s.weightDecay()))
                        .zeros(2)
                        .value(Types.bits(dtype, s.beta1()))
                        .value(Types.bits(dtype, s.beta2()))
                        .value(Types.bits(dtype, 1 - s.beta1()))
                        .value(Types.bits(dtype, 1 - s.beta2()))
                        .value(Types.bits(dtype, s.lr() / (1 - Math.pow(s.beta1(), s.t()))))
                        .value(Types.bits(dtype, 1 / Math.sqrt(1 - Math.pow(s.beta2(), s.t()))))
                        .value(Types.bits(dtype, s.eps()))
                        .value(Types.bits(dtype, s.decoupled() ? 1 - s.lr() * s.weightDecay() : 1))
                        .zeros(2);
            case UpdateStep.Rmsprop s ->
                launch.value(Types.bits(dtype, s.lr()))
                        .value(Types.bits(dtype, s.momentum()))
                        .value(0)
                        .value(Types.bits(dtype, s.weightDecay()))
                        .zeros(2)
                        .value(Types.bits(dtype, s.alpha()))
                        .value(0)
                        .value(Types.bits(dtype, 1 - s.alpha()))
                        .zeros(3)
                        .value(Types.bits(dtype, s.eps()))
                        .value(0)
                        .value(row[3] == null ? 0 : 1)
                        .value(row[4] == null ? 0 : 1);
            case UpdateStep.Adagrad s ->
                launch.value(Types.bits(dtype, s.lr()))
                        .zeros(2)
                        .value(Types.bits(dtype, s.weightDecay()))
                        .zeros(8)
                        .value(Types.bits(dtype, s.eps()))
                        .zeros(3);
            case UpdateStep.Lion s ->
                launch.value(Types.bits(dtype, s.lr()))
                        .zeros(5)
                        .value(Types.bits(dtype, s.beta1()))
                        .value(Types.bits(dtype, s.beta2()))
                        .value(Types.bits(dtype, 1 - s.beta1()))
                        .value(Types.bits(dtype, 1 - s.beta2()))
                        .zeros(3)
                        .value(Types.bits(dtype, 1 - s.lr() * s.weightDecay()))
                        .zeros(2);
        }
    }
}

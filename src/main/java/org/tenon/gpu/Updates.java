package org.tenon.gpu;

import org.tenon.spi.Strided;
import org.tenon.spi.UpdateStep;

/**
 * Launches of optimizer steps: one for up to {@link #SLOTS} parameters. Kernels of OpenCL 1.2 take buffers as arguments only,
 * which leaves room for so many.
 */
final class Updates {
    /** As in the source of the kernels. */
    private static final int SLOTS = 8;

    /** Elements of a thread of a GPU; of a CPU's threads the compiler makes vectors by itself. */
    private static final int VECTOR = 4;

    private static final int STATES = 3;
    private static final int DTYPES = Types.FLOATS.size();

    private final GpuRuntime runtime;
    private final int each;
    private final Variants kernels;
    private final Variants moving;

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
        each = runtime.traits().cooperative() ? VECTOR : 1;
        kernels = variants("");
        moving = variants(MovingNumbers.OPTION);
    }

    private Variants variants(String option) {
        Kernel[] all = Kernel.values();
        return new Variants(
                all.length * DTYPES,
                i -> runtime.kernel(
                        "update",
                        all[i / DTYPES].name().toLowerCase(java.util.Locale.ROOT),
                        "-DT=" + Types.name(Types.FLOATS.get(i % DTYPES)) + " -DEACH=" + each + " -DBLOCK="
                                + runtime.traits().threads() + option));
    }

    /** Builds every kernel there is. */
    void buildAll() {
        kernels.buildAll();
        moving.buildAll();
    }

    void update(UpdateStep step, Strided[][] rows) {
        update(step, null, rows);
    }

    /** Builds the kernel that moving numbers need. */
    void prepare(UpdateStep step, Strided[] row) {
        moving.get(number(kernel(step, row), row));
    }

    private static int number(Kernel kernel, Strided[] row) {
        return kernel.ordinal() * DTYPES + Types.index(row[0].dtype());
    }

    /** With the rule's numbers from {@code place} where it is not null: of {@code step} only the kind counts then. */
    void update(UpdateStep step, MovingNumbers.Place place, Strided[][] rows) {
        Kernel kernel = kernel(step, rows[0]);
        Strided[][] some = new Strided[SLOTS][];
        int used = 0;
        for (Strided[] row : rows) {
            if (row[0].count() > 0) {
                some[used++] = row;
            }
            if (used == SLOTS) {
                launch(kernel, step, place, some, used);
                used = 0;
            }
        }
        if (used > 0) {
            launch(kernel, step, place, some, used);
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

    private void launch(Kernel kernel, UpdateStep step, MovingNumbers.Place place, Strided[][] rows, int used) {
        GpuKernel built = (place == null ? kernels : moving).get(number(kernel, rows[0]));
        Launch launch = Launch.begin();
        for (int operand = 0; operand < 2 + kernel.states; operand++) {
            for (int slot = 0; slot < SLOTS; slot++) {
                Strided[] row = rows[slot < used ? slot : 0];
                launch.buffer(row[operand] == null ? row[0] : row[operand]);
            }
        }
        if (place != null) {
            launch.buffer(place.buffer());
        }
        long groups = 0;
        long span = (long) built.block() * each;
        for (int slot = 0; slot < SLOTS; slot++) {
            launch.value(slot < used ? groups : Long.MAX_VALUE);
            groups += slot < used ? (rows[slot][0].count() + span - 1) / span : 0;
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
        if (place == null) {
            RuleNumbers.write(step, rows[0], launch);
        } else {
            launch.value(place.offset());
        }
        launch.run(runtime, built, groups);
    }
}

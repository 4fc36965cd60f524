package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Norm;

/** Layer norm and RMS norm of rows by {@code norm.k}: on GPUs in the registers of a group, on a CPU a thread for each row. */
final class GroupNorms implements Norms.RowKernels {
    private static final String[] KERNELS = {"norm_rows", "norm_rows_grad"};

    /** Threads of a row and what each keeps of it, from short rows to long ones; those beyond all read it again. */
    private enum Form {
        SHORT(8, 8),
        WARP(32, 8),
        LONG_WARP(32, 32),
        BLOCK(256, 16),
        LONG_BLOCK(256, 32),
        AGAIN(256, 0);

        private final int columns;
        private final int keep;

        Form(int columns, int keep) {
            this.columns = columns;
            this.keep = keep;
        }

        /** Whether it holds a row of this length in the registers of {@code most} threads, {@code registers} for a kept element. */
        boolean holds(long length, int registers, int most) {
            return keep == 0 || columns <= most && length <= (long) columns * keep && keep * registers <= 64;
        }

        static Form of(long length, int registers, int most) {
            for (Form form : values()) {
                if (form.holds(length, registers, most)) {
                    return form;
                }
            }
            throw new IllegalStateException("no form for rows of " + length);
        }
    }

    private static final int FORMS = Form.values().length;
    /** Rows of a group on a CPU, a thread for each. */
    private static final int CPU_ROWS = 16;

    private final GpuRuntime runtime;
    private final int most;
    private final Variants kernels;

    GroupNorms(GpuRuntime runtime) {
        this.runtime = runtime;
        most = Math.min(runtime.traits().block(), runtime.traits().threads());
        kernels = new Variants(KERNELS.length * FORMS * Types.FLOATS.size(), this::exists, this::build);
    }

    @Override
    public void buildAll() {
        kernels.buildAll();
    }

    @Override
    public void run(int kernel, Launch launch, Norm norm, DType dtype) {
        Form form = form(kernel, dtype, norm);
        long together = rows(form);
        launch.zeros(2)
                .run(
                        runtime,
                        kernels.get(number(kernel, form, dtype)),
                        (norm.rows().outer() + together - 1) / together);
    }

    private static int number(int kernel, Form form, DType dtype) {
        return kernel + KERNELS.length * (form.ordinal() + FORMS * Types.index(dtype));
    }

    /** The registers of a kept element: the backward keeps two numbers, float64 takes two registers. */
    private static int registers(int kernel, DType dtype) {
        return (1 + kernel) * (dtype == DType.F64 ? 2 : 1);
    }

    private Form form(int kernel, DType dtype, Norm norm) {
        return runtime.traits().cooperative() ? Form.of(norm.rows().len(), registers(kernel, dtype), most) : Form.AGAIN;
    }

    private boolean exists(int number) {
        int kernel = number % KERNELS.length;
        Form form = Form.values()[number / KERNELS.length % FORMS];
        DType dtype = Types.FLOATS.get(number / KERNELS.length / FORMS);
        if (!runtime.traits().cooperative()) {
            return form == Form.AGAIN;
        }
        return form.keep == 0 || form.columns <= most && form.keep * registers(kernel, dtype) <= 64;
    }

    private int columns(Form form) {
        return runtime.traits().cooperative() ? Math.min(form.columns, most) : 1;
    }

    private int rows(Form form) {
        return runtime.traits().cooperative() ? most / columns(form) : CPU_ROWS;
    }

    private GpuKernel build(int number) {
        int kernel = number % KERNELS.length;
        Form form = Form.values()[number / KERNELS.length % FORMS];
        DType dtype = Types.FLOATS.get(number / KERNELS.length / FORMS);
        int columns = columns(form);
        int rows = rows(form);
        return runtime.kernel(
                "norm",
                KERNELS[kernel],
                Norms.types(dtype) + " -DCOLUMNS=" + columns + " -DROWS=" + rows + " -DKEEP=" + form.keep + " -DLANES="
                        + (columns == 1 ? runtime.traits().lanes() : 1) + " -DBLOCK=" + columns * rows);
    }
}

package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.Norm;
import org.tenon.spi.Strided;

/** Launches of layer norm and RMS norm, and of their backwards. */
final class Norms {
    private static final String[] KERNELS = {"norm_rows", "norm_rows_grad", "norm_columns", "norm_total"};

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
    /** The least rows that a slice of the sums over rows has. */
    private static final long SLICE = 16;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final int most;
    private final Variants kernels;

    Norms(GpuRuntime runtime, Allocator allocator) {
        this.runtime = runtime;
        this.allocator = allocator;
        most = Math.min(runtime.traits().block(), runtime.traits().threads());
        kernels = new Variants(KERNELS.length * FORMS * Types.FLOATS.size(), this::exists, this::build);
    }

    /** Builds every kernel there is. */
    void buildAll() {
        kernels.buildAll();
    }

    private static int number(int kernel, Form form, DType dtype) {
        return kernel + KERNELS.length * (form.ordinal() + FORMS * Types.index(dtype));
    }

    /** The registers of a kept element: the backward keeps two numbers, float64 takes two registers. */
    private static int registers(int kernel, DType dtype) {
        return (1 + kernel) * (dtype == DType.F64 ? 2 : 1);
    }

    private Form form(int kernel, Strided x, Norm norm) {
        return runtime.traits().cooperative()
                ? Form.of(norm.rows().len(), registers(kernel, x.dtype()), most)
                : Form.AGAIN;
    }

    private boolean exists(int number) {
        int kernel = number % KERNELS.length;
        Form form = Form.values()[number / KERNELS.length % FORMS];
        DType dtype = Types.FLOATS.get(number / KERNELS.length / FORMS);
        if (kernel > 1 || !runtime.traits().cooperative()) {
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
        String types = "-DT=" + Types.name(dtype) + " -DU=" + (dtype == DType.F64 ? "f64" : "f32");
        if (kernel > 1) {
            return runtime.kernel(
                    "norm",
                    KERNELS[kernel],
                    types + " -DCOLUMNS=1 -DROWS=1 -DKEEP=0 -DLANES=1 -DBLOCK="
                            + runtime.traits().threads());
        }
        int columns = columns(form);
        int rows = rows(form);
        return runtime.kernel(
                "norm",
                KERNELS[kernel],
                types + " -DCOLUMNS=" + columns + " -DROWS=" + rows + " -DKEEP=" + form.keep + " -DLANES="
                        + (columns == 1 ? runtime.traits().lanes() : 1) + " -DBLOCK=" + columns * rows);
    }

    void norm(Norm norm, Strided x, Strided out) {
        if (out.count() == 0) {
            return;
        }
        Strided mean = norm.centred() ? norm.mean() : norm.scale();
        Launch launch = Launch.begin()
                .buffer(out)
                .buffer(mean)
                .buffer(norm.scale())
                .buffer(x)
                .buffer(norm.weight() == null ? x : norm.weight())
                .buffer(norm.bias() == null ? x : norm.bias());
        rows(0, arguments(launch, norm, Shape.of(norm), null, x).offset(out).zeros(2), norm, x);
    }

    private void rows(int kernel, Launch launch, Norm norm, Strided x) {
        Form form = form(kernel, x, norm);
        long together = rows(form);
        launch.run(
                runtime,
                kernels.get(number(kernel, form, x.dtype())),
                (norm.rows().outer() + together - 1) / together);
    }

    void normGrad(Norm norm, Strided g, Strided x, Strided dx, Strided dweight, Strided dbias) {
        Strided mean = norm.centred() ? norm.mean() : norm.scale();
        if (dx != null && dx.count() > 0) {
            Launch launch = Launch.begin()
                    .buffer(dx)
                    .buffer(g)
                    .buffer(x)
                    .buffer(norm.weight() == null ? x : norm.weight())
                    .buffer(mean)
                    .buffer(norm.scale());
            rows(1, arguments(launch, norm, Shape.of(norm), g, x).offset(dx).zeros(2), norm, x);
        }
        if ((dweight != null || dbias != null) && norm.rows().len() > 0) {
            sums(norm, g, x, mean, dweight, dbias);
        }
    }

    /** The gradients of weight and bias: sums of slices of rows, then of the slices. */
    private void sums(Norm norm, Strided g, Strided x, Strided mean, Strided dweight, Strided dbias) {
        long rows = x.count() == 0 ? 0 : norm.rows().outer();
        long columns = norm.rows().len();
        long busy = 2L * runtime.traits().units() * runtime.traits().threads();
        long slices = Math.clamp((busy + columns - 1) / columns, 1, Math.max(1, rows / SLICE));
        long each = Math.max(1, (rows + slices - 1) / slices);
        Buffer parts = allocator.allocate(2 * slices * columns * (x.dtype() == DType.F64 ? Double.BYTES : Float.BYTES));
        try {
            long place = parts.base() / Long.BYTES;
            Launch launch = Launch.begin()
                    .buffer(parts)
                    .buffer(g)
                    .buffer(x)
                    .buffer(mean)
                    .buffer(norm.scale());
            Shape shape = new Shape(rows, slices, each, dweight != null, dbias != null);
            arguments(launch, norm, shape, g, x).zeros(2).value(place);
            launch.each(runtime, kernels.get(number(2, Form.AGAIN, x.dtype())), slices * columns);
            Launch total = Launch.begin()
                    .buffer(dweight == null ? dbias : dweight)
                    .buffer(dbias == null ? dweight : dbias)
                    .buffer(parts);
            arguments(total, norm, shape, g, x);
            operand(total, dweight);
            operand(total, dbias).value(place);
            total.each(runtime, kernels.get(number(3, Form.AGAIN, x.dtype())), columns);
        } finally {
            allocator.free(parts);
        }
    }

    /** Rows, how they are sliced for sums over them, and whether there are a weight and a bias, or gradients of these. */
    private record Shape(long rows, long slices, long each, boolean weight, boolean bias) {
        static Shape of(Norm norm) {
            return new Shape(norm.rows().outer(), 0, 0, norm.weight() != null, norm.bias() != null);
        }
    }

    private static Launch arguments(Launch launch, Norm norm, Shape shape, Strided g, Strided x) {
        launch.value(shape.rows)
                .value(norm.rows().len())
                .value(norm.centred() ? 1 : 0)
                .value(shape.weight ? 1 : 0)
                .value(shape.bias ? 1 : 0)
                .value(Types.bits(norm.scale().dtype(), norm.eps()))
                .value(shape.slices)
                .value(shape.each)
                .offset(x);
        operand(launch, g);
        operand(launch, norm.weight());
        operand(launch, norm.bias());
        operand(launch, norm.mean());
        return operand(launch, norm.scale());
    }

    private static Launch operand(Launch launch, Strided operand) {
        return operand == null ? launch.value(0) : launch.offset(operand);
    }
}

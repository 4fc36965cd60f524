package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.Norm;
import org.tenon.spi.Strided;

/** Launches of layer norm and RMS norm, and of their backwards. */
final class Norms {
    /** The kernels that work on rows, forward and backward, as a kind of device does it. */
    interface RowKernels {
        /** Builds every kernel there is. */
        void buildAll();

        /** Adds the last of the arguments and runs it; {@code kernel} is 0 for the forward, 1 for the backward. */
        void run(int kernel, Launch launch, Norm norm, DType dtype);
    }

    /** The kernels that add up rows: the columns of a thread are one, or those of 16 bytes. */
    private enum Sums {
        COLUMNS,
        SLOTS,
        TOTAL
    }

    private static final int SUMS = Sums.values().length;
    private static final int SLOT_BYTES = 16;
    /** The least rows that a slice of the sums over rows has. */
    private static final long SLICE = 16;
    /** The most columns of a group that adds up slices. */
    private static final int ACROSS = 32;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final RowKernels rows;
    private final Variants sums;

    Norms(GpuRuntime runtime, Allocator allocator) {
        this.runtime = runtime;
        this.allocator = allocator;
        GpuRuntime.Traits traits = runtime.traits();
        rows = traits.warps() != null
                ? new WarpNorms(runtime)
                : traits.cooperative() ? new GroupNorms(runtime) : new ThreadNorms(runtime);
        sums = new Variants(
                SUMS * Types.FLOATS.size(), i -> traits.cooperative() || i % SUMS != Sums.SLOTS.ordinal(), this::build);
    }

    /** Builds every kernel there is. */
    void buildAll() {
        rows.buildAll();
        sums.buildAll();
    }

    /** The options that name a tensor's type, and that of what the backward needs of a row. */
    static String types(DType dtype) {
        return "-DT=" + Types.name(dtype) + " -DWIDE=" + (dtype == DType.F64 ? "f64" : "f32");
    }

    private GpuKernel build(int number) {
        DType dtype = Types.FLOATS.get(number / SUMS);
        Sums kind = Sums.values()[number % SUMS];
        String types = types(dtype) + (kind == Sums.SLOTS ? " -DU=" + Types.name(dtype) : "");
        String width = kind == Sums.SLOTS ? " -DWIDTH=" + SLOT_BYTES / dtype.bytes() : "";
        return runtime.kernel(
                "norm",
                kind == Sums.TOTAL ? "norm_total" : "norm_columns",
                types + width + " -DBLOCK=" + runtime.traits().threads());
    }

    private GpuKernel kernel(Sums kind, DType dtype) {
        return sums.get(kind.ordinal() + SUMS * Types.index(dtype));
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
        arguments(launch, norm, Shape.of(norm), null, x).offset(out).zeros(2);
        rows.run(0, launch, norm, x.dtype());
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
            arguments(launch, norm, Shape.of(norm), g, x).offset(dx).zeros(2);
            rows.run(1, launch, norm, x.dtype());
        }
        if ((dweight != null || dbias != null) && norm.rows().len() > 0) {
            sums(norm, g, x, mean, dweight, dbias);
        }
    }

    /** The gradients of weight and bias: sums of slices of rows, then of the slices. */
    private void sums(Norm norm, Strided g, Strided x, Strided mean, Strided dweight, Strided dbias) {
        long rows = x.count() == 0 ? 0 : norm.rows().outer();
        long columns = norm.rows().len();
        int width = SLOT_BYTES / x.dtype().bytes();
        boolean slots = runtime.traits().cooperative()
                && columns % width == 0
                && Launch.startsAt(g, SLOT_BYTES)
                && Launch.startsAt(x, SLOT_BYTES);
        long across = slots ? columns / width : columns;
        long busy = 2L * runtime.traits().units() * runtime.traits().threads();
        long slices = Math.clamp((busy + across - 1) / across, 1, Math.max(1, rows / SLICE));
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
            arguments(launch, norm, shape, g, x).zeros(2).value(place).zeros(2);
            launch.each(runtime, kernel(slots ? Sums.SLOTS : Sums.COLUMNS, x.dtype()), slices * across);
            Launch total = Launch.begin()
                    .buffer(dweight == null ? dbias : dweight)
                    .buffer(dbias == null ? dweight : dbias)
                    .buffer(parts);
            arguments(total, norm, shape, g, x)
                    .offsetOrZero(dweight)
                    .offsetOrZero(dbias)
                    .value(place)
                    .zeros(2);
            int together = Math.min(ACROSS, runtime.traits().threads());
            total.run(runtime, kernel(Sums.TOTAL, x.dtype()), (columns + together - 1) / together);
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
        return launch.offsetOrZero(g)
                .offsetOrZero(norm.weight())
                .offsetOrZero(norm.bias())
                .offsetOrZero(norm.mean())
                .offset(norm.scale());
    }
}

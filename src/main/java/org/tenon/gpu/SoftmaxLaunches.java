package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/** Launches of softmax and its backward: how many threads a row has, and whether they keep it in registers. */
final class SoftmaxLaunches implements SoftmaxKernels {
    private static final String[] KERNELS = {
        "softmax_rows", "softmax_rows_grad", "softmax_columns", "softmax_columns_grad"
    };
    private static final int COLUMNS = 2;
    /** What a kernel may write: a kind of softmax, by its number, or what is known of a row. */
    private static final int KNOWN = SoftmaxKind.values().length;

    private static final int OPS = KNOWN + 1;
    private static final int SHAPES = 64;
    /** The most elements that one thread keeps, a power of two. */
    private static final int MOST_KEPT = 32;
    /** Of nothing kept, and of 1, 2, 4 .. 32 elements. */
    private static final int KEPT = 7;

    private final GpuRuntime.Traits traits;
    private final GpuRuntime runtime;
    private final int most;
    private final Variants kernels;

    SoftmaxLaunches(GpuRuntime runtime) {
        this.runtime = runtime;
        traits = runtime.traits();
        most = Math.min(traits.block(), traits.threads());
        kernels = new Variants(KERNELS.length * OPS * 16 * SHAPES, this::build);
    }

    @Override
    public void buildAll() {
        SoftmaxKernels.each((kind, backward, in, out) -> buildAll(kind.ordinal(), backward, in, out));
        for (DType in : Types.FLOATS) {
            buildAll(KNOWN, 0, in, in == DType.F64 ? in : DType.F32);
        }
    }

    private void buildAll(int op, int backward, DType in, DType out) {
        for (long length = 1; length <= 2L * MOST_KEPT * most; length++) {
            int shape = rowShape(length, registers(backward, in, out));
            kernels.get(variant(backward, op, in, out, shape));
        }
        for (long inner = 2; inner <= most; inner++) {
            for (long outer : new long[] {1, Integer.MAX_VALUE}) {
                int shape = columnShape(new Rows(outer, MOST_KEPT, inner));
                kernels.get(variant(COLUMNS + backward, op, in, out, shape));
            }
        }
    }

    @Override
    public void softmax(SoftmaxKind kind, Strided in, Rows rows, Strided out) {
        if (out.count() > 0) {
            launch(Launch.begin().buffer(out).buffer(in), 0, kind.ordinal(), in, in, rows, out);
        }
    }

    @Override
    public void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx) {
        if (dx.count() > 0) {
            launch(Launch.begin().buffer(dx).buffer(g).buffer(y), 1, kind.ordinal(), g, y, rows, dx);
        }
    }

    @Override
    public void known(Strided in, Rows rows, Strided known) {
        if (in.count() > 0) {
            launch(Launch.begin().buffer(known).buffer(in), 0, KNOWN, in, in, rows, known);
        }
    }

    private void launch(Launch launch, int backward, int op, Strided x, Strided y, Rows rows, Strided out) {
        launch.value(rows.count())
                .value(rows.len())
                .value(rows.inner())
                .offset(x)
                .offset(y)
                .offset(out);
        int kernel = rows.inner() == 1 ? backward : COLUMNS + backward;
        int shape = kernel < COLUMNS
                ? rowShape(rows.len(), registers(backward, x.dtype(), out.dtype()))
                : columnShape(rows);
        int together = together(kernel, shape);
        launch.run(
                runtime,
                kernels.get(variant(kernel, op, x.dtype(), out.dtype(), shape)),
                (rows.count() + together - 1) / together);
    }

    private static int variant(int kernel, int op, DType in, DType out, int shape) {
        int types = 4 * Types.index(in) + Types.index(out);
        return shape + SHAPES * (types + 16 * (op + OPS * kernel));
    }

    /** The registers of a kept element: the backward keeps two numbers, float64 takes two registers. */
    private static int registers(int backward, DType in, DType out) {
        return (1 + backward) * (in == DType.F64 || out == DType.F64 ? 2 : 1);
    }

    /**
     * The number of a way to do rows whose elements are neighbours: on a CPU the logarithm of how many rows a group has, a
     * thread for each, so that a group of short ones is worth its start. Else that of the threads of a row, and what they
     * keep: eight elements each, up to the most threads, then more elements, while they fit into registers.
     *
     * @param registers how many a kept element takes
     */
    private int rowShape(long length, int registers) {
        if (!traits.cooperative()) {
            return log2(Math.clamp(1024 / length, 1, 64));
        }
        int columns = Math.clamp(Launch.powerAbove((length + 7) / 8), 1, most);
        long each = (length + columns - 1) / columns;
        boolean keeps = each * registers <= MOST_KEPT * 2L && each <= MOST_KEPT;
        return KEPT * log2(columns) + (keeps ? 1 + log2((int) Launch.powerAbove(each)) : 0);
    }

    /**
     * The same where neighbours belong to different rows: 0 for a thread for each row; where there are few rows, one more
     * than the logarithm of how many a group has, with several threads for each.
     */
    private int columnShape(Rows rows) {
        if (!traits.cooperative() || rows.count() >= 2048L * traits.units() || rows.len() < 16) {
            return 0;
        }
        return 1 + log2(Math.min(Math.clamp(Launch.powerAbove(rows.inner()), 1, 32), most));
    }

    /** The rows of a group. */
    private int together(int kernel, int shape) {
        if (kernel < COLUMNS) {
            return traits.cooperative() ? Math.max(1, most >> shape / KEPT) : 1 << shape;
        }
        return !traits.cooperative() ? 16 : shape == 0 ? most : 1 << shape - 1;
    }

    private static int log2(int power) {
        return 31 - Integer.numberOfLeadingZeros(power);
    }

    private static String name(int op) {
        return op == KNOWN ? "KNOWN" : SoftmaxKind.values()[op].name();
    }

    private GpuKernel build(int variant) {
        int shape = variant % SHAPES;
        int kernel = variant / SHAPES / 16 / OPS;
        DType in = Types.FLOATS.get(variant / SHAPES % 16 / 4);
        DType out = Types.FLOATS.get(variant / SHAPES % 4);
        int rows = together(kernel, shape);
        int columns = !traits.cooperative() ? 1 : kernel < COLUMNS ? 1 << shape / KEPT : most / rows;
        int keep = traits.cooperative() && kernel < COLUMNS && shape % KEPT > 0 ? 1 << shape % KEPT - 1 : 0;
        boolean doubles = in == DType.F64 || out == DType.F64;
        return runtime.kernel(
                "softmax",
                KERNELS[kernel],
                "-DOP=" + name(variant / SHAPES / 16 % OPS) + " -DT=" + Types.name(in) + " -DU="
                        + Types.name(out) + " -DWIDE=" + (doubles ? "f64" : "f32") + " -DCOLUMNS=" + columns
                        + " -DROWS=" + rows + " -DKEEP=" + keep + " -DLANES=" + (columns == 1 ? traits.lanes() : 1)
                        + (traits.cooperative() ? "" : " -DVECTORIZED") + " -DBLOCK=" + columns * rows);
    }
}

package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/** Launches of softmax, its backward and what is known of rows, on a CPU: a thread for each row. */
final class ThreadSoftmax implements SoftmaxKernels {
    private static final String[] KERNELS = {
        "softmax_rows", "softmax_rows_grad", "softmax_columns", "softmax_columns_grad"
    };
    private static final int COLUMNS = 2;
    /** What a kernel may write: a kind of softmax, by its number, or what is known of a row. */
    private static final int KNOWN = SoftmaxKind.values().length;

    private static final int OPS = KNOWN + 1;
    /** The logarithm of the most rows of a group. */
    private static final int MOST_ROWS = 6;
    /** The same of rows along another axis. */
    private static final int COLUMN_ROWS = 4;

    private final GpuRuntime runtime;
    private final Variants kernels;

    ThreadSoftmax(GpuRuntime runtime) {
        this.runtime = runtime;
        kernels = new Variants(KERNELS.length * OPS * 16 * (MOST_ROWS + 1), this::build);
    }

    @Override
    public void buildAll() {
        SoftmaxKernels.each((kind, backward, in, out) -> buildAll(kind.ordinal(), backward, in, out));
        for (DType in : Types.FLOATS) {
            buildAll(KNOWN, 0, in, in == DType.F64 ? in : DType.F32);
        }
    }

    private void buildAll(int op, int backward, DType in, DType out) {
        for (int rows = 0; rows <= MOST_ROWS; rows++) {
            kernels.get(variant(backward, op, in, out, rows));
        }
        kernels.get(variant(COLUMNS + backward, op, in, out, COLUMN_ROWS));
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

    /** A group has so many rows that short ones are worth its start. */
    private void launch(Launch launch, int backward, int op, Strided x, Strided y, Rows rows, Strided out) {
        int kernel = rows.inner() == 1 ? backward : COLUMNS + backward;
        int together = kernel < COLUMNS
                ? 31 - Integer.numberOfLeadingZeros(Math.clamp(1024 / rows.len(), 1, 64))
                : COLUMN_ROWS;
        SoftmaxKernels.arguments(launch, rows, x, y, out)
                .zeros(5)
                .run(
                        runtime,
                        kernels.get(variant(kernel, op, x.dtype(), out.dtype(), together)),
                        (rows.count() + (1 << together) - 1) >> together);
    }

    private static int variant(int kernel, int op, DType in, DType out, int together) {
        int types = 4 * Types.index(in) + Types.index(out);
        return together + (MOST_ROWS + 1) * (types + 16 * (op + OPS * kernel));
    }

    private static String name(int op) {
        return op == KNOWN ? "KNOWN" : SoftmaxKind.values()[op].name();
    }

    private GpuKernel build(int variant) {
        int rest = variant / (MOST_ROWS + 1);
        DType in = Types.FLOATS.get(rest % 16 / 4);
        DType out = Types.FLOATS.get(rest % 4);
        return runtime.kernel(
                "softmax",
                KERNELS[rest / 16 / OPS],
                SoftmaxKernels.types(in, out) + " -DOP=" + name(rest / 16 % OPS) + " -DLANES="
                        + runtime.traits().lanes() + " -DVECTORIZED -DBLOCK=" + (1 << variant % (MOST_ROWS + 1)));
    }
}

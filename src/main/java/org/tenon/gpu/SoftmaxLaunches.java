package org.tenon.gpu;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.tenon.DType;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/** Launches of softmax and its backward: how many threads a row has, and whether they keep it in registers. */
final class SoftmaxLaunches {
    /** The most elements that one thread keeps. */
    private static final int MOST_KEPT = 32;
    /** The most threads of a group; every OpenCL GPU has them. */
    private static final int MOST_THREADS = 256;

    private final GpuRuntime runtime;
    private final Map<Shape, GpuKernel> kernels = new ConcurrentHashMap<>();

    SoftmaxLaunches(GpuRuntime runtime) {
        this.runtime = runtime;
    }

    /** What tells one compiled kernel from another. */
    private record Shape(String kernel, SoftmaxKind kind, DType in, DType out, int columns, int rows, int keep) {}

    /** Builds every kernel there is: those of each pair of element types, for all lengths of rows and distances. */
    void buildAll() {
        DType[] floats = {DType.F32, DType.F64, DType.F16, DType.BF16};
        for (SoftmaxKind kind : SoftmaxKind.values()) {
            for (DType narrow : floats) {
                for (DType wide : floats) {
                    if (narrow == wide || narrow.bytes() == 2 && wide == DType.F32) {
                        buildAll(kind, "", narrow, wide, 1);
                        buildAll(kind, "_grad", wide, narrow, 2);
                    }
                }
            }
        }
    }

    private void buildAll(SoftmaxKind kind, String suffix, DType in, DType out, int operands) {
        long longest = 2L * MOST_KEPT * MOST_THREADS;
        for (long length = 1; length <= longest; length++) {
            Rows rows = new Rows(1, length, 1);
            kernels.computeIfAbsent(rowShape("softmax_rows" + suffix, kind, in, out, rows, operands), this::build);
        }
        for (long inner = 2; inner <= MOST_THREADS; inner++) {
            for (long outer : new long[] {1, Integer.MAX_VALUE}) {
                Rows rows = new Rows(outer, MOST_KEPT, inner);
                kernels.computeIfAbsent(columnShape("softmax_columns" + suffix, kind, in, out, rows), this::build);
            }
        }
    }

    void softmax(SoftmaxKind kind, Strided in, Rows rows, Strided out) {
        if (out.count() > 0) {
            launch(Launch.begin().buffer(out).buffer(in), "", kind, in, in, rows, out, 1);
        }
    }

    void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx) {
        if (dx.count() > 0) {
            launch(Launch.begin().buffer(dx).buffer(g).buffer(y), "_grad", kind, g, y, rows, dx, 2);
        }
    }

    private void launch(
            Launch launch,
            String suffix,
            SoftmaxKind kind,
            Strided x,
            Strided y,
            Rows rows,
            Strided out,
            int operands) {
        launch.value(rows.count())
                .value(rows.len())
                .value(rows.inner())
                .offset(x)
                .offset(y)
                .offset(out);
        Shape shape = rows.inner() == 1
                ? rowShape("softmax_rows" + suffix, kind, x.dtype(), out.dtype(), rows, operands)
                : columnShape("softmax_columns" + suffix, kind, x.dtype(), out.dtype(), rows);
        GpuKernel kernel = kernels.computeIfAbsent(shape, this::build);
        launch.run(runtime, kernel, (rows.count() + shape.rows() - 1) / shape.rows());
    }

    /** Neighbouring elements to neighbouring threads; short rows share a group. */
    private Shape rowShape(String kernel, SoftmaxKind kind, DType in, DType out, Rows rows, int operands) {
        GpuRuntime.Traits traits = runtime.traits();
        if (!traits.cooperative()) {
            // A thread for each row; a few rows a group, where they are short, so that a group is worth its start.
            int together = Math.clamp(1024 / rows.len(), 1, 64);
            return new Shape(kernel, kind, in, out, 1, Integer.highestOneBit(together), 0);
        }
        int most = Math.min(traits.block(), MOST_THREADS);
        // Eight elements a thread, up to the most threads; then more elements, while they fit into registers.
        long wanted = (rows.len() + 7) / 8;
        int columns = Math.clamp(powerAbove(wanted), 1, most);
        long each = (rows.len() + columns - 1) / columns;
        int wide = in == DType.F64 || out == DType.F64 ? 2 : 1;
        boolean keeps = each * operands * wide <= MOST_KEPT * 2L && each <= MOST_KEPT;
        int keep = keeps ? (int) powerAbove(each) : 0;
        return new Shape(kernel, kind, in, out, columns, Math.max(1, most / columns), keep);
    }

    /** Neighbouring rows to neighbouring threads; where there are few rows, several threads for each. */
    private Shape columnShape(String kernel, SoftmaxKind kind, DType in, DType out, Rows rows) {
        GpuRuntime.Traits traits = runtime.traits();
        if (!traits.cooperative()) {
            return new Shape(kernel, kind, in, out, 1, 16, 0);
        }
        int most = Math.min(traits.block(), MOST_THREADS);
        int together = Math.clamp(powerAbove(rows.inner()), 1, 32);
        together = Math.min(together, most);
        boolean many = rows.count() >= 2048L * traits.units() || rows.len() < 16;
        return new Shape(kernel, kind, in, out, many ? 1 : most / together, many ? most : together, 0);
    }

    private static long powerAbove(long n) {
        return n <= 1 ? 1 : Long.highestOneBit(n - 1) << 1;
    }

    private GpuKernel build(Shape shape) {
        boolean doubles = shape.in() == DType.F64 || shape.out() == DType.F64;
        int lanes = shape.columns() == 1 ? runtime.traits().lanes() : 1;
        return runtime.kernel(
                "softmax",
                shape.kernel(),
                "-DOP=" + shape.kind() + " -DT=" + Types.name(shape.in()) + " -DU=" + Types.name(shape.out())
                        + " -DWIDE=" + (doubles ? "f64" : "f32") + " -DCOLUMNS=" + shape.columns() + " -DROWS="
                        + shape.rows() + " -DKEEP=" + shape.keep() + " -DLANES=" + lanes
                        + (runtime.traits().cooperative() ? "" : " -DVECTORIZED") + " -DBLOCK="
                        + shape.columns() * shape.rows());
    }
}

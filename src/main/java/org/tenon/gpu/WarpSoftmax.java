package org.tenon.gpu;

import java.util.List;
import org.tenon.DType;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/** Launches of softmax, its backward and what is known of rows, on devices with warps, by the kernels of {@code softmax.cuda.k}. */
final class WarpSoftmax implements SoftmaxKernels {
    /** The sizes that kernels are built for, by {@link SoftmaxForm.Kernel}; of rows the threads, then those in clusters. */
    private static final int SIZES = 3;

    private static final List<int[]> ROW_SIZES = List.of(new int[] {128, 1}, new int[] {512, 1}, new int[] {256, 8});

    private static final int SLOT_BYTES = 16;

    private final GpuRuntime runtime;
    private final GpuRuntime.Warps warps;
    private final Variants kernels;

    WarpSoftmax(GpuRuntime runtime) {
        this.runtime = runtime;
        warps = runtime.traits().warps();
        kernels = new Variants(SoftmaxForm.Kernel.values().length * SIZES * 2 * 16, this::build);
    }

    @Override
    public void buildAll() {
        SoftmaxKernels.each((_, backward, in, out) -> {
            for (int size = 0; size < SIZES; size++) {
                kernels.get(variant(SoftmaxForm.Kernel.SHORT, size, backward, in, out));
                kernels.get(variant(SoftmaxForm.Kernel.ROWS, size, backward, in, out));
                if (size < 2) {
                    kernels.get(variant(SoftmaxForm.Kernel.COLUMNS, size, backward, in, out));
                }
            }
        });
    }

    @Override
    public void softmax(SoftmaxKind kind, Strided in, Rows rows, Strided out) {
        if (out.count() > 0) {
            launch(Launch.begin().buffer(out).buffer(in), 0, kind, in, in, rows, out);
        }
    }

    /** By the forward's kernels, which then keep nothing and write no results. */
    @Override
    public void known(Strided in, Rows rows, Strided known) {
        if (in.count() == 0) {
            return;
        }
        DType to = known.dtype();
        SoftmaxForm form = rows.inner() == 1
                ? SoftmaxForm.ofRow(rows.len(), in.dtype(), to, 1, warps)
                : SoftmaxForm.ofColumns(rows, in.dtype(), to, 0, Launch.startsAt(in, SLOT_BYTES), warps);
        SoftmaxKernels.arguments(Launch.begin().buffer(known).buffer(in), rows, in, in, known)
                .value(form.across())
                .value(form.down())
                .value(0)
                .value(0)
                .value(1)
                .run(runtime, kernels.get(variant(form, 0, in.dtype(), to)), form.groups(rows));
    }

    @Override
    public void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx) {
        if (dx.count() > 0) {
            launch(Launch.begin().buffer(dx).buffer(g).buffer(y), 1, kind, g, y, rows, dx);
        }
    }

    private void launch(Launch launch, int backward, SoftmaxKind kind, Strided x, Strided y, Rows rows, Strided out) {
        DType in = x.dtype();
        boolean aligned =
                Launch.startsAt(x, SLOT_BYTES) && Launch.startsAt(y, SLOT_BYTES) && Launch.startsAt(out, SLOT_BYTES);
        SoftmaxForm form = rows.inner() == 1
                ? SoftmaxForm.ofRow(rows.len(), in, out.dtype(), 1 + backward, warps)
                : SoftmaxForm.ofColumns(rows, in, out.dtype(), 1 + backward, aligned, warps);
        SoftmaxKernels.arguments(launch, rows, x, y, out)
                .value(form.across())
                .value(form.down())
                .value(form.sharedBytes() > 0 ? 1 : 0)
                .value(kind == SoftmaxKind.LOG_SOFTMAX ? 1 : 0)
                .value(0)
                .shared(form.sharedBytes())
                .run(runtime, kernels.get(variant(form, backward, in, out.dtype())), form.groups(rows));
    }

    private static int variant(SoftmaxForm form, int backward, DType in, DType out) {
        int size = switch (form.kernel()) {
            case SHORT -> Integer.numberOfTrailingZeros(form.size() / SoftmaxForm.least(in));
            case ROWS -> form.cluster() > 1 ? 2 : form.size() == 128 ? 0 : 1;
            case COLUMNS -> form.size() == 1 ? 0 : 1;
        };
        return variant(form.kernel(), size, backward, in, out);
    }

    private static int variant(SoftmaxForm.Kernel kernel, int size, int backward, DType in, DType out) {
        int types = 4 * Types.index(in) + Types.index(out);
        return types + 16 * (backward + 2 * (size + SIZES * kernel.ordinal()));
    }

    private GpuKernel build(int variant) {
        DType in = Types.FLOATS.get(variant % 16 / 4);
        DType out = Types.FLOATS.get(variant % 4);
        boolean backward = variant / 16 % 2 == 1;
        int size = variant / 32 % SIZES;
        SoftmaxForm.Kernel kernel = SoftmaxForm.Kernel.values()[variant / 32 / SIZES];
        String shape = switch (kernel) {
            case SHORT -> " -DKEEP=" + (SoftmaxForm.least(in) << size) + " -DBLOCK=" + SoftmaxForm.SHORT_BLOCK;
            case ROWS ->
                (ROW_SIZES.get(size)[1] > 1 ? " -DCLUSTER=" + ROW_SIZES.get(size)[1] : "") + " -DBLOCK="
                        + ROW_SIZES.get(size)[0];
            case COLUMNS ->
                " -DWIDTH=" + (size == 0 ? 1 : SoftmaxForm.chunk(in, out)) + " -DBLOCK=" + SoftmaxForm.COLUMN_BLOCK;
        };
        return runtime.kernel(
                "softmax", kernel.text() + (backward ? "_grad" : ""), SoftmaxKernels.types(in, out) + shape);
    }
}

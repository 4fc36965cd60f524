package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/** Launches of softmax, its backward and what is known of rows, on devices whose groups have no warps. */
final class GroupSoftmax implements SoftmaxKernels {
    /** Of rows along another axis: one row a thread or those of 16 bytes, each with nothing kept, a quarter of what fits, and all. */
    private static final int COLUMN_SHAPES = 6;

    private static final int HOLDS = 3;
    private static final int SHAPES = GroupRows.SHAPES + COLUMN_SHAPES;
    private static final int SLOT_BYTES = 16;
    /** The most that a group keeps of columns. */
    private static final long MOST_KEPT = 32 << 10;

    private final GpuRuntime runtime;
    private final int most;
    private final Variants kernels;

    GroupSoftmax(GpuRuntime runtime) {
        this.runtime = runtime;
        most = Math.min(runtime.traits().block(), runtime.traits().threads());
        kernels = new Variants(SHAPES * 2 * 16, this::build);
    }

    @Override
    public void buildAll() {
        SoftmaxKernels.each((_, backward, in, out) -> {
            for (int shape = 0; shape < SHAPES; shape++) {
                if (shape >= GroupRows.SHAPES || GroupRows.exists(shape, in, out, 1 + backward)) {
                    kernels.get(variant(shape, backward, in, out));
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

    @Override
    public void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx) {
        if (dx.count() > 0) {
            launch(Launch.begin().buffer(dx).buffer(g).buffer(y), 1, kind, g, y, rows, dx);
        }
    }

    /** By the forward's kernels, which then write no results. */
    @Override
    public void known(Strided in, Rows rows, Strided known) {
        if (in.count() > 0) {
            launch(Launch.begin().buffer(known).buffer(in), 0, null, in, in, rows, known);
        }
    }

    /** {@code kind} is null where what is known of rows is wanted. */
    private void launch(Launch launch, int backward, SoftmaxKind kind, Strided x, Strided y, Rows rows, Strided out) {
        DType in = x.dtype();
        DType to = out.dtype();
        SoftmaxKernels.arguments(launch, rows, x, y, out);
        if (rows.inner() == 1) {
            GroupRows form = GroupRows.of(rows.len(), in, to, 1 + backward, most);
            kind(launch.value(form.across()).value(1).value(0), kind)
                    .run(
                            runtime,
                            kernels.get(variant(form.shape(), backward, in, to)),
                            form.groups(rows.count(), most));
            return;
        }
        boolean aligned = Launch.startsAt(x, SLOT_BYTES)
                && Launch.startsAt(y, SLOT_BYTES)
                && (kind == null || Launch.startsAt(out, SLOT_BYTES));
        int operands = kind == null ? 0 : 1 + backward;
        int width = SoftmaxForm.columnWidth(rows, in, to, aligned);
        SoftmaxForm form = SoftmaxForm.ofColumns(rows, in, operands, width, most, kept(width, in, to));
        long turns = (rows.len() + form.down() - 1) / form.down();
        boolean keeps = form.sharedBytes() > 0;
        int hold = !keeps ? 0 : turns <= hold(1, width, backward, in, to) ? 1 : 2;
        int shape = GroupRows.SHAPES + (width == 1 ? 0 : HOLDS) + hold;
        kind(launch.value(form.across()).value(form.down()).value(keeps ? 1 : 0), kind)
                .run(runtime, kernels.get(variant(shape, backward, in, to)), form.columnGroups(rows, most));
    }

    private static Launch kind(Launch launch, SoftmaxKind kind) {
        return launch.value(kind == SoftmaxKind.LOG_SOFTMAX ? 1 : 0).value(kind == null ? 1 : 0);
    }

    /** The bytes of columns that a group may keep: half of local memory, so that two groups have room, less what they join in. */
    private long kept(int width, DType in, DType out) {
        long joined = 2L * width * most * Math.max(Float.BYTES, Math.max(in.bytes(), out.bytes()));
        return Math.clamp(runtime.traits().localBytes() / 2 - joined, 0, MOST_KEPT);
    }

    /** The turns that a kernel keeps: none, a quarter of what fits, or all of it. */
    private long hold(int number, int width, int backward, DType in, DType out) {
        long all = kept(width, in, out) / ((long) most * width * in.bytes() * (1 + backward));
        return number == 0 ? 0 : number == 1 ? all / 4 : all;
    }

    private static int variant(int shape, int backward, DType in, DType out) {
        return 4 * Types.index(in) + Types.index(out) + 16 * (backward + 2 * shape);
    }

    private GpuKernel build(int variant) {
        DType in = Types.FLOATS.get(variant % 16 / 4);
        DType out = Types.FLOATS.get(variant % 4);
        int backward = variant / 16 % 2;
        int shape = variant / 32;
        String grad = backward == 0 ? "" : "_grad";
        String types = SoftmaxKernels.types(in, out);
        if (shape < GroupRows.SHAPES) {
            String options = GroupRows.options(
                    shape, in, out, 1 + backward, most, runtime.traits().localBytes());
            return runtime.kernel("softmax", "softmax_group" + grad, types + options);
        }
        int column = shape - GroupRows.SHAPES;
        int width = column < HOLDS ? 1 : SoftmaxForm.chunk(in, out);
        return runtime.kernel(
                "softmax",
                "softmax_columns" + grad,
                types + " -DWIDTH=" + width + " -DHOLD=" + hold(column % HOLDS, width, backward, in, out)
                        + GroupRows.backward(backward) + " -DBLOCK=" + most);
    }
}

package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.LossReduction;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** Launches of the negative log likelihood and of cross entropy, and of their backwards. */
final class Losses {
    private static final String[] KERNELS = {"nll_each", "nll_parts", "nll_total", "nll_grad"};
    private static final int PART_BYTES = 16;
    private static final long EACH = 4096;
    /** Rows of a group on a CPU, a thread for each. */
    private static final int CPU_ROWS = 16;
    /** Lengths of rows, for each number of threads that a row may have. */
    private static final long[] LENGTHS = {1, 1024, Long.MAX_VALUE};

    private static final int SHAPES = LENGTHS.length;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final IndexFlag flag;
    private final Variants kernels;
    private final Variants rowSums;

    Losses(GpuRuntime runtime, Allocator allocator, IndexFlag flag) {
        this.runtime = runtime;
        this.allocator = allocator;
        this.flag = flag;
        kernels = new Variants(KERNELS.length * 2 * Types.FLOATS.size(), i -> {
            int kernel = i % KERNELS.length;
            DType type = Types.FLOATS.get(i / KERNELS.length / 2);
            String index = i / KERNELS.length % 2 == 0 ? "i64" : "i32";
            return runtime.kernel(
                    "nll",
                    KERNELS[kernel],
                    "-DT=" + Types.name(type) + " -DU=" + (type == DType.F64 ? "f64" : "f32") + " -DI=" + index
                            + " -DBLOCK="
                            + (kernel == 1
                                    ? runtime.traits().block()
                                    : kernel == 2 ? 1 : runtime.traits().threads()));
        });
        rowSums = new Variants(Types.FLOATS.size() * SHAPES, this::shaped, i -> {
            DType type = Types.FLOATS.get(i % Types.FLOATS.size());
            int columns = columns(LENGTHS[i / Types.FLOATS.size()]);
            int together = together(columns);
            return runtime.kernel(
                    "rowsums",
                    "row_sums",
                    "-DT=" + Types.name(type) + " -DU=" + (type == DType.F64 ? "f64" : "f32") + " -DCOLUMNS=" + columns
                            + " -DROWS=" + together + " -DLANES="
                            + (columns == 1 ? runtime.traits().lanes() : 1)
                            + " -DBLOCK=" + columns * together);
        });
    }

    /** Whether the device has that number of threads for a row. */
    private boolean shaped(int i) {
        int shape = i / Types.FLOATS.size();
        return log8(columns(LENGTHS[shape])) == shape;
    }

    /** Builds every kernel there is. */
    void buildAll() {
        kernels.buildAll();
        rowSums.buildAll();
    }

    private GpuKernel kernel(int kernel, Strided x, Strided target) {
        return kernels.get(
                kernel + KERNELS.length * (2 * Types.index(x.dtype()) + (target.dtype() == DType.I32 ? 1 : 0)));
    }

    void nll(
            Strided logp,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            Strided out,
            Strided totalWeight) {
        forward(new Problem(logp, rows, target, weight, reduction, check, null, null), out, totalWeight);
    }

    void crossEntropy(
            Strided x,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            Strided max,
            Strided sum,
            Strided out,
            Strided totalWeight) {
        if (x.count() > 0) {
            sums(x, rows, max, sum);
        }
        forward(new Problem(x, rows, target, weight, reduction, check, max, sum), out, totalWeight);
    }

    /** The maximum of each row, and the sum of exponentials. */
    private void sums(Strided x, Rows rows, Strided max, Strided sum) {
        int columns = columns(rows.len());
        int together = together(columns);
        Launch.begin()
                .buffer(max)
                .buffer(sum)
                .buffer(x)
                .value(rows.count())
                .value(rows.len())
                .offset(x)
                .offset(max)
                .offset(sum)
                .run(
                        runtime,
                        rowSums.get(Types.index(x.dtype()) + Types.FLOATS.size() * log8(columns)),
                        (rows.count() + together - 1) / together);
    }

    /** The threads of a row: 1 on a CPU, else 8, 32 or a whole group. */
    private int columns(long length) {
        int most = Math.min(runtime.traits().block(), runtime.traits().threads());
        return !runtime.traits().cooperative() ? 1 : Math.min(most, length <= 64 ? 8 : length <= 1024 ? 32 : most);
    }

    /** The rows of a group. */
    private int together(int columns) {
        return columns == 1
                ? CPU_ROWS
                : Math.min(runtime.traits().block(), runtime.traits().threads()) / columns;
    }

    private static int log8(int columns) {
        return columns <= 8 ? 0 : columns <= 32 ? 1 : 2;
    }

    /** What both directions are told; {@code max} and {@code sum} are null where log-probabilities come in. */
    private record Problem(
            Strided x,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            Strided max,
            Strided sum) {}

    private void forward(Problem p, Strided out, Strided totalWeight) {
        synchronized (flag) {
            long number = flag.begin(p.check);
            if (p.reduction == LossReduction.NONE) {
                if (p.rows.count() > 0) {
                    Launch launch = inputs(Launch.begin().buffer(out), p);
                    arguments(launch, p, p.x, number, out, null, 0, null)
                            .each(runtime, kernel(0, p.x, p.target), p.rows.count());
                }
                return;
            }
            total(p, number, out, totalWeight);
        }
    }

    private void total(Problem p, long number, Strided out, Strided total) {
        long blocks = (p.rows.count() + EACH - 1) / EACH;
        Buffer parts = allocator.allocate(blocks * PART_BYTES);
        try {
            if (blocks > 0) {
                Launch launch = inputs(Launch.begin().buffer(parts), p);
                arguments(launch, p, p.x, number, out, total, blocks, parts)
                        .run(runtime, kernel(1, p.x, p.target), blocks);
            }
            Launch launch = Launch.begin().buffer(out).buffer(total).buffer(parts);
            arguments(launch, p, p.x, number, out, total, blocks, parts).run(runtime, kernel(2, p.x, p.target), 1);
        } finally {
            allocator.free(parts);
        }
    }

    private Launch inputs(Launch launch, Problem p) {
        return launch.buffer(p.x)
                .buffer(p.target)
                .buffer(p.weight == null ? p.x : p.weight)
                .buffer(p.max == null ? p.x : p.max)
                .buffer(p.sum == null ? p.x : p.sum)
                .buffer(flag.buffer());
    }

    void nllGrad(
            Strided g,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            Strided totalWeight,
            Strided dx) {
        backward(g, new Problem(g, rows, target, weight, reduction, check, null, null), totalWeight, dx);
    }

    void crossEntropyGrad(
            Strided g,
            Strided x,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            Strided max,
            Strided sum,
            Strided totalWeight,
            Strided dx) {
        backward(g, new Problem(x, rows, target, weight, reduction, check, max, sum), totalWeight, dx);
    }

    private void backward(Strided g, Problem p, Strided totalWeight, Strided dx) {
        if (dx.count() == 0) {
            return;
        }
        synchronized (flag) {
            long number = flag.begin(p.check);
            Launch launch = Launch.begin()
                    .buffer(dx)
                    .buffer(g)
                    .buffer(p.target)
                    .buffer(p.weight == null ? g : p.weight)
                    .buffer(totalWeight == null ? g : totalWeight)
                    .buffer(p.x)
                    .buffer(p.max == null ? g : p.max)
                    .buffer(p.sum == null ? g : p.sum)
                    .buffer(flag.buffer());
            arguments(launch, p, g, number, dx, totalWeight, 0, null)
                    .each(runtime, kernel(3, dx, p.target), dx.count());
        }
    }

    private static Launch arguments(
            Launch launch, Problem p, Strided x, long number, Strided out, Strided total, long blocks, Buffer parts) {
        boolean ignores = p.check.ignored() != null;
        launch.value(p.rows.count())
                .value(p.rows.len())
                .value(p.rows.inner())
                .value(p.check.bound())
                .value(ignores ? p.check.ignored() : 0)
                .value(ignores ? 1 : 0)
                .value(p.weight == null ? 0 : 1)
                .value(p.reduction == LossReduction.MEAN ? 1 : 0)
                .value(number)
                .offset(x)
                .offset(p.target);
        (p.weight == null ? launch.value(0) : launch.offset(p.weight))
                .offset(out)
                .value(total == null ? 0 : total.buffer().base() / total.dtype().bytes() + total.offset())
                .value(blocks)
                .value(EACH)
                .value(p.reduction == LossReduction.NONE ? 0 : 1)
                .value(parts == null ? 0 : parts.base() / Long.BYTES);
        return p.max == null
                ? launch.zeros(4)
                : launch.value(1).offset(p.x).offset(p.max).offset(p.sum);
    }
}

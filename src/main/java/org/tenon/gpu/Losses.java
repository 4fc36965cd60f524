package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.LossReduction;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** Launches of the negative log likelihood. */
final class Losses {
    private static final String[] KERNELS = {"nll_each", "nll_parts", "nll_total", "nll_grad"};
    private static final int PART_BYTES = 16;
    private static final long EACH = 4096;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final IndexFlag flag;
    private final Variants kernels;

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
    }

    /** Builds every kernel there is. */
    void buildAll() {
        kernels.buildAll();
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
        synchronized (flag) {
            long number = flag.begin(check);
            if (reduction == LossReduction.NONE) {
                if (rows.count() > 0) {
                    Launch launch = inputs(Launch.begin().buffer(out), logp, target, weight);
                    arguments(launch, logp, rows, target, weight, reduction, check, number, out, null, 0, null)
                            .each(runtime, kernel(0, logp, target), rows.count());
                }
                return;
            }
            total(logp, rows, target, weight, reduction, check, number, out, totalWeight);
        }
    }

    private void total(
            Strided logp,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            long number,
            Strided out,
            Strided total) {
        long blocks = (rows.count() + EACH - 1) / EACH;
        Buffer parts = allocator.allocate(blocks * PART_BYTES);
        try {
            if (blocks > 0) {
                Launch launch = inputs(Launch.begin().buffer(parts), logp, target, weight);
                arguments(launch, logp, rows, target, weight, reduction, check, number, out, total, blocks, parts)
                        .run(runtime, kernel(1, logp, target), blocks);
            }
            Launch launch = Launch.begin().buffer(out).buffer(total).buffer(parts);
            arguments(launch, logp, rows, target, weight, reduction, check, number, out, total, blocks, parts)
                    .run(runtime, kernel(2, logp, target), 1);
        } finally {
            allocator.free(parts);
        }
    }

    private Launch inputs(Launch launch, Strided logp, Strided target, Strided weight) {
        return launch.buffer(logp)
                .buffer(target)
                .buffer(weight == null ? logp : weight)
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
        if (dx.count() == 0) {
            return;
        }
        synchronized (flag) {
            long number = flag.begin(check);
            Launch launch = Launch.begin()
                    .buffer(dx)
                    .buffer(g)
                    .buffer(target)
                    .buffer(weight == null ? g : weight)
                    .buffer(totalWeight == null ? g : totalWeight)
                    .buffer(flag.buffer());
            arguments(launch, g, rows, target, weight, reduction, check, number, dx, totalWeight, 0, null)
                    .each(runtime, kernel(3, dx, target), dx.count());
        }
    }

    private static Launch arguments(
            Launch launch,
            Strided x,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            long number,
            Strided out,
            Strided total,
            long blocks,
            Buffer parts) {
        launch.value(rows.count())
                .value(rows.len())
                .value(rows.inner())
                .value(check.bound())
                .value(check.ignored() == null ? 0 : check.ignored())
                .value(check.ignored() == null ? 0 : 1)
                .value(weight == null ? 0 : 1)
                .value(reduction == LossReduction.MEAN ? 1 : 0)
                .value(number)
                .offset(x)
                .offset(target);
        return (weight == null ? launch.value(0) : launch.offset(weight))
                .offset(out)
                .value(total == null ? 0 : total.buffer().base() / total.dtype().bytes() + total.offset())
                .value(blocks)
                .value(EACH)
                .value(reduction == LossReduction.NONE ? 0 : 1)
                .value(parts == null ? 0 : parts.base() / Long.BYTES);
    }
}

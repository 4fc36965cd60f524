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
    private static final DType[] FLOATS = {DType.F32, DType.F64, DType.F16, DType.BF16};
    private static final int THREADS = 256;
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
        kernels = new Variants(KERNELS.length * 2 * FLOATS.length, i -> {
            int kernel = i % KERNELS.length;
            DType type = FLOATS[i / KERNELS.length / 2];
            String index = i / KERNELS.length % 2 == 0 ? "i64" : "i32";
            return runtime.kernel(
                    "nll",
                    KERNELS[kernel],
                    "-DT=" + Types.name(type) + " -DU=" + (type == DType.F64 ? "f64" : "f32") + " -DI=" + index
                            + " -DBLOCK=" + (kernel == 1 ? runtime.traits().block() : kernel == 2 ? 1 : THREADS));
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
        long count = rows.count();
        Strided weights = weight == null ? logp : weight;
        flag.checked(check, (note, number) -> {
            if (reduction == LossReduction.NONE) {
                if (count > 0) {
                    arguments(
                                    Launch.begin()
                                            .buffer(out)
                                            .buffer(logp)
                                            .buffer(target)
                                            .buffer(weights)
                                            .buffer(note),
                                    logp,
                                    rows,
                                    target,
                                    weight,
                                    reduction,
                                    check,
                                    number,
                                    out,
                                    null,
                                    0,
                                    null)
                            .each(runtime, kernel(0, logp, target), count);
                }
                return;
            }
            long blocks = (count + EACH - 1) / EACH;
            Buffer parts = allocator.allocate(blocks * PART_BYTES);
            try {
                if (blocks > 0) {
                    arguments(
                                    Launch.begin()
                                            .buffer(parts)
                                            .buffer(logp)
                                            .buffer(target)
                                            .buffer(weights)
                                            .buffer(note),
                                    logp,
                                    rows,
                                    target,
                                    weight,
                                    reduction,
                                    check,
                                    number,
                                    out,
                                    totalWeight,
                                    blocks,
                                    parts)
                            .run(runtime, kernel(1, logp, target), blocks);
                }
                arguments(
                                Launch.begin().buffer(out).buffer(totalWeight).buffer(parts),
                                logp,
                                rows,
                                target,
                                weight,
                                reduction,
                                check,
                                number,
                                out,
                                totalWeight,
                                blocks,
                                parts)
                        .run(runtime, kernel(2, logp, target), 1);
            } finally {
                allocator.free(parts);
            }
        });
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
        Strided weights = weight == null ? g : weight;
        Strided total = totalWeight == null ? g : totalWeight;
        flag.checked(
                check,
                (note, number) -> arguments(
                                Launch.begin()
                                        .buffer(dx)
                                        .buffer(g)
                                        .buffer(target)
                                        .buffer(weights)
                                        .buffer(total)
                                        .buffer(note),
                                g,
                                rows,
                                target,
                                weight,
                                reduction,
                                check,
                                number,
                                dx,
                                totalWeight,
                                0,
                                null)
                        .each(runtime, kernel(3, dx, target), dx.count()));
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

package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.Buffer;
import org.tenon.spi.ClassLoss;
import org.tenon.spi.LossReduction;
import org.tenon.spi.Strided;

/** Launches of the negative log likelihood and of cross entropy, and of their backwards. */
final class Losses {
    private static final String[] FORWARDS = {"nll_each", "nll_parts", "nll_total"};
    private static final int PART_BYTES = 16;
    private static final long EACH = 4096;
    /** What a thread takes at once of a gradient where there are warps. */
    private static final int SLOT_BYTES = 16;

    private final GpuRuntime runtime;
    private final Allocator allocator;
    private final IndexFlag flag;
    private final SoftmaxKernels softmax;
    private final Variants forwards;
    private final Variants gradients;

    Losses(GpuRuntime runtime, Allocator allocator, IndexFlag flag, SoftmaxKernels softmax) {
        this.runtime = runtime;
        this.allocator = allocator;
        this.flag = flag;
        this.softmax = softmax;
        forwards = new Variants(FORWARDS.length * 2 * Types.FLOATS.size(), i -> {
            int kernel = i % FORWARDS.length;
            String types = types(i / FORWARDS.length, "U");
            int block = kernel == 1 ? traits().block() : kernel == 2 ? 1 : traits().threads();
            return runtime.kernel("nll", FORWARDS[kernel], types + " -DBLOCK=" + block);
        });
        boolean wide = traits().warps() != null;
        gradients = new Variants((wide ? 2 : 1) * 2 * Types.FLOATS.size(), i -> {
            int both = i % (2 * Types.FLOATS.size());
            return runtime.kernel(
                    "nllgrad",
                    i == both ? "nll_grad" : "nll_grad_wide",
                    types(both, "WIDE") + (wide ? " -DU=" + Types.name(Types.FLOATS.get(both / 2)) : "") + " -DBLOCK="
                            + traits().threads());
        });
    }

    private GpuRuntime.Traits traits() {
        return runtime.traits();
    }

    /** The types of elements and targets of a number, and what {@code sums} are kept in. */
    private static String types(int number, String sums) {
        DType type = Types.FLOATS.get(number / 2);
        return "-DT=" + Types.name(type) + " -D" + sums + "=" + (type == DType.F64 ? "f64" : "f32") + " -DI="
                + (number % 2 == 0 ? "i64" : "i32");
    }

    private static int number(Strided x, ClassLoss loss) {
        return 2 * Types.index(x.dtype()) + (loss.target().dtype() == DType.I32 ? 1 : 0);
    }

    /** Builds every kernel there is. */
    void buildAll() {
        forwards.buildAll();
        gradients.buildAll();
    }

    void nll(ClassLoss loss, Strided logp, Strided out) {
        forward(loss, logp, null, out);
    }

    void crossEntropy(ClassLoss loss, Strided x, Strided known, Strided out) {
        softmax.known(x, loss.rows(), known);
        forward(loss, x, known, out);
    }

    private void forward(ClassLoss loss, Strided x, Strided known, Strided out) {
        synchronized (flag) {
            long number = flag.begin(loss.check());
            if (loss.isReduced()) {
                total(loss, x, known, number, out);
            } else if (loss.rows().count() > 0) {
                Launch launch = inputs(Launch.begin().buffer(out), loss, x, known);
                arguments(launch, loss, x, known, number, out, 0, null)
                        .each(runtime, kernel(0, x, loss), loss.rows().count());
            }
        }
    }

    private GpuKernel kernel(int kernel, Strided x, ClassLoss loss) {
        return forwards.get(kernel + FORWARDS.length * number(x, loss));
    }

    private void total(ClassLoss loss, Strided x, Strided known, long number, Strided out) {
        long blocks = (loss.rows().count() + EACH - 1) / EACH;
        Buffer parts = allocator.allocate(blocks * PART_BYTES);
        try {
            if (blocks > 0) {
                Launch launch = inputs(Launch.begin().buffer(parts), loss, x, known);
                arguments(launch, loss, x, known, number, out, blocks, parts).run(runtime, kernel(1, x, loss), blocks);
            }
            Launch launch = Launch.begin().buffer(out).buffer(loss.total()).buffer(parts);
            arguments(launch, loss, x, known, number, out, blocks, parts).run(runtime, kernel(2, x, loss), 1);
        } finally {
            allocator.free(parts);
        }
    }

    private Launch inputs(Launch launch, ClassLoss loss, Strided x, Strided known) {
        return launch.buffer(x)
                .buffer(loss.target())
                .buffer(loss.weight() == null ? x : loss.weight())
                .buffer(known == null ? x : known)
                .buffer(flag.buffer());
    }

    private static Launch arguments(
            Launch launch,
            ClassLoss loss,
            Strided x,
            Strided known,
            long number,
            Strided out,
            long blocks,
            Buffer parts) {
        common(launch, loss, number, x, out)
                .value(blocks)
                .value(EACH)
                .value(parts == null ? 0 : parts.base() / Long.BYTES);
        return known == null ? launch.zeros(2) : launch.value(1).offset(known);
    }

    /** Adds what both directions are told. */
    private static Launch common(Launch launch, ClassLoss loss, long number, Strided in, Strided out) {
        Long ignored = loss.check().ignored();
        launch.value(loss.rows().count())
                .value(loss.rows().len())
                .value(loss.rows().inner())
                .value(loss.check().bound())
                .value(ignored == null ? 0 : ignored)
                .value(ignored == null ? 0 : 1)
                .value(loss.weight() == null ? 0 : 1)
                .value(loss.reduction() == LossReduction.MEAN ? 1 : 0)
                .value(number)
                .offset(in)
                .offset(loss.target());
        return launch.offsetOrZero(loss.weight()).offset(out).offsetOrZero(loss.total());
    }

    void nllGrad(ClassLoss loss, Strided g, Strided dx) {
        gradient(loss, g, null, null, dx);
    }

    void crossEntropyGrad(ClassLoss loss, Strided g, Strided x, Strided known, Strided dx) {
        gradient(loss, g, x, known, dx);
    }

    /** {@code x} and {@code known} are null for that of log-probabilities. */
    private void gradient(ClassLoss loss, Strided g, Strided x, Strided known, Strided dx) {
        if (dx.count() == 0) {
            return;
        }
        synchronized (flag) {
            long number = flag.begin(loss.check());
            Launch launch = Launch.begin()
                    .buffer(dx)
                    .buffer(g)
                    .buffer(loss.target())
                    .buffer(loss.weight() == null ? g : loss.weight())
                    .buffer(loss.total() == null ? g : loss.total())
                    .buffer(x == null ? g : x)
                    .buffer(known == null ? g : known)
                    .buffer(flag.buffer());
            common(launch, loss, number, g, dx).value(loss.isReduced() ? 1 : 0);
            if (x == null) {
                launch.zeros(3);
            } else {
                launch.value(1).offset(x).offset(known);
            }
            int each = SLOT_BYTES / dx.dtype().bytes();
            if (traits().warps() != null
                    && loss.rows().inner() == 1
                    && loss.rows().len() >= each) {
                long before = (dx.buffer().base() / dx.dtype().bytes() + dx.offset()) % each;
                GpuKernel kernel = gradients.get(2 * Types.FLOATS.size() + number(dx, loss));
                launch.each(runtime, kernel, (dx.count() + before + each - 1) / each);
            } else {
                launch.each(runtime, gradients.get(number(dx, loss)), dx.count());
            }
        }
    }
}

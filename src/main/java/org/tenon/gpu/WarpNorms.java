package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Norm;

/** Layer norm and RMS norm of rows by {@code norm.cuda.k}, in the forms of softmax, but for clusters. */
final class WarpNorms implements Norms.RowKernels {
    /** Elements of a short row's thread, as multiples of the least; of a long row's block, its threads. */
    private static final int SIZES = 3;

    private static final int[] BLOCKS = {128, 512};

    private final GpuRuntime runtime;
    private final GpuRuntime.Warps warps;
    private final Variants kernels;

    WarpNorms(GpuRuntime runtime) {
        this.runtime = runtime;
        warps = new GpuRuntime.Warps(runtime.traits().warps().sharedBytes(), false);
        kernels = new Variants(2 * (SIZES + BLOCKS.length) * Types.FLOATS.size(), this::build);
    }

    @Override
    public void buildAll() {
        kernels.buildAll();
    }

    @Override
    public void run(int kernel, Launch launch, Norm norm, DType dtype) {
        SoftmaxForm form = SoftmaxForm.ofRow(norm.rows().len(), dtype, dtype, 1 + kernel, warps);
        int size = form.kernel() == SoftmaxForm.Kernel.SHORT
                ? Integer.numberOfTrailingZeros(form.size() / SoftmaxForm.least(dtype))
                : SIZES + (form.size() == BLOCKS[0] ? 0 : 1);
        launch.value(form.across())
                .value(form.sharedBytes() > 0 ? 1 : 0)
                .shared(form.sharedBytes())
                .run(
                        runtime,
                        kernels.get(kernel + 2 * (size + (SIZES + BLOCKS.length) * Types.index(dtype))),
                        form.groups(norm.rows()));
    }

    private GpuKernel build(int number) {
        String grad = number % 2 == 0 ? "" : "_grad";
        int size = number / 2 % (SIZES + BLOCKS.length);
        DType dtype = Types.FLOATS.get(number / 2 / (SIZES + BLOCKS.length));
        String types = Norms.types(dtype) + " -DU=" + Types.name(dtype);
        return size < SIZES
                ? runtime.kernel(
                        "norm",
                        "norm_short" + grad,
                        types + " -DKEEP=" + (SoftmaxForm.least(dtype) << size) + " -DBLOCK=" + SoftmaxForm.SHORT_BLOCK)
                : runtime.kernel("norm", "norm_long" + grad, types + " -DLONG -DBLOCK=" + BLOCKS[size - SIZES]);
    }
}

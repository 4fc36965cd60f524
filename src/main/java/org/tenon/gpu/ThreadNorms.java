package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Norm;

/** Layer norm and RMS norm of rows by {@code norm.k} on a CPU: a thread for each row. */
final class ThreadNorms implements Norms.RowKernels {
    /** Rows of a group. */
    private static final int ROWS = 16;

    private final GpuRuntime runtime;
    private final Variants kernels;

    ThreadNorms(GpuRuntime runtime) {
        this.runtime = runtime;
        kernels = new Variants(2 * Types.FLOATS.size(), this::build);
    }

    @Override
    public void buildAll() {
        kernels.buildAll();
    }

    @Override
    public void run(int kernel, Launch launch, Norm norm, DType dtype) {
        launch.zeros(2)
                .run(
                        runtime,
                        kernels.get(kernel + 2 * Types.index(dtype)),
                        (norm.rows().outer() + ROWS - 1) / ROWS);
    }

    private GpuKernel build(int number) {
        return runtime.kernel(
                "norm",
                number % 2 == 0 ? "norm_rows" : "norm_rows_grad",
                Norms.types(Types.FLOATS.get(number / 2)) + " -DVECTORIZED -DLANES="
                        + runtime.traits().lanes() + " -DBLOCK=" + ROWS);
    }
}

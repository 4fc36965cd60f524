package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Norm;

/** Layer norm and RMS norm of rows by {@code norm.k} on devices whose groups have no warps. */
final class GroupNorms implements Norms.RowKernels {
    private final GpuRuntime runtime;
    private final int most;
    private final Variants kernels;

    GroupNorms(GpuRuntime runtime) {
        this.runtime = runtime;
        most = Math.min(runtime.traits().block(), runtime.traits().threads());
        kernels = new Variants(2 * GroupRows.SHAPES * Types.FLOATS.size(), this::exists, this::build);
    }

    @Override
    public void buildAll() {
        kernels.buildAll();
    }

    @Override
    public void run(int kernel, Launch launch, Norm norm, DType dtype) {
        GroupRows form = GroupRows.of(norm.rows().len(), dtype, dtype, 1 + kernel, most);
        launch.value(form.across())
                .value(0)
                .run(
                        runtime,
                        kernels.get(kernel + 2 * (form.shape() + GroupRows.SHAPES * Types.index(dtype))),
                        form.groups(norm.rows().outer(), most));
    }

    private static DType dtype(int number) {
        return Types.FLOATS.get(number / 2 / GroupRows.SHAPES);
    }

    private boolean exists(int number) {
        return GroupRows.exists(number / 2 % GroupRows.SHAPES, dtype(number), dtype(number), 1 + number % 2);
    }

    private GpuKernel build(int number) {
        int backward = number % 2;
        DType dtype = dtype(number);
        int shape = number / 2 % GroupRows.SHAPES;
        return runtime.kernel(
                "norm",
                backward == 0 ? "norm_group" : "norm_group_grad",
                Norms.types(dtype) + " -DU=" + Types.name(dtype)
                        + GroupRows.options(
                                shape,
                                dtype,
                                dtype,
                                1 + backward,
                                most,
                                runtime.traits().localBytes()));
    }
}

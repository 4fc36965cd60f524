package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/** Launches of softmax, of its backward, and of what is known of rows. */
interface SoftmaxKernels {
    /** Those of a kind of device. */
    static SoftmaxKernels of(GpuRuntime runtime) {
        GpuRuntime.Traits traits = runtime.traits();
        return traits.warps() != null
                ? new WarpSoftmax(runtime)
                : traits.cooperative() ? new GroupSoftmax(runtime) : new ThreadSoftmax(runtime);
    }

    /** As {@link org.tenon.spi.Kernels#softmax}. */
    void softmax(SoftmaxKind kind, Strided in, Rows rows, Strided out);

    /** As {@link org.tenon.spi.Kernels#softmaxGrad}. */
    void softmaxGrad(SoftmaxKind kind, Strided g, Strided y, Rows rows, Strided dx);

    /** The maximum of each row and its sum of {@code exp(x - max)}, as pairs: {@code known} is [rows, 2]. */
    void known(Strided in, Rows rows, Strided known);

    /** Builds every kernel there is: those of each pair of element types, for all lengths of rows and distances. */
    void buildAll();

    /** Goes over the pairs of element types that kernels are built for: a half type may go to float32, its gradient comes back. */
    static void each(Pair visitor) {
        for (SoftmaxKind kind : SoftmaxKind.values()) {
            for (DType narrow : Types.FLOATS) {
                for (DType wide : Types.FLOATS) {
                    if (narrow == wide || narrow.bytes() == 2 && wide == DType.F32) {
                        visitor.visit(kind, 0, narrow, wide);
                        visitor.visit(kind, 1, wide, narrow);
                    }
                }
            }
        }
    }

    /** Adds what every kernel is told first. */
    static Launch arguments(Launch launch, Rows rows, Strided x, Strided y, Strided out) {
        return launch.value(rows.count())
                .value(rows.len())
                .value(rows.inner())
                .offset(x)
                .offset(y)
                .offset(out);
    }

    /** The options that name the types. */
    static String types(DType in, DType out) {
        return "-DT=" + Types.name(in) + " -DU=" + Types.name(out) + " -DWIDE="
                + (in == DType.F64 || out == DType.F64 ? "f64" : "f32");
    }

    /** What to do for a pair of element types; {@code backward} is 0 or 1. */
    @FunctionalInterface
    interface Pair {
        void visit(SoftmaxKind kind, int backward, DType in, DType out);
    }
}

package org.tenon.gpu;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;

/** The kernels of one source, each built when it is first asked for and found by a number after that. */
final class Variants {
    private final AtomicReferenceArray<GpuKernel> kernels;
    private final IntFunction<GpuKernel> build;

    /** Up to {@code count} kernels. */
    Variants(int count, IntFunction<GpuKernel> build) {
        kernels = new AtomicReferenceArray<>(count);
        this.build = build;
    }

    GpuKernel get(int number) {
        GpuKernel known = kernels.get(number);
        if (known == null) {
            known = build.apply(number);
            kernels.set(number, known);
        }
        return known;
    }
}

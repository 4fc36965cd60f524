package org.tenon.gpu;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;

/** The kernels of one source, each built when it is first asked for and found by a number after that. */
final class Variants {
    private final AtomicReferenceArray<GpuKernel> kernels;
    private final IntPredicate exists;
    private final IntFunction<GpuKernel> build;

    /** {@code count} kernels. */
    Variants(int count, IntFunction<GpuKernel> build) {
        this(count, _ -> true, build);
    }

    /** Up to {@code count} kernels: those whose number {@code exists}. */
    Variants(int count, IntPredicate exists, IntFunction<GpuKernel> build) {
        kernels = new AtomicReferenceArray<>(count);
        this.exists = exists;
        this.build = build;
    }

    /** A kernel for each floating type, by {@link Types#index}, whose threads each have elements of their own. */
    static Variants ofFloats(GpuRuntime runtime, String file, String kernel) {
        String block = " -DBLOCK=" + runtime.traits().threads();
        return new Variants(
                Types.FLOATS.size(),
                i -> runtime.kernel(file, kernel, "-DT=" + Types.name(Types.FLOATS.get(i)) + block));
    }

    GpuKernel get(int number) {
        GpuKernel known = kernels.get(number);
        if (known == null) {
            if (!exists.test(number)) {
                throw new IllegalStateException("no kernel has the number " + number);
            }
            known = build.apply(number);
            kernels.set(number, known);
        }
        return known;
    }

    /** Builds all there are. */
    void buildAll() {
        for (int number = 0; number < kernels.length(); number++) {
            if (exists.test(number)) {
                get(number);
            }
        }
    }
}

package org.tenon.gpu;

import org.tenon.spi.Strided;

/** A library of a device's maker that multiplies matrices, such as cuBLAS. */
public interface ProductLibrary {
    /** Leaves every product to our own kernels. */
    ProductLibrary NONE = (x, y, out) -> false;

    /**
     * Queues {@code out = x y} as {@link org.tenon.spi.Kernels#matmul} defines it. False, and nothing done, where the
     * library has no call for these layouts.
     */
    boolean multiply(Strided x, Strided y, Strided out);
}

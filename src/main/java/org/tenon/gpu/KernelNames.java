package org.tenon.gpu;

/** The names that kernels built ahead of time are found by. */
public final class KernelNames {
    private KernelNames() {}

    /**
     * An identifier for a kernel under its options, unique among all: {@code reduce_rows}, {@code reduce} and
     * {@code -DOP=SUM -DT=f32 -DBLOCK=256} give {@code reduce__reduce_rows__OP_SUM__T_f32__BLOCK_256}.
     */
    public static String of(String file, String kernel, String options) {
        return file + "__" + kernel
                + options.replace(" -D", "__").replace("-D", "__").replace('=', '_');
    }
}

package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Strided;

/** Launches of matrix products: which tile for which shape. */
final class Products {
    private static final DType[] FLOATS = {DType.F32, DType.F64, DType.F16, DType.BF16};

    /** Threads and sums a thread, for large results, small ones, and the one thread that a CPU gives a tile. */
    private static final String[] TILES = {
        "-DTILE_M=64 -DTILE_N=64 -DTILE_K=16 -DPER_M=4 -DPER_N=4 -DPAD=1 -DBLOCK=256",
        "-DTILE_M=16 -DTILE_N=16 -DTILE_K=16 -DPER_M=1 -DPER_N=1 -DPAD=1 -DBLOCK=256",
        "-DTILE_M=8 -DTILE_N=32 -DTILE_K=128 -DPER_M=8 -DPER_N=32 -DPAD=0 -DBLOCK=1"
    };

    private static final int[] ROWS = {64, 16, 8};
    private static final int[] COLUMNS = {64, 16, 32};

    private final GpuRuntime runtime;
    private final Variants kernels;

    Products(GpuRuntime runtime) {
        this.runtime = runtime;
        kernels = new Variants(
                TILES.length * 4 * FLOATS.length,
                i -> runtime.kernel(
                        "matmul",
                        "matmul",
                        TILES[i % TILES.length] + (i / TILES.length % 2 == 1 ? " -DX_DOWN" : "")
                                + (i / TILES.length / 2 % 2 == 1 ? " -DY_DOWN" : "") + " -DT="
                                + Types.name(FLOATS[i / TILES.length / 4])));
    }

    void matmul(Strided x, Strided y, Strided out) {
        if (out.count() == 0) {
            return;
        }
        long batch = out.sizes()[0];
        long m = out.sizes()[1];
        long n = out.sizes()[2];
        int tile = tile(batch, m, n);
        int down = near(x.strides()[1]) < near(x.strides()[2]) ? 1 : 0;
        int across = near(y.strides()[1]) < near(y.strides()[2]) ? 1 : 0;
        int variant = tile + TILES.length * (down + 2 * (across + 2 * Types.index(out.dtype())));
        Launch.begin()
                .buffer(out)
                .buffer(x)
                .buffer(y)
                .value(batch)
                .value(m)
                .value(n)
                .value(x.sizes()[2])
                .offset(x)
                .offset(y)
                .offset(out)
                .value(x.strides()[0])
                .value(x.strides()[1])
                .value(x.strides()[2])
                .value(y.strides()[0])
                .value(y.strides()[1])
                .value(y.strides()[2])
                .run(runtime, kernels.get(variant), batch * tiles(m, ROWS[tile]) * tiles(n, COLUMNS[tile]));
    }

    /** The large tile where it still keeps the device busy. */
    private int tile(long batch, long m, long n) {
        if (!runtime.traits().cooperative()) {
            return 2;
        }
        return batch * tiles(m, ROWS[0]) * tiles(n, COLUMNS[0])
                        >= runtime.traits().units()
                ? 0
                : 1;
    }

    private static long tiles(long size, int tile) {
        return (size + tile - 1) / tile;
    }

    /** A stride of 0 is no neighbour. */
    private static long near(long stride) {
        return stride == 0 ? Long.MAX_VALUE : Math.abs(stride);
    }
}

package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.spi.Strided;

/** Launches of matrix products: which tile for which shape. */
final class Products {

    /**
     * How a result is cut.
     *
     * @param rows of a group's tile
     * @param columns of a group's tile
     * @param perRow rows of a thread
     * @param perColumn columns of a thread
     * @param depth of the slices that go through local memory
     */
    private record Tile(int rows, int columns, int perRow, int perColumn, int depth) {
        /** Thinner slices, where local memory has no room for these. */
        Tile within(long localBytes, int elementBytes) {
            int fitting = depth;
            while (fitting > 1 && (rows + columns + 2L) * fitting * elementBytes > localBytes) {
                fitting /= 2;
            }
            return new Tile(rows, columns, perRow, perColumn, fitting);
        }

        String options(int lanes) {
            return "-DTILE_M=" + rows + " -DTILE_N=" + columns + " -DPER_M=" + perRow + " -DPER_N=" + perColumn
                    + " -DTILE_K=" + depth + " -DLANES=" + lanes + " -DPAD=1 -DBLOCK="
                    + rows / perRow * (columns / perColumn);
        }
    }

    private final GpuRuntime runtime;
    /** For large results and for small ones. */
    private final Tile[] tiles;

    private final Variants kernels;

    Products(GpuRuntime runtime) {
        this.runtime = runtime;
        tiles = tiles(runtime.traits());
        kernels = new Variants(tiles.length * 4 * Types.FLOATS.size(), i -> {
            DType type = Types.FLOATS.get(i / tiles.length / 4);
            int lanes = runtime.traits().lanes();
            int bytes = type == DType.F64 ? Double.BYTES : Float.BYTES;
            return runtime.kernel(
                    "matmul",
                    "matmul",
                    tiles[i % tiles.length]
                                    .within(runtime.traits().localBytes(), bytes)
                                    .options(type == DType.F64 ? (lanes + 1) / 2 : lanes)
                            + (i / tiles.length % 2 == 1 ? " -DX_DOWN" : "")
                            + (i / tiles.length / 2 % 2 == 1 ? " -DY_DOWN" : "") + " -DT=" + Types.name(type));
        });
    }

    /** Builds every kernel there is. */
    void buildAll() {
        kernels.buildAll();
    }

    /** On a GPU groups as square as its threads allow; on a CPU a thread has vectors. */
    private static Tile[] tiles(GpuRuntime.Traits traits) {
        if (!traits.cooperative()) {
            return new Tile[] {new Tile(64, 64, 8, 16, 64), new Tile(8, 64, 8, 16, 64)};
        }
        int side = 1 << (31 - Integer.numberOfLeadingZeros(traits.threads())) / 2;
        return new Tile[] {new Tile(4 * side, 4 * side, 4, 4, 16), new Tile(side, side, 1, 1, 16)};
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
        int variant = tile + tiles.length * (down + 2 * (across + 2 * Types.index(out.dtype())));
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
                .run(runtime, kernels.get(variant), batch * tiles(m, n, tiles[tile]));
    }

    /** The large tile where it still keeps the device busy. */
    private int tile(long batch, long m, long n) {
        if (!runtime.traits().cooperative()) {
            return m > tiles[1].rows() ? 0 : 1;
        }
        return batch * tiles(m, n, tiles[0]) >= runtime.traits().units() ? 0 : 1;
    }

    private static long tiles(long m, long n, Tile tile) {
        return (m + tile.rows() - 1) / tile.rows() * ((n + tile.columns() - 1) / tile.columns());
    }

    /** A stride of 0 is no neighbour. */
    private static long near(long stride) {
        return stride == 0 ? Long.MAX_VALUE : Math.abs(stride);
    }
}

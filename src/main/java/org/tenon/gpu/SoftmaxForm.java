package org.tenon.gpu;

import org.tenon.DType;
import org.tenon.gpu.GpuRuntime.Warps;
import org.tenon.spi.Rows;

/**
 * How the kernels for CUDA do a softmax: which of them, with how many threads for a row, and whether the chip holds it. All of it
 * follows from the shape of a row, the element types and the device, so that a row's bits are the same alone and among others.
 *
 * @param kernel which
 * @param size of a short row the elements of a thread, of a long one the threads of a block, along another axis the neighbours
 *     that a thread takes
 * @param cluster the blocks that do a row together
 * @param across the threads of a short row; along another axis those of neighbouring rows
 * @param down along another axis the threads of the same rows
 * @param sharedBytes what a block keeps of its rows in shared memory; 0 where they are read twice
 */
record SoftmaxForm(Kernel kernel, int size, int cluster, int across, int down, long sharedBytes) {
    /** Threads of a block that has several rows. */
    static final int SHORT_BLOCK = 128;

    static final int COLUMN_BLOCK = 256;
    /** Threads of a block with one row: with little to keep many blocks fit, else one has to do for all of them. */
    private static final int FEW = 128;

    private static final int CLUSTERED = 256;
    private static final int MANY = 512;
    private static final long KEPT_BY_FEW = 64 << 10;
    /** The most blocks that a cluster may have on every device that has clusters. */
    private static final int CLUSTER = 8;

    /** What the kernels declare in shared memory themselves. */
    private static final long ROWS_OWN = 1 << 10;

    private static final long COLUMNS_OWN = 17 << 10;

    /** The kernels, each with a backward. */
    enum Kernel {
        SHORT("softmax_short"),
        ROWS("softmax_rows"),
        COLUMNS("softmax_columns");

        private final String text;

        Kernel(String text) {
            this.text = text;
        }

        /** The name in the source. */
        String text() {
            return text;
        }
    }

    /** The elements that fill 16 bytes in the smaller of two types. */
    static int chunk(DType in, DType out) {
        return 16 / Math.min(in.bytes(), out.bytes());
    }

    /** The fewest elements of a short row's thread: 8, or 4 where they take two registers each. */
    static int least(DType in) {
        return in == DType.F64 ? 4 : 8;
    }

    /** The longest row that is a short one. */
    static long longestShort(DType in) {
        return 32L * 4 * least(in);
    }

    /**
     * Of rows whose elements are neighbours.
     *
     * @param operands the tensors that are read
     */
    static SoftmaxForm ofRow(long length, DType in, DType out, int operands, Warps warps) {
        if (length <= longestShort(in)) {
            int keep = least(in);
            int lanes = (int) Math.min(32, Launch.powerAbove((length + keep - 1) / keep));
            while ((long) lanes * keep < length) {
                keep *= 2;
            }
            return new SoftmaxForm(Kernel.SHORT, keep, 1, lanes, 1, 0);
        }
        long most = warps.sharedBytes() - ROWS_OWN;
        long all = kept(length, 1, in, out, operands);
        if (all <= Math.min(most, KEPT_BY_FEW)) {
            return row(FEW, 1, all);
        }
        if (!warps.clusters()) {
            return row(MANY, 1, all <= most ? all : 0);
        }
        long part = kept(length, CLUSTER, in, out, operands);
        return row(CLUSTERED, CLUSTER, part <= most ? part : 0);
    }

    private static SoftmaxForm row(int block, int cluster, long sharedBytes) {
        return new SoftmaxForm(Kernel.ROWS, block, cluster, 1, 1, sharedBytes);
    }

    /** The bytes of the part of a row that each of so many blocks has. */
    private static long kept(long length, int blocks, DType in, DType out, int operands) {
        int chunk = chunk(in, out);
        long chunks = ((length + chunk - 1) / chunk + blocks - 1) / blocks;
        return chunks * chunk * in.bytes() * operands;
    }

    /**
     * Of rows along another axis than the last.
     *
     * @param aligned whether all operands start at 16 bytes
     */
    static SoftmaxForm ofColumns(Rows rows, DType in, DType out, int operands, boolean aligned, Warps warps) {
        int width = columnWidth(rows, in, out, aligned);
        return ofColumns(rows, in, operands, width, COLUMN_BLOCK, warps.sharedBytes() - COLUMNS_OWN);
    }

    /** The neighbours that a thread takes: those of 16 bytes where all lie at 16 bytes. */
    static int columnWidth(Rows rows, DType in, DType out, boolean aligned) {
        int chunk = chunk(in, out);
        return aligned && rows.inner() % chunk == 0 ? chunk : 1;
    }

    /**
     * The same for groups of {@code block} threads.
     *
     * @param limit the most bytes that a group may keep
     */
    static SoftmaxForm ofColumns(Rows rows, DType in, int operands, int width, int block, long limit) {
        long columns = rows.inner() / width;
        // Neighbours in memory for at least 128 bytes, 32 where that is what makes a tile fit.
        int narrowest = Math.max(1, 32 / (width * in.bytes()));
        int most = Math.max(1, block / Math.max(1, 128 / (width * in.bytes())));
        // Eight elements of a row for a thread; more threads where neighbours would not fill a warp.
        long wanted =
                Math.max(Launch.powerAbove((rows.len() + 7) / 8), Launch.powerAbove((32 + columns - 1) / columns));
        int down = (int) Math.min(Math.min(most, wanted), Launch.powerAbove(rows.len()));
        int across = (int) Math.min(columns, block / down);
        long bytes = tile(rows.len(), down, (long) block * width * in.bytes() * operands);
        int narrow = across;
        int deep = down;
        while (bytes > limit && narrow > narrowest) {
            narrow = Math.max(narrowest, narrow / 2);
            deep = Integer.highestOneBit(block / narrow);
            bytes = tile(rows.len(), deep, (long) block * width * in.bytes() * operands);
        }
        return bytes <= limit
                ? new SoftmaxForm(Kernel.COLUMNS, width, 1, narrow, deep, bytes)
                : new SoftmaxForm(Kernel.COLUMNS, width, 1, across, down, 0);
    }

    private static long tile(long length, int down, long turn) {
        return (length + down - 1) / down * turn;
    }

    /** The groups of a launch over these rows. */
    long groups(Rows rows) {
        return switch (kernel) {
            case SHORT -> above(rows.count(), (long) SHORT_BLOCK / across);
            case ROWS -> rows.count() * cluster;
            case COLUMNS -> columnGroups(rows, COLUMN_BLOCK);
        };
    }

    /** The same of groups of {@code block} threads, along another axis. */
    long columnGroups(Rows rows, int block) {
        return above(rows.inner() / size, across) * above(rows.outer(), block / ((long) across * down));
    }

    private static long above(long n, long each) {
        return (n + each - 1) / each;
    }
}

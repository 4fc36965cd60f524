package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.spi.Strided;

/**
 * A product whose second operand fits the memory for packed panels, columns that the innermost loop reads in order; what reads
 * them are rows of the first operand, packed as well. {@code add} keeps what the target holds. Each element adds up its
 * products in the same order whatever the number of threads.
 */
record MatMulPart(Strided x, Strided y, Strided out, MatMulTarget target, boolean add) {
    private static final int UNIT = Lanes.CHOSEN.columns();
    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    /** Of the thread that calls; its helpers read it too. */
    private static final ThreadLocal<float[]> PACKED = ThreadLocal.withInitial(() -> new float[0]);

    /** The memory of one thread for its part of the work. */
    private static final class Scratch {
        private final float[] rows = new float[MatMulTile.TASK_ROWS * MatMulPacking.ROW];
        private final float[] line = new float[Math.max(MatMulTile.COLUMNS, MatMulTile.DEPTH)];
        private final float[] tile = new float[MatMulTile.ROWS * UNIT];
        private final float[] panel = new float[MatMulTile.DEPTH * UNIT];
        private float[] own = new float[0];
        private Object job;
        private long matrix;

        /** Whether {@link #own} is yet to be packed for a matrix of this job. */
        boolean lacks(Object newJob, long newMatrix, int size) {
            if (job == newJob && matrix == newMatrix) {
                return false;
            }
            job = newJob;
            matrix = newMatrix;
            if (own.length < size) {
                own = new float[size];
            }
            return true;
        }
    }

    private static float[] packed(int size) {
        float[] packed = PACKED.get();
        if (packed.length < size) {
            packed = new float[size];
            PACKED.set(packed);
        }
        return packed;
    }

    private long rows() {
        return out.sizes()[1];
    }

    private int columns() {
        return (int) out.sizes()[2];
    }

    private int panels() {
        return (columns() + UNIT - 1) / UNIT;
    }

    /** Pieces of the inner axis; one also where it has no element. */
    private int blocks() {
        return (int) Math.max(1, (x.sizes()[2] + MatMulTile.DEPTH - 1) / MatMulTile.DEPTH);
    }

    /** The packed size of a panel in one block. */
    private int panelSize() {
        return (int) Math.min(MatMulTile.DEPTH, x.sizes()[2]) * UNIT;
    }

    /** Who packs what. */
    enum Way {
        /** All threads the second operand, which all read; each task its rows of the first. */
        SHARED,
        /** Each thread the second operand for itself, each task its rows of the first. */
        BY_ROWS,
        /** Each thread the first operand for itself, each task its panels of the second. */
        BY_COLUMNS
    }

    /**
     * Where a thread has enough to do with what it packs, it packs for itself: it does not wait for others, and no core reads
     * what another has just written.
     */
    Way way() {
        if (x.sizes()[2] == 0) {
            return Way.SHARED;
        }
        boolean many = x.sizes()[0] >= 2L * Parallel.THREADS;
        boolean byRows =
                panelsSize() <= MatMulTile.OWN && (many || rows() >= (long) MatMulTile.LEAST_ROWS * Parallel.THREADS);
        boolean byColumns = rowsSize() <= MatMulTile.OWN
                && !many
                && columns() >= (long) MatMulTile.LEAST_COLUMNS * Parallel.THREADS;
        if (byColumns && (!byRows || isCheaperByColumns())) {
            return Way.BY_COLUMNS;
        }
        return byRows ? Way.BY_ROWS : Way.SHARED;
    }

    /** Packs and multiplies. Each way gives the same bits. */
    void run(Way way) {
        switch (way) {
            case SHARED -> runShared();
            case BY_ROWS -> runByRows();
            case BY_COLUMNS -> runByColumns();
        }
    }

    /** The packed size of a matrix of the second operand. */
    private long panelsSize() {
        return (long) blocks() * panels() * panelSize();
    }

    /** The packed size of a matrix of the first. */
    private long rowsSize() {
        return blocks() * roundedRows() * MatMulPacking.ROW;
    }

    private boolean isCheaperByColumns() {
        long turnedX = rows() * (x.strides()[2] == 1 ? 1 : MatMulTile.TURNED);
        long turnedY = columns() * (y.strides()[2] == 1 ? 1L : MatMulTile.TURNED);
        return turnedX + turnedY / Parallel.THREADS < turnedY + turnedX / Parallel.THREADS;
    }

    private long roundedRows() {
        return (rows() + MatMulTile.ROWS - 1) / MatMulTile.ROWS * MatMulTile.ROWS;
    }

    /** Tasks have rows of the result; a thread has all panels. */
    private void runByRows() {
        Object job = new Object();
        int size = Math.toIntExact(panelsSize());
        int taskRows = taskRows(2 * MatMulTile.ROWS);
        long down = (rows() + taskRows - 1) / taskRows;
        long work = x.sizes()[2] * Math.min(rows(), taskRows) * columns() / 32;
        Parallel.items(x.sizes()[0] * down, work, (from, to) -> {
            Scratch scratch = SCRATCH.get();
            for (long i = from; i < to; i++) {
                long matrix = i / down;
                long matrixOfY = y.strides()[0] == 0 ? 0 : matrix;
                if (scratch.lacks(job, matrixOfY, size)) {
                    for (int panel = 0; panel < blocks() * panels(); panel++) {
                        pack(matrixOfY, panel / panels(), panel % panels(), scratch.own, panel * panelSize());
                    }
                }
                task(scratch, scratch.own, 0, matrix, i % down * taskRows, taskRows, 0, panels());
            }
        });
    }

    /** Tasks have panels; a thread has all rows. */
    private void runByColumns() {
        Object job = new Object();
        int size = Math.toIntExact(rowsSize());
        int taskPanels = Math.max(1, panels() / (4 * Parallel.THREADS));
        int groups = (panels() + taskPanels - 1) / taskPanels;
        long work = x.sizes()[2] * rows() * taskPanels * UNIT / 32;
        Parallel.items(x.sizes()[0] * groups, work, (from, to) -> {
            Scratch scratch = SCRATCH.get();
            for (long i = from; i < to; i++) {
                long matrix = i / groups;
                if (scratch.lacks(job, matrix, size)) {
                    packRows(matrix, scratch);
                }
                int first = (int) (i % groups) * taskPanels;
                for (int panel = first; panel < Math.min(panels(), first + taskPanels); panel++) {
                    down(scratch, matrix, panel);
                }
            }
        });
    }

    private void packRows(long matrix, Scratch scratch) {
        for (int block = 0; block < blocks(); block++) {
            for (long row = 0; row < rows(); row += MatMulTile.TASK_ROWS) {
                int at = (int) (block * roundedRows() + row) * MatMulPacking.ROW;
                Strided part = matrix(x, matrix, 1, row, MatMulTile.TASK_ROWS, block);
                MatMulPacking.rows(part, scratch.own, at, scratch.line);
            }
        }
    }

    /** All rows by one panel, which is packed where the last one was. */
    private void down(Scratch scratch, long matrix, int panel) {
        for (int block = 0; block < blocks(); block++) {
            int depth = depth(block);
            pack(y.strides()[0] == 0 ? 0 : matrix, block, panel, scratch.panel, 0);
            for (int i = 0; i < rows(); i += MatMulTile.ROWS) {
                int at = (int) (block * roundedRows() + i) * MatMulPacking.ROW;
                tile(scratch, depth, scratch.own, at, scratch.panel, 0, matrix, i, panel, add || block > 0);
            }
        }
    }

    private int depth(int block) {
        return (int) Math.min(MatMulTile.DEPTH, x.sizes()[2] - (long) block * MatMulTile.DEPTH);
    }

    private void pack(long matrix, int block, int panel, float[] to, int at) {
        Strided part = matrix(y, matrix, 2, (long) panel * UNIT, UNIT, block);
        MatMulPacking.columns(part, UNIT, to, at, SCRATCH.get().line);
    }

    private void runShared() {
        // One matrix for the whole batch is packed once.
        long matrices = y.strides()[0] == 0 ? 1 : y.sizes()[0];
        int panels = panels();
        int blocks = blocks();
        float[] packed = packed(Math.toIntExact(matrices * blocks * panels * panelSize()));
        Parallel.items(matrices * blocks * panels, panelSize(), (from, to) -> {
            for (long i = from; i < to; i++) {
                pack(
                        i / panels / blocks,
                        (int) (i / panels % blocks),
                        (int) (i % panels),
                        packed,
                        (int) i * panelSize());
            }
        });
        int taskRows = taskRows(8 * MatMulTile.ROWS);
        long down = (rows() + taskRows - 1) / taskRows;
        int across = Math.clamp(2L * Parallel.THREADS / (x.sizes()[0] * down), 1, panels);
        int taskPanels = (panels + across - 1) / across;
        int groups = (panels + taskPanels - 1) / taskPanels;
        long work = x.sizes()[2] * Math.min(rows(), taskRows) * taskPanels * UNIT / 32;
        Parallel.items(x.sizes()[0] * down * groups, work, (from, to) -> {
            Scratch scratch = SCRATCH.get();
            for (long i = from; i < to; i++) {
                int panel = (int) (i % groups) * taskPanels;
                long matrix = i / groups / down;
                task(
                        scratch,
                        packed,
                        y.strides()[0] == 0 ? 0 : matrix,
                        matrix,
                        i / groups % down * taskRows,
                        taskRows,
                        panel,
                        Math.min(panels, panel + taskPanels));
            }
        });
    }

    /** Few enough rows a task that every thread has several, where the product is worth it. */
    private int taskRows(int least) {
        long share = (rows() + 4L * Parallel.THREADS - 1) / (4L * Parallel.THREADS);
        long rounded = (share + MatMulTile.ROWS - 1) / MatMulTile.ROWS * MatMulTile.ROWS;
        return Math.clamp(rounded, least, MatMulTile.TASK_ROWS);
    }

    /** At most so many rows of x or columns of y, by the inner axis' block, as a matrix. */
    private static Strided matrix(Strided operand, long matrix, int laneAxis, long lane, int lanes, int block) {
        int depthAxis = 3 - laneAxis;
        long[] strides = operand.strides();
        long p = (long) block * MatMulTile.DEPTH;
        return new Strided(
                operand.buffer(),
                operand.dtype(),
                operand.offset() + matrix * strides[0] + lane * strides[laneAxis] + p * strides[depthAxis],
                new long[] {
                    Math.min(lanes, operand.sizes()[laneAxis] - lane),
                    Math.min(MatMulTile.DEPTH, operand.sizes()[depthAxis] - p)
                },
                new long[] {strides[laneAxis], strides[depthAxis]});
    }

    /** Rows by panels, of which those of matrix {@code packedMatrix} in {@code packed}. */
    private void task(
            Scratch scratch,
            float[] packed,
            long packedMatrix,
            long matrix,
            long row,
            int taskRows,
            int panelFrom,
            int panelTo) {
        int rows = (int) Math.min(taskRows, rows() - row);
        for (int block = 0; block < blocks(); block++) {
            Strided part = matrix(x, matrix, 1, row, rows, block);
            int depth = (int) part.sizes()[1];
            MatMulPacking.rows(part, scratch.rows, 0, scratch.line);
            for (int panel = panelFrom; panel < panelTo; panel++) {
                int at = (int) ((packedMatrix * blocks() + block) * panels() + panel) * panelSize();
                for (int i = 0; i < rows; i += MatMulTile.ROWS) {
                    int lane = i * MatMulPacking.ROW;
                    tile(scratch, depth, scratch.rows, lane, packed, at, matrix, row + i, panel, add || block > 0);
                }
            }
        }
    }

    private void tile(
            Scratch scratch,
            int depth,
            float[] a,
            int aAt,
            float[] b,
            int bAt,
            long matrix,
            long row,
            int panel,
            boolean adds) {
        target.multiply(
                depth,
                a,
                aAt,
                b,
                bAt,
                scratch.tile,
                (int) Math.min(MatMulTile.ROWS, rows() - row),
                Math.min(UNIT, columns() - panel * UNIT),
                target.position(matrix, row) + (long) panel * UNIT,
                adds);
    }

    /** Brings what was added up beside the result there. */
    void write() {
        Parallel.items(rows(), columns(), (from, to) -> {
            float[] line = SCRATCH.get().line;
            Writer writer = new Writer(out, from * columns());
            for (long row = from; row < to; row++) {
                MemorySegment.copy(
                        target.memory(),
                        ValueLayout.JAVA_FLOAT,
                        target.position(0, row) * Float.BYTES,
                        line,
                        0,
                        columns());
                writer.write(line, columns());
            }
        });
    }
}

package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.spi.Strided;

/**
 * A product whose second operand fits the memory for packed panels: it is packed once and by all threads, panels of columns
 * that the innermost loop reads in order; then tasks pack their rows of the first operand and multiply. {@code add} keeps
 * what the target holds. Each element adds up its products in the same order whatever the number of threads.
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

    /** Packs and multiplies. */
    void run() {
        // One matrix for the whole batch is packed once.
        long matrices = y.strides()[0] == 0 ? 1 : y.sizes()[0];
        int panels = panels();
        int blocks = blocks();
        float[] packed = packed(Math.toIntExact(matrices * blocks * panels * panelSize()));
        Parallel.items(matrices * blocks * panels, panelSize(), (from, to) -> {
            for (long i = from; i < to; i++) {
                MatMulPacking.columns(
                        matrix(y, i / panels / blocks, 2, i % panels * UNIT, UNIT, (int) (i / panels % blocks)),
                        UNIT,
                        packed,
                        (int) i * panelSize(),
                        SCRATCH.get().line);
            }
        });
        int taskRows = taskRows();
        long down = (rows() + taskRows - 1) / taskRows;
        int across = Math.clamp(2L * Parallel.THREADS / (x.sizes()[0] * down), 1, panels);
        int taskPanels = (panels + across - 1) / across;
        int groups = (panels + taskPanels - 1) / taskPanels;
        long work = x.sizes()[2] * Math.min(rows(), taskRows) * taskPanels * UNIT / 32;
        Parallel.items(x.sizes()[0] * down * groups, work, (from, to) -> {
            Scratch scratch = SCRATCH.get();
            for (long i = from; i < to; i++) {
                int panel = (int) (i % groups) * taskPanels;
                task(
                        scratch,
                        packed,
                        i / groups / down,
                        i / groups % down * taskRows,
                        taskRows,
                        panel,
                        Math.min(panels, panel + taskPanels));
            }
        });
    }

    /** Few enough rows a task that every thread has several, where the product is worth it. */
    private int taskRows() {
        long share = (rows() + 4L * Parallel.THREADS - 1) / (4L * Parallel.THREADS);
        long rounded = (share + MatMulTile.ROWS - 1) / MatMulTile.ROWS * MatMulTile.ROWS;
        return Math.clamp(rounded, 8 * MatMulTile.ROWS, MatMulTile.TASK_ROWS);
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

    private void task(
            Scratch scratch, float[] packed, long matrix, long row, int taskRows, int panelFrom, int panelTo) {
        int rows = (int) Math.min(taskRows, rows() - row);
        long matrixOfY = y.strides()[0] == 0 ? 0 : matrix;
        for (int block = 0; block < blocks(); block++) {
            Strided part = matrix(x, matrix, 1, row, rows, block);
            int depth = (int) part.sizes()[1];
            MatMulPacking.rows(part, scratch.rows, scratch.line);
            for (int panel = panelFrom; panel < panelTo; panel++) {
                int at = (int) ((matrixOfY * blocks() + block) * panels() + panel) * panelSize();
                for (int i = 0; i < rows; i += MatMulTile.ROWS) {
                    tile(
                            scratch,
                            depth,
                            packed,
                            at,
                            i,
                            Math.min(MatMulTile.ROWS, rows - i),
                            target.position(matrix, row + i) + (long) panel * UNIT,
                            Math.min(UNIT, columns() - panel * UNIT),
                            add || block > 0);
                }
            }
        }
    }

    /** One tile; of one that is not whole only what there is goes to the target. */
    private void tile(
            Scratch scratch,
            int depth,
            float[] packed,
            int packedAt,
            int i,
            int rows,
            long position,
            int columns,
            boolean adds) {
        float[] tile = scratch.tile;
        Lanes.CHOSEN.multiply(depth, scratch.rows, i * MatMulPacking.ROW, packed, packedAt, tile);
        if (rows < MatMulTile.ROWS || columns < UNIT) {
            edge(tile, rows, columns, position, adds);
        } else if (adds) {
            Lanes.CHOSEN.addTile(tile, target.memory(), position, target.rowStride());
        } else {
            Lanes.CHOSEN.storeTile(tile, target.memory(), position, target.rowStride());
        }
    }

    private void edge(float[] tile, int rows, int columns, long position, boolean adds) {
        MemorySegment memory = target.memory();
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                long to = position + r * target.rowStride() + c;
                float sum = tile[r * UNIT + c];
                memory.setAtIndex(
                        ValueLayout.JAVA_FLOAT, to, adds ? memory.getAtIndex(ValueLayout.JAVA_FLOAT, to) + sum : sum);
            }
        }
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

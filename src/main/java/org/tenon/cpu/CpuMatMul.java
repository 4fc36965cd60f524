package org.tenon.cpu;

import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.Strided;

/**
 * Matrix products. Both operands are packed into panels that the innermost loop reads in order, so a transposed operand is
 * packed like any other. Each element of the result adds up its products in the same order whatever the number of threads.
 */
final class CpuMatMul {
    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    private CpuMatMul() {}

    /** The arrays of one thread; as large as a task needs and no larger. */
    private static final class Scratch {
        private final float[] a = new float[MatMulTile.TASK_ROWS * MatMulTile.DEPTH];
        private final float[] b = new float[MatMulTile.TASK_COLUMNS * MatMulTile.DEPTH];
        private final float[] c = new float[MatMulTile.TASK_ROWS * MatMulTile.TASK_COLUMNS];
        private final float[] line = new float[Math.max(MatMulTile.TASK_COLUMNS, MatMulTile.DEPTH)];
    }

    static void matmul(Strided x, Strided y, Strided out) {
        long batch = out.sizes()[0];
        long m = out.sizes()[1];
        long n = out.sizes()[2];
        if (batch * m * n == 0) {
            return;
        }
        if (out.dtype() == DType.F64) {
            DoubleMatMul.matmul(x, y, out);
            return;
        }
        int taskRows = rows(m);
        int taskColumns = columns(n);
        long down = (m + taskRows - 1) / taskRows;
        long across = (n + taskColumns - 1) / taskColumns;
        long work = Math.max(1, x.sizes()[2]) * Math.min(m, taskRows) * Math.min(n, taskColumns) / 8;
        Parallel.items(batch * down * across, work, (from, to) -> {
            for (long task = from; task < to; task++) {
                long column = task / down % across * taskColumns;
                long row = task % down * taskRows;
                new Task(x, y, out, task / down / across)
                        .run(row, (int) Math.min(taskRows, m - row), column, (int) Math.min(taskColumns, n - column));
            }
        });
    }

    /** Few enough rows a task that every thread has one, where the product is worth it. */
    private static int rows(long m) {
        long share = (m + Parallel.THREADS - 1) / Parallel.THREADS;
        long rounded = (share + MatMulTile.ROWS - 1) / MatMulTile.ROWS * MatMulTile.ROWS;
        return Math.clamp(rounded, MatMulTile.ROWS, MatMulTile.TASK_ROWS);
    }

    private static int columns(long n) {
        int unit = Lanes.CHOSEN.columns();
        return (int) Math.min(MatMulTile.TASK_COLUMNS, (n + unit - 1) / unit * unit);
    }

    /** One block of the result of one product of the batch. */
    private record Task(Strided x, Strided y, Strided out, long batch) {
        void run(long row, int rows, long column, int columns) {
            Scratch scratch = SCRATCH.get();
            int unit = Lanes.CHOSEN.columns();
            int paddedRows = (rows + MatMulTile.ROWS - 1) / MatMulTile.ROWS * MatMulTile.ROWS;
            int paddedColumns = (columns + unit - 1) / unit * unit;
            Arrays.fill(scratch.c, 0, paddedRows * paddedColumns, 0);
            long inner = x.sizes()[2];
            for (long p = 0; p < inner; p += MatMulTile.DEPTH) {
                int depth = (int) Math.min(MatMulTile.DEPTH, inner - p);
                pack(part(x, 1, row, rows, 2, p, depth), rows, depth, MatMulTile.ROWS, scratch.a, scratch.line);
                pack(part(y, 2, column, columns, 1, p, depth), columns, depth, unit, scratch.b, scratch.line);
                multiply(scratch, paddedRows, paddedColumns, depth, unit);
            }
            Writer writer = new Writer(out, 0);
            for (int i = 0; i < rows; i++) {
                System.arraycopy(scratch.c, i * paddedColumns, scratch.line, 0, columns);
                writer.seek((batch * out.sizes()[1] + row + i) * out.sizes()[2] + column);
                writer.write(scratch.line, columns);
            }
        }

        /** A part of an operand as a matrix, lanes (rows of x, columns of y) by depth. */
        private Strided part(Strided operand, int laneAxis, long lane, int lanes, int depthAxis, long from, int depth) {
            long[] strides = operand.strides();
            return new Strided(
                    operand.buffer(),
                    operand.dtype(),
                    operand.offset() + batch * strides[0] + lane * strides[laneAxis] + from * strides[depthAxis],
                    new long[] {lanes, depth},
                    new long[] {strides[laneAxis], strides[depthAxis]});
        }

        private static void multiply(Scratch scratch, int rows, int columns, int depth, int unit) {
            for (int j = 0; j < columns; j += unit) {
                for (int i = 0; i < rows; i += MatMulTile.ROWS) {
                    Lanes.CHOSEN.multiply(
                            depth, scratch.a, i * depth, scratch.b, j * depth, scratch.c, i * columns + j, columns);
                }
            }
        }
    }

    /**
     * Panels of {@code unit} lanes each: for every depth the elements of the panel's lanes side by side, 0 where there is no
     * lane. Memory is read along whichever axis is contiguous.
     */
    private static void pack(Strided part, int lanes, int depth, int unit, float[] to, float[] line) {
        boolean alongDepth = Math.abs(part.strides()[1]) <= Math.abs(part.strides()[0]);
        Strided order = alongDepth ? part : transposed(part);
        Reader reader = new Reader(order, 0);
        int panels = (lanes + unit - 1) / unit;
        if (lanes % unit != 0) {
            Arrays.fill(to, (panels - 1) * unit * depth, panels * unit * depth, 0);
        }
        if (alongDepth) {
            for (int lane = 0; lane < lanes; lane++) {
                reader.read(line, depth);
                spread(line, depth, to, lane / unit * unit * depth + lane % unit, unit);
            }
        } else {
            for (int p = 0; p < depth; p++) {
                reader.read(line, lanes);
                for (int lane = 0; lane < lanes; lane += unit) {
                    System.arraycopy(line, lane, to, lane * depth + p * unit, Math.min(unit, lanes - lane));
                }
            }
        }
    }

    private static void spread(float[] line, int depth, float[] to, int at, int unit) {
        for (int p = 0; p < depth; p++) {
            to[at + p * unit] = line[p];
        }
    }

    private static Strided transposed(Strided part) {
        return new Strided(
                part.buffer(), part.dtype(), part.offset(), new long[] {part.sizes()[1], part.sizes()[0]}, new long[] {
                    part.strides()[1], part.strides()[0]
                });
    }
}

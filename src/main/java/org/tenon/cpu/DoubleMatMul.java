package org.tenon.cpu;

import org.tenon.spi.Strided;

/** Matrix products of float64: rows of the result added up in place, a block of the inner axis at a time. */
final class DoubleMatMul {
    private static final int DEPTH = 128;
    private static final int COLUMNS = 512;

    private DoubleMatMul() {}

    static void matmul(Strided x, Strided y, Strided out) {
        long m = out.sizes()[1];
        long n = out.sizes()[2];
        long inner = x.sizes()[2];
        long across = (n + COLUMNS - 1) / COLUMNS;
        Parallel.items(out.sizes()[0] * across * m, Math.max(1, inner * Math.min(n, COLUMNS) / 4), (from, to) -> {
            double[] block = new double[DEPTH * COLUMNS];
            double[] factors = new double[DEPTH];
            double[] line = new double[COLUMNS];
            for (long task = from; task < to; ) {
                long batch = task / m / across;
                long column = task / m % across * COLUMNS;
                long rowFrom = task % m;
                long rowTo = Math.min(m, rowFrom + to - task);
                int columns = (int) Math.min(COLUMNS, n - column);
                double[] result = new double[Math.toIntExact((rowTo - rowFrom) * columns)];
                for (long p = 0; p < inner; p += DEPTH) {
                    int depth = (int) Math.min(DEPTH, inner - p);
                    new Reader(part(y, batch, 1, p, depth, 2, column, columns), 0).read(block, depth * columns);
                    for (long row = rowFrom; row < rowTo; row++) {
                        new Reader(part(x, batch, 1, row, 1, 2, p, depth), 0).read(factors, depth);
                        Lanes.CHOSEN.addRows(factors, depth, block, columns, result, (int) (row - rowFrom) * columns);
                    }
                }
                Writer writer = new Writer(out, 0);
                for (long row = rowFrom; row < rowTo; row++) {
                    System.arraycopy(result, (int) (row - rowFrom) * columns, line, 0, columns);
                    writer.seek((batch * m + row) * n + column);
                    writer.write(line, columns);
                }
                task += rowTo - rowFrom;
            }
        });
    }

    private static Strided part(
            Strided operand, long batch, int axis0, long from0, int size0, int axis1, long from1, int size1) {
        long[] strides = operand.strides();
        return new Strided(
                operand.buffer(),
                operand.dtype(),
                operand.offset() + batch * strides[0] + from0 * strides[axis0] + from1 * strides[axis1],
                new long[] {size0, size1},
                new long[] {strides[axis0], strides[axis1]});
    }
}

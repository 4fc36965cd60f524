package org.tenon.cuda;

import org.tenon.spi.Strided;

/**
 * A product as BLAS wants it said. BLAS takes column-major matrices, and a row-major matrix is its own transpose in that
 * order: {@code out = x y} is computed as {@code out' = y' x'}, so the first operand {@code a} is y and the second, {@code b},
 * is x. Element (i, j) of a stored operand is at {@code i + j * ld}.
 *
 * @param m the rows of out', columns of out
 * @param n the columns of out', rows of out
 * @param k the inner size
 * @param a y, of m by k once transposed or not
 * @param b x, of k by n
 * @param batch how many products
 */
record Gemm(int m, int n, int k, Operand a, Operand b, int batch) {
    /**
     * How an operand is stored.
     *
     * @param transposed whether BLAS must transpose it
     * @param ld elements from one stored column to the next
     * @param stride elements from one matrix of the batch to the next; 0 repeats one
     */
    record Operand(boolean transposed, int ld, long stride) {
        /** A row-major matrix with these strides, or null if neither its rows nor its columns are dense. */
        static Operand of(long rows, long columns, long perRow, long perColumn, long perMatrix) {
            if (perColumn == 1 || columns == 1) {
                long ld = rows == 1 ? columns : perRow;
                if (ld >= columns && ld <= Integer.MAX_VALUE) {
                    return new Operand(false, (int) ld, perMatrix);
                }
            }
            if (perRow == 1 || rows == 1) {
                long ld = columns == 1 ? rows : perColumn;
                if (ld >= rows && ld <= Integer.MAX_VALUE) {
                    return new Operand(true, (int) ld, perMatrix);
                }
            }
            return null;
        }
    }

    /** The product {@code out = x y} of non-empty operands, or null if BLAS has no words for these layouts. */
    static Gemm of(Strided x, Strided y, Strided out) {
        long batch = out.sizes()[0];
        long rows = out.sizes()[1];
        if (batch > 1 && y.strides()[0] == 0 && x.strides()[0] == rows * x.strides()[1]) {
            // One matrix for all, and rows that go on from each matrix to the next: a single, taller product.
            Gemm one = of(x, y, 1, batch * rows);
            if (one != null) {
                return one;
            }
        }
        return of(x, y, batch, rows);
    }

    private static Gemm of(Strided x, Strided y, long batch, long rows) {
        long columns = y.sizes()[2];
        long depth = y.sizes()[1];
        if (depth == 0 || Math.max(Math.max(batch, rows), Math.max(columns, depth)) > Integer.MAX_VALUE) {
            return null;
        }
        long xStride = batch == 1 ? 0 : x.strides()[0];
        long yStride = batch == 1 ? 0 : y.strides()[0];
        Operand a = Operand.of(depth, columns, y.strides()[1], y.strides()[2], yStride);
        Operand b = Operand.of(rows, depth, x.strides()[1], x.strides()[2], xStride);
        if (a == null || b == null || xStride < 0 || yStride < 0) {
            return null;
        }
        return new Gemm((int) columns, (int) rows, (int) depth, a, b, (int) batch);
    }

    /** Elements from one matrix of the result to the next. */
    long outStride() {
        return (long) m * n;
    }
}

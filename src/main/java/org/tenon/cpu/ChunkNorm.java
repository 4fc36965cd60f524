package org.tenon.cpu;

import org.tenon.DType;
import org.tenon.spi.Norm;
import org.tenon.spi.Strided;

/** A norm of any floating type, by chunks. */
final class ChunkNorm extends NormSteps {
    private final Reader x;
    private final Reader g;
    private final Reader weights;
    private final Reader biases;
    private final Writer out;
    private final Chunk a;
    private final Chunk b;
    private final Chunk w;
    private final int pieces;
    private double[][] weightSums;
    private double[][] biasSums;

    /** @param g the incoming gradient, or null where {@code out} is the forward's result; then also {@code out} may be null */
    ChunkNorm(Norm norm, Strided g, Strided x, Strided out) {
        super(norm);
        boolean wide = x.dtype() == DType.F64;
        this.x = new Reader(x, 0);
        this.g = g == null ? null : new Reader(g, 0);
        this.out = out == null ? null : new Writer(out, 0);
        weights = norm.weight() == null ? null : new Reader(norm.weight(), 0);
        biases = norm.bias() == null ? null : new Reader(norm.bias(), 0);
        a = Chunk.of(wide);
        b = Chunk.of(wide);
        w = Chunk.of(wide);
        pieces = pieces(length, 0);
    }

    /** What is done with a piece: its number, its first element of all, its length. */
    @FunctionalInterface
    private interface PieceTask {
        void run(int piece, long at, int n);
    }

    private void each(long row, PieceTask task) {
        for (int p = 0; p < pieces; p++) {
            long column = (long) p * Reader.CHUNK;
            task.run(p, row * length + column, (int) Math.min(Reader.CHUNK, length - column));
        }
    }

    private static void read(Chunk to, Reader from, long at, int n) {
        from.seek(at);
        to.read(from, n);
    }

    /** Brings {@code (x - mean) * scale} into a. */
    private void standardise(long at, int n, double middle, double factor) {
        read(a, x, at, n);
        if (norm.centred()) {
            a.subtract(0, n, middle);
        }
        a.multiply(0, n, factor);
    }

    /** Brings {@code g * weight} into b. */
    private void weighted(int piece, long at, int n) {
        read(b, g, at, n);
        if (weights != null) {
            read(w, weights, (long) piece * Reader.CHUNK, n);
            b.multiply(w, n);
        }
    }

    @Override
    double sum(long row) {
        double[] sum = {0};
        each(row, (_, at, n) -> {
            read(a, x, at, n);
            sum[0] += a.sum(0, n);
        });
        return sum[0];
    }

    @Override
    double squares(long row, double middle) {
        double[] sum = {0};
        each(row, (_, at, n) -> {
            standardise(at, n, middle, 1);
            sum[0] += a.dot(a, 0, n);
        });
        return sum[0];
    }

    @Override
    void write(long row, double middle, double factor) {
        out.seek(row * length);
        each(row, (piece, at, n) -> {
            standardise(at, n, middle, factor);
            if (weights != null) {
                read(w, weights, (long) piece * Reader.CHUNK, n);
                a.multiply(w, n);
            }
            if (biases != null) {
                read(w, biases, (long) piece * Reader.CHUNK, n);
                a.add(w, n);
            }
            a.write(out, n);
        });
    }

    @Override
    void gradient(long row, double middle, double factor) {
        double[] sums = {0, 0};
        each(row, (piece, at, n) -> {
            standardise(at, n, middle, factor);
            weighted(piece, at, n);
            sums[0] += b.sum(0, n);
            sums[1] += b.dot(a, 0, n);
        });
        out.seek(row * length);
        each(row, (piece, at, n) -> {
            standardise(at, n, middle, factor);
            weighted(piece, at, n);
            if (norm.centred()) {
                b.subtract(0, n, sums[0] / length);
            }
            b.subtractProduct(a, 0, n, sums[1] / length);
            b.multiply(0, n, factor);
            b.write(out, n);
        });
    }

    @Override
    void addSums(long row, double middle, double factor) {
        if (weightSums == null) {
            weightSums = new double[pieces][Math.toIntExact(Math.min(Reader.CHUNK, length))];
            biasSums = new double[pieces][Math.toIntExact(Math.min(Reader.CHUNK, length))];
        }
        each(row, (piece, at, n) -> {
            standardise(at, n, middle, factor);
            read(b, g, at, n);
            b.addProductRow(a, weightSums[piece], 0, n);
            b.addRow(biasSums[piece], 0, n);
        });
    }

    @Override
    double weightSum(long column) {
        return weightSums[piece(column, pieces)][(int) (column % Reader.CHUNK)];
    }

    @Override
    double biasSum(long column) {
        return biasSums[piece(column, pieces)][(int) (column % Reader.CHUNK)];
    }
}

package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.tenon.spi.Norm;
import org.tenon.spi.Strided;

/** A norm of float32 with a weight, where it lies. */
final class MemoryNorm extends NormSteps {
    private static final int PIECE = MemorySoftmax.PIECE;

    private final FloatRows rows = Lanes.CHOSEN.rows();
    private final FloatNorms norms = Lanes.CHOSEN.norms();
    private final MemorySegment x;
    private final MemorySegment weight;
    private final MemorySegment bias;
    private final MemorySegment out;
    private final MemorySegment g;
    private final int pieces;
    private final float[] found = new float[2];
    private float[][] weightSums;
    private float[][] biasSums;

    /** @param g the incoming gradient, or null where {@code out} is the forward's result; then also {@code out} may be null */
    MemoryNorm(Norm norm, Strided g, Strided x, Strided out) {
        super(norm);
        this.x = CpuBuffer.floats(x);
        this.g = g == null ? null : CpuBuffer.floats(g);
        this.out = out == null ? null : CpuBuffer.floats(out);
        weight = CpuBuffer.floats(norm.weight());
        bias = norm.bias() == null ? null : CpuBuffer.floats(norm.bias());
        pieces = pieces(length, rows.least());
    }

    private static int lengthOf(long length, int piece, int pieces) {
        return piece < pieces - 1 ? PIECE : (int) (length - (long) piece * PIECE);
    }

    @Override
    double sum(long row) {
        double sum = 0;
        for (int p = 0; p < pieces; p++) {
            sum += rows.sum(x, row * length + (long) p * PIECE, lengthOf(length, p, pieces));
        }
        return sum;
    }

    @Override
    double squares(long row, double middle) {
        double sum = 0;
        for (int p = 0; p < pieces; p++) {
            sum += norms.squares(x, row * length + (long) p * PIECE, lengthOf(length, p, pieces), (float) middle);
        }
        return sum;
    }

    @Override
    void write(long row, double middle, double factor) {
        for (int p = 0; p < pieces; p++) {
            long column = (long) p * PIECE;
            int n = lengthOf(length, p, pieces);
            norms.write(x, out, row * length + column, n, (float) middle, (float) factor, weight, bias, column);
        }
    }

    @Override
    void gradient(long row, double middle, double factor) {
        float m = (float) middle;
        float r = (float) factor;
        double d = 0;
        double dh = 0;
        for (int p = 0; p < pieces; p++) {
            long column = (long) p * PIECE;
            int n = lengthOf(length, p, pieces);
            norms.sums(g, x, row * length + column, n, m, r, weight, column, found);
            d += found[0];
            dh += found[1];
        }
        float a = norm.centred() ? (float) (d / length) : 0;
        float b = (float) (dh / length);
        for (int p = 0; p < pieces; p++) {
            long column = (long) p * PIECE;
            int n = lengthOf(length, p, pieces);
            norms.gradient(g, x, out, row * length + column, n, m, r, weight, column, a, b);
        }
    }

    @Override
    void addSums(long row, double middle, double factor) {
        if (weightSums == null) {
            weightSums = new float[pieces][];
            biasSums = new float[pieces][];
            for (int p = 0; p < pieces; p++) {
                weightSums[p] = new float[lengthOf(length, p, pieces)];
                biasSums[p] = new float[lengthOf(length, p, pieces)];
            }
        }
        for (int p = 0; p < pieces; p++) {
            long at = row * length + (long) p * PIECE;
            norms.add(g, x, at, weightSums[p].length, (float) middle, (float) factor, weightSums[p], biasSums[p]);
        }
    }

    @Override
    double weightSum(long column) {
        int p = piece(column, pieces);
        return weightSums[p][(int) (column - (long) p * PIECE)];
    }

    @Override
    double biasSum(long column) {
        int p = piece(column, pieces);
        return biasSums[p][(int) (column - (long) p * PIECE)];
    }
}

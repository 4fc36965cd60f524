package org.tenon.cpu;

import org.tenon.spi.Norm;

/** A norm row by row, by one thread; what its rows add to the gradients of weight and bias stays with it. */
abstract class NormSteps {
    final Norm norm;
    final long length;
    private final Cells mean;
    private final Cells scale;

    NormSteps(Norm norm) {
        this.norm = norm;
        length = norm.rows().len();
        mean = norm.centred() ? new Cells(norm.mean()) : null;
        scale = new Cells(norm.scale());
    }

    /** Normalises a row. */
    final void forward(long row) {
        double middle = mean == null ? 0 : sum(row) / length;
        if (mean != null) {
            mean.set(row, middle);
            middle = mean.get(row);
        }
        scale.set(row, 1 / Math.sqrt(squares(row, middle) / length + norm.eps()));
        write(row, middle, scale.get(row));
    }

    /** The gradient of a row, and what it adds to those of weight and bias, where these are asked for. */
    final void backward(long row, boolean input, boolean affine) {
        double middle = mean == null ? 0 : mean.get(row);
        double factor = scale.get(row);
        if (input) {
            gradient(row, middle, factor);
        }
        if (affine) {
            addSums(row, middle, factor);
        }
    }

    abstract double sum(long row);

    /** The sum of the squared deviations. */
    abstract double squares(long row, double middle);

    abstract void write(long row, double middle, double factor);

    abstract void gradient(long row, double middle, double factor);

    /** Adds to the sums of the columns. */
    abstract void addSums(long row, double middle, double factor);

    /** What was added up for the weight of a column. */
    abstract double weightSum(long column);

    /** The same for its bias. */
    abstract double biasSum(long column);

    /** Which piece of {@link MemorySoftmax#PIECE} elements a column is in; the last may be longer. */
    static int piece(long column, int pieces) {
        return (int) Math.min(column / MemorySoftmax.PIECE, pieces - 1);
    }

    /** How many pieces a row has, none shorter than {@code least} but an only one. */
    static int pieces(long length, int least) {
        long full = length / MemorySoftmax.PIECE;
        boolean rest = length % MemorySoftmax.PIECE >= Math.max(1, least);
        return Math.toIntExact(Math.max(1, full + (rest ? 1 : 0)));
    }
}

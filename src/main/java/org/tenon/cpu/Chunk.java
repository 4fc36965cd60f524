package org.tenon.cpu;

/**
 * A run of at most {@link Reader#CHUNK} elements in the type they are computed in, with the steps that a softmax is made
 * of: along rows that lie one after another, and along columns, where element {@code j * width + i} belongs to column i.
 */
abstract class Chunk {
    /** Numbers for columns have room for as many as a chunk holds. */
    static final int CAPACITY = Reader.CHUNK;

    static Chunk of(boolean wide) {
        return wide ? new DoubleChunk() : new FloatChunk();
    }

    abstract void read(Reader from, int n);

    abstract void write(Writer to, int n);

    abstract void copyFrom(Chunk other, int n);

    abstract double max(int from, int to);

    abstract double sum(int from, int to);

    /** The sum of products with another chunk. */
    abstract double dot(Chunk other, int from, int to);

    abstract void subtract(int from, int to, double value);

    abstract void divide(int from, int to, double value);

    abstract void multiply(int from, int to, double value);

    abstract void fill(int from, int to, double value);

    /** Adds to element {@code i}. */
    abstract void add(int i, double value);

    /** {@code this *= other}. */
    abstract void multiply(Chunk other, int n);

    /** {@code this += other}. */
    abstract void add(Chunk other, int n);

    abstract void exp(int n);

    /** {@code this -= factor * other}. */
    abstract void subtractProduct(Chunk other, int from, int to, double factor);

    /** {@code this = other * (this - value)}. */
    abstract void differenceTimes(Chunk other, int from, int to, double value);

    /** The logarithm that is subtracted, rounded as the elements are. */
    abstract double log(double value);

    /** {@code max[i] = max(max[i], column i)}. */
    final void maxColumns(double[] max, int steps, int width) {
        for (int j = 0; j < steps; j++) {
            maxRow(max, j * width, width);
        }
    }

    abstract void maxRow(double[] max, int at, int width);

    /** {@code sum[i] += column i}. */
    abstract void addRow(double[] sum, int at, int width);

    /** {@code sum[i] += column i of this times column i of other}. */
    abstract void addProductRow(Chunk other, double[] sum, int at, int width);

    abstract void subtractRow(double[] values, int at, int width);

    abstract void divideRow(double[] values, int at, int width);

    abstract void subtractProductRow(Chunk other, double[] factors, int at, int width);

    abstract void differenceTimesRow(Chunk other, double[] values, int at, int width);
}

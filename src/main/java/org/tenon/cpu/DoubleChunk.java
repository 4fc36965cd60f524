package org.tenon.cpu;

import java.util.Arrays;

/** A {@link Chunk} of doubles, for float64. */
final class DoubleChunk extends Chunk {
    private final double[] x = new double[CAPACITY];
    private final float[] narrow = new float[CAPACITY];

    @Override
    void read(Reader from, int n) {
        if (from.isDouble()) {
            from.read(x, n);
            return;
        }
        from.read(narrow, n);
        for (int i = 0; i < n; i++) {
            x[i] = narrow[i];
        }
    }

    @Override
    void write(Writer to, int n) {
        to.write(x, n);
    }

    @Override
    void copyFrom(Chunk other, int n) {
        System.arraycopy(((DoubleChunk) other).x, 0, x, 0, n);
    }

    @Override
    double max(int from, int to) {
        double m = Double.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
            m = Math.max(m, x[i]);
        }
        return m;
    }

    @Override
    double sum(int from, int to) {
        double s = 0;
        for (int i = from; i < to; i++) {
            s += x[i];
        }
        return s;
    }

    @Override
    double dot(Chunk other, int from, int to) {
        double[] y = ((DoubleChunk) other).x;
        double s = 0;
        for (int i = from; i < to; i++) {
            s += x[i] * y[i];
        }
        return s;
    }

    @Override
    void subtract(int from, int to, double value) {
        double v = value;
        for (int i = from; i < to; i++) {
            x[i] -= v;
        }
    }

    @Override
    void divide(int from, int to, double value) {
        double v = value;
        for (int i = from; i < to; i++) {
            x[i] /= v;
        }
    }

    @Override
    void multiply(int from, int to, double value) {
        double v = value;
        for (int i = from; i < to; i++) {
            x[i] *= v;
        }
    }

    @Override
    void fill(int from, int to, double value) {
        Arrays.fill(x, from, to, value);
    }

    @Override
    void add(int i, double value) {
        x[i] += value;
    }

    @Override
    void multiply(Chunk other, int n) {
        double[] y = ((DoubleChunk) other).x;
        for (int i = 0; i < n; i++) {
            x[i] *= y[i];
        }
    }

    @Override
    void add(Chunk other, int n) {
        double[] y = ((DoubleChunk) other).x;
        for (int i = 0; i < n; i++) {
            x[i] += y[i];
        }
    }

    @Override
    void exp(int n) {
        CpuMath.apply(org.tenon.spi.UnaryOp.EXP, x, n);
    }

    @Override
    void subtractProduct(Chunk other, int from, int to, double factor) {
        double[] y = ((DoubleChunk) other).x;
        double v = factor;
        for (int i = from; i < to; i++) {
            x[i] -= v * y[i];
        }
    }

    @Override
    void differenceTimes(Chunk other, int from, int to, double value) {
        double[] y = ((DoubleChunk) other).x;
        double v = value;
        for (int i = from; i < to; i++) {
            x[i] = y[i] * (x[i] - v);
        }
    }

    @Override
    double log(double value) {
        return Math.log(value);
    }

    @Override
    void maxRow(double[] max, int at, int width) {
        for (int i = 0; i < width; i++) {
            max[i] = Math.max(max[i], x[at + i]);
        }
    }

    @Override
    void addRow(double[] sum, int at, int width) {
        for (int i = 0; i < width; i++) {
            sum[i] += x[at + i];
        }
    }

    @Override
    void addProductRow(Chunk other, double[] sum, int at, int width) {
        double[] y = ((DoubleChunk) other).x;
        for (int i = 0; i < width; i++) {
            sum[i] += x[at + i] * y[at + i];
        }
    }

    @Override
    void subtractRow(double[] values, int at, int width) {
        for (int i = 0; i < width; i++) {
            x[at + i] -= values[i];
        }
    }

    @Override
    void divideRow(double[] values, int at, int width) {
        for (int i = 0; i < width; i++) {
            x[at + i] /= values[i];
        }
    }

    @Override
    void subtractProductRow(Chunk other, double[] factors, int at, int width) {
        double[] y = ((DoubleChunk) other).x;
        for (int i = 0; i < width; i++) {
            x[at + i] -= factors[i] * y[at + i];
        }
    }

    @Override
    void differenceTimesRow(Chunk other, double[] values, int at, int width) {
        double[] y = ((DoubleChunk) other).x;
        for (int i = 0; i < width; i++) {
            x[at + i] = y[at + i] * (x[at + i] - values[i]);
        }
    }
}

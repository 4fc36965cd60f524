package org.tenon.cpu;

import java.util.Arrays;

/** A {@link Chunk} of floats, for float32 and the half types. */
final class FloatChunk extends Chunk {
    private final float[] x = new float[CAPACITY];

    @Override
    void read(Reader from, int n) {
        from.read(x, n);
    }

    @Override
    void write(Writer to, int n) {
        to.write(x, n);
    }

    @Override
    void copyFrom(Chunk other, int n) {
        System.arraycopy(((FloatChunk) other).x, 0, x, 0, n);
    }

    @Override
    double max(int from, int to) {
        return Lanes.CHOSEN.max(x, from, to);
    }

    @Override
    double sum(int from, int to) {
        return Lanes.CHOSEN.sum(x, from, to);
    }

    @Override
    double dot(Chunk other, int from, int to) {
        float[] y = ((FloatChunk) other).x;
        return Lanes.CHOSEN.dot(x, y, from, to);
    }

    @Override
    void subtract(int from, int to, double value) {
        float v = (float) value;
        for (int i = from; i < to; i++) {
            x[i] -= v;
        }
    }

    @Override
    void divide(int from, int to, double value) {
        float v = (float) value;
        for (int i = from; i < to; i++) {
            x[i] /= v;
        }
    }

    @Override
    void multiply(int from, int to, double value) {
        float v = (float) value;
        for (int i = from; i < to; i++) {
            x[i] *= v;
        }
    }

    @Override
    void fill(int from, int to, double value) {
        Arrays.fill(x, from, to, (float) value);
    }

    @Override
    void add(int i, double value) {
        x[i] += (float) value;
    }

    @Override
    void multiply(Chunk other, int n) {
        float[] y = ((FloatChunk) other).x;
        for (int i = 0; i < n; i++) {
            x[i] *= y[i];
        }
    }

    @Override
    void add(Chunk other, int n) {
        float[] y = ((FloatChunk) other).x;
        for (int i = 0; i < n; i++) {
            x[i] += y[i];
        }
    }

    @Override
    void exp(int n) {
        Lanes.CHOSEN.exp(x, n);
    }

    @Override
    void subtractProduct(Chunk other, int from, int to, double factor) {
        float[] y = ((FloatChunk) other).x;
        float v = (float) factor;
        for (int i = from; i < to; i++) {
            x[i] -= v * y[i];
        }
    }

    @Override
    void differenceTimes(Chunk other, int from, int to, double value) {
        float[] y = ((FloatChunk) other).x;
        float v = (float) value;
        for (int i = from; i < to; i++) {
            x[i] = y[i] * (x[i] - v);
        }
    }

    @Override
    double log(double value) {
        return (float) Math.log(value);
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
        float[] y = ((FloatChunk) other).x;
        for (int i = 0; i < width; i++) {
            sum[i] += x[at + i] * y[at + i];
        }
    }

    @Override
    void subtractRow(double[] values, int at, int width) {
        for (int i = 0; i < width; i++) {
            x[at + i] -= (float) values[i];
        }
    }

    @Override
    void divideRow(double[] values, int at, int width) {
        for (int i = 0; i < width; i++) {
            x[at + i] /= (float) values[i];
        }
    }

    @Override
    void subtractProductRow(Chunk other, double[] factors, int at, int width) {
        float[] y = ((FloatChunk) other).x;
        for (int i = 0; i < width; i++) {
            x[at + i] -= (float) factors[i] * y[at + i];
        }
    }

    @Override
    void differenceTimesRow(Chunk other, double[] values, int at, int width) {
        float[] y = ((FloatChunk) other).x;
        for (int i = 0; i < width; i++) {
            x[at + i] = y[at + i] * (x[at + i] - (float) values[i]);
        }
    }
}

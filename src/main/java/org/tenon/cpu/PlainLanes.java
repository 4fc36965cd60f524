package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** The loops in plain Java. */
final class PlainLanes extends Lanes {
    private static final int COLUMNS = 128;
    /** Rows of the second operand of a product that are added up at once. */
    private static final int AT_ONCE = 4;
    /** Sums of a product's rows, and rows of its second operand, each an array. */
    private static final ThreadLocal<float[][]> SCRATCH =
            ThreadLocal.withInitial(() -> new float[MatMulTile.ROWS + AT_ONCE][COLUMNS]);

    private static final float LOG2E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    private static final float ROUND = 0x1.8p23f;

    @Override
    String description() {
        return "plain Java";
    }

    /**
     * {@code 2^k * e^r} with {@code |r| <= ln2 / 2} and a polynomial for {@code e^r}, in two factors so that results near the
     * ends of the range are right. No branch, so that the loop becomes vector instructions.
     */
    @Override
    void exp(float[] x, int n) {
        for (int i = 0; i < n; i++) {
            float v = x[i];
            float clamped = Math.max(-104f, Math.min(89f, v));
            float shifted = clamped * LOG2E + ROUND;
            float k = shifted - ROUND;
            float r = clamped - k * LN2_HIGH - k * LN2_LOW;
            float p = 1.9875691500e-4f;
            p = p * r + 1.3981999507e-3f;
            p = p * r + 8.3334519073e-3f;
            p = p * r + 4.1665795894e-2f;
            p = p * r + 1.6666665459e-1f;
            p = p * r + 0.5f;
            p = p * r * r + r + 1f;
            int exponent = (int) k;
            int half = exponent >> 1;
            float scale = Float.intBitsToFloat((half + 127) << 23);
            float rest = Float.intBitsToFloat((exponent - half + 127) << 23);
            x[i] = p * scale * rest;
        }
    }

    @Override
    void log(float[] x, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = (float) Math.log(x[i]);
        }
    }

    @Override
    void log1p(float[] x, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = (float) Math.log1p(x[i]);
        }
    }

    @Override
    void sin(float[] x, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = (float) Math.sin(x[i]);
        }
    }

    @Override
    void cos(float[] x, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = (float) Math.cos(x[i]);
        }
    }

    @Override
    void tanh(float[] x, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = (float) Math.tanh(x[i]);
        }
    }

    @Override
    void gelu(float[] x, int n) {
        float[] bell = bell(x, n);
        for (int i = 0; i < n; i++) {
            x[i] *= below(x[i], bell[i]);
        }
    }

    @Override
    void geluGrad(float[] g, float[] x, int n) {
        float[] bell = bell(x, n);
        for (int i = 0; i < n; i++) {
            g[i] *= below(x[i], bell[i]) + x[i] * (bell[i] * GaussianTail.DENSITY);
        }
    }

    /** {@code e^(-x^2 / 2)}. */
    private float[] bell(float[] x, int n) {
        float[] bell = new float[n];
        for (int i = 0; i < n; i++) {
            bell[i] = -0.5f * x[i] * x[i];
        }
        exp(bell, n);
        return bell;
    }

    private static float below(float x, float bell) {
        float tail = GaussianTail.of(Math.min(Math.abs(x), GaussianTail.END), bell);
        return x > 0 ? 1 - tail : tail;
    }

    @Override
    float max(float[] x, int from, int to) {
        float m = Float.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
            m = Math.max(m, x[i]);
        }
        return m;
    }

    @Override
    float sum(float[] x, int from, int to) {
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        int i = from;
        for (; i + 3 < to; i += 4) {
            a += x[i];
            b += x[i + 1];
            c += x[i + 2];
            d += x[i + 3];
        }
        for (; i < to; i++) {
            a += x[i];
        }
        return (a + b) + (c + d);
    }

    @Override
    float dot(float[] x, float[] y, int from, int to) {
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        int i = from;
        for (; i + 3 < to; i += 4) {
            a += x[i] * y[i];
            b += x[i + 1] * y[i + 1];
            c += x[i + 2] * y[i + 2];
            d += x[i + 3] * y[i + 3];
        }
        for (; i < to; i++) {
            a += x[i] * y[i];
        }
        return (a + b) + (c + d);
    }

    @Override
    FloatReductions reductions() {
        return null;
    }

    @Override
    FloatNorms norms() {
        return null;
    }

    @Override
    FloatRows rows() {
        return null;
    }

    @Override
    FloatLoops loops() {
        return null;
    }

    @Override
    FloatLines lines() {
        return null;
    }

    @Override
    int columns() {
        return COLUMNS;
    }

    @Override
    void multiply(int depth, float[] a, int aAt, float[] b, int bAt, float[] tile) {
        float[][] arrays = SCRATCH.get();
        for (int i = 0; i < MatMulTile.ROWS; i++) {
            Arrays.fill(arrays[i], 0);
        }
        for (int p = 0; p < depth; p += AT_ONCE) {
            int count = Math.min(AT_ONCE, depth - p);
            for (int k = 0; k < AT_ONCE; k++) {
                float[] row = arrays[MatMulTile.ROWS + k];
                if (k < count) {
                    System.arraycopy(b, bAt + (p + k) * COLUMNS, row, 0, COLUMNS);
                } else {
                    Arrays.fill(row, 0);
                }
            }
            for (int i = 0; i < MatMulTile.ROWS; i++) {
                addRows(a, aAt + i * MatMulPacking.ROW + p, count, arrays, arrays[i]);
            }
        }
        for (int i = 0; i < MatMulTile.ROWS; i++) {
            System.arraycopy(arrays[i], 0, tile, i * COLUMNS, COLUMNS);
        }
    }

    private static void addRows(float[] a, int at, int count, float[][] arrays, float[] sums) {
        add(
                sums,
                a[at],
                arrays[MatMulTile.ROWS],
                count > 1 ? a[at + 1] : 0,
                arrays[MatMulTile.ROWS + 1],
                count > 2 ? a[at + 2] : 0,
                arrays[MatMulTile.ROWS + 2],
                count > 3 ? a[at + 3] : 0,
                arrays[MatMulTile.ROWS + 3]);
    }

    /** The compiler makes vectors of it, since each array is read and written at j alone. */
    private static void add(
            float[] sums, float f0, float[] r0, float f1, float[] r1, float f2, float[] r2, float f3, float[] r3) {
        for (int j = 0; j < COLUMNS; j++) {
            sums[j] += f0 * r0[j] + f1 * r1[j] + f2 * r2[j] + f3 * r3[j];
        }
    }

    @Override
    void addRows(double[] factors, int depth, double[] block, int columns, double[] result, int at) {
        for (int p = 0; p < depth; p++) {
            double factor = factors[p];
            int from = p * columns;
            for (int j = 0; j < columns; j++) {
                result[at + j] += factor * block[from + j];
            }
        }
    }

    @Override
    void storeTile(float[] tile, int rows, MemorySegment c, long at, long stride) {
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(
                    tile, row * COLUMNS, c, ValueLayout.JAVA_FLOAT, (at + row * stride) * Float.BYTES, COLUMNS);
        }
    }

    @Override
    void addTile(float[] tile, int rows, MemorySegment c, long at, long stride) {
        for (int row = 0; row < rows; row++) {
            for (int j = 0; j < COLUMNS; j++) {
                long to = at + row * stride + j;
                float sum = c.getAtIndex(ValueLayout.JAVA_FLOAT, to) + tile[row * COLUMNS + j];
                c.setAtIndex(ValueLayout.JAVA_FLOAT, to, sum);
            }
        }
    }

    @Override
    void copyLines(MemorySegment from, long at, long stride, int count, float[] to, int toAt) {
        for (int i = 0; i < count; i++) {
            MemorySegment.copy(
                    from, ValueLayout.JAVA_FLOAT, (at + i * stride) * Float.BYTES, to, toAt + i * COLUMNS, COLUMNS);
        }
    }

    /** Four rows at once, so that what is written lies together. */
    @Override
    void transpose(MemorySegment x, long at, long stride, int rows, int columns, float[] to, int toAt, int toStride) {
        MemorySegment from = x.asSlice(at * Float.BYTES, ((rows - 1) * stride + columns) * Float.BYTES);
        int row = 0;
        for (; row <= rows - 4; row += 4) {
            long first = row * stride;
            for (int c = 0; c < columns; c++) {
                int target = toAt + row + c * toStride;
                to[target] = from.getAtIndex(ValueLayout.JAVA_FLOAT, first + c);
                to[target + 1] = from.getAtIndex(ValueLayout.JAVA_FLOAT, first + stride + c);
                to[target + 2] = from.getAtIndex(ValueLayout.JAVA_FLOAT, first + 2 * stride + c);
                to[target + 3] = from.getAtIndex(ValueLayout.JAVA_FLOAT, first + 3 * stride + c);
            }
        }
        for (; row < rows; row++) {
            for (int c = 0; c < columns; c++) {
                to[toAt + row + c * toStride] = from.getAtIndex(ValueLayout.JAVA_FLOAT, row * stride + c);
            }
        }
    }
}

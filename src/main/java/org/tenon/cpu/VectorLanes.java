package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The loops in the Vector API, as wide as the machine prefers or {@code tenon.cpu.vector} says. Only classes whose names start with Vector need its module. */
final class VectorLanes extends Lanes {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final int WIDTH = VectorMath.WIDTH;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private final PlainLanes plain = new PlainLanes();
    private final FloatRows rows = new VectorRows();
    private final FloatReductions reductions = new VectorReductions();
    private final FloatNorms norms = new VectorNorms();
    private final FloatLoops loops = new VectorLoops();
    private final FloatLines lines = new VectorLines();

    VectorLanes() {
        VectorMemory.prepare();
    }

    static boolean isWorthwhile() {
        return WIDTH >= 4 && VectorMath.INTS.length() == WIDTH;
    }

    @Override
    String description() {
        return "Vector API, " + SPECIES.vectorBitSize() + " bits";
    }

    @Override
    void exp(float[] x, int n) {
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            VectorMath.exp(FloatVector.fromArray(SPECIES, x, i)).intoArray(x, i);
        }
        if (i < n) {
            var rest = SPECIES.indexInRange(i, n);
            VectorMath.exp(FloatVector.fromArray(SPECIES, x, i, rest)).intoArray(x, i, rest);
        }
    }

    @Override
    void log(float[] x, int n) {
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            VectorMath.log(FloatVector.fromArray(SPECIES, x, i)).intoArray(x, i);
        }
        if (i < n) {
            var rest = SPECIES.indexInRange(i, n);
            VectorMath.log(FloatVector.fromArray(SPECIES, x, i, rest)).intoArray(x, i, rest);
        }
    }

    /** The exponential that the hyperbolic tangent needs; apart, since both in one loop are too much to inline. */
    private static float[] tanhPower(float[] x, int n) {
        float[] power = new float[(n + WIDTH - 1) / WIDTH * WIDTH];
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            VectorMath.tanhPower(FloatVector.fromArray(SPECIES, x, i)).intoArray(power, i);
        }
        if (i < n) {
            var rest = SPECIES.indexInRange(i, n);
            VectorMath.tanhPower(FloatVector.fromArray(SPECIES, x, i, rest)).intoArray(power, i, rest);
        }
        return power;
    }

    @Override
    void tanh(float[] x, int n) {
        float[] power = tanhPower(x, n);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            VectorMath.tanh(FloatVector.fromArray(SPECIES, x, i), FloatVector.fromArray(SPECIES, power, i))
                    .intoArray(x, i);
        }
        if (i < n) {
            var rest = SPECIES.indexInRange(i, n);
            VectorMath.tanh(FloatVector.fromArray(SPECIES, x, i, rest), FloatVector.fromArray(SPECIES, power, i))
                    .intoArray(x, i, rest);
        }
    }

    /** The exponential that GELU and its derivative need; apart, since both in one loop are too much to inline. */
    private static float[] bell(float[] x, int n) {
        float[] bell = new float[(n + WIDTH - 1) / WIDTH * WIDTH];
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            VectorMath.bell(FloatVector.fromArray(SPECIES, x, i)).intoArray(bell, i);
        }
        if (i < n) {
            var rest = SPECIES.indexInRange(i, n);
            VectorMath.bell(FloatVector.fromArray(SPECIES, x, i, rest)).intoArray(bell, i, rest);
        }
        return bell;
    }

    @Override
    void gelu(float[] x, int n) {
        float[] bell = bell(x, n);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            VectorMath.gelu(FloatVector.fromArray(SPECIES, x, i), FloatVector.fromArray(SPECIES, bell, i))
                    .intoArray(x, i);
        }
        if (i < n) {
            var rest = SPECIES.indexInRange(i, n);
            VectorMath.gelu(FloatVector.fromArray(SPECIES, x, i, rest), FloatVector.fromArray(SPECIES, bell, i))
                    .intoArray(x, i, rest);
        }
    }

    @Override
    void geluGrad(float[] g, float[] x, int n) {
        float[] bell = bell(x, n);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            VectorMath.geluSlope(FloatVector.fromArray(SPECIES, x, i), FloatVector.fromArray(SPECIES, bell, i))
                    .mul(FloatVector.fromArray(SPECIES, g, i))
                    .intoArray(g, i);
        }
        if (i < n) {
            var rest = SPECIES.indexInRange(i, n);
            VectorMath.geluSlope(FloatVector.fromArray(SPECIES, x, i, rest), FloatVector.fromArray(SPECIES, bell, i))
                    .mul(FloatVector.fromArray(SPECIES, g, i, rest))
                    .intoArray(g, i, rest);
        }
    }

    @Override
    void log1p(float[] x, int n) {
        plain.log1p(x, n);
    }

    @Override
    void sin(float[] x, int n) {
        plain.sin(x, n);
    }

    @Override
    void cos(float[] x, int n) {
        plain.cos(x, n);
    }

    @Override
    float max(float[] x, int from, int to) {
        int i = from;
        float m = Float.NEGATIVE_INFINITY;
        if (to - from >= WIDTH) {
            FloatVector a = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
            FloatVector b = a;
            for (; i <= to - 2 * WIDTH; i += 2 * WIDTH) {
                a = a.max(FloatVector.fromArray(SPECIES, x, i));
                b = b.max(FloatVector.fromArray(SPECIES, x, i + WIDTH));
            }
            for (; i <= to - WIDTH; i += WIDTH) {
                a = a.max(FloatVector.fromArray(SPECIES, x, i));
            }
            m = a.max(b).reduceLanes(VectorOperators.MAX);
        }
        return Math.max(m, plain.max(x, i, to));
    }

    @Override
    float sum(float[] x, int from, int to) {
        int i = from;
        float s = 0;
        if (to - from >= WIDTH) {
            FloatVector a = FloatVector.zero(SPECIES);
            FloatVector b = a;
            for (; i <= to - 2 * WIDTH; i += 2 * WIDTH) {
                a = a.add(FloatVector.fromArray(SPECIES, x, i));
                b = b.add(FloatVector.fromArray(SPECIES, x, i + WIDTH));
            }
            for (; i <= to - WIDTH; i += WIDTH) {
                a = a.add(FloatVector.fromArray(SPECIES, x, i));
            }
            s = VectorMath.sum(a.add(b));
        }
        return s + plain.sum(x, i, to);
    }

    @Override
    float dot(float[] x, float[] y, int from, int to) {
        int i = from;
        float s = 0;
        if (to - from >= WIDTH) {
            FloatVector a = FloatVector.zero(SPECIES);
            FloatVector b = a;
            for (; i <= to - 2 * WIDTH; i += 2 * WIDTH) {
                a = FloatVector.fromArray(SPECIES, x, i).fma(FloatVector.fromArray(SPECIES, y, i), a);
                b = FloatVector.fromArray(SPECIES, x, i + WIDTH).fma(FloatVector.fromArray(SPECIES, y, i + WIDTH), b);
            }
            for (; i <= to - WIDTH; i += WIDTH) {
                a = FloatVector.fromArray(SPECIES, x, i).fma(FloatVector.fromArray(SPECIES, y, i), a);
            }
            s = VectorMath.sum(a.add(b));
        }
        return s + plain.dot(x, y, i, to);
    }

    @Override
    FloatReductions reductions() {
        return reductions;
    }

    @Override
    FloatNorms norms() {
        return norms;
    }

    @Override
    FloatRows rows() {
        return rows;
    }

    @Override
    FloatLoops loops() {
        return loops;
    }

    @Override
    FloatLines lines() {
        return lines;
    }

    @Override
    int columns() {
        return 2 * WIDTH;
    }

    /** Twelve sums stay in registers: six rows by two vectors. */
    @Override
    void multiply(int depth, float[] a, int aAt, float[] b, int bAt, float[] tile) {
        FloatVector c00 = FloatVector.zero(SPECIES);
        FloatVector c01 = c00;
        FloatVector c10 = c00;
        FloatVector c11 = c00;
        FloatVector c20 = c00;
        FloatVector c21 = c00;
        FloatVector c30 = c00;
        FloatVector c31 = c00;
        FloatVector c40 = c00;
        FloatVector c41 = c00;
        FloatVector c50 = c00;
        FloatVector c51 = c00;
        int bt = bAt;
        for (int p = aAt; p < aAt + depth; p++) {
            FloatVector b0 = FloatVector.fromArray(SPECIES, b, bt);
            FloatVector b1 = FloatVector.fromArray(SPECIES, b, bt + WIDTH);
            FloatVector f = FloatVector.broadcast(SPECIES, a[p]);
            c00 = f.fma(b0, c00);
            c01 = f.fma(b1, c01);
            f = FloatVector.broadcast(SPECIES, a[p + MatMulPacking.ROW]);
            c10 = f.fma(b0, c10);
            c11 = f.fma(b1, c11);
            f = FloatVector.broadcast(SPECIES, a[p + 2 * MatMulPacking.ROW]);
            c20 = f.fma(b0, c20);
            c21 = f.fma(b1, c21);
            f = FloatVector.broadcast(SPECIES, a[p + 3 * MatMulPacking.ROW]);
            c30 = f.fma(b0, c30);
            c31 = f.fma(b1, c31);
            f = FloatVector.broadcast(SPECIES, a[p + 4 * MatMulPacking.ROW]);
            c40 = f.fma(b0, c40);
            c41 = f.fma(b1, c41);
            f = FloatVector.broadcast(SPECIES, a[p + 5 * MatMulPacking.ROW]);
            c50 = f.fma(b0, c50);
            c51 = f.fma(b1, c51);
            bt += 2 * WIDTH;
        }
        put(tile, 0, c00, c01);
        put(tile, 1, c10, c11);
        put(tile, 2, c20, c21);
        put(tile, 3, c30, c31);
        put(tile, 4, c40, c41);
        put(tile, 5, c50, c51);
    }

    private static void put(float[] tile, int row, FloatVector left, FloatVector right) {
        left.intoArray(tile, row * 2 * WIDTH);
        right.intoArray(tile, row * 2 * WIDTH + WIDTH);
    }

    @Override
    void addRows(double[] factors, int depth, double[] block, int columns, double[] result, int at) {
        VectorDoubles.addRows(factors, depth, block, columns, result, at);
    }

    @Override
    void storeTile(float[] tile, int rows, MemorySegment c, long at, long stride) {
        for (int row = 0; row < rows; row++) {
            long to = (at + row * stride) * Float.BYTES;
            FloatVector.fromArray(SPECIES, tile, row * 2 * WIDTH).intoMemorySegment(c, to, ORDER);
            FloatVector.fromArray(SPECIES, tile, row * 2 * WIDTH + WIDTH)
                    .intoMemorySegment(c, to + (long) WIDTH * Float.BYTES, ORDER);
        }
    }

    @Override
    void addTile(float[] tile, int rows, MemorySegment c, long at, long stride) {
        for (int row = 0; row < rows; row++) {
            long to = (at + row * stride) * Float.BYTES;
            long next = to + (long) WIDTH * Float.BYTES;
            FloatVector.fromArray(SPECIES, tile, row * 2 * WIDTH)
                    .add(FloatVector.fromMemorySegment(SPECIES, c, to, ORDER))
                    .intoMemorySegment(c, to, ORDER);
            FloatVector.fromArray(SPECIES, tile, row * 2 * WIDTH + WIDTH)
                    .add(FloatVector.fromMemorySegment(SPECIES, c, next, ORDER))
                    .intoMemorySegment(c, next, ORDER);
        }
    }

    @Override
    void copyLines(MemorySegment from, long at, long stride, int count, float[] to, int toAt) {
        for (int i = 0; i < count; i++) {
            long source = (at + i * stride) * Float.BYTES;
            int target = toAt + i * 2 * WIDTH;
            FloatVector.fromMemorySegment(SPECIES, from, source, ORDER).intoArray(to, target);
            FloatVector.fromMemorySegment(SPECIES, from, source + (long) WIDTH * Float.BYTES, ORDER)
                    .intoArray(to, target + WIDTH);
        }
    }

    @Override
    void transpose(MemorySegment x, long at, long stride, int rows, int columns, float[] to, int toAt, int toStride) {
        VectorTranspose.transpose(x, at, stride, rows, columns, to, toAt, toStride);
    }
}

package org.tenon.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.spi.Allocator;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.Buffer;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/**
 * Elementwise functions give the same bits whether operands are dense, repeat or lie apart: wherever an element is, whatever is
 * computed beside it, and whichever loop computes it.
 */
@Tag("plain")
class MemoryElementwiseTest {
    private static final int[] LENGTHS = {1, 3, 15, 16, 17, 33, 511, 2047, 2048, 2049, 2063, 5000, 300_001};

    /** Rows by columns, for operands that repeat. */
    private static final int[][] SHAPES = {
        {1, 1}, {3, 5}, {5, 1}, {1, 17}, {7, 16}, {33, 100}, {3, 1024}, {3, 2047}, {4, 2049}, {2, 70_000}, {900, 130}
    };

    private static final float[] SPECIAL = {
        0f,
        -0f,
        1f,
        -1f,
        Float.NaN,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.MIN_VALUE,
        -Float.MIN_NORMAL,
        Float.MAX_VALUE,
        88.7f,
        88.8f,
        -87.4f,
        -103.9f,
        14.1f,
        -14.1f,
        0.625f
    };

    private static final Allocator MEMORY = new CpuBackend().allocator();
    private static final List<Buffer> MADE = new ArrayList<>();

    private enum Repeat {
        NONE,
        SCALAR,
        ROW,
        COLUMN
    }

    /** Guard bands around each buffer are looked at here. */
    private static void release() {
        MADE.forEach(MEMORY::free);
        MADE.clear();
    }

    @Test
    void functionsOfOneOperand() {
        for (UnaryOp op : UnaryOp.values()) {
            for (int n : LENGTHS) {
                float[] x = values(n, n);
                DType result = op == UnaryOp.ISNAN || op == UnaryOp.NOT ? DType.BOOL : DType.F32;
                Strided dense = target(result, n);
                Strided expected = target(result, n);
                Elementwise.unary(op, dense(x), 0.75, 1.5, dense);
                Elementwise.unary(op, apart(x), 0.75, 1.5, expected);
                assertThat(bits(dense)).as("%s of %d", op, n).isEqualTo(bits(expected));
                release();
            }
        }
    }

    @Test
    void functionsOfTwoOperands() {
        for (BinaryOp op : BinaryOp.values()) {
            for (int[] shape : SHAPES) {
                for (Repeat left : Repeat.values()) {
                    for (Repeat right : left == Repeat.NONE ? Repeat.values() : new Repeat[] {Repeat.NONE}) {
                        if (shape[0] * shape[1] <= 4000 || op.ordinal() < 3) {
                            two(op, shape[0], shape[1], left, right);
                        }
                    }
                }
            }
        }
    }

    private static void two(BinaryOp op, int rows, int columns, Repeat left, Repeat right) {
        float[] a = values(rows * columns, 1);
        float[] b = values(rows * columns, 2);
        DType result = op.compares() ? DType.BOOL : DType.F32;
        Strided actual = target(result, rows, columns);
        Strided expected = target(result, rows, columns);
        Elementwise.binary(op, repeated(a, rows, columns, left), repeated(b, rows, columns, right), actual);
        Elementwise.binary(
                op,
                matrix(apart(filled(a, rows, columns, left)), rows, columns),
                matrix(apart(filled(b, rows, columns, right)), rows, columns),
                expected);
        assertThat(bits(actual))
                .as("%s of %s and %s, %d by %d", op, left, right, rows, columns)
                .isEqualTo(bits(expected));
        release();
    }

    @Test
    void choices() {
        for (int[] shape : SHAPES) {
            for (Repeat choice : Repeat.values()) {
                for (Repeat left : Repeat.values()) {
                    choice(shape[0], shape[1], choice, left);
                }
            }
        }
    }

    private static void choice(int rows, int columns, Repeat choice, Repeat left) {
        int n = rows * columns;
        float[] a = values(n, 1);
        float[] b = values(n, 2);
        float[] c = new float[n];
        Random random = new Random(3);
        for (int i = 0; i < n; i++) {
            c[i] = random.nextInt(2);
        }
        Strided condition = target(DType.BOOL, n);
        byte[] bytes = new byte[n];
        for (int i = 0; i < n; i++) {
            bytes[i] = (byte) c[i];
        }
        MemorySegment.copy(bytes, 0, CpuBuffer.segment(condition), ValueLayout.JAVA_BYTE, 0, n);
        Strided actual = target(DType.F32, rows, columns);
        Elementwise.where(
                strides(condition, rows, columns, choice),
                repeated(a, rows, columns, left),
                matrix(dense(b), rows, columns),
                actual);
        float[] chosen = filled(c, rows, columns, choice);
        float[] from = filled(a, rows, columns, left);
        int[] expected = new int[n];
        for (int i = 0; i < n; i++) {
            expected[i] = Float.floatToIntBits(chosen[i] != 0 ? from[i] : b[i]);
        }
        assertThat(bits(actual))
                .as("%s, %s, %d by %d", choice, left, rows, columns)
                .isEqualTo(expected);
        release();
    }

    private static float[] values(int n, long seed) {
        Random random = new Random(seed);
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = i % 11 == 3 ? SPECIAL[random.nextInt(SPECIAL.length)] : (float) random.nextGaussian() * (i % 7 + 1);
        }
        return x;
    }

    private static Strided dense(float[] x) {
        Strided out = target(DType.F32, x.length);
        MemorySegment.copy(x, 0, CpuBuffer.segment(out), ValueLayout.JAVA_FLOAT, 0, x.length);
        return out;
    }

    /** Every other element is another's. */
    private static Strided apart(float[] x) {
        float[] wide = new float[2 * x.length];
        Arrays.fill(wide, 3);
        for (int i = 0; i < x.length; i++) {
            wide[2 * i] = x[i];
        }
        Strided all = dense(wide);
        return new Strided(all.buffer(), DType.F32, 0, new long[] {x.length}, new long[] {2});
    }

    private static Strided matrix(Strided line, int rows, int columns) {
        long stride = line.strides()[0];
        return new Strided(
                line.buffer(), line.dtype(), 0, new long[] {rows, columns}, new long[] {columns * stride, stride});
    }

    private static Strided repeated(float[] x, int rows, int columns, Repeat repeat) {
        return strides(dense(x), rows, columns, repeat);
    }

    private static Strided strides(Strided line, int rows, int columns, Repeat repeat) {
        long[] strides = switch (repeat) {
            case NONE -> new long[] {columns, 1};
            case SCALAR -> new long[] {0, 0};
            case ROW -> new long[] {0, 1};
            case COLUMN -> new long[] {1, 0};
        };
        return new Strided(line.buffer(), line.dtype(), 0, new long[] {rows, columns}, strides);
    }

    private static float[] filled(float[] x, int rows, int columns, Repeat repeat) {
        float[] all = new float[rows * columns];
        for (int i = 0; i < all.length; i++) {
            all[i] = switch (repeat) {
                case NONE -> x[i];
                case SCALAR -> x[0];
                case ROW -> x[i % columns];
                case COLUMN -> x[i / columns];
            };
        }
        return all;
    }

    private static Strided target(DType dtype, int... sizes) {
        long[] all = Arrays.stream(sizes).asLongStream().toArray();
        long n = Arrays.stream(all).reduce(1, (a, b) -> a * b);
        Buffer buffer = MEMORY.allocate(n * dtype.bytes());
        MADE.add(buffer);
        long[] strides = sizes.length == 1 ? new long[] {1} : new long[] {sizes[1], 1};
        return new Strided(buffer, dtype, 0, all, strides);
    }

    /** Of bools the bytes. */
    private static int[] bits(Strided x) {
        MemorySegment memory = CpuBuffer.segment(x);
        int[] bits = new int[(int) x.count()];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = x.dtype() == DType.F32
                    ? Float.floatToIntBits(memory.getAtIndex(ValueLayout.JAVA_FLOAT, i))
                    : memory.get(ValueLayout.JAVA_BYTE, i);
        }
        return bits;
    }
}

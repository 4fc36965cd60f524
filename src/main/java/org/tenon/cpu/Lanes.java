package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import org.slf4j.LoggerFactory;

/**
 * The loops that want vector instructions. {@link VectorLanes} has them where the JVM was started with the Vector API's
 * module; {@link PlainLanes} leaves them to the JIT compiler. {@code -Dtenon.cpu.vector=off} chooses the plain ones,
 * {@code =256} vectors of so many bits.
 */
abstract class Lanes {
    /** The choice, made once, so that the compiler sees a constant. */
    static final Lanes CHOSEN = choose();

    private static Lanes choose() {
        if (Settings.vectors() == Settings.NO_VECTORS) {
            return new PlainLanes();
        }
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            LoggerFactory.getLogger(Lanes.class)
                    .warn("the CPU backend runs without vector instructions; start the JVM with"
                            + " --add-modules jdk.incubator.vector to use them");
            return new PlainLanes();
        }
        return VectorLanes.isWorthwhile() ? new VectorLanes() : new PlainLanes();
    }

    /** What was chosen, for the device's description. */
    abstract String description();

    /** {@code x = e^x}. */
    abstract void exp(float[] x, int n);

    /** {@code x = log x}. */
    abstract void log(float[] x, int n);

    /** {@code x = log(1 + x)}. */
    abstract void log1p(float[] x, int n);

    /** {@code x = sin x}. */
    abstract void sin(float[] x, int n);

    /** {@code x = cos x}. */
    abstract void cos(float[] x, int n);

    /** {@code x = tanh x}. */
    abstract void tanh(float[] x, int n);

    /** {@code x} times the normal distribution function of x. */
    abstract void gelu(float[] x, int n);

    /** {@code g} times the derivative of that at x. */
    abstract void geluGrad(float[] g, float[] x, int n);

    /** The largest of {@code x[from..to)}, NaN if any is, -inf of none. */
    abstract float max(float[] x, int from, int to);

    /** The sum of {@code x[from..to)}. */
    abstract float sum(float[] x, int from, int to);

    /** The sum of products of {@code x[from..to)} and {@code y[from..to)}. */
    abstract float dot(float[] x, float[] y, int from, int to);

    /** Softmax without a pass through arrays, or null where that gains nothing. */
    abstract FloatRows rows();

    /** Reductions without a pass through arrays, or null where that gains nothing. */
    abstract FloatReductions reductions();

    /** Norms without a pass through arrays, or null where that gains nothing. */
    abstract FloatNorms norms();

    /** Elementwise functions without a pass through arrays, or null where that gains nothing. */
    abstract FloatLoops loops();

    /** Products of few lines, or null where that gains nothing. */
    abstract FloatLines lines();

    /** How many columns of a product {@link #multiply} computes at once. */
    abstract int columns();

    /**
     * A tile of a product: {@link MatMulTile#ROWS} by {@link #columns}. {@code a} holds the rows, {@link MatMulPacking#ROW}
     * apart, {@code b} depth times columns.
     */
    abstract void multiply(int depth, float[] a, int aAt, float[] b, int bAt, float[] tile);

    /** {@code result[at + j] += sum of factors[p] * block[p * columns + j]} over p, one after another. */
    abstract void addRows(double[] factors, int depth, double[] block, int columns, double[] result, int at);

    /** Brings so many rows of a tile to {@code c}, element {@code at}, with {@code stride} between rows. */
    abstract void storeTile(float[] tile, int rows, MemorySegment c, long at, long stride);

    /** Adds rows of a tile to what is there. */
    abstract void addTile(float[] tile, int rows, MemorySegment c, long at, long stride);

    /** {@code count} lines of {@link #columns} floats each, {@code stride} apart, one after another. */
    abstract void copyLines(MemorySegment from, long at, long stride, int count, float[] to, int toAt);

    /** {@code to[toAt + c * toStride + r] = x[at + r * stride + c]}; no stride is negative. */
    abstract void transpose(
            MemorySegment x, long at, long stride, int rows, int columns, float[] to, int toAt, int toStride);
}

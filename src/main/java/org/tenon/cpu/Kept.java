package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.spi.Dropout;

/** What the elements of a chunk are multiplied by in a {@link Dropout}: what is dropped by 0. One belongs to one thread. */
final class Kept {
    private Dropout dropout;
    private long bound;
    private final PhiloxBlocks blocks = new PhiloxBlocks();
    private final float[] floats;
    private final double[] doubles;

    /** Of float64 or float32. */
    Kept(boolean wide) {
        floats = new float[wide ? 0 : Reader.CHUNK];
        doubles = new double[wide ? Reader.CHUNK : 0];
    }

    /** This, for a dropout. */
    Kept of(Dropout next) {
        dropout = next;
        // Of words whose lowest 8 bits do not count.
        bound = (long) Math.ceil((1 - next.p()) * 0x1p24) << 8;
        return this;
    }

    /** Decides on {@code n} elements from {@code first} on, a multiple of four. */
    void draw(long first, int n) {
        int most = 4 * PhiloxBlocks.COUNT;
        for (int done = 0; done < n; done += most) {
            blocks.make(dropout.counter() + (first + done) / 4, dropout.seed());
            for (int k = 0; k < 4; k++) {
                if (floats.length > 0) {
                    place(blocks.words(k), bound, (float) dropout.rest(), floats, done + k);
                } else {
                    place(blocks.words(k), bound, dropout.rest(), doubles, done + k);
                }
            }
        }
    }

    // Bits, not a choice: the processor would foresee many a choice wrongly.
    private static void place(long[] words, long bound, float rest, float[] to, int at) {
        int bits = Float.floatToRawIntBits(rest);
        for (int i = 0; i < PhiloxBlocks.COUNT; i++) {
            to[at + 4 * i] = Float.intBitsToFloat(bits & (int) (words[i] - bound >> 63));
        }
    }

    private static void place(long[] words, long bound, double rest, double[] to, int at) {
        long bits = Double.doubleToRawLongBits(rest);
        for (int i = 0; i < PhiloxBlocks.COUNT; i++) {
            to[at + 4 * i] = Double.longBitsToDouble(bits & words[i] - bound >> 63);
        }
    }

    void scale(float[] x, int n) {
        for (int i = 0; i < n; i++) {
            x[i] *= floats[i];
        }
    }

    void scale(double[] x, int n) {
        for (int i = 0; i < n; i++) {
            x[i] *= doubles[i];
        }
    }

    /** Copies the factors of {@code n} elements, floats. */
    void factors(MemorySegment to, int n) {
        MemorySegment.copy(floats, 0, to, ValueLayout.JAVA_FLOAT, 0, n);
    }
}

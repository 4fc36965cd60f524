package org.tenon.cpu;

import static org.tenon.cpu.VectorMath.BY_1;
import static org.tenon.cpu.VectorMath.BY_2;
import static org.tenon.cpu.VectorMath.BY_4;
import static org.tenon.cpu.VectorMath.BY_8;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums and maxima over the lanes of many vectors at once. A step takes two vectors and leaves one, whose one half has what the first one's
 * halves are together, and whose other half what the second one's are: so a sum takes four operations a vector, not two for each halving. A sum's order
 * is that of {@link VectorMath#sum}.
 */
final class VectorFold {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final int WIDTH = VectorMath.WIDTH;

    /** So many vectors are there, a power of two: as many sums fill {@link #SUMS} vectors. */
    static final int VECTORS = 4 * WIDTH;

    private static final int SUMS = VECTORS / WIDTH;

    private static final IntVector INFINITY = IntVector.broadcast(VectorMath.INTS, key(Float.POSITIVE_INFINITY));
    private static final IntVector MINUS_INFINITY = IntVector.broadcast(VectorMath.INTS, key(Float.NEGATIVE_INFINITY));

    private static final VectorMask<Float> HAS_8 = lanesWith(8);
    private static final VectorMask<Float> HAS_4 = lanesWith(4);
    private static final VectorMask<Float> HAS_2 = lanesWith(2);
    private static final VectorMask<Float> HAS_1 = lanesWith(1);

    private VectorFold() {}

    private static VectorMask<Float> lanesWith(int bit) {
        boolean[] lanes = new boolean[WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            lanes[i] = (i & bit) != 0;
        }
        return VectorMask.fromArray(SPECIES, lanes, 0);
    }

    /** Where the sum or maximum of a vector is, of {@link #VECTORS} one after another. */
    private static int index(int vector) {
        return vector % SUMS * WIDTH + vector / SUMS;
    }

    private static void inOrder(float[] folded, float[] to) {
        for (int i = 0; i < VECTORS; i++) {
            to[i] = folded[index(i)];
        }
    }

    /** An integer in whose order floats are: of negative ones the other bits are turned over. */
    static int key(float v) {
        int bits = Float.floatToRawIntBits(v);
        return bits ^ bits >> 31 >>> 1;
    }

    /** {@code to} gets the sums of the vectors that {@code v} holds one after another; {@code v} is used up. */
    static void sums(float[] v, float[] to) {
        add(v);
        inOrder(v, to);
    }

    /**
     * {@code to} gets the largest float of each vector; {@code v} holds the bits of their {@link #key keys}, and is used up. Infinity where there is NaN: that
     * shows in the sum. Zero of -inf: less it would be another NaN than one in the row, and which of two a sum keeps depends on how it was compiled.
     */
    static void maxima(float[] v, float[] to) {
        max(v);
        for (int i = 0; i < VECTORS; i += WIDTH) {
            IntVector key =
                    FloatVector.fromArray(SPECIES, v, i).reinterpretAsInts().min(INFINITY);
            IntVector bits = key.lanewise(VectorOperators.ASHR, 31)
                    .lanewise(VectorOperators.LSHR, 1)
                    .lanewise(VectorOperators.XOR, key);
            bits.blend(0, key.compare(VectorOperators.LE, MINUS_INFINITY))
                    .reinterpretAsFloats()
                    .intoArray(v, i);
        }
        inOrder(v, to);
    }

    private static void add(float[] v) {
        int half = VECTORS * WIDTH / 2;
        if (WIDTH >= 16) {
            for (int i = 0; i < half; i += WIDTH) {
                FloatVector a = FloatVector.fromArray(SPECIES, v, i);
                FloatVector b = FloatVector.fromArray(SPECIES, v, i + half);
                a.blend(b, HAS_8).add(b.blend(a, HAS_8).rearrange(BY_8)).intoArray(v, i);
            }
            half /= 2;
        }
        if (WIDTH >= 8) {
            for (int i = 0; i < half; i += WIDTH) {
                FloatVector a = FloatVector.fromArray(SPECIES, v, i);
                FloatVector b = FloatVector.fromArray(SPECIES, v, i + half);
                a.blend(b, HAS_4).add(b.blend(a, HAS_4).rearrange(BY_4)).intoArray(v, i);
            }
            half /= 2;
        }
        for (int i = 0; i < half; i += WIDTH) {
            FloatVector a = FloatVector.fromArray(SPECIES, v, i);
            FloatVector b = FloatVector.fromArray(SPECIES, v, i + half);
            a.blend(b, HAS_2).add(b.blend(a, HAS_2).rearrange(BY_2)).intoArray(v, i);
        }
        half /= 2;
        for (int i = 0; i < half; i += WIDTH) {
            FloatVector a = FloatVector.fromArray(SPECIES, v, i);
            FloatVector b = FloatVector.fromArray(SPECIES, v, i + half);
            a.blend(b, HAS_1).add(b.blend(a, HAS_1).rearrange(BY_1)).intoArray(v, i);
        }
    }

    private static void max(float[] v) {
        int half = VECTORS * WIDTH / 2;
        if (WIDTH >= 16) {
            for (int i = 0; i < half; i += WIDTH) {
                FloatVector a = FloatVector.fromArray(SPECIES, v, i);
                FloatVector b = FloatVector.fromArray(SPECIES, v, i + half);
                IntVector c = b.blend(a, HAS_8).rearrange(BY_8).reinterpretAsInts();
                a.blend(b, HAS_8)
                        .reinterpretAsInts()
                        .max(c)
                        .reinterpretAsFloats()
                        .intoArray(v, i);
            }
            half /= 2;
        }
        if (WIDTH >= 8) {
            for (int i = 0; i < half; i += WIDTH) {
                FloatVector a = FloatVector.fromArray(SPECIES, v, i);
                FloatVector b = FloatVector.fromArray(SPECIES, v, i + half);
                IntVector c = b.blend(a, HAS_4).rearrange(BY_4).reinterpretAsInts();
                a.blend(b, HAS_4)
                        .reinterpretAsInts()
                        .max(c)
                        .reinterpretAsFloats()
                        .intoArray(v, i);
            }
            half /= 2;
        }
        for (int i = 0; i < half; i += WIDTH) {
            FloatVector a = FloatVector.fromArray(SPECIES, v, i);
            FloatVector b = FloatVector.fromArray(SPECIES, v, i + half);
            IntVector c = b.blend(a, HAS_2).rearrange(BY_2).reinterpretAsInts();
            a.blend(b, HAS_2).reinterpretAsInts().max(c).reinterpretAsFloats().intoArray(v, i);
        }
        half /= 2;
        for (int i = 0; i < half; i += WIDTH) {
            FloatVector a = FloatVector.fromArray(SPECIES, v, i);
            FloatVector b = FloatVector.fromArray(SPECIES, v, i + half);
            IntVector c = b.blend(a, HAS_1).rearrange(BY_1).reinterpretAsInts();
            a.blend(b, HAS_1).reinterpretAsInts().max(c).reinterpretAsFloats().intoArray(v, i);
        }
    }
}

package org.tenon.spi;

import org.tenon.BF16;
import org.tenon.DType;
import org.tenon.F16;
import org.tenon.F32;
import org.tenon.F64;

/**
 * Random numbers from Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011). Elements
 * {@code 4k .. 4k+3} of the output come from the block whose counter is {@code offset + k} (low word first, upper 64 bits
 * zero) under the key {@code seed}; 64-bit outputs ({@link #INTEGERS}, and float64 of {@link #UNIFORM} and {@link #NORMAL}) take two words
 * an element, so {@code 2k, 2k+1} come from counter {@code offset + k}. Every device gives the same words.
 */
public enum RandomOp {
    /**
     * Uniform on {@code [p0, p1)}: {@code u = (word >>> 8) * 2^-24}, for float64 {@code (word64 >>> 11) * 2^-53}, where
     * {@code word64 = hi << 32 | lo} with lo the earlier word; then {@code p0 + u * (p1 - p0)}, or {@link #below} p1 if the
     * rounding of that reaches p1.
     */
    UNIFORM,
    /**
     * Normal with mean {@code p0} and standard deviation {@code p1} by Box and Muller's method, from pairs of words
     * {@code (a, b)}: {@code r = sqrt(-2 log(((a >>> 8) + 1) * 2^-24))}, {@code t = 2 pi (b >>> 8) * 2^-24}, giving
     * {@code r cos t} then {@code r sin t}; float64 alike with 53 bits from 64-bit words, a pair from one block.
     */
    NORMAL,
    /** Integers of {@code [p0, p1)}: {@code p0 + word64 mod (p1 - p0)}, unsigned, exact for spans below 2^53. */
    INTEGERS,
    /** 1 with probability {@code p0}, else 0: {@code u < p0} with u as for {@link #UNIFORM} of float32. */
    BERNOULLI;

    /** How many counters {@code count} elements of this type consume. */
    public long counters(long count, DType dtype) {
        return wide(dtype) ? (count + 1) / 2 : (count + 3) / 4;
    }

    /** The largest number of a floating type that is less than {@code bound}. */
    public static double below(double bound, DType dtype) {
        return switch (dtype) {
            case F64 _ -> Math.nextDown(bound);
            case F32 _ -> (float) bound < bound ? (float) bound : Math.nextDown((float) bound);
            case F16 _ -> {
                short bits = Float.floatToFloat16((float) bound);
                yield Float.float16ToFloat(bits) < bound ? Float.float16ToFloat(bits) : halfBelow(bits);
            }
            case BF16 _ -> {
                float up = Math.nextDown((float) bound);
                float cut = Float.intBitsToFloat(Float.floatToRawIntBits(up) & 0xFFFF0000);
                yield cut <= up ? cut : Float.intBitsToFloat(Float.floatToRawIntBits(cut) + 0x10000);
            }
            default -> throw new IllegalArgumentException(dtype + " is not a floating type");
        };
    }

    private static float halfBelow(short bits) {
        if ((bits & 0x7FFF) == 0) {
            return -0x1p-24f;
        }
        return Float.float16ToFloat((short) (bits < 0 ? bits + 1 : bits - 1));
    }

    /** Whether an element of this type takes two words. */
    public boolean wide(DType dtype) {
        return switch (this) {
            case INTEGERS -> true;
            case BERNOULLI -> false;
            case UNIFORM, NORMAL -> dtype instanceof F64;
        };
    }
}

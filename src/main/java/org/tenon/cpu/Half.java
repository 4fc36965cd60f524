package org.tenon.cpu;

/** The 16-bit floating types: conversions of runs, and of numbers too wide to go by way of float32. */
final class Half {
    private Half() {}

    static float fromBfloat16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** Rounds to nearest even; a NaN stays one, which adding to its bits would not guarantee. */
    static short toBfloat16(float x) {
        int bits = Float.floatToRawIntBits(x);
        int rounded = (bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16;
        return (short) (x != x ? (bits >>> 16) | 0x40 : rounded);
    }

    /**
     * A float32 that rounds to the same half as {@code x} does: rounding twice to nearest can go wrong at ties, so an
     * inexact first step goes to the neighbour with an odd last bit instead.
     */
    static float toOdd(double x) {
        float nearest = (float) x;
        if (nearest == x || nearest != nearest) {
            return nearest;
        }
        int bits = Float.floatToRawIntBits(nearest);
        if ((bits & 1) != 0) {
            return nearest;
        }
        return Float.intBitsToFloat(Math.abs((double) nearest) < Math.abs(x) ? bits + 1 : bits - 1);
    }

    static void widen16(short[] from, float[] to, int at, int n) {
        for (int i = 0; i < n; i++) {
            to[at + i] = Float.float16ToFloat(from[i]);
        }
    }

    static void widenBfloat16(short[] from, float[] to, int at, int n) {
        for (int i = 0; i < n; i++) {
            to[at + i] = Float.intBitsToFloat(from[i] << 16);
        }
    }

    static void narrow16(float[] from, short[] to, int n) {
        for (int i = 0; i < n; i++) {
            to[i] = Float.floatToFloat16(from[i]);
        }
    }

    static void narrowBfloat16(float[] from, short[] to, int n) {
        for (int i = 0; i < n; i++) {
            to[i] = toBfloat16(from[i]);
        }
    }
}

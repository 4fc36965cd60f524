package org.tenon.gpu;

import java.util.List;
import org.tenon.BF16;
import org.tenon.Bool;
import org.tenon.DType;
import org.tenon.F16;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.I32;
import org.tenon.I64;

/** The kernels' names of element types, and numbers as kernels take them. */
final class Types {
    /** All, each where {@link #index} says. */
    static final List<DType> ALL =
            List.of(DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64, DType.BOOL);
    /** The first of them: those with which one computes. */
    static final List<DType> NUMBERS = ALL.subList(0, 6);
    /** The first of these: those with a fraction. */
    static final List<DType> FLOATS = ALL.subList(0, 4);

    /** How many there are. */
    static final int COUNT = ALL.size();

    private static final String[] NAMES = {"f32", "f64", "f16", "bf16", "i32", "i64", "b8"};

    private Types() {}

    /** A number below {@link #COUNT}. */
    static int index(DType dtype) {
        return switch (dtype) {
            case F32 _ -> 0;
            case F64 _ -> 1;
            case F16 _ -> 2;
            case BF16 _ -> 3;
            case I32 _ -> 4;
            case I64 _ -> 5;
            case Bool _ -> 6;
        };
    }

    static String name(DType dtype) {
        return NAMES[index(dtype)];
    }

    /** The name of elements of which only the width counts. */
    static String width(DType dtype) {
        return "u" + 8 * dtype.bytes();
    }

    /** A number below 4 for each width. */
    static int widthIndex(DType dtype) {
        return Integer.numberOfTrailingZeros(dtype.bytes());
    }

    /** A number as an argument: half types are computed in float32. */
    static long bits(DType dtype, double value) {
        return switch (dtype) {
            case F32 _, F16 _, BF16 _ -> Float.floatToRawIntBits((float) value);
            case F64 _ -> Double.doubleToRawLongBits(value);
            case I32 _ -> Math.clamp((long) value, Integer.MIN_VALUE, Integer.MAX_VALUE);
            case I64 _ -> (long) value;
            case Bool _ -> value != 0 ? 1 : 0;
        };
    }

    /** An element's bits in memory. */
    static long stored(DType dtype, double value) {
        return switch (dtype) {
            case F32 _ -> Float.floatToRawIntBits((float) value);
            case F64 _ -> Double.doubleToRawLongBits(value);
            case F16 _ -> Float.floatToFloat16(toOdd(value));
            case BF16 _ -> bfloat16(toOdd(value));
            case I32 _, I64 _ -> (long) value;
            case Bool _ -> value != 0 ? 1 : 0;
        };
    }

    /** A float that is odd where inexact: rounding it once more rounds the original once. */
    private static float toOdd(double value) {
        float near = (float) value;
        if (near == value || near != near || Float.isInfinite(near)) {
            return near;
        }
        boolean away = Math.abs((double) near) > Math.abs(value);
        int bits = Float.floatToRawIntBits(near);
        return Float.intBitsToFloat((away ? bits - 1 : bits) | 1);
    }

    private static long bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return value != value ? bits >>> 16 | 0x40 : bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
    }
}

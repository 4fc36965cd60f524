package org.tenon.contract;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.tenon.DType;

/**
 * An array on the host, row-major: what tests give to devices and what the reference computes with. Floating elements are
 * in {@code f}, already rounded to the dtype; integers and bools are in {@code n}. Shares no code with the library.
 */
record Arr(DType dtype, long[] shape, double[] f, long[] n) {
    static int count(long[] shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return Math.toIntExact(count);
    }

    static long[] dims(long... sizes) {
        return sizes;
    }

    static Arr floats(DType dtype, long[] shape, double[] values) {
        double[] rounded = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            rounded[i] = round(dtype, values[i]);
        }
        return new Arr(dtype, shape, rounded, null);
    }

    static Arr longs(DType dtype, long[] shape, long[] values) {
        return new Arr(dtype, shape, null, values);
    }

    /** These values in any dtype. */
    static Arr of(DType dtype, long[] shape, double... values) {
        return dtype.isFloating()
                ? floats(dtype, shape, values)
                : longs(
                        dtype,
                        shape,
                        Arrays.stream(values).mapToLong(v -> (long) v).toArray());
    }

    static Arr vector(DType dtype, double... values) {
        return of(dtype, dims(values.length), values);
    }

    static Arr normal(DType dtype, long seed, long... shape) {
        Random random = new Random(seed * 7919 + 13);
        double[] values = new double[count(shape)];
        Arrays.setAll(values, i -> random.nextGaussian());
        return floats(dtype, shape, values);
    }

    static Arr uniform(DType dtype, long seed, double low, double high, long... shape) {
        Random random = new Random(seed * 104729 + 7);
        double[] values = new double[count(shape)];
        Arrays.setAll(values, i -> low + (high - low) * random.nextDouble());
        return floats(dtype, shape, values);
    }

    static Arr ints(DType dtype, long seed, long low, long high, long... shape) {
        Random random = new Random(seed * 31337 + 5);
        long[] values = new long[count(shape)];
        Arrays.setAll(values, i -> random.nextLong(low, high));
        return longs(dtype, shape, values);
    }

    /** Something suitable for any dtype: normal, small integers, or bools. */
    static Arr any(DType dtype, long seed, long... shape) {
        if (dtype.isFloating()) {
            return normal(dtype, seed, shape);
        }
        return dtype == DType.BOOL ? ints(dtype, seed, 0, 2, shape) : ints(dtype, seed, -9, 10, shape);
    }

    int count() {
        return count(shape);
    }

    /** Element i as a double. */
    double at(int i) {
        return f != null ? f[i] : n[i];
    }

    Arr reshaped(long... sizes) {
        return new Arr(dtype, sizes, f, n);
    }

    /** The same values in another dtype, converted as Java does (saturating, NaN to 0). */
    Arr as(DType to) {
        if (to.isFloating()) {
            double[] values = new double[count()];
            Arrays.setAll(values, this::at);
            return floats(to, shape, values);
        }
        long[] values = new long[count()];
        Arrays.setAll(values, i -> convert(i, to));
        return longs(to, shape, values);
    }

    private long convert(int i, DType to) {
        if (to == DType.BOOL) {
            return at(i) != 0 ? 1 : 0;
        }
        if (f != null) {
            return to == DType.I32 ? (int) f[i] : (long) f[i];
        }
        return to == DType.I32 ? (int) n[i] : n[i];
    }

    Arr with(int i, double value) {
        double[] copy = f.clone();
        copy[i] = value;
        return new Arr(dtype, shape, copy, null);
    }

    static double round(DType dtype, double v) {
        if (dtype == DType.F64) {
            return v;
        }
        if (dtype == DType.F32) {
            return (float) v;
        }
        if (dtype == DType.F16) {
            return Float.float16ToFloat(Float.floatToFloat16(toOdd(v)));
        }
        return bfloat(v);
    }

    /** A float that is odd where inexact, so that rounding it again to a half type rounds the double once. */
    private static float toOdd(double v) {
        float near = (float) v;
        if (Double.isNaN(v) || near == v || Float.isInfinite(near)) {
            return near;
        }
        float below = Math.abs(near) > Math.abs(v) ? (near > 0 ? Math.nextDown(near) : Math.nextUp(near)) : near;
        return Float.intBitsToFloat(Float.floatToRawIntBits(below) | 1);
    }

    private static double bfloat(double v) {
        if (Double.isNaN(v)) {
            return v;
        }
        int bits = Float.floatToRawIntBits(toOdd(v));
        if (Double.isInfinite(v)) {
            return v;
        }
        int rounded = bits + 0x7FFF + (bits >>> 16 & 1);
        return Float.intBitsToFloat(rounded & 0xFFFF0000);
    }

    /** The bytes a device takes. */
    MemorySegment bytes() {
        int count = count();
        int width = dtype.bytes();
        MemorySegment out = MemorySegment.ofArray(new byte[count * width]);
        for (int i = 0; i < count; i++) {
            long at = (long) i * width;
            if (dtype == DType.F64) {
                out.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, f[i]);
            } else if (dtype == DType.F32) {
                out.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, (float) f[i]);
            } else if (dtype == DType.F16) {
                out.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16((float) f[i]));
            } else if (dtype == DType.BF16) {
                out.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) (Float.floatToRawIntBits((float) f[i]) >>> 16));
            } else if (dtype == DType.I32) {
                out.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) n[i]);
            } else if (dtype == DType.I64) {
                out.set(ValueLayout.JAVA_LONG_UNALIGNED, at, n[i]);
            } else {
                out.set(ValueLayout.JAVA_BYTE, at, (byte) n[i]);
            }
        }
        return out;
    }

    static Arr fromBytes(DType dtype, long[] shape, MemorySegment in) {
        int count = count(shape);
        int width = dtype.bytes();
        double[] f = dtype.isFloating() ? new double[count] : null;
        long[] n = dtype.isFloating() ? null : new long[count];
        for (int i = 0; i < count; i++) {
            long at = (long) i * width;
            if (dtype == DType.F64) {
                f[i] = in.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, at);
            } else if (dtype == DType.F32) {
                f[i] = in.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
            } else if (dtype == DType.F16) {
                f[i] = Float.float16ToFloat(in.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
            } else if (dtype == DType.BF16) {
                f[i] = Float.intBitsToFloat(in.get(ValueLayout.JAVA_SHORT_UNALIGNED, at) << 16);
            } else if (dtype == DType.I32) {
                n[i] = in.get(ValueLayout.JAVA_INT_UNALIGNED, at);
            } else if (dtype == DType.I64) {
                n[i] = in.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
            } else {
                n[i] = in.get(ValueLayout.JAVA_BYTE, at);
            }
        }
        return new Arr(dtype, shape, f, n);
    }
}

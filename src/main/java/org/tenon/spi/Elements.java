package org.tenon.spi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.DType;

/** Row-major elements of one tensor in host memory, by their position, as numbers of Java. */
public final class Elements {
    private final MemorySegment memory;
    private final DType dtype;
    private final long[] sizes;
    private final long count;

    /** The elements of {@code memory}. */
    public Elements(MemorySegment memory, DType dtype, long[] sizes) {
        this.memory = memory;
        this.dtype = dtype;
        this.sizes = sizes;
        count = memory.byteSize() / dtype.bytes();
    }

    /** How many there are. */
    public long count() {
        return count;
    }

    /** The size of an axis, counted from 0. */
    public long size(int dim) {
        return sizes[dim];
    }

    /** The number of axes. */
    public int rank() {
        return sizes.length;
    }

    /** Their type. */
    public DType dtype() {
        return dtype;
    }

    /** Their memory, for those who read it by themselves. */
    public MemorySegment memory() {
        return memory;
    }

    /** Element {@code i} as a double; of bool 0 or 1. */
    public double get(long i) {
        return switch (dtype) {
            case org.tenon.F32 _ -> memory.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            case org.tenon.F64 _ -> memory.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
            case org.tenon.F16 _ -> Float.float16ToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, i));
            case org.tenon.BF16 _ -> Float.intBitsToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
            case org.tenon.I32 _ -> memory.getAtIndex(ValueLayout.JAVA_INT, i);
            case org.tenon.I64 _ -> memory.getAtIndex(ValueLayout.JAVA_LONG, i);
            case org.tenon.Bool _ -> memory.get(ValueLayout.JAVA_BYTE, i);
        };
    }

    /** Element {@code i} as a long, exact for integers; floating ones are truncated. */
    public long getLong(long i) {
        return dtype == DType.I64 ? memory.getAtIndex(ValueLayout.JAVA_LONG, i) : (long) get(i);
    }

    /** Sets element {@code i}: half types round a float32 to nearest even, integers truncate, bool is whether it is not 0. */
    public void set(long i, double value) {
        switch (dtype) {
            case org.tenon.F32 _ -> memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
            case org.tenon.F64 _ -> memory.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
            case org.tenon.F16 _ -> memory.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) value));
            case org.tenon.BF16 _ -> memory.setAtIndex(ValueLayout.JAVA_SHORT, i, bfloat16((float) value));
            case org.tenon.I32 _ -> memory.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
            case org.tenon.I64 _ -> memory.setAtIndex(ValueLayout.JAVA_LONG, i, (long) value);
            case org.tenon.Bool _ -> memory.set(ValueLayout.JAVA_BYTE, i, (byte) (value != 0 ? 1 : 0));
        }
    }

    private static short bfloat16(float x) {
        int bits = Float.floatToRawIntBits(x);
        return (short) (x != x ? bits >>> 16 | 0x40 : bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }
}

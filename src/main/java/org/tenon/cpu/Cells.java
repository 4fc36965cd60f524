package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tenon.spi.Strided;

/** Single elements of a tensor's memory, by their position counted from its first element. */
final class Cells {
    private final Element element;
    private final MemorySegment memory;
    private final long offset;

    Cells(Strided operand) {
        element = Element.of(operand.dtype());
        memory = CpuBuffer.segment(operand);
        offset = operand.offset();
    }

    double get(long at) {
        return switch (element) {
            case F32 -> memory.getAtIndex(ValueLayout.JAVA_FLOAT, offset + at);
            case F64 -> memory.getAtIndex(ValueLayout.JAVA_DOUBLE, offset + at);
            case F16 -> Float.float16ToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, offset + at));
            case BF16 -> Half.fromBfloat16(memory.getAtIndex(ValueLayout.JAVA_SHORT, offset + at));
            case I32, I64, BOOL -> whole(at);
        };
    }

    long whole(long at) {
        return switch (element) {
            case I32 -> memory.getAtIndex(ValueLayout.JAVA_INT, offset + at);
            case I64 -> memory.getAtIndex(ValueLayout.JAVA_LONG, offset + at);
            case BOOL -> memory.get(ValueLayout.JAVA_BYTE, offset + at);
            case F32, F64, F16, BF16 -> throw new IllegalStateException(element + " is no integer type");
        };
    }

    void set(long at, double value) {
        switch (element) {
            case F32 -> memory.setAtIndex(ValueLayout.JAVA_FLOAT, offset + at, (float) value);
            case F64 -> memory.setAtIndex(ValueLayout.JAVA_DOUBLE, offset + at, value);
            case F16 -> memory.setAtIndex(ValueLayout.JAVA_SHORT, offset + at, Float.floatToFloat16(Half.toOdd(value)));
            case BF16 -> memory.setAtIndex(ValueLayout.JAVA_SHORT, offset + at, Half.toBfloat16(Half.toOdd(value)));
            case I32, I64, BOOL -> whole(at, (long) value);
        }
    }

    void whole(long at, long value) {
        switch (element) {
            case I32 -> memory.setAtIndex(ValueLayout.JAVA_INT, offset + at, (int) value);
            case I64 -> memory.setAtIndex(ValueLayout.JAVA_LONG, offset + at, value);
            case BOOL -> memory.set(ValueLayout.JAVA_BYTE, offset + at, (byte) (value != 0 ? 1 : 0));
            case F32, F64, F16, BF16 -> throw new IllegalStateException(element + " is no integer type");
        }
    }

    /** Adds to an element in the type it is computed in. */
    void add(long at, Cells from, long fromAt) {
        if (element.domain() == Element.Domain.LONG) {
            whole(at, whole(at) + from.whole(fromAt));
        } else if (element == Element.F32) {
            set(at, (float) get(at) + (float) from.get(fromAt));
        } else {
            set(at, get(at) + from.get(fromAt));
        }
    }

    /** Copies elements bit for bit, of the same type. */
    void copy(long at, Cells from, long fromAt, long count) {
        long size = element.bytes();
        MemorySegment.copy(from.memory, (from.offset + fromAt) * size, memory, (offset + at) * size, count * size);
    }
}

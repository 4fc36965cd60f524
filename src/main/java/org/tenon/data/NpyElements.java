package org.tenon.data;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.HostArray;

/** The elements of a NumPy array: from its type, byte order and axis order to ours. */
final class NpyElements {
    private NpyElements() {}

    /** How NumPy stores an element and what it becomes here. */
    private enum Stored {
        BOOL("b1", 1, DType.BOOL),
        I8("i1", 1, DType.I32),
        U8("u1", 1, DType.I32),
        I16("i2", 2, DType.I32),
        U16("u2", 2, DType.I32),
        I32("i4", 4, DType.I32),
        U32("u4", 4, DType.I64),
        I64("i8", 8, DType.I64),
        F16("f2", 2, DType.F16),
        F32("f4", 4, DType.F32),
        F64("f8", 8, DType.F64),
        // NumPy has no bfloat16; its extensions write one as two bytes of no known type.
        BF16("V2", 2, DType.BF16);

        private final String code;
        private final int width;
        private final DType dtype;

        Stored(String code, int width, DType dtype) {
            this.code = code;
            this.width = width;
            this.dtype = dtype;
        }
    }

    static String descr(DType dtype) {
        for (Stored each : Stored.values()) {
            if (each.dtype == dtype && each.width == dtype.bytes()) {
                return (each.width == 1 ? "|" : "<") + each.code;
            }
        }
        throw new IllegalStateException("no npy type for " + dtype);
    }

    static HostArray<Any, ?> read(ByteSource source) throws IOException {
        long start = source.position();
        NpyHeader header = NpyHeader.read(source);
        Stored stored = stored(source, start, header.descr());
        ByteOrder order = header.descr().charAt(0) == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        if (header.descr().charAt(0) == '=') {
            order = ByteOrder.nativeOrder();
        }
        long count = 1;
        for (long size : header.shape()) {
            if (size > 0 && count > Long.MAX_VALUE / 16 / size) {
                throw source.error(
                        start, "an array of shape " + Arrays.toString(header.shape()) + " has more than 2^59 elements");
            }
            count *= size;
        }
        MemorySegment data =
                source.rest(count * stored.width, "an array of " + header.descr() + Arrays.toString(header.shape()));
        MemorySegment rowMajor = header.fortran() ? transposed(data, header.shape(), stored.width) : data;
        MemorySegment converted = convert(source, rowMajor, count, stored, order);
        return HostArray.of(converted, Any.of(header.shape()), stored.dtype);
    }

    private static Stored stored(ByteSource source, long start, String descr) throws IOException {
        String code = descr.isEmpty() ? "" : descr.substring(1);
        if (code.startsWith("O")) {
            throw source.error(
                    start, "the elements are Python objects, which only Python can read, and which may run code there");
        }
        for (Stored each : Stored.values()) {
            if (each.code.equals(code)
                    && "<>=|".indexOf(descr.charAt(0)) >= 0
                    && (descr.charAt(0) != '|' || each.width == 1 || each == Stored.BF16)) {
                return each;
            }
        }
        throw source.error(
                start,
                "the element type '" + descr + "' is not read; read are b1, i1 u1 i2 u2 i4 u4 i8, f2 f4 f8,"
                        + " and V2 as bfloat16");
    }

    /** From an order in which the first axis varies fastest to one in which the last does. */
    private static MemorySegment transposed(MemorySegment data, long[] shape, int width) {
        MemorySegment out = HostArray.memory(data.byteSize());
        long[] strides = new long[shape.length];
        long step = 1;
        for (int d = 0; d < shape.length; d++) {
            strides[d] = step;
            step *= shape[d];
        }
        long[] at = new long[shape.length];
        long from = 0;
        for (long i = 0; i < data.byteSize() / width; i++) {
            MemorySegment.copy(data, from * width, out, i * width, width);
            for (int d = shape.length - 1; d >= 0; d--) {
                from += strides[d];
                if (++at[d] < shape[d]) {
                    break;
                }
                from -= strides[d] * shape[d];
                at[d] = 0;
            }
        }
        return out;
    }

    private static MemorySegment convert(
            ByteSource source, MemorySegment data, long count, Stored stored, ByteOrder order) throws IOException {
        if (stored == Stored.BOOL) {
            for (long i = 0; i < count; i++) {
                int value = data.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
                if (value > 1) {
                    throw source.error(source.position() - count + i, "a bool is " + value + "; it is 0 or 1");
                }
            }
            return data;
        }
        if (stored.width == stored.dtype.bytes() && order == ByteOrder.nativeOrder()) {
            return data;
        }
        MemorySegment out = HostArray.memory(count * stored.dtype.bytes());
        ValueLayout.OfShort shorts = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order);
        ValueLayout.OfInt ints = ValueLayout.JAVA_INT_UNALIGNED.withOrder(order);
        ValueLayout.OfLong longs = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(order);
        for (long i = 0; i < count; i++) {
            switch (stored) {
                case I8 -> out.setAtIndex(ValueLayout.JAVA_INT, i, data.get(ValueLayout.JAVA_BYTE, i));
                case U8 -> out.setAtIndex(ValueLayout.JAVA_INT, i, data.get(ValueLayout.JAVA_BYTE, i) & 0xFF);
                case I16 -> out.setAtIndex(ValueLayout.JAVA_INT, i, data.getAtIndex(shorts, i));
                case U16 -> out.setAtIndex(ValueLayout.JAVA_INT, i, data.getAtIndex(shorts, i) & 0xFFFF);
                case U32 -> out.setAtIndex(ValueLayout.JAVA_LONG, i, data.getAtIndex(ints, i) & 0xFFFFFFFFL);
                case F16, BF16 -> out.setAtIndex(ValueLayout.JAVA_SHORT, i, data.getAtIndex(shorts, i));
                case I32, F32 -> out.setAtIndex(ValueLayout.JAVA_INT, i, data.getAtIndex(ints, i));
                case I64, F64 -> out.setAtIndex(ValueLayout.JAVA_LONG, i, data.getAtIndex(longs, i));
                case BOOL -> throw new IllegalStateException("bools are not converted");
            }
        }
        return out;
    }
}

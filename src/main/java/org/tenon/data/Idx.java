package org.tenon.data;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.F32;
import org.tenon.HostArray;
import org.tenon.I64;

/**
 * An array of the IDX format, in which MNIST is handed out, plain or packed by gzip: two zeros, the element type, the number
 * of axes, the size of each as a big-endian int, and the elements, big-endian.
 */
public final class Idx {
    private final Type type;
    private final long[] sizes;
    private final MemorySegment data;

    /** The element types of the format. */
    public enum Type {
        /** Unsigned bytes. */
        U8(0x08, 1),
        /** Signed bytes. */
        I8(0x09, 1),
        /** 16-bit integers. */
        I16(0x0B, 2),
        /** 32-bit integers. */
        I32(0x0C, 4),
        /** 32-bit floating point. */
        F32(0x0D, 4),
        /** 64-bit floating point. */
        F64(0x0E, 8);

        private final int code;
        private final int width;

        Type(int code, int width) {
            this.code = code;
            this.width = width;
        }
    }

    private Idx(Type type, long[] sizes, MemorySegment data) {
        this.type = type;
        this.sizes = sizes;
        this.data = data;
    }

    /** Reads a file. */
    public static Idx read(Path file) throws IOException {
        try (ByteSource source = ByteSource.open(file)) {
            byte[] magic = source.bytes(4, "the magic number of IDX");
            Type type = Arrays.stream(Type.values())
                    .filter(each -> each.code == magic[2])
                    .findFirst()
                    .orElse(null);
            if (magic[0] != 0 || magic[1] != 0 || type == null) {
                throw source.error(
                        0,
                        String.format(
                                "the magic number is %02x %02x %02x %02x; IDX starts with 00 00, a type of"
                                        + " 08 09 0b 0c 0d 0e, and the number of axes",
                                magic[0], magic[1], magic[2], magic[3]));
            }
            long[] sizes = new long[magic[3] & 0xFF];
            long bytes = type.width;
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = source.bigEndianInt("the sizes of IDX");
                if (sizes[i] < 0) {
                    throw source.error(
                            source.position() - 4, "axis " + i + " has size " + sizes[i] + "; sizes are 0 or more");
                }
                if (sizes[i] > 0 && bytes > Long.MAX_VALUE / sizes[i]) {
                    throw source.error(
                            source.position() - 4,
                            "an array of " + Arrays.toString(sizes) + " has more than 2^63 bytes");
                }
                bytes *= sizes[i];
            }
            return new Idx(type, sizes, source.rest(bytes, "an array of " + type + Arrays.toString(sizes)));
        }
    }

    /** The file of this name in a folder, or that of the name with {@code .gz}. */
    public static Path find(Path folder, String name) throws IOException {
        Path plain = folder.resolve(name);
        Path packed = folder.resolve(name + ".gz");
        if (Files.exists(plain)) {
            return plain;
        }
        if (Files.exists(packed)) {
            return packed;
        }
        throw new IOException(folder + " has neither " + name + " nor " + name + ".gz");
    }

    /** The element type of the file. */
    public Type type() {
        return type;
    }

    /** The size of each axis. */
    public long[] shape() {
        return sizes.clone();
    }

    /** The elements times {@code factor}, as float32: of pixels times {@code 1 / 255.0} numbers of [0, 1]. */
    public HostArray<Any, F32> floats(double factor) {
        long count = data.byteSize() / type.width;
        MemorySegment out = HostArray.memory(count * Float.BYTES);
        for (long i = 0; i < count; i++) {
            out.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (element(i) * factor));
        }
        return HostArray.of(out, Any.of(sizes), DType.F32);
    }

    /** The elements as int64; floating ones are truncated. */
    public HostArray<Any, I64> longs() {
        long count = data.byteSize() / type.width;
        MemorySegment out = HostArray.memory(count * Long.BYTES);
        for (long i = 0; i < count; i++) {
            out.setAtIndex(ValueLayout.JAVA_LONG, i, (long) element(i));
        }
        return HostArray.of(out, Any.of(sizes), DType.I64);
    }

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private double element(long i) {
        return switch (type) {
            case U8 -> data.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
            case I8 -> data.get(ValueLayout.JAVA_BYTE, i);
            case I16 -> data.getAtIndex(SHORT, i);
            case I32 -> data.getAtIndex(INT, i);
            case F32 -> Float.intBitsToFloat(data.getAtIndex(INT, i));
            case F64 -> Double.longBitsToDouble(data.getAtIndex(LONG, i));
        };
    }
}

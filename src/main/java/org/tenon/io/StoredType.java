package org.tenon.io;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.tenon.DType;

/** The names that safetensors has for element types. */
final class StoredType {
    /** How many bytes an element takes, of every type whose elements take whole bytes. */
    static final Map<String, Integer> WIDTHS = new TreeMap<>(Map.ofEntries(
            Map.entry("BOOL", 1),
            Map.entry("U8", 1),
            Map.entry("I8", 1),
            Map.entry("F8_E5M2", 1),
            Map.entry("F8_E4M3", 1),
            Map.entry("F8_E8M0", 1),
            Map.entry("I16", 2),
            Map.entry("U16", 2),
            Map.entry("F16", 2),
            Map.entry("BF16", 2),
            Map.entry("I32", 4),
            Map.entry("U32", 4),
            Map.entry("F32", 4),
            Map.entry("F64", 8),
            Map.entry("I64", 8),
            Map.entry("U64", 8),
            Map.entry("C64", 8)));

    private static final List<DType> OURS =
            List.of(DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64, DType.BOOL);

    private StoredType() {}

    static String of(DType dtype) {
        return switch (dtype) {
            case org.tenon.F32 _ -> "F32";
            case org.tenon.F64 _ -> "F64";
            case org.tenon.F16 _ -> "F16";
            case org.tenon.BF16 _ -> "BF16";
            case org.tenon.I32 _ -> "I32";
            case org.tenon.I64 _ -> "I64";
            case org.tenon.Bool _ -> "BOOL";
        };
    }

    /** The element type of this name, or null where Tenon has none. */
    static DType dtype(String type) {
        return OURS.stream().filter(each -> of(each).equals(type)).findFirst().orElse(null);
    }

    /** The bytes of a tensor, or -1 where they are more than a long holds. */
    static long bytes(long[] shape, int width) {
        long bytes = width;
        for (long size : shape) {
            if (size == 0) {
                return 0;
            }
        }
        for (long size : shape) {
            if (size > Long.MAX_VALUE / bytes) {
                return -1;
            }
            bytes *= size;
        }
        return bytes;
    }
}

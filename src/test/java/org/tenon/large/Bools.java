package org.tenon.large;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * More than 2^31 bools, of a byte each, so that positions in bytes and in elements pass 2^31 together: element i is a random
 * bit of i, so that any two parts differ.
 */
public final class Bools {
    /** How many there are. */
    public static final long COUNT = Large.BEYOND + 4099;

    private static final long ONES = 0x0101_0101_0101_0101L;

    private Bools() {}

    /** All of them. */
    public static MemorySegment make(Arena arena) {
        MemorySegment data = arena.allocate(COUNT, 64);
        for (long i = 0; i + 8 <= COUNT; i += 8) {
            data.set(ValueLayout.JAVA_LONG_UNALIGNED, i, eight(i));
        }
        for (long i = COUNT / 8 * 8; i < COUNT; i++) {
            data.set(ValueLayout.JAVA_BYTE, i, one(i));
        }
        return data;
    }

    private static long eight(long i) {
        long x = i * 0x9E37_79B9_7F4A_7C15L;
        x = (x ^ x >>> 32) * 0xD6E8_FEB8_6659_FD93L;
        return (x ^ x >>> 29) & ONES;
    }

    private static byte one(long i) {
        return (byte) (eight(i & -8) >>> 8 * (i & 7));
    }

    /** Looks at every byte: those from {@code first} on, each turned where {@code turned} is 1. */
    static void check(MemorySegment got, long first, int turned) {
        long i = 0;
        if (first % 8 == 0) {
            for (; i + 8 <= got.byteSize(); i += 8) {
                if (got.get(ValueLayout.JAVA_LONG_UNALIGNED, i) != (eight(first + i) ^ turned * ONES)) {
                    break;
                }
            }
        }
        for (; i < got.byteSize(); i++) {
            if (got.get(ValueLayout.JAVA_BYTE, i) != (one(first + i) ^ turned)) {
                assertThat(got.get(ValueLayout.JAVA_BYTE, i))
                        .as("element " + (first + i))
                        .isEqualTo((byte) (one(first + i) ^ turned));
            }
        }
    }
}

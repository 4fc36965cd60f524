package org.tenon.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Vectors in memory. A loop reads and writes slices that its own method makes: what it asks of them stays in registers, also
 * across stores. They are made in place, not by a method that many share: the compiler would go by what it knows of that
 * method's calls, may leave one out, and the loop then takes three times as long.
 */
final class VectorMemory {
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /** So many calls that the compiler has its own count of them. */
    private static final int CALLS = 10_000;

    private VectorMemory() {}

    /**
     * Makes slices until the compiler knows that they are made. What it has counted of that method's inner calls while the JVM
     * started says "rarely"; the loops compiled first would then keep their slices as objects and take three times as long for good.
     */
    static long prepare() {
        MemorySegment some = Arena.ofAuto().allocate(128);
        long bytes = 0;
        for (int i = 0; i < CALLS; i++) {
            bytes += some.asSlice(i % 64, 64).byteSize();
        }
        return bytes;
    }

    static FloatVector load(MemorySegment x, long element) {
        return FloatVector.fromMemorySegment(VectorMath.SPECIES, x, element * Float.BYTES, ORDER);
    }

    static void store(FloatVector v, MemorySegment out, long element) {
        v.intoMemorySegment(out, element * Float.BYTES, ORDER);
    }
}

package org.tenon.cpu;

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

    private VectorMemory() {}

    static FloatVector load(MemorySegment x, long element) {
        return FloatVector.fromMemorySegment(VectorMath.SPECIES, x, element * Float.BYTES, ORDER);
    }

    static void store(FloatVector v, MemorySegment out, long element) {
        v.intoMemorySegment(out, element * Float.BYTES, ORDER);
    }
}

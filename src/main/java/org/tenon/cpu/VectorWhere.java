package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** A choice between two runs. */
final class VectorWhere {
    private static final int WIDTH = VectorMath.WIDTH;

    /** As many bytes as there are floats in a vector, where that is a vector too. */
    private static final VectorSpecies<Byte> BYTES = WIDTH == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

    private VectorWhere() {}

    static boolean isThere() {
        return BYTES.length() == WIDTH;
    }

    static void apply(
            MemorySegment condition,
            long conditionAt,
            MemorySegment a,
            long aAt,
            MemorySegment b,
            long bAt,
            MemorySegment out,
            long at,
            int n) {
        MemorySegment choices = condition.asSlice(conditionAt, n);
        MemorySegment left = a.asSlice(aAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = b.asSlice(bAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            VectorMask<Float> chosen = ByteVector.fromMemorySegment(BYTES, choices, i, ByteOrder.nativeOrder())
                    .compare(VectorOperators.NE, (byte) 0)
                    .cast(VectorMath.SPECIES);
            FloatVector other = load(right, i);
            store(other.blend(load(left, i), chosen), result, i);
        }
    }
}

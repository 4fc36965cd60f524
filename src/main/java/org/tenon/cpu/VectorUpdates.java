package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** Optimizer steps where the data lies, with the bits of {@link FloatUpdates}: products are rounded before they are added. */
final class VectorUpdates {
    private static final int WIDTH = VectorMath.WIDTH;

    private VectorUpdates() {}

    static void descend(float lr, float decay, MemorySegment p, long pAt, MemorySegment g, long gAt, int n) {
        MemorySegment parameter = p.asSlice(pAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector old = load(parameter, i);
            FloatVector slope = load(gradient, i).add(old.mul(decay));
            store(old.sub(slope.mul(lr)), parameter, i);
        }
    }

    static void descend(
            Descent descent, MemorySegment p, long pAt, MemorySegment g, long gAt, MemorySegment v, long vAt, int n) {
        MemorySegment parameter = p.asSlice(pAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment gradient = g.asSlice(gAt * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment velocity = v.asSlice(vAt * Float.BYTES, (long) n * Float.BYTES);
        float lr = descent.lr();
        float decay = descent.decay();
        float momentum = descent.momentum();
        float fresh = descent.fresh();
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector old = load(parameter, i);
            FloatVector slope = load(gradient, i).add(old.mul(decay));
            FloatVector next = load(velocity, i).mul(momentum).add(slope.mul(fresh));
            store(next, velocity, i);
            store(old.sub(next.mul(lr)), parameter, i);
        }
    }
}

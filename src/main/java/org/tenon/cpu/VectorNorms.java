package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link FloatNorms} in the Vector API. The last vector of a run ends with the run and overlaps the one before; sums leave out
 * the lanes that were counted already.
 */
final class VectorNorms implements FloatNorms {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final int WIDTH = VectorMath.WIDTH;

    @Override
    public float squares(MemorySegment x, long at, int n, float mean) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector d = load(from, i).sub(mean);
            a = d.fma(d, a);
        }
        if (i < n) {
            FloatVector d = load(from, n - WIDTH).sub(mean);
            a = a.add(VectorMath.lastOf(d.mul(d), n - i));
        }
        return VectorMath.sum(a);
    }

    @Override
    public void write(
            MemorySegment x,
            MemorySegment out,
            long at,
            int n,
            float mean,
            float scale,
            MemorySegment weight,
            MemorySegment bias,
            long column) {
        if (bias == null) {
            scaled(x, out, at, n, mean, scale, weight, column);
        } else {
            shifted(x, out, at, n, mean, scale, weight, bias, column);
        }
    }

    private static void scaled(
            MemorySegment x,
            MemorySegment out,
            long at,
            int n,
            float mean,
            float scale,
            MemorySegment weight,
            long column) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment factors = weight.asSlice(column * Float.BYTES, (long) n * Float.BYTES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            store(standard(from, i, mean, scale).mul(load(factors, i)), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            store(standard(from, last, mean, scale).mul(load(factors, last)), to, last);
        }
    }

    private static void shifted(
            MemorySegment x,
            MemorySegment out,
            long at,
            int n,
            float mean,
            float scale,
            MemorySegment weight,
            MemorySegment bias,
            long column) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment factors = weight.asSlice(column * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment terms = bias.asSlice(column * Float.BYTES, (long) n * Float.BYTES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector h = standard(from, i, mean, scale);
            store(h.fma(load(factors, i), load(terms, i)), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            FloatVector h = standard(from, last, mean, scale);
            store(h.fma(load(factors, last), load(terms, last)), to, last);
        }
    }

    private static FloatVector standard(MemorySegment x, int i, float mean, float scale) {
        return load(x, i).sub(mean).mul(scale);
    }

    @Override
    public void sums(
            MemorySegment g,
            MemorySegment x,
            long at,
            int n,
            float mean,
            float scale,
            MemorySegment weight,
            long column,
            float[] found) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment factors = weight.asSlice(column * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        FloatVector b = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector d = load(slope, i).mul(load(factors, i));
            a = a.add(d);
            b = d.fma(standard(from, i, mean, scale), b);
        }
        if (i < n) {
            int last = n - WIDTH;
            FloatVector d = load(slope, last).mul(load(factors, last));
            a = a.add(VectorMath.lastOf(d, n - i));
            b = b.add(VectorMath.lastOf(d.mul(standard(from, last, mean, scale)), n - i));
        }
        found[0] = VectorMath.sum(a);
        found[1] = VectorMath.sum(b);
    }

    @Override
    public void gradient(
            MemorySegment g,
            MemorySegment x,
            MemorySegment out,
            long at,
            int n,
            float mean,
            float scale,
            MemorySegment weight,
            long column,
            float a,
            float b) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment factors = weight.asSlice(column * Float.BYTES, (long) n * Float.BYTES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector d = load(slope, i).mul(load(factors, i));
            FloatVector h = standard(from, i, mean, scale);
            store(h.mul(-b).add(d.sub(a)).mul(scale), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            FloatVector d = load(slope, last).mul(load(factors, last));
            FloatVector h = standard(from, last, mean, scale);
            store(h.mul(-b).add(d.sub(a)).mul(scale), to, last);
        }
    }

    @Override
    public void add(
            MemorySegment g, MemorySegment x, long at, int n, float mean, float scale, float[] weight, float[] bias) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector v = load(slope, i);
            addTo(weight, i, v.mul(standard(from, i, mean, scale)));
            addTo(bias, i, v);
        }
        if (i < n) {
            int last = n - WIDTH;
            FloatVector v = VectorMath.lastOf(load(slope, last), n - i);
            addTo(weight, last, VectorMath.lastOf(v.mul(standard(from, last, mean, scale)), n - i));
            addTo(bias, last, v);
        }
    }

    private static void addTo(float[] sums, int at, FloatVector v) {
        FloatVector.fromArray(SPECIES, sums, at).add(v).intoArray(sums, at);
    }
}

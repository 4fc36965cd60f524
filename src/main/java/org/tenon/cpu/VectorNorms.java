package org.tenon.cpu;

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
        MemorySegment from = VectorRows.run(x, at, n);
        FloatVector a = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector d = VectorRows.load(from, i).sub(mean);
            a = d.fma(d, a);
        }
        if (i < n) {
            FloatVector d = VectorRows.load(from, n - WIDTH).sub(mean);
            a = a.add(VectorRows.lastOf(d.mul(d), n - i));
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
        MemorySegment from = VectorRows.run(x, at, n);
        MemorySegment to = VectorRows.run(out, at, n);
        MemorySegment factors = VectorRows.run(weight, column, n);
        if (bias == null) {
            scaled(from, to, n, mean, scale, factors);
        } else {
            shifted(from, to, n, mean, scale, factors, VectorRows.run(bias, column, n));
        }
    }

    private static void scaled(
            MemorySegment from, MemorySegment to, int n, float mean, float scale, MemorySegment factors) {
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            VectorRows.store(standard(from, i, mean, scale).mul(VectorRows.load(factors, i)), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            VectorRows.store(standard(from, last, mean, scale).mul(VectorRows.load(factors, last)), to, last);
        }
    }

    private static void shifted(
            MemorySegment from,
            MemorySegment to,
            int n,
            float mean,
            float scale,
            MemorySegment factors,
            MemorySegment terms) {
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector h = standard(from, i, mean, scale);
            VectorRows.store(h.fma(VectorRows.load(factors, i), VectorRows.load(terms, i)), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            FloatVector h = standard(from, last, mean, scale);
            VectorRows.store(h.fma(VectorRows.load(factors, last), VectorRows.load(terms, last)), to, last);
        }
    }

    private static FloatVector standard(MemorySegment x, int i, float mean, float scale) {
        return VectorRows.load(x, i).sub(mean).mul(scale);
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
        MemorySegment slope = VectorRows.run(g, at, n);
        MemorySegment from = VectorRows.run(x, at, n);
        MemorySegment factors = VectorRows.run(weight, column, n);
        FloatVector a = FloatVector.zero(SPECIES);
        FloatVector b = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector d = VectorRows.load(slope, i).mul(VectorRows.load(factors, i));
            a = a.add(d);
            b = d.fma(standard(from, i, mean, scale), b);
        }
        if (i < n) {
            int last = n - WIDTH;
            FloatVector d = VectorRows.load(slope, last).mul(VectorRows.load(factors, last));
            a = a.add(VectorRows.lastOf(d, n - i));
            b = b.add(VectorRows.lastOf(d.mul(standard(from, last, mean, scale)), n - i));
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
        MemorySegment slope = VectorRows.run(g, at, n);
        MemorySegment from = VectorRows.run(x, at, n);
        MemorySegment to = VectorRows.run(out, at, n);
        MemorySegment factors = VectorRows.run(weight, column, n);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector d = VectorRows.load(slope, i).mul(VectorRows.load(factors, i));
            FloatVector h = standard(from, i, mean, scale);
            VectorRows.store(h.mul(-b).add(d.sub(a)).mul(scale), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            FloatVector d = VectorRows.load(slope, last).mul(VectorRows.load(factors, last));
            FloatVector h = standard(from, last, mean, scale);
            VectorRows.store(h.mul(-b).add(d.sub(a)).mul(scale), to, last);
        }
    }

    @Override
    public void add(
            MemorySegment g, MemorySegment x, long at, int n, float mean, float scale, float[] weight, float[] bias) {
        MemorySegment slope = VectorRows.run(g, at, n);
        MemorySegment from = VectorRows.run(x, at, n);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector v = VectorRows.load(slope, i);
            addTo(weight, i, v.mul(standard(from, i, mean, scale)));
            addTo(bias, i, v);
        }
        if (i < n) {
            int last = n - WIDTH;
            FloatVector v = VectorRows.lastOf(VectorRows.load(slope, last), n - i);
            addTo(weight, last, VectorRows.lastOf(v.mul(standard(from, last, mean, scale)), n - i));
            addTo(bias, last, v);
        }
    }

    private static void addTo(float[] sums, int at, FloatVector v) {
        FloatVector.fromArray(SPECIES, sums, at).add(v).intoArray(sums, at);
    }
}

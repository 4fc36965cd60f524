package org.tenon.cpu;

import static jdk.incubator.vector.VectorOperators.GT;
import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link FloatRows} in the Vector API. The last vector of a run ends with the run and overlaps the one before; sums leave out
 * the lanes that were counted already. They go in one order, whether a step is taken alone or with others. Maxima leave out NaN.
 *
 * <p>The larger of two vectors is written out in each loop, not a method: one so short may be compiled before the compiler has counted
 * what it calls. To the loops that it is made part of, the vectors would then be of any class, and they take four times as long for good.
 */
final class VectorRows implements FloatRows {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final int WIDTH = VectorMath.WIDTH;
    private static final NarrowRows NARROW = new VectorNarrow();

    /** {@code v} in the last {@code count} lanes, zero before. */
    static FloatVector lastOf(FloatVector v, int count) {
        VectorMask<Float> counted = SPECIES.indexInRange(0, WIDTH - count);
        return v.blend(0f, counted);
    }

    @Override
    public int least() {
        return WIDTH;
    }

    @Override
    public NarrowRows narrow() {
        return NARROW;
    }

    @Override
    public float max(MemorySegment x, long at, int n) {
        MemorySegment run = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 4 * WIDTH; i += 4 * WIDTH) {
            FloatVector v = load(run, i);
            a = a.blend(v, v.compare(GT, a));
            FloatVector w = load(run, i + WIDTH);
            b = b.blend(w, w.compare(GT, b));
            FloatVector y = load(run, i + 2L * WIDTH);
            c = c.blend(y, y.compare(GT, c));
            FloatVector z = load(run, i + 3L * WIDTH);
            d = d.blend(z, z.compare(GT, d));
        }
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector v = load(run, i);
            a = a.blend(v, v.compare(GT, a));
        }
        FloatVector last = load(run, n - WIDTH);
        b = b.blend(last, last.compare(GT, b));
        return a.max(b).max(c.max(d)).reduceLanes(VectorOperators.MAX);
    }

    @Override
    public float sumExp(MemorySegment x, long at, int n, float shift) {
        FloatVector a = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            a = a.add(VectorMath.expTerm(load(x, at + i).sub(shift)));
        }
        if (i < n) {
            a = a.add(lastOf(VectorMath.expTerm(load(x, at + n - WIDTH).sub(shift)), n - i));
        }
        return VectorMath.sum(a);
    }

    @Override
    public float exp(MemorySegment x, MemorySegment out, long at, int n, float shift) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector e = VectorMath.expTerm(load(from, i).sub(shift));
            a = a.add(e);
            store(e, to, i);
        }
        if (i < n) {
            FloatVector e = VectorMath.expTerm(load(from, n - WIDTH).sub(shift));
            a = a.add(lastOf(e, n - i));
            store(e, to, n - WIDTH);
        }
        return VectorMath.sum(a);
    }

    @Override
    public void expTimes(MemorySegment x, MemorySegment out, long at, int n, float shift, float factor) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            store(VectorMath.expBelow(load(from, i).sub(shift)).mul(factor), to, i);
        }
        if (i < n) {
            store(VectorMath.expBelow(load(from, n - WIDTH).sub(shift)).mul(factor), to, n - WIDTH);
        }
    }

    @Override
    public void shift(MemorySegment x, MemorySegment out, long at, int n, float a, float b) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            store(load(from, i).sub(a).sub(b), to, i);
        }
        if (i < n) {
            store(load(from, n - WIDTH).sub(a).sub(b), to, n - WIDTH);
        }
    }

    @Override
    public void logSoftmaxStep(
            MemorySegment x,
            MemorySegment out,
            long add,
            long late,
            long look,
            int n,
            float shift,
            float a,
            float b,
            float[] found) {
        MemorySegment added = x.asSlice(add * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment looked = x.asSlice(look * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment from = x.asSlice(late * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(late * Float.BYTES, (long) n * Float.BYTES);
        FloatVector top = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector sum = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector next = load(looked, i);
            top = top.blend(next, next.compare(GT, top));
            sum = sum.add(VectorMath.expTerm(load(added, i).sub(shift)));
            store(load(from, i).sub(a).sub(b), to, i);
        }
        if (i < n) {
            sum = sum.add(lastOf(VectorMath.expTerm(load(added, n - WIDTH).sub(shift)), n - i));
            store(load(from, n - WIDTH).sub(a).sub(b), to, n - WIDTH);
        }
        FloatVector next = load(looked, n - WIDTH);
        top = top.blend(next, next.compare(GT, top));
        found[0] = VectorMath.sum(sum);
        found[1] = top.reduceLanes(VectorOperators.MAX);
    }

    @Override
    public void softmaxStep(
            MemorySegment x,
            MemorySegment out,
            long add,
            long late,
            long look,
            int n,
            float shift,
            float factor,
            float[] found) {
        MemorySegment added = x.asSlice(add * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment looked = x.asSlice(look * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(add * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment scaled = out.asSlice(late * Float.BYTES, (long) n * Float.BYTES);
        FloatVector last = load(scaled, n - WIDTH).mul(factor);
        FloatVector top = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        FloatVector sum = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            FloatVector next = load(looked, i);
            top = top.blend(next, next.compare(GT, top));
            FloatVector e = VectorMath.expTerm(load(added, i).sub(shift));
            sum = sum.add(e);
            store(e, to, i);
            store(load(scaled, i).mul(factor), scaled, i);
        }
        if (i < n) {
            FloatVector e = VectorMath.expTerm(load(added, n - WIDTH).sub(shift));
            sum = sum.add(lastOf(e, n - i));
            store(e, to, n - WIDTH);
        }
        store(last, scaled, n - WIDTH);
        FloatVector next = load(looked, n - WIDTH);
        top = top.blend(next, next.compare(GT, top));
        found[0] = VectorMath.sum(sum);
        found[1] = top.reduceLanes(VectorOperators.MAX);
    }

    @Override
    public void scale(MemorySegment x, long at, int n, float factor) {
        MemorySegment all = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector last = load(all, n - WIDTH).mul(factor);
        for (int i = 0; i <= n - WIDTH; i += WIDTH) {
            store(load(all, i).mul(factor), all, i);
        }
        store(last, all, n - WIDTH);
    }

    @Override
    public float sum(MemorySegment x, long at, int n) {
        MemorySegment run = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            a = a.add(load(run, i));
        }
        if (i < n) {
            a = a.add(lastOf(load(run, n - WIDTH), n - i));
        }
        return VectorMath.sum(a);
    }

    @Override
    public float dot(MemorySegment x, MemorySegment y, long at, int n) {
        FloatVector a = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            a = load(x, at + i).fma(load(y, at + i), a);
        }
        if (i < n) {
            long last = at + n - WIDTH;
            a = a.add(lastOf(load(x, last).mul(load(y, last)), n - i));
        }
        return VectorMath.sum(a);
    }

    @Override
    public void logSoftmaxGrad(MemorySegment g, MemorySegment y, MemorySegment out, long at, int n, float sum) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            store(VectorMath.expTerm(load(result, i)).mul(-sum).add(load(slope, i)), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            store(VectorMath.expTerm(load(result, last)).mul(-sum).add(load(slope, last)), to, last);
        }
    }

    @Override
    public void softmaxGrad(MemorySegment g, MemorySegment y, MemorySegment out, long at, int n, float sum) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            store(load(slope, i).sub(sum).mul(load(result, i)), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            store(load(slope, last).sub(sum).mul(load(result, last)), to, last);
        }
    }

    @Override
    public float logSoftmaxGradStep(
            MemorySegment g, MemorySegment y, MemorySegment out, long at, long look, int n, float sum) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment next = g.asSlice(look * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            a = a.add(load(next, i));
            store(VectorMath.expTerm(load(result, i)).mul(-sum).add(load(slope, i)), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            a = a.add(lastOf(load(next, last), n - i));
            store(VectorMath.expTerm(load(result, last)).mul(-sum).add(load(slope, last)), to, last);
        }
        return VectorMath.sum(a);
    }

    @Override
    public float softmaxGradStep(
            MemorySegment g, MemorySegment y, MemorySegment out, long at, long look, int n, float sum) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment nextSlope = g.asSlice(look * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment nextResult = y.asSlice(look * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        int i = 0;
        for (; i <= n - WIDTH; i += WIDTH) {
            a = load(nextSlope, i).fma(load(nextResult, i), a);
            store(load(slope, i).sub(sum).mul(load(result, i)), to, i);
        }
        if (i < n) {
            int last = n - WIDTH;
            a = a.add(lastOf(load(nextSlope, last).mul(load(nextResult, last)), n - i));
            store(load(slope, last).sub(sum).mul(load(result, last)), to, last);
        }
        return VectorMath.sum(a);
    }

    @Override
    public void log(float[] x, int from, int to) {
        VectorMask<Float> within = SPECIES.indexInRange(0, to - from);
        VectorMath.log(FloatVector.fromArray(SPECIES, x, from, within)).intoArray(x, from, within);
    }
}

package org.tenon.cpu;

import static org.tenon.cpu.VectorMath.BY_1;
import static org.tenon.cpu.VectorMath.BY_2;
import static org.tenon.cpu.VectorMath.BY_4;
import static org.tenon.cpu.VectorMath.BY_8;
import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link FloatRows} in the Vector API. The last vector of a run ends with the run and overlaps the one before; sums leave out
 * the lanes that were counted already. Sums go in one order, whether a step is taken alone or with others. Maxima leave out NaN.
 *
 * <p>A loop and what is less than a vector at its end are methods apart, and outside of loops no method of ours takes or returns a vector
 * but {@code load} and {@code store}, which are short, and {@link VectorMath#log}, once for a batch: sums over lanes are written out, here and in
 * {@link VectorMath#expOfLast}. The compiler makes methods part of others by what it has counted, and up to
 * a size; where it does not, each of their vectors is an object, and a row takes many times as long.
 *
 * <p>The largest float is sought among the bits, as integers: of numbers that are not negative the largest has the largest bits, of others
 * the least. So there are two integers for each lane, and both take one cycle; a comparison of floats and a choice take several, one vector after
 * the other.
 */
final class VectorRows implements FloatRows {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final int WIDTH = VectorMath.WIDTH;
    private static final int LEAST = Float.floatToRawIntBits(Float.NEGATIVE_INFINITY);

    /** So many of {@code n} elements are whole vectors. */
    private static int whole(int n) {
        return n & -WIDTH;
    }

    @Override
    public int least() {
        return WIDTH;
    }

    /** Above two vectors those that would end within one: an end costs a row as much as two vectors. */
    @Override
    public boolean isNarrow(long length) {
        return length < 2 * WIDTH || length < 3 * WIDTH && length % WIDTH > 0;
    }

    @Override
    public NarrowRows narrow(int length) {
        return VectorBatch.of(length);
    }

    @Override
    public FloatColumns columns() {
        return VectorColumns.own();
    }

    @Override
    public float max(MemorySegment x, long at, int n) {
        MemorySegment run = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        IntVector high = IntVector.broadcast(VectorMath.INTS, LEAST);
        IntVector low = high;
        int last = n - WIDTH;
        for (int i = 0; i < last; i += WIDTH) {
            IntVector bits = load(run, i).reinterpretAsInts();
            high = high.max(bits);
            low = low.min(bits);
        }
        IntVector bits = load(run, last).reinterpretAsInts();
        int positive = high.max(bits).reduceLanes(VectorOperators.MAX);
        float top =
                Float.intBitsToFloat(positive >= 0 ? positive : low.min(bits).reduceLanes(VectorOperators.MIN));
        return top == top ? top : maxBesideNan(x, at, n);
    }

    /** Where the bits say NaN. */
    private static float maxBesideNan(MemorySegment x, long at, int n) {
        float top = Float.NEGATIVE_INFINITY;
        for (long i = at; i < at + n; i++) {
            float v = x.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            top = v > top ? v : top;
        }
        return top;
    }

    @Override
    public float sumExp(MemorySegment x, long at, int n, float shift) {
        int whole = whole(n);
        float sum = sumExpOfWhole(x, at, whole, shift);
        return whole < n ? sum + VectorMath.expOfLast(x, null, at + n - WIDTH, n - whole, shift) : sum;
    }

    private static float sumExpOfWhole(MemorySegment x, long at, int n, float shift) {
        MemorySegment run = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        for (int i = 0; i < n; i += WIDTH) {
            a = a.add(VectorMath.expTerm(load(run, i).sub(shift)));
        }
        a = WIDTH < 16 ? a : a.add(a.rearrange(BY_8));
        a = WIDTH < 8 ? a : a.add(a.rearrange(BY_4));
        a = a.add(a.rearrange(BY_2));
        return a.add(a.rearrange(BY_1)).lane(0);
    }

    @Override
    public float exp(MemorySegment x, MemorySegment out, long at, int n, float shift) {
        int whole = whole(n);
        float sum = expOfWhole(x, out, at, whole, shift);
        return whole < n ? sum + VectorMath.expOfLast(x, out, at + n - WIDTH, n - whole, shift) : sum;
    }

    private static float expOfWhole(MemorySegment x, MemorySegment out, long at, int n, float shift) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector e = VectorMath.expTerm(load(from, i).sub(shift));
            a = a.add(e);
            store(e, to, i);
        }
        a = WIDTH < 16 ? a : a.add(a.rearrange(BY_8));
        a = WIDTH < 8 ? a : a.add(a.rearrange(BY_4));
        a = a.add(a.rearrange(BY_2));
        return a.add(a.rearrange(BY_1)).lane(0);
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
            expTimes(x, out, at + n - WIDTH, WIDTH, shift, factor);
        }
    }

    @Override
    public void shift(MemorySegment x, MemorySegment out, long at, int n, float a, float b) {
        MemorySegment from = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        int last = n - WIDTH;
        for (int i = 0; i < last; i += WIDTH) {
            store(load(from, i).sub(a).sub(b), to, i);
        }
        store(load(from, last).sub(a).sub(b), to, last);
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
        int whole = whole(n);
        logSoftmaxStepOfWhole(x, out, add, late, look, whole, shift, a, b, found);
        if (whole < n) {
            int last = n - WIDTH;
            found[0] += VectorMath.expOfLast(x, null, add + last, n - whole, shift);
            found[1] = Math.max(found[1], max(x, look + last, WIDTH));
            shift(x, out, late + last, WIDTH, a, b);
        }
    }

    private static void logSoftmaxStepOfWhole(
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
        IntVector high = IntVector.broadcast(VectorMath.INTS, LEAST);
        IntVector low = high;
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int i = 0; i < n; i += WIDTH) {
            IntVector bits = load(looked, i).reinterpretAsInts();
            high = high.max(bits);
            low = low.min(bits);
            sum = sum.add(VectorMath.expTerm(load(added, i).sub(shift)));
            store(load(from, i).sub(a).sub(b), to, i);
        }
        sum = WIDTH < 16 ? sum : sum.add(sum.rearrange(BY_8));
        sum = WIDTH < 8 ? sum : sum.add(sum.rearrange(BY_4));
        sum = sum.add(sum.rearrange(BY_2));
        found[0] = sum.add(sum.rearrange(BY_1)).lane(0);
        int positive = high.reduceLanes(VectorOperators.MAX);
        float top = Float.intBitsToFloat(positive >= 0 ? positive : low.reduceLanes(VectorOperators.MIN));
        found[1] = top == top ? top : maxBesideNan(x, look, n);
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
        int whole = whole(n);
        softmaxStepOfWhole(x, out, add, late, look, whole, shift, factor, found);
        if (whole < n) {
            int last = n - WIDTH;
            found[0] += VectorMath.expOfLast(x, out, add + last, n - whole, shift);
            found[1] = Math.max(found[1], max(x, look + last, WIDTH));
            scaleLast(out, late + whole, n - whole, factor);
        }
    }

    private static void softmaxStepOfWhole(
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
        IntVector high = IntVector.broadcast(VectorMath.INTS, LEAST);
        IntVector low = high;
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int i = 0; i < n; i += WIDTH) {
            IntVector bits = load(looked, i).reinterpretAsInts();
            high = high.max(bits);
            low = low.min(bits);
            FloatVector e = VectorMath.expTerm(load(added, i).sub(shift));
            sum = sum.add(e);
            store(e, to, i);
            store(load(scaled, i).mul(factor), scaled, i);
        }
        sum = WIDTH < 16 ? sum : sum.add(sum.rearrange(BY_8));
        sum = WIDTH < 8 ? sum : sum.add(sum.rearrange(BY_4));
        sum = sum.add(sum.rearrange(BY_2));
        found[0] = sum.add(sum.rearrange(BY_1)).lane(0);
        int positive = high.reduceLanes(VectorOperators.MAX);
        float top = Float.intBitsToFloat(positive >= 0 ? positive : low.reduceLanes(VectorOperators.MIN));
        found[1] = top == top ? top : maxBesideNan(x, look, n);
    }

    @Override
    public void scale(MemorySegment x, long at, int n, float factor) {
        int whole = whole(n);
        MemorySegment all = x.asSlice(at * Float.BYTES, (long) whole * Float.BYTES);
        for (int i = 0; i < whole; i += WIDTH) {
            store(load(all, i).mul(factor), all, i);
        }
        if (whole < n) {
            scaleLast(x, at + whole, n - whole, factor);
        }
    }

    /** Scales what is less than a vector. */
    private static void scaleLast(MemorySegment x, long at, int n, float factor) {
        for (long i = at; i < at + n; i++) {
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, x.getAtIndex(ValueLayout.JAVA_FLOAT, i) * factor);
        }
    }

    @Override
    public float sum(MemorySegment x, long at, int n) {
        int whole = whole(n);
        MemorySegment run = x.asSlice(at * Float.BYTES, (long) whole * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        for (int i = 0; i < whole; i += WIDTH) {
            a = a.add(load(run, i));
        }
        a = WIDTH < 16 ? a : a.add(a.rearrange(BY_8));
        a = WIDTH < 8 ? a : a.add(a.rearrange(BY_4));
        a = a.add(a.rearrange(BY_2));
        return a.add(a.rearrange(BY_1)).lane(0) + sumOfLast(x, at + whole, n - whole);
    }

    /** The sum of what is less than a vector. */
    private static float sumOfLast(MemorySegment x, long at, int n) {
        float sum = 0;
        for (long i = at; i < at + n; i++) {
            sum += x.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        }
        return sum;
    }

    @Override
    public float dot(MemorySegment x, MemorySegment y, long at, int n) {
        MemorySegment left = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment right = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        int last = n - WIDTH;
        int i = 0;
        for (; i < last; i += WIDTH) {
            a = load(left, i).fma(load(right, i), a);
        }
        a = a.add(FloatVector.zero(SPECIES).blend(load(left, last).mul(load(right, last)), VectorMath.last(n - i)));
        a = WIDTH < 16 ? a : a.add(a.rearrange(BY_8));
        a = WIDTH < 8 ? a : a.add(a.rearrange(BY_4));
        a = a.add(a.rearrange(BY_2));
        return a.add(a.rearrange(BY_1)).lane(0);
    }

    @Override
    public void logSoftmaxGrad(MemorySegment g, MemorySegment y, MemorySegment out, long at, int n, float sum) {
        int whole = whole(n);
        logSoftmaxGradOfWhole(g, y, out, at, whole, sum);
        if (whole < n) {
            logSoftmaxGradOfLast(g, y, out, at + n - WIDTH, sum);
        }
    }

    private static void logSoftmaxGradOfWhole(
            MemorySegment g, MemorySegment y, MemorySegment out, long at, int n, float sum) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            store(VectorMath.expTerm(load(result, i)).mul(-sum).add(load(slope, i)), to, i);
        }
    }

    private static void logSoftmaxGradOfLast(MemorySegment g, MemorySegment y, MemorySegment out, long at, float sum) {
        VectorMath.expOfLast(y, out, at, WIDTH, 0);
        store(load(out, at).mul(-sum).add(load(g, at)), out, at);
    }

    @Override
    public void softmaxGrad(MemorySegment g, MemorySegment y, MemorySegment out, long at, int n, float sum) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        int last = n - WIDTH;
        for (int i = 0; i < last; i += WIDTH) {
            store(load(slope, i).sub(sum).mul(load(result, i)), to, i);
        }
        store(load(slope, last).sub(sum).mul(load(result, last)), to, last);
    }

    @Override
    public float logSoftmaxGradStep(
            MemorySegment g, MemorySegment y, MemorySegment out, long at, long look, int n, float sum) {
        int whole = whole(n);
        float next = logSoftmaxGradStepOfWhole(g, y, out, at, look, whole, sum);
        if (whole < n) {
            logSoftmaxGradOfLast(g, y, out, at + n - WIDTH, sum);
        }
        return next + sumOfLast(g, look + whole, n - whole);
    }

    private static float logSoftmaxGradStepOfWhole(
            MemorySegment g, MemorySegment y, MemorySegment out, long at, long look, int n, float sum) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment next = g.asSlice(look * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        for (int i = 0; i < n; i += WIDTH) {
            a = a.add(load(next, i));
            store(VectorMath.expTerm(load(result, i)).mul(-sum).add(load(slope, i)), to, i);
        }
        a = WIDTH < 16 ? a : a.add(a.rearrange(BY_8));
        a = WIDTH < 8 ? a : a.add(a.rearrange(BY_4));
        a = a.add(a.rearrange(BY_2));
        return a.add(a.rearrange(BY_1)).lane(0);
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
        int last = n - WIDTH;
        int i = 0;
        for (; i < last; i += WIDTH) {
            a = load(nextSlope, i).fma(load(nextResult, i), a);
            store(load(slope, i).sub(sum).mul(load(result, i)), to, i);
        }
        FloatVector end = load(nextSlope, last).mul(load(nextResult, last));
        a = a.add(FloatVector.zero(SPECIES).blend(end, VectorMath.last(n - i)));
        store(load(slope, last).sub(sum).mul(load(result, last)), to, last);
        a = WIDTH < 16 ? a : a.add(a.rearrange(BY_8));
        a = WIDTH < 8 ? a : a.add(a.rearrange(BY_4));
        a = a.add(a.rearrange(BY_2));
        return a.add(a.rearrange(BY_1)).lane(0);
    }

    @Override
    public void log(float[] x, int from, int to) {
        VectorMask<Float> within = SPECIES.indexInRange(0, to - from);
        VectorMath.log(FloatVector.fromArray(SPECIES, x, from, within)).intoArray(x, from, within);
    }
}

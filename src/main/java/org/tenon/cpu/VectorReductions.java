package org.tenon.cpu;

import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.NE;
import static org.tenon.cpu.VectorMemory.load;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link FloatReductions} in the Vector API. The last vector of a row ends with it and overlaps the one before; sums leave out the
 * lanes that were counted already. Four rows at once: memory brings four runs sooner than one, and sums of columns are read and written
 * once for four. What a row gives does not depend on those beside it. NaN is larger than all. The larger of two vectors is written out, in place
 * of {@code max}, which goes by the signs of zeros as well and takes longer, and of a method of our own (see {@link VectorRows}).
 */
final class VectorReductions implements FloatReductions {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final VectorSpecies<Integer> INTS = VectorMath.INTS;
    private static final int WIDTH = VectorMath.WIDTH;
    private static final int AT_ONCE = 4;

    @Override
    public int least() {
        return WIDTH;
    }

    @Override
    public float sum(MemorySegment x, long at, int n) {
        MemorySegment run = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = FloatVector.zero(SPECIES);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 4 * WIDTH; i += 4 * WIDTH) {
            a = a.add(load(run, i));
            b = b.add(load(run, i + WIDTH));
            c = c.add(load(run, i + 2L * WIDTH));
            d = d.add(load(run, i + 3L * WIDTH));
        }
        for (; i <= n - WIDTH; i += WIDTH) {
            a = a.add(load(run, i));
        }
        if (i < n) {
            a = a.add(VectorMath.lastOf(load(run, n - WIDTH), n - i));
        }
        return VectorMath.sum(a.add(b).add(c.add(d)));
    }

    @Override
    public void sums(MemorySegment x, long at, int n, int rows, float[] found) {
        MemorySegment all = x.asSlice(at * Float.BYTES, (long) rows * n * Float.BYTES);
        int row = 0;
        for (; row <= rows - AT_ONCE; row += AT_ONCE) {
            long from = (long) row * n;
            FloatVector a = FloatVector.zero(SPECIES);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            int i = 0;
            for (; i <= n - WIDTH; i += WIDTH) {
                a = a.add(load(all, from + i));
                b = b.add(load(all, from + n + i));
                c = c.add(load(all, from + 2L * n + i));
                d = d.add(load(all, from + 3L * n + i));
            }
            if (i < n) {
                long last = from + n - WIDTH;
                a = a.add(VectorMath.lastOf(load(all, last), n - i));
                b = b.add(VectorMath.lastOf(load(all, last + n), n - i));
                c = c.add(VectorMath.lastOf(load(all, last + 2L * n), n - i));
                d = d.add(VectorMath.lastOf(load(all, last + 3L * n), n - i));
            }
            found[row] = VectorMath.sum(a);
            found[row + 1] = VectorMath.sum(b);
            found[row + 2] = VectorMath.sum(c);
            found[row + 3] = VectorMath.sum(d);
        }
        for (; row < rows; row++) {
            long from = (long) row * n;
            FloatVector a = FloatVector.zero(SPECIES);
            int i = 0;
            for (; i <= n - WIDTH; i += WIDTH) {
                a = a.add(load(all, from + i));
            }
            if (i < n) {
                a = a.add(VectorMath.lastOf(load(all, from + n - WIDTH), n - i));
            }
            found[row] = VectorMath.sum(a);
        }
    }

    @Override
    public float extreme(MemorySegment x, long at, int n, float sign) {
        MemorySegment run = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        FloatVector a = load(run, n - WIDTH).mul(sign);
        FloatVector b = a;
        int i = 0;
        for (; i <= n - 2 * WIDTH; i += 2 * WIDTH) {
            FloatVector v = load(run, i).mul(sign);
            a = a.blend(v, v.compare(GT, a)).blend(v, v.compare(NE, v));
            FloatVector w = load(run, i + WIDTH).mul(sign);
            b = b.blend(w, w.compare(GT, b)).blend(w, w.compare(NE, w));
        }
        if (i <= n - WIDTH) {
            FloatVector v = load(run, i).mul(sign);
            a = a.blend(v, v.compare(GT, a)).blend(v, v.compare(NE, v));
        }
        return a.max(b).reduceLanes(VectorOperators.MAX);
    }

    /** Looks for NaN by a sum, which has other reasons to be NaN as well: then each row is gone through with care. */
    @Override
    public void extremes(MemorySegment x, long at, int n, int rows, float sign, float[] found) {
        MemorySegment all = x.asSlice(at * Float.BYTES, (long) rows * n * Float.BYTES);
        int row = 0;
        for (; row <= rows - AT_ONCE; row += AT_ONCE) {
            long from = (long) row * n;
            long last = from + n - WIDTH;
            FloatVector a = load(all, last).mul(sign);
            FloatVector b = load(all, last + n).mul(sign);
            FloatVector c = load(all, last + 2L * n).mul(sign);
            FloatVector d = load(all, last + 3L * n).mul(sign);
            FloatVector sum = a.add(b).add(c.add(d));
            for (int i = 0; i <= n - WIDTH; i += WIDTH) {
                FloatVector v = load(all, from + i).mul(sign);
                FloatVector w = load(all, from + n + i).mul(sign);
                FloatVector y = load(all, from + 2L * n + i).mul(sign);
                FloatVector z = load(all, from + 3L * n + i).mul(sign);
                a = a.blend(v, v.compare(VectorOperators.GT, a));
                b = b.blend(w, w.compare(VectorOperators.GT, b));
                c = c.blend(y, y.compare(VectorOperators.GT, c));
                d = d.blend(z, z.compare(VectorOperators.GT, d));
                sum = sum.add(v.add(w).add(y.add(z)));
            }
            float total = VectorMath.sum(sum);
            if (total != total) {
                break;
            }
            found[row] = a.reduceLanes(VectorOperators.MAX);
            found[row + 1] = b.reduceLanes(VectorOperators.MAX);
            found[row + 2] = c.reduceLanes(VectorOperators.MAX);
            found[row + 3] = d.reduceLanes(VectorOperators.MAX);
        }
        for (; row < rows; row++) {
            found[row] = extreme(all, (long) row * n, n, sign);
        }
    }

    @Override
    public int find(MemorySegment x, long at, int n, float value) {
        MemorySegment run = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        boolean number = value == value;
        for (int i = 0; i < n; i += WIDTH) {
            // The last is looked at twice in part, which finds nothing that was not there.
            int from = Math.min(i, n - WIDTH);
            FloatVector v = load(run, from);
            VectorMask<Float> there = number ? v.compare(VectorOperators.EQ, value) : v.compare(VectorOperators.NE, v);
            if (there.anyTrue()) {
                return from + there.firstTrue();
            }
        }
        return -1;
    }

    @Override
    public void addRows(MemorySegment x, long at, long stride, int rows, int width, float[] sums) {
        MemorySegment all = x.asSlice(at * Float.BYTES, ((rows - 1) * stride + width) * Float.BYTES);
        int row = 0;
        for (; row <= rows - AT_ONCE; row += AT_ONCE) {
            long from = row * stride;
            int i = 0;
            for (; i <= width - WIDTH; i += WIDTH) {
                FloatVector v = load(all, from + i)
                        .add(load(all, from + stride + i))
                        .add(load(all, from + 2 * stride + i).add(load(all, from + 3 * stride + i)));
                FloatVector.fromArray(SPECIES, sums, i).add(v).intoArray(sums, i);
            }
            if (i < width) {
                int last = width - WIDTH;
                FloatVector v = load(all, from + last)
                        .add(load(all, from + stride + last))
                        .add(load(all, from + 2 * stride + last).add(load(all, from + 3 * stride + last)));
                FloatVector.fromArray(SPECIES, sums, last)
                        .add(VectorMath.lastOf(v, width - i))
                        .intoArray(sums, last);
            }
        }
        for (; row < rows; row++) {
            long from = row * stride;
            int i = 0;
            for (; i <= width - WIDTH; i += WIDTH) {
                FloatVector.fromArray(SPECIES, sums, i).add(load(all, from + i)).intoArray(sums, i);
            }
            if (i < width) {
                int last = width - WIDTH;
                FloatVector.fromArray(SPECIES, sums, last)
                        .add(VectorMath.lastOf(load(all, from + last), width - i))
                        .intoArray(sums, last);
            }
        }
    }

    @Override
    public void extendRows(MemorySegment x, long at, long stride, int rows, int width, float sign, float[] found) {
        MemorySegment all = x.asSlice(at * Float.BYTES, ((rows - 1) * stride + width) * Float.BYTES);
        for (int row = 0; row < rows; row += AT_ONCE) {
            // Where fewer are left the last ones are looked at twice.
            long a = row * stride;
            long b = Math.min(row + 1, rows - 1) * stride;
            long c = Math.min(row + 2, rows - 1) * stride;
            long d = Math.min(row + 3, rows - 1) * stride;
            for (int place = 0; place < width; place += WIDTH) {
                int i = Math.min(place, width - WIDTH);
                FloatVector top = FloatVector.fromArray(SPECIES, found, i);
                FloatVector v = load(all, a + i).mul(sign);
                top = top.blend(v, v.compare(GT, top)).blend(v, v.compare(NE, v));
                FloatVector w = load(all, b + i).mul(sign);
                top = top.blend(w, w.compare(GT, top)).blend(w, w.compare(NE, w));
                FloatVector y = load(all, c + i).mul(sign);
                top = top.blend(y, y.compare(GT, top)).blend(y, y.compare(NE, y));
                FloatVector z = load(all, d + i).mul(sign);
                top = top.blend(z, z.compare(GT, top)).blend(z, z.compare(NE, z));
                top.intoArray(found, i);
            }
        }
    }

    @Override
    public void extendRows(
            MemorySegment x,
            long at,
            long stride,
            int rows,
            int width,
            float sign,
            float[] found,
            int row,
            int[] positions) {
        MemorySegment all = x.asSlice(at * Float.BYTES, ((rows - 1) * stride + width) * Float.BYTES);
        for (int r = 0; r < rows; r++) {
            long from = r * stride;
            for (int place = 0; place < width; place += WIDTH) {
                int i = Math.min(place, width - WIDTH);
                FloatVector a = FloatVector.fromArray(SPECIES, found, i);
                FloatVector b = load(all, from + i).mul(sign);
                // Larger, or the first NaN.
                VectorMask<Float> better = b.compare(GT, a).or(b.compare(NE, b).and(a.compare(VectorOperators.EQ, a)));
                a.blend(b, better).intoArray(found, i);
                IntVector.fromArray(INTS, positions, i)
                        .blend(row + r, better.cast(INTS))
                        .intoArray(positions, i);
            }
        }
    }
}

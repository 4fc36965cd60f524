package org.tenon.cpu;

import static org.tenon.cpu.VectorMemory.load;
import static org.tenon.cpu.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;

/**
 * {@link FloatColumns} in the Vector API, a lane a column: some columns at a time, the axis gone through once for the maxima, once for the sums and once for the results. So
 * many are together that the second and third time find them in the cache. What is less than a vector at the end is worked on as a vector that ends there.
 */
final class VectorColumns implements FloatColumns {
    private static final VectorSpecies<Float> SPECIES = VectorMath.SPECIES;
    private static final VectorSpecies<Integer> INTS = VectorMath.INTS;
    private static final int WIDTH = VectorMath.WIDTH;
    private static final int LEAST = Float.floatToRawIntBits(Float.NEGATIVE_INFINITY);
    private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

    /** Elements that stay in the cache. */
    private static final int CACHED = 1 << 17;

    private static final int FEWEST = 128;
    private static final int MOST = 512;

    /** So many terms are added up in float before they are added to a sum in double. */
    private static final int TERMS = 64;

    private static final ThreadLocal<VectorColumns> OWN = ThreadLocal.withInitial(VectorColumns::new);

    private final int[] high = new int[MOST];
    private final int[] low = new int[MOST];
    private final float[] tops = new float[MOST];
    /** The bits of sums in float; integers, as in {@link VectorBatch}. */
    private final int[] partial = new int[MOST];

    private final double[] totals = new double[MOST];
    /** What is made of the sums. */
    private final float[] each = new float[MOST];

    private VectorColumns() {}

    /** That of this thread. */
    static VectorColumns own() {
        return OWN.get();
    }

    /** Columns beside each other, whole vectors: the position of the first one's first element, and how many. */
    private record Tile(long first, int width, long inner, long length) {
        long at(long row) {
            return first + row * inner;
        }
    }

    /** What is done with a tile that begins {@code done} columns after the first one. */
    @FunctionalInterface
    private interface Task {
        void run(Tile tile, int done);
    }

    /** What is done with a row of a tile, whose first element is {@code at}. */
    @FunctionalInterface
    private interface Step {
        void run(long row, long at);
    }

    /**
     * Each step is called from here, and there are many: so the compiler makes none part of another. Two exponentials in one method are too much for it, and the vectors
     * of what it leaves out are objects.
     */
    private static void rows(Tile tile, Step step) {
        for (long row = 0; row < tile.length(); row++) {
            step.run(row, tile.at(row));
        }
    }

    private static void tiles(Rows rows, long outer, long from, int width, Task task) {
        long first = outer * rows.len() * rows.inner() + from;
        int most = Math.clamp(CACHED / rows.len() & -WIDTH, FEWEST, MOST);
        int whole = width & -WIDTH;
        for (int done = 0; done < whole; done += most) {
            task.run(new Tile(first + done, Math.min(most, whole - done), rows.inner(), rows.len()), done);
        }
        if (whole < width) {
            int done = width - WIDTH;
            task.run(new Tile(first + done, WIDTH, rows.inner(), rows.len()), done);
        }
    }

    @Override
    public void softmax(
            SoftmaxKind kind, MemorySegment x, MemorySegment out, Rows rows, long outer, long from, int width) {
        tiles(rows, outer, from, width, (tile, _) -> {
            sums(tile, x);
            if (kind == SoftmaxKind.LOG_SOFTMAX) {
                logarithms(totals, each, tile.width());
                rows(tile, (_, at) -> subtract(x, out, at, tile.width(), tops, each));
            } else {
                inverses(totals, each, tile.width());
                rows(tile, (_, at) -> powersTimes(x, out, at, tile.width(), tops, each));
            }
        });
    }

    @Override
    public void sums(MemorySegment x, Rows rows, long outer, long from, int width, float[] largest, double[] all) {
        tiles(rows, outer, from, width, (tile, done) -> {
            sums(tile, x);
            for (int i = 0; i < tile.width(); i++) {
                largest[done + i] = tops[i];
                all[done + i] = totals[i];
            }
        });
    }

    /** {@link #tops} and {@link #totals} of a tile. */
    private void sums(Tile tile, MemorySegment x) {
        int width = tile.width();
        Arrays.fill(high, 0, width, LEAST);
        Arrays.fill(low, 0, width, LEAST);
        rows(tile, (_, at) -> maxima(x, at, width, high, low));
        floats(high, low, width, tops);
        clear(width);
        rows(tile, (row, at) -> {
            addPowers(x, at, width, tops, partial);
            added(row, tile);
        });
    }

    private void clear(int width) {
        Arrays.fill(partial, 0, width, 0);
        Arrays.fill(totals, 0, width, 0);
    }

    /** After as many terms, and at the end, the sums in float are added to those in double. */
    private void added(long row, Tile tile) {
        if (row % TERMS == TERMS - 1 || row == tile.length() - 1) {
            for (int i = 0; i < tile.width(); i++) {
                totals[i] += Float.intBitsToFloat(partial[i]);
                partial[i] = 0;
            }
        }
    }

    @Override
    public void expTimes(
            MemorySegment x,
            MemorySegment out,
            Rows rows,
            long outer,
            long from,
            int width,
            float[] largest,
            float[] factors) {
        tiles(rows, outer, from, width, (tile, done) -> {
            for (int i = 0; i < tile.width(); i++) {
                tops[i] = largest[done + i];
                each[i] = factors[done + i];
            }
            rows(tile, (_, at) -> powersTimes(x, out, at, tile.width(), tops, each));
        });
    }

    @Override
    public void softmaxGrad(
            SoftmaxKind kind,
            MemorySegment g,
            MemorySegment y,
            MemorySegment dx,
            Rows rows,
            long outer,
            long from,
            int width) {
        boolean log = kind == SoftmaxKind.LOG_SOFTMAX;
        tiles(rows, outer, from, width, (tile, _) -> {
            clear(tile.width());
            rows(tile, (row, at) -> {
                if (log) {
                    add(g, at, tile.width(), partial);
                } else {
                    addProducts(g, y, at, tile.width(), partial);
                }
                added(row, tile);
            });
            for (int i = 0; i < tile.width(); i++) {
                each[i] = (float) totals[i];
            }
            if (log) {
                rows(tile, (_, at) -> logSoftmaxGrad(g, y, dx, at, tile.width(), each));
            } else {
                rows(tile, (_, at) -> softmaxGrad(g, y, dx, at, tile.width(), each));
            }
        });
    }

    private static void maxima(MemorySegment x, long at, int n, int[] high, int[] low) {
        MemorySegment row = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            IntVector bits = load(row, i).reinterpretAsInts();
            IntVector.fromArray(INTS, high, i).max(bits).intoArray(high, i);
            IntVector.fromArray(INTS, low, i).min(bits).intoArray(low, i);
        }
    }

    /** As {@link VectorFold#maxima}: infinity where there is NaN, zero of -inf. */
    private static void floats(int[] high, int[] low, int n, float[] to) {
        for (int i = 0; i < n; i += WIDTH) {
            IntVector h = IntVector.fromArray(INTS, high, i);
            IntVector bits = h.blend(IntVector.fromArray(INTS, low, i), h.compare(VectorOperators.LT, 0))
                    .min(INFINITY);
            bits.blend(0, bits.compare(VectorOperators.EQ, LEAST))
                    .reinterpretAsFloats()
                    .intoArray(to, i);
        }
    }

    private static void addPowers(MemorySegment x, long at, int n, float[] tops, int[] to) {
        MemorySegment row = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector e = VectorMath.expTerm(load(row, i).sub(FloatVector.fromArray(SPECIES, tops, i)));
            VectorBatch.store(e.add(VectorBatch.load(to, i)), to, i);
        }
    }

    private static void add(MemorySegment x, long at, int n, int[] to) {
        MemorySegment row = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            VectorBatch.store(VectorBatch.load(to, i).add(load(row, i)), to, i);
        }
    }

    private static void addProducts(MemorySegment x, MemorySegment y, long at, int n, int[] to) {
        MemorySegment row = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment other = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            VectorBatch.store(load(row, i).fma(load(other, i), VectorBatch.load(to, i)), to, i);
        }
    }

    private static void subtract(MemorySegment x, MemorySegment out, long at, int n, float[] a, float[] b) {
        MemorySegment row = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(row, i).sub(FloatVector.fromArray(SPECIES, a, i));
            store(v.sub(FloatVector.fromArray(SPECIES, b, i)), to, i);
        }
    }

    private static void powersTimes(MemorySegment x, MemorySegment out, long at, int n, float[] tops, float[] factors) {
        MemorySegment row = x.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = out.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector e = VectorMath.expTerm(load(row, i).sub(FloatVector.fromArray(SPECIES, tops, i)));
            store(e.mul(FloatVector.fromArray(SPECIES, factors, i)), to, i);
        }
    }

    private static void logSoftmaxGrad(
            MemorySegment g, MemorySegment y, MemorySegment dx, long at, int n, float[] sums) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = dx.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector share = VectorMath.expTerm(load(result, i)).mul(FloatVector.fromArray(SPECIES, sums, i));
            store(load(slope, i).sub(share), to, i);
        }
    }

    private static void softmaxGrad(MemorySegment g, MemorySegment y, MemorySegment dx, long at, int n, float[] sums) {
        MemorySegment slope = g.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment result = y.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        MemorySegment to = dx.asSlice(at * Float.BYTES, (long) n * Float.BYTES);
        for (int i = 0; i < n; i += WIDTH) {
            FloatVector v = load(slope, i).sub(FloatVector.fromArray(SPECIES, sums, i));
            store(v.mul(load(result, i)), to, i);
        }
    }

    private static void logarithms(double[] x, float[] to, int n) {
        for (int i = 0; i < n; i++) {
            to[i] = (float) x[i];
        }
        for (int i = 0; i < n; i += WIDTH) {
            VectorMath.log(FloatVector.fromArray(SPECIES, to, i)).intoArray(to, i);
        }
    }

    private static void inverses(double[] x, float[] to, int n) {
        for (int i = 0; i < n; i++) {
            to[i] = (float) (1 / x[i]);
        }
    }
}

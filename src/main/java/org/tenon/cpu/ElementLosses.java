package org.tenon.cpu;

import org.tenon.spi.ElementLoss;
import org.tenon.spi.Strided;

/**
 * Losses of single elements, a chunk at a time. A sum is cut into blocks of a fixed size, whose sums are added in order, so that the
 * number of threads changes no bit, and where the elements lie does not either. Without vectors all is computed in float64.
 */
final class ElementLosses {
    /** The elements of a block. */
    static final long BLOCK = 8L * Reader.CHUNK;

    private ElementLosses() {}

    static void loss(ElementLoss loss, Strided x, Strided out) {
        boolean sums = out.rank() == 0 && x.rank() > 0;
        if (sums) {
            double sum = MemoryLosses.takes(x) ? MemoryLosses.sum(loss, x) : sum(loss, x);
            new Writer(out, 0).write(new double[] {sum / loss.divisor()}, 1);
        } else if (MemoryLosses.takes(x)) {
            MemoryLosses.terms(loss, x, out);
        } else {
            terms(loss, x, out);
        }
    }

    private static double sum(ElementLoss loss, Strided x) {
        return blocks(x.count(), 1, (from, to, sums) -> {
            Part part = new Part(loss, x, from * BLOCK, (int) Math.min(Reader.CHUNK, x.count()));
            for (long block = from; block < to; block++) {
                Elementwise.chunks(block * BLOCK, Math.min(x.count(), (block + 1) * BLOCK), n -> {
                    part.read(n);
                    DoubleLosses.terms(loss.op(), loss.p0(), part.v, part.t, n);
                    for (int i = 0; i < n; i++) {
                        part.sum += part.v[i];
                    }
                });
                sums[(int) block] = part.sum;
                part.sum = 0;
            }
        });
    }

    /** What sums blocks. */
    @FunctionalInterface
    interface Blocks {
        /** Writes the sum of each block to its place. */
        void run(long from, long to, double[] sums);
    }

    /** The sum of {@code count} elements' blocks; a thread is worth waking for {@code least} of them. */
    static double blocks(long count, long least, Blocks body) {
        double[] sums = new double[Math.toIntExact((count + BLOCK - 1) / BLOCK)];
        Parallel.range(sums.length, least, (from, to) -> body.run(from, to, sums));
        double all = 0;
        for (double sum : sums) {
            all += sum;
        }
        return all;
    }

    private static void terms(ElementLoss loss, Strided x, Strided out) {
        Parallel.range(out.count(), Parallel.GRAIN, (from, to) -> {
            Part part = new Part(loss, x, from, Elementwise.size(from, to));
            Writer writer = new Writer(out, from);
            Elementwise.chunks(from, to, n -> {
                part.read(n);
                DoubleLosses.terms(loss.op(), loss.p0(), part.v, part.t, n);
                writer.write(part.v, n);
            });
        });
    }

    static void grad(ElementLoss loss, Strided g, Strided x, Strided dx, Strided dtarget) {
        if (MemoryLosses.takes(x)) {
            MemoryLosses.grad(loss, g, x, dx, dtarget);
            return;
        }
        Parallel.range(x.count(), Parallel.GRAIN, (from, to) -> {
            Part part = new Part(loss, x, from, Elementwise.size(from, to));
            Reader gradient = new Reader(g, from);
            Writer first = dx == null ? null : new Writer(dx, from);
            Writer second = dtarget == null ? null : new Writer(dtarget, from);
            double[] scale = new double[part.v.length];
            double[] slope = new double[part.v.length];
            Elementwise.chunks(from, to, n -> {
                part.read(n);
                part.read(gradient, scale, n);
                for (int i = 0; i < n; i++) {
                    scale[i] /= loss.divisor();
                }
                if (first != null) {
                    DoubleLosses.slopes(loss.op(), loss.p0(), part.v, part.t, slope, n);
                    times(slope, scale, n);
                    first.write(slope, n);
                }
                if (second != null) {
                    DoubleLosses.targetSlopes(loss.op(), loss.p0(), part.v, part.t, slope, n);
                    times(slope, scale, n);
                    second.write(slope, n);
                }
            });
        });
    }

    private static void times(double[] x, double[] factors, int n) {
        for (int i = 0; i < n; i++) {
            x[i] *= factors[i];
        }
    }

    /** A thread's operands, from an element on, in float64. */
    private static final class Part {
        private final Reader x;
        private final Reader target;
        private final double[] v;
        private final double[] t;
        private final float[] narrow;
        private double sum;

        Part(ElementLoss loss, Strided x, long from, int size) {
            this.x = new Reader(x, from);
            target = new Reader(loss.target(), from);
            v = new double[size];
            t = new double[size];
            narrow = new float[this.x.isDouble() ? 0 : size];
        }

        void read(int n) {
            read(x, v, n);
            read(target, t, n);
        }

        void read(Reader from, double[] to, int n) {
            if (from.isDouble()) {
                from.read(to, n);
                return;
            }
            from.read(narrow, n);
            for (int i = 0; i < n; i++) {
                to[i] = narrow[i];
            }
        }
    }
}

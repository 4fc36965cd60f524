package org.tenon.cpu;

import org.tenon.DType;
import org.tenon.spi.Dropout;
import org.tenon.spi.Philox;
import org.tenon.spi.RandomOp;
import org.tenon.spi.Strided;

/** What {@link RandomOp} makes of the words of {@link Philox}. */
final class Randoms {
    private static final double TINY24 = 0x1p-24;
    private static final double TINY53 = 0x1p-53;

    private Randoms() {}

    static void random(RandomOp op, long seed, long offset, double p0, double p1, Strided out) {
        boolean wide = op.wide(out.dtype());
        int each = wide ? 2 : 4;
        long blocks = op.counters(out.count(), out.dtype());
        Parallel.range(blocks, Parallel.GRAIN / 16, (from, to) -> {
            Writer writer = new Writer(out, from * each);
            int[] words = new int[4];
            double[] x = new double[Reader.CHUNK];
            double limit = op == RandomOp.UNIFORM && p0 < p1 ? RandomOp.below(p1, out.dtype()) : p1;
            long[] whole = new long[op == RandomOp.INTEGERS ? Reader.CHUNK : 0];
            int filled = 0;
            long end = Math.min(out.count(), to * each);
            for (long block = from; block < to; block++) {
                Philox.block(offset + block, seed, words);
                if (op == RandomOp.INTEGERS) {
                    long span = (long) p1 - (long) p0;
                    whole[filled] = (long) p0 + Long.remainderUnsigned(Philox.word64(words, 0), span);
                    whole[filled + 1] = (long) p0 + Long.remainderUnsigned(Philox.word64(words, 2), span);
                } else {
                    floating(op, wide, words, p0, p1, limit, x, filled, out.dtype());
                }
                filled += each;
                if (filled == Reader.CHUNK || block == to - 1) {
                    int n = (int) Math.min(filled, end - (block + 1) * each + filled);
                    if (op == RandomOp.INTEGERS) {
                        writer.write(whole, n);
                    } else {
                        writer.write(x, n);
                    }
                    filled = 0;
                }
            }
        });
    }

    static void dropout(Dropout dropout, Strided in, Strided out) {
        boolean wide = in.dtype() == DType.F64;
        Parallel.range((out.count() + Reader.CHUNK - 1) / Reader.CHUNK, 1, (from, to) -> {
            Reader reader = new Reader(in, from * Reader.CHUNK);
            Writer writer = new Writer(out, from * Reader.CHUNK);
            float[] floats = new float[wide ? 0 : Reader.CHUNK];
            double[] doubles = new double[wide ? Reader.CHUNK : 0];
            Kept kept = new Kept(wide).of(dropout);
            for (long piece = from; piece < to; piece++) {
                int n = (int) Math.min(Reader.CHUNK, out.count() - piece * Reader.CHUNK);
                kept.draw(piece * Reader.CHUNK, n);
                if (wide) {
                    reader.read(doubles, n);
                    kept.scale(doubles, n);
                    writer.write(doubles, n);
                } else {
                    reader.read(floats, n);
                    kept.scale(floats, n);
                    writer.write(floats, n);
                }
            }
        });
    }

    private static void floating(
            RandomOp op,
            boolean wide,
            int[] words,
            double p0,
            double p1,
            double limit,
            double[] x,
            int at,
            DType dtype) {
        int count = wide ? 2 : 4;
        switch (op) {
            case UNIFORM -> {
                for (int i = 0; i < count; i++) {
                    double u = wide
                            ? p0 + (Philox.word64(words, 2 * i) >>> 11) * TINY53 * (p1 - p0)
                            : (float) p0 + (float) ((words[i] >>> 8) * TINY24) * (float) (p1 - p0);
                    x[at + i] = Math.min(u, limit);
                }
            }
            case BERNOULLI -> {
                for (int i = 0; i < count; i++) {
                    x[at + i] = (words[i] >>> 8) * TINY24 < p0 ? 1 : 0;
                }
            }
            case NORMAL -> {
                for (int i = 0; i < count; i += 2) {
                    double a = wide ? ((Philox.word64(words, 0) >>> 11) + 1) * TINY53 : ((words[i] >>> 8) + 1) * TINY24;
                    double b = wide ? (Philox.word64(words, 2) >>> 11) * TINY53 : (words[i + 1] >>> 8) * TINY24;
                    double r = Math.sqrt(-2 * Math.log(a));
                    x[at + i] = p0 + p1 * r * Math.cos(2 * Math.PI * b);
                    x[at + i + 1] = p0 + p1 * r * Math.sin(2 * Math.PI * b);
                }
            }
            case INTEGERS -> throw Element.of(dtype).undefined(op);
        }
    }
}

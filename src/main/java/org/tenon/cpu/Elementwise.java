package org.tenon.cpu;

import org.tenon.spi.BinaryOp;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/** Elementwise functions, a chunk at a time: in, computed, out. */
final class Elementwise {
    private Elementwise() {}

    static void unary(UnaryOp op, Strided in, double p0, double p1, Strided out) {
        if (MemoryElementwise.unary(op, in, p0, p1, out)) {
            return;
        }
        Parallel.range(out.count(), Parallel.GRAIN, (from, to) -> {
            Reader reader = new Reader(in, from);
            Writer writer = new Writer(out, from);
            switch (Element.of(in.dtype()).domain()) {
                case FLOAT -> {
                    float[] x = new float[size(from, to)];
                    chunks(from, to, n -> {
                        reader.read(x, n);
                        FloatOps.unary(op, x, p0, p1, n);
                        writer.write(x, n);
                    });
                }
                case DOUBLE -> {
                    double[] x = new double[size(from, to)];
                    chunks(from, to, n -> {
                        reader.read(x, n);
                        DoubleOps.unary(op, x, p0, p1, n);
                        writer.write(x, n);
                    });
                }
                case LONG -> {
                    long[] x = new long[size(from, to)];
                    chunks(from, to, n -> {
                        reader.read(x, n);
                        LongOps.unary(op, x, p0, p1, n);
                        writer.write(x, n);
                    });
                }
            }
        });
    }

    static void binary(BinaryOp op, Strided a, Strided b, Strided out) {
        if (MemoryElementwise.binary(op, a, b, out)) {
            return;
        }
        Parallel.range(out.count(), Parallel.GRAIN, (from, to) -> {
            Reader left = new Reader(a, from);
            Reader right = new Reader(b, from);
            Writer writer = new Writer(out, from);
            switch (Element.of(a.dtype()).domain()) {
                case FLOAT -> {
                    float[] x = new float[size(from, to)];
                    float[] y = new float[x.length];
                    chunks(from, to, n -> {
                        left.read(x, n);
                        right.read(y, n);
                        FloatOps.binary(op, x, y, n);
                        writer.write(x, n);
                    });
                }
                case DOUBLE -> {
                    double[] x = new double[size(from, to)];
                    double[] y = new double[x.length];
                    chunks(from, to, n -> {
                        left.read(x, n);
                        right.read(y, n);
                        DoubleOps.binary(op, x, y, n);
                        writer.write(x, n);
                    });
                }
                case LONG -> {
                    long[] x = new long[size(from, to)];
                    long[] y = new long[x.length];
                    chunks(from, to, n -> {
                        left.read(x, n);
                        right.read(y, n);
                        LongOps.binary(op, x, y, n);
                        writer.write(x, n);
                    });
                }
            }
        });
    }

    static void where(Strided condition, Strided a, Strided b, Strided out) {
        if (MemoryElementwise.where(condition, a, b, out)) {
            return;
        }
        Parallel.range(out.count(), Parallel.GRAIN, (from, to) -> {
            Reader chooser = new Reader(condition, from);
            Reader left = new Reader(a, from);
            Reader right = new Reader(b, from);
            Writer writer = new Writer(out, from);
            long[] c = new long[size(from, to)];
            switch (Element.of(a.dtype()).domain()) {
                case FLOAT -> {
                    float[] x = new float[c.length];
                    float[] y = new float[c.length];
                    chunks(from, to, n -> {
                        chooser.read(c, n);
                        left.read(x, n);
                        right.read(y, n);
                        FloatOps.where(c, x, y, n);
                        writer.write(x, n);
                    });
                }
                case DOUBLE -> {
                    double[] x = new double[c.length];
                    double[] y = new double[c.length];
                    chunks(from, to, n -> {
                        chooser.read(c, n);
                        left.read(x, n);
                        right.read(y, n);
                        DoubleOps.where(c, x, y, n);
                        writer.write(x, n);
                    });
                }
                case LONG -> {
                    long[] x = new long[c.length];
                    long[] y = new long[c.length];
                    chunks(from, to, n -> {
                        chooser.read(c, n);
                        left.read(x, n);
                        right.read(y, n);
                        LongOps.where(c, x, y, n);
                        writer.write(x, n);
                    });
                }
            }
        });
    }

    /** The length of arrays for a range: a chunk, or less for what is shorter. */
    static int size(long from, long to) {
        return (int) Math.min(Reader.CHUNK, to - from);
    }

    /** What is done with a chunk of {@code n} elements. */
    @FunctionalInterface
    interface Chunks {
        void next(int n);
    }

    static void chunks(long from, long to, Chunks body) {
        for (long at = from; at < to; at += Reader.CHUNK) {
            body.next((int) Math.min(Reader.CHUNK, to - at));
        }
    }
}

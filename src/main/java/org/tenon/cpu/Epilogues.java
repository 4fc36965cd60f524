package org.tenon.cpu;

import org.tenon.DType;
import org.tenon.spi.BinaryOp;
import org.tenon.spi.Epilogue;
import org.tenon.spi.Strided;
import org.tenon.spi.UnaryOp;

/** What comes after a product, a chunk at a time: all parts of it while the chunk is in cache. */
final class Epilogues {
    private Epilogues() {}

    static void epilogue(Epilogue epilogue, Strided x, Strided out) {
        if (MemoryEpilogue.forward(epilogue, x, out)) {
            return;
        }
        UnaryOp function = epilogue.activation();
        pieces(out.count(), (from, to) -> {
            Part part = new Part(epilogue, x, epilogue.residual(), out, from);
            if (x.dtype() == DType.F64) {
                double[] v = new double[Reader.CHUNK];
                double[] w = new double[Reader.CHUNK];
                Elementwise.chunks(from, to, n -> {
                    part.sum(v, w, n);
                    if (function != null) {
                        DoubleOps.unary(function, v, 0, 0, n);
                    }
                    part.drop(v, n);
                    if (part.other != null) {
                        part.other.read(w, n);
                        DoubleOps.binary(BinaryOp.ADD, v, w, n);
                    }
                    part.out.write(v, n);
                });
            } else {
                float[] v = new float[Reader.CHUNK];
                float[] w = new float[Reader.CHUNK];
                Elementwise.chunks(from, to, n -> {
                    part.sum(v, w, n);
                    if (function != null) {
                        FloatOps.unary(function, v, 0, 0, n);
                    }
                    part.drop(v, n);
                    if (part.other != null) {
                        part.other.read(w, n);
                        FloatOps.binary(BinaryOp.ADD, v, w, n);
                    }
                    part.out.write(v, n);
                });
            }
        });
    }

    static void epilogueGrad(Epilogue epilogue, Strided g, Strided x, Strided dx) {
        if (MemoryEpilogue.backward(epilogue, g, x, dx)) {
            return;
        }
        UnaryOp function = epilogue.beforeSlope();
        BinaryOp slope = epilogue.slope();
        pieces(dx.count(), (from, to) -> {
            Part part = new Part(epilogue, x, g, dx, from);
            if (x.dtype() == DType.F64) {
                double[] v = new double[Reader.CHUNK];
                double[] w = new double[Reader.CHUNK];
                Elementwise.chunks(from, to, n -> {
                    part.sum(w, v, n);
                    if (function != null) {
                        DoubleOps.unary(function, w, 0, 0, n);
                    }
                    part.other.read(v, n);
                    part.drop(v, n);
                    DoubleOps.binary(slope, v, w, n);
                    part.out.write(v, n);
                });
            } else {
                float[] v = new float[Reader.CHUNK];
                float[] w = new float[Reader.CHUNK];
                Elementwise.chunks(from, to, n -> {
                    part.sum(w, v, n);
                    if (function != null) {
                        FloatOps.unary(function, w, 0, 0, n);
                    }
                    part.other.read(v, n);
                    part.drop(v, n);
                    FloatOps.binary(slope, v, w, n);
                    part.out.write(v, n);
                });
            }
        });
    }

    /** Ranges of whole chunks, but for the last, so that each begins with a block of random words. */
    private static void pieces(long count, Parallel.Body body) {
        Parallel.range(
                (count + Reader.CHUNK - 1) / Reader.CHUNK,
                Parallel.GRAIN / Reader.CHUNK,
                (from, to) -> body.run(from * Reader.CHUNK, Math.min(count, to * Reader.CHUNK)));
    }

    /** A thread's operands, from an element on. */
    private static final class Part {
        private final Reader x;
        private final Reader bias;
        private final Reader other;
        private final Writer out;
        private final Kept kept;
        private long at;

        Part(Epilogue epilogue, Strided x, Strided other, Strided out, long from) {
            this.x = new Reader(x, from);
            bias = epilogue.bias() == null ? null : new Reader(rows(epilogue, out.count()), from);
            this.other = other == null ? null : new Reader(other, from);
            this.out = new Writer(out, from);
            kept = epilogue.dropout() == null ? null : new Kept(x.dtype() == DType.F64).of(epilogue.dropout());
            at = from;
        }

        /** The bias for each row. */
        private static Strided rows(Epilogue epilogue, long count) {
            Strided bias = epilogue.bias();
            return new Strided(
                    bias.buffer(),
                    bias.dtype(),
                    bias.offset(),
                    new long[] {count / epilogue.length(), epilogue.length()},
                    new long[] {0, 1});
        }

        /** {@code v = x + bias}, with room in w. */
        void sum(float[] v, float[] w, int n) {
            x.read(v, n);
            if (bias != null) {
                bias.read(w, n);
                FloatOps.binary(BinaryOp.ADD, v, w, n);
            }
        }

        /** {@code v = x + bias}, with room in w. */
        void sum(double[] v, double[] w, int n) {
            x.read(v, n);
            if (bias != null) {
                bias.read(w, n);
                DoubleOps.binary(BinaryOp.ADD, v, w, n);
            }
        }

        void drop(float[] v, int n) {
            if (kept != null) {
                kept.draw(at, n);
                kept.scale(v, n);
            }
            at += n;
        }

        void drop(double[] v, int n) {
            if (kept != null) {
                kept.draw(at, n);
                kept.scale(v, n);
            }
            at += n;
        }
    }
}

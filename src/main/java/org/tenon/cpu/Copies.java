package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.Strided;

/** Constants, sequences and copies that convert. */
final class Copies {
    /** The least number of bytes worth handing to another thread, where memory is all that counts. */
    private static final long BYTES = 16 * Parallel.GRAIN;

    private Copies() {}

    private static MemorySegment dense(Strided operand) {
        long bytes = operand.dtype().bytes();
        return CpuBuffer.segment(operand).asSlice(operand.offset() * bytes, operand.count() * bytes);
    }

    static void fill(Strided out, double value) {
        if (value == 0 && 1 / value > 0 && out.isContiguous()) {
            MemorySegment memory = dense(out);
            Parallel.range(
                    memory.byteSize(),
                    BYTES,
                    (from, to) -> memory.asSlice(from, to - from).fill((byte) 0));
            return;
        }
        Parallel.range(out.count(), Parallel.GRAIN, (from, to) -> {
            Writer writer = new Writer(out, from);
            int size = Elementwise.size(from, to);
            switch (Element.of(out.dtype()).domain()) {
                case FLOAT -> {
                    float[] x = new float[size];
                    Arrays.fill(x, (float) value);
                    Elementwise.chunks(from, to, n -> writer.write(x, n));
                }
                case DOUBLE -> {
                    double[] x = new double[size];
                    Arrays.fill(x, value);
                    Elementwise.chunks(from, to, n -> writer.write(x, n));
                }
                case LONG -> {
                    long[] x = new long[size];
                    Arrays.fill(x, Element.of(out.dtype()) == Element.BOOL ? value != 0 ? 1 : 0 : (long) value);
                    Elementwise.chunks(from, to, n -> writer.write(x, n));
                }
            }
        });
    }

    static void arange(Strided out, double start, double step) {
        Parallel.range(out.count(), Parallel.GRAIN, (from, to) -> {
            Writer writer = new Writer(out, from);
            boolean whole = Element.of(out.dtype()).domain() == Element.Domain.LONG;
            double[] x = new double[Elementwise.size(from, to)];
            long[] integers = new long[whole ? x.length : 0];
            long[] at = {from};
            Elementwise.chunks(from, to, n -> {
                if (whole) {
                    for (int i = 0; i < n; i++) {
                        integers[i] = (long) start + (at[0] + i) * (long) step;
                    }
                    writer.write(integers, n);
                } else {
                    for (int i = 0; i < n; i++) {
                        x[i] = start + (at[0] + i) * step;
                    }
                    writer.write(x, n);
                }
                at[0] += n;
            });
        });
    }

    static void copy(Strided in, Strided out) {
        if (in.dtype() == out.dtype() && in.dtype() != DType.BOOL && in.isContiguous() && out.isContiguous()) {
            MemorySegment source = dense(in);
            MemorySegment target = dense(out);
            Parallel.range(
                    target.byteSize(), BYTES, (from, to) -> MemorySegment.copy(source, from, target, from, to - from));
            return;
        }
        Parallel.range(out.count(), Parallel.GRAIN, (from, to) -> {
            Reader reader = new Reader(in, from);
            Writer writer = new Writer(out, from);
            int size = Elementwise.size(from, to);
            switch (Element.of(in.dtype()).domain()) {
                case FLOAT -> {
                    float[] x = new float[size];
                    Elementwise.chunks(from, to, n -> {
                        reader.read(x, n);
                        writer.write(x, n);
                    });
                }
                case DOUBLE -> {
                    double[] x = new double[size];
                    Elementwise.chunks(from, to, n -> {
                        reader.read(x, n);
                        writer.write(x, n);
                    });
                }
                case LONG -> {
                    long[] x = new long[size];
                    Elementwise.chunks(from, to, n -> {
                        reader.read(x, n);
                        writer.write(x, n);
                    });
                }
            }
        });
    }
}

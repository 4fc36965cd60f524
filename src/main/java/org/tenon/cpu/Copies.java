package org.tenon.cpu;

import java.util.Arrays;
import org.tenon.spi.Strided;

/** Constants, sequences and copies that convert. */
final class Copies {
    private Copies() {}

    static void fill(Strided out, double value) {
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

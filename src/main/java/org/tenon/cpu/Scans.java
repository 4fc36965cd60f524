package org.tenon.cpu;

import org.tenon.spi.Order;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** Running sums, row by row. */
final class Scans {
    private Scans() {}

    static void cumsum(Strided in, Rows rows, Order order, Strided out) {
        boolean whole = Element.of(in.dtype()).domain() == Element.Domain.LONG;
        Parallel.items(rows.count(), rows.len(), (from, to) -> {
            for (long row = from; row < to; row++) {
                long first = row / rows.inner() * rows.len() * rows.inner() + row % rows.inner();
                Strided source = line(in, first, rows, order);
                Strided target = line(out, first, rows, order);
                if (whole) {
                    longs(source, target, rows.len());
                } else {
                    doubles(source, target, rows.len());
                }
            }
        });
    }

    /** One row as a tensor of its own, in the direction of the sum. */
    private static Strided line(Strided x, long first, Rows rows, Order order) {
        long step = rows.inner();
        long start = x.offset() + first + (order == Order.BACKWARD ? (rows.len() - 1) * step : 0);
        return new Strided(x.buffer(), x.dtype(), start, new long[] {rows.len()}, new long[] {
            order == Order.BACKWARD ? -step : step
        });
    }

    private static void longs(Strided in, Strided out, long length) {
        Reader reader = new Reader(in, 0);
        Writer writer = new Writer(out, 0);
        long[] x = new long[Elementwise.size(0, length)];
        long[] sum = {0};
        Elementwise.chunks(0, length, n -> {
            reader.read(x, n);
            for (int i = 0; i < n; i++) {
                sum[0] += x[i];
                x[i] = sum[0];
            }
            writer.write(x, n);
        });
    }

    private static void doubles(Strided in, Strided out, long length) {
        Reader reader = new Reader(in, 0);
        Writer writer = new Writer(out, 0);
        double[] x = new double[Elementwise.size(0, length)];
        float[] narrow = new float[reader.isDouble() ? 0 : x.length];
        double[] sum = {0};
        Elementwise.chunks(0, length, n -> {
            if (reader.isDouble()) {
                reader.read(x, n);
            } else {
                reader.read(narrow, n);
                for (int i = 0; i < n; i++) {
                    x[i] = narrow[i];
                }
            }
            for (int i = 0; i < n; i++) {
                sum[0] += x[i];
                x[i] = sum[0];
            }
            writer.write(x, n);
        });
    }
}

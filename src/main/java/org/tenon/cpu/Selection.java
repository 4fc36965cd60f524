package org.tenon.cpu;

import java.util.Arrays;
import java.util.Comparator;
import org.tenon.spi.Extreme;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** The extreme elements of rows: a heap of k for each row, sorted at its end. */
final class Selection {
    private Selection() {}

    static void topk(Strided in, Rows rows, long k, Extreme extreme, Strided values, Strided indices) {
        int wanted = Math.toIntExact(k);
        if (wanted == 0 || rows.count() == 0) {
            return;
        }
        Rows kept = new Rows(rows.outer(), k, rows.inner());
        Parallel.items(rows.count(), rows.len() * 4, (from, to) -> {
            for (long row = from; row < to; row++) {
                Candidates candidates = new Candidates(line(in, rows, row), extreme);
                int[] best = candidates.select(wanted);
                candidates.write(best, line(values, kept, row), line(indices, kept, row));
            }
        });
    }

    private static Strided line(Strided x, Rows rows, long row) {
        long first = row / rows.inner() * rows.len() * rows.inner() + row % rows.inner();
        return new Strided(
                x.buffer(), x.dtype(), x.offset() + first, new long[] {rows.len()}, new long[] {rows.inner()});
    }

    /** The elements of one row, compared by value and then by position. */
    private static final class Candidates {
        private final double[] x;
        private final long[] whole;
        private final Comparator<Integer> order;

        Candidates(Strided row, Extreme extreme) {
            int length = Math.toIntExact(row.sizes()[0]);
            Reader reader = new Reader(row, 0);
            boolean integers = Element.of(row.dtype()).domain() == Element.Domain.LONG;
            x = new double[integers ? 0 : length];
            whole = new long[integers ? length : 0];
            if (integers) {
                reader.read(whole, length);
            } else if (reader.isDouble()) {
                reader.read(x, length);
            } else {
                float[] narrow = new float[length];
                reader.read(narrow, length);
                Arrays.setAll(x, i -> narrow[i]);
            }
            Comparator<Integer> byValue =
                    integers ? Comparator.comparingLong(i -> whole[i]) : (a, b) -> compare(x[a], x[b]);
            Comparator<Integer> best = extreme == Extreme.LARGEST ? byValue.reversed() : byValue;
            order = best.thenComparing(Comparator.naturalOrder());
        }

        /** As numbers, both zeros alike, NaN above all. */
        private static int compare(double a, double b) {
            return a < b ? -1 : a > b ? 1 : a == b ? 0 : Boolean.compare(a != a, b != b);
        }

        int[] select(int k) {
            int length = Math.max(x.length, whole.length);
            var heap = new java.util.PriorityQueue<Integer>(k, order.reversed());
            for (int i = 0; i < length; i++) {
                if (heap.size() < k) {
                    heap.add(i);
                } else if (order.compare(i, heap.peek()) < 0) {
                    heap.poll();
                    heap.add(i);
                }
            }
            return heap.stream().sorted(order).mapToInt(Integer::intValue).toArray();
        }

        void write(int[] best, Strided values, Strided indices) {
            int k = best.length;
            Writer to = new Writer(values, 0);
            if (whole.length > 0) {
                to.write(Arrays.stream(best).mapToLong(i -> whole[i]).toArray(), k);
            } else {
                to.write(Arrays.stream(best).mapToDouble(i -> x[i]).toArray(), k);
            }
            new Writer(indices, 0).write(Arrays.stream(best).asLongStream().toArray(), k);
        }
    }
}

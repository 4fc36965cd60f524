package org.tenon.cpu;

import java.util.concurrent.atomic.AtomicLong;
import org.tenon.spi.IndexCheck;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** Reads and additions at positions that an index names. Indices are looked at first: a bad one stops the kernel. */
final class Indexing {
    private Indexing() {}

    /** Throws for the first index, in row-major order, that is out of range and not ignored. */
    static void check(Strided index, IndexCheck check) {
        AtomicLong first = new AtomicLong(Long.MAX_VALUE);
        Parallel.range(index.count(), Parallel.GRAIN, (from, to) -> {
            Reader reader = new Reader(index, from);
            long[] x = new long[Elementwise.size(from, to)];
            long[] at = {from};
            Elementwise.chunks(from, to, n -> {
                reader.read(x, n);
                for (int i = 0; i < n; i++) {
                    if (bad(x[i], check)) {
                        first.accumulateAndGet(at[0] + i, Math::min);
                        break;
                    }
                }
                at[0] += n;
            });
        });
        long position = first.get();
        if (position != Long.MAX_VALUE) {
            long[] value = new long[1];
            new Reader(index, position).read(value, 1);
            throw check.failure(position, value[0]);
        }
    }

    private static boolean bad(long value, IndexCheck check) {
        return (value < 0 || value >= check.bound()) && (check.ignored() == null || value != check.ignored());
    }

    static void gather(Strided in, int dim, Strided index, IndexCheck check, Strided out) {
        check(index, check);
        long step = in.strides()[dim];
        Cells source = new Cells(atStart(in));
        Cells target = new Cells(out);
        Strided base = base(in, index.sizes(), dim);
        Parallel.range(out.count(), Parallel.GRAIN / 4, (from, to) -> {
            Reader positions = new Reader(base, from);
            Reader indices = new Reader(index, from);
            long[] at = new long[Elementwise.size(from, to)];
            long[] chosen = new long[at.length];
            long[] done = {from};
            Elementwise.chunks(from, to, n -> {
                positions.readPositions(at, n);
                indices.read(chosen, n);
                for (int i = 0; i < n; i++) {
                    target.copy(done[0] + i, source, at[i] + chosen[i] * step, 1);
                }
                done[0] += n;
            });
        });
    }

    static void scatterAdd(Strided src, int dim, Strided index, IndexCheck check, Strided out) {
        check(index, check);
        long length = index.sizes()[dim];
        long lines = length == 0 ? 0 : index.count() / length;
        long step = out.strides()[dim];
        Strided sources = lastAxis(src, dim);
        Strided base = lastAxis(base(out, index.sizes(), dim), dim);
        Strided indices = lastAxis(index, dim);
        Cells source = new Cells(atStart(src));
        Cells target = new Cells(atStart(out));
        Parallel.items(lines, length * 4, (from, to) -> {
            long[] fromAt = new long[Elementwise.size(from * length, to * length)];
            long[] at = new long[fromAt.length];
            long[] chosen = new long[fromAt.length];
            Reader sourcePositions = new Reader(sources, from * length);
            Reader positions = new Reader(base, from * length);
            Reader reader = new Reader(indices, from * length);
            Elementwise.chunks(from * length, to * length, n -> {
                sourcePositions.readPositions(fromAt, n);
                positions.readPositions(at, n);
                reader.read(chosen, n);
                for (int i = 0; i < n; i++) {
                    target.add(at[i] + chosen[i] * step, source, fromAt[i]);
                }
            });
        });
    }

    /** Where element 0 of axis {@code dim} is, for each position of the index. */
    private static Strided base(Strided x, long[] sizes, int dim) {
        long[] strides = x.strides().clone();
        strides[dim] = 0;
        return new Strided(x.buffer(), x.dtype(), x.offset(), sizes, strides);
    }

    /** The same memory with positions counted from the buffer's start. */
    private static Strided atStart(Strided x) {
        return new Strided(x.buffer(), x.dtype(), 0, x.sizes(), x.strides());
    }

    private static Strided lastAxis(Strided x, int dim) {
        int rank = x.rank();
        long[] sizes = new long[rank];
        long[] strides = new long[rank];
        for (int i = 0; i < rank; i++) {
            int from = i == rank - 1 ? dim : i < dim ? i : i + 1;
            sizes[i] = x.sizes()[from];
            strides[i] = x.strides()[from];
        }
        return new Strided(x.buffer(), x.dtype(), x.offset(), sizes, strides);
    }

    static void indexSelect(Strided in, Rows rows, Strided index, IndexCheck check, Strided out) {
        check(index, check);
        long picked = index.count();
        Cells source = new Cells(in);
        Cells target = new Cells(out);
        Cells indices = new Cells(index);
        Parallel.items(rows.outer() * picked, rows.inner(), (from, to) -> {
            for (long i = from; i < to; i++) {
                long outer = i / picked;
                long chosen = indices.whole(i % picked);
                target.copy(i * rows.inner(), source, (outer * rows.len() + chosen) * rows.inner(), rows.inner());
            }
        });
    }

    static void indexAdd(Strided src, Rows rows, Strided index, IndexCheck check, Strided out) {
        check(index, check);
        long picked = index.count();
        Cells indices = new Cells(index);
        long width = Math.min(rows.inner(), Math.max(64, rows.inner() / (4L * Parallel.THREADS)));
        long tiles = rows.inner() == 0 ? 0 : (rows.inner() + width - 1) / width;
        Parallel.items(rows.outer() * tiles, picked * width, (from, to) -> {
            for (long tile = from; tile < to; tile++) {
                long outer = tile / tiles;
                long first = tile % tiles * width;
                int columns = (int) Math.min(width, rows.inner() - first);
                addSlices(src, rows, indices, picked, out, outer, first, columns);
            }
        });
    }

    /** Columns {@code first} and on of every slice, in the order of the index: no other task has these columns. */
    private static void addSlices(
            Strided src, Rows rows, Cells indices, long picked, Strided out, long outer, long first, int columns) {
        boolean floats = Element.of(out.dtype()) == Element.F32;
        Cells source = new Cells(src);
        Cells target = new Cells(out);
        Reader more = floats ? new Reader(src, 0) : null;
        Reader sums = floats ? new Reader(out, 0) : null;
        Writer writer = floats ? new Writer(out, 0) : null;
        float[] a = new float[floats ? columns : 0];
        float[] b = new float[floats ? columns : 0];
        for (long j = 0; j < picked; j++) {
            long from = (outer * picked + j) * rows.inner() + first;
            long to = (outer * rows.len() + indices.whole(j)) * rows.inner() + first;
            if (floats) {
                more.seek(from);
                more.read(a, columns);
                sums.seek(to);
                sums.read(b, columns);
                for (int i = 0; i < columns; i++) {
                    a[i] += b[i];
                }
                writer.seek(to);
                writer.write(a, columns);
            } else {
                for (int i = 0; i < columns; i++) {
                    target.add(to + i, source, from + i);
                }
            }
        }
    }
}

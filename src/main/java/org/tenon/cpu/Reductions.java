package org.tenon.cpu;

import java.util.Arrays;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Strided;

/**
 * Reductions, by rows or by columns, whichever goes through memory in order. A row is cut into blocks of a fixed size whose
 * results merge in order, so that the number of threads changes no bit.
 */
final class Reductions {
    private static final long BLOCK = 64L * Reader.CHUNK;
    private static final int COLUMNS = 512;

    private Reductions() {}

    static void reduce(ReduceOp op, Strided in, int kept, Strided out) {
        long outputs = out.count();
        if (outputs == 0) {
            return;
        }
        long length = in.count() / outputs;
        if (length > 0 && columnwise(in, kept)) {
            byColumns(op, in, kept, length, out);
        } else if (outputs < 2L * Parallel.THREADS && length > BLOCK) {
            for (long row = 0; row < outputs; row++) {
                if (!MemoryReductions.row(op, in, row, length, BLOCK, out)) {
                    oneRow(op, in, row, length, out);
                }
            }
        } else if (!MemoryReductions.rows(op, in, length, out)) {
            Parallel.items(outputs, length, (from, to) -> rows(op, in, length, from, to, out));
        }
    }

    /** Whether neighbouring outputs are nearer in memory than neighbouring elements of a row. */
    private static boolean columnwise(Strided in, int kept) {
        long keptStride = lastStride(in, 0, kept);
        long reducedStride = lastStride(in, kept, in.rank());
        return keptStride != 0 && Math.abs(keptStride) < Math.abs(reducedStride);
    }

    private static long lastStride(Strided in, int from, int to) {
        for (int i = to - 1; i >= from; i--) {
            if (in.sizes()[i] > 1) {
                return in.strides()[i];
            }
        }
        return 0;
    }

    private static boolean whole(Strided in) {
        return Element.of(in.dtype()).domain() == Element.Domain.LONG;
    }

    private static void rows(ReduceOp op, Strided in, long length, long from, long to, Strided out) {
        Writer writer = new Writer(out, from);
        if (whole(in)) {
            for (long row = from; row < to; row++) {
                writer.write(new long[] {wholeRow(op, in, row, length).result()}, 1);
            }
            return;
        }
        double[] result = new double[Elementwise.size(from, to)];
        Row reader = new Row(op, in, from * length);
        Elementwise.chunks(from, to, n -> {
            for (int i = 0; i < n; i++) {
                Partial total = reader.block(0, Math.min(BLOCK, length));
                for (long at = BLOCK; at < length; at += BLOCK) {
                    total.merge(reader.block(at, Math.min(BLOCK, length - at)));
                }
                result[i] = total.result(length);
            }
            writer.write(result, n);
        });
    }

    private static WholePartial wholeRow(ReduceOp op, Strided in, long row, long length) {
        Reader reader = new Reader(in, row * length);
        WholePartial total = new WholePartial(op);
        long[] x = new long[Elementwise.size(0, length)];
        for (long at = 0; at < length; at += Reader.CHUNK) {
            int n = (int) Math.min(Reader.CHUNK, length - at);
            reader.read(x, n);
            total.add(x, 0, n, at);
        }
        return total;
    }

    private static void oneRow(ReduceOp op, Strided in, long row, long length, Strided out) {
        if (whole(in)) {
            new Writer(out, row).write(new long[] {wholeRow(op, in, row, length).result()}, 1);
            return;
        }
        Partial[] blocks = new Partial[Math.toIntExact((length + BLOCK - 1) / BLOCK)];
        Parallel.range(blocks.length, 1, (from, to) -> {
            for (long block = from; block < to; block++) {
                long at = block * BLOCK;
                blocks[(int) block] = new Row(op, in, row * length + at).block(at, Math.min(BLOCK, length - at));
            }
        });
        for (int i = 1; i < blocks.length; i++) {
            blocks[0].merge(blocks[i]);
        }
        new Writer(out, row).write(new double[] {blocks[0].result(length)}, 1);
    }

    /** Reads rows one after another. */
    private static final class Row {
        private final ReduceOp op;
        private final Reader reader;
        private final float[] narrow;
        private final double[] wide;

        Row(ReduceOp op, Strided in, long from) {
            this.op = op;
            reader = new Reader(in, from);
            int size = Elementwise.size(0, in.count());
            narrow = new float[reader.isDouble() ? 0 : size];
            wide = new double[reader.isDouble() ? size : 0];
        }

        Partial block(long position, long length) {
            Partial partial = new Partial(op);
            for (long at = 0; at < length; at += Reader.CHUNK) {
                int n = (int) Math.min(Reader.CHUNK, length - at);
                if (reader.isDouble()) {
                    reader.read(wide, n);
                    partial.add(wide, 0, n, position + at);
                } else {
                    reader.read(narrow, n);
                    partial.add(narrow, 0, n, position + at);
                }
            }
            return partial;
        }
    }

    /** The last kept axis becomes the last of all: outputs of a tile of it are accumulated side by side. */
    private static void byColumns(ReduceOp op, Strided in, int kept, long length, Strided out) {
        int axis = kept - 1;
        while (in.sizes()[axis] == 1) {
            axis--;
        }
        Strided order = moveToEnd(in, axis);
        ColumnReductions inMemory = ColumnReductions.of(op, order, kept, out);
        if (inMemory != null) {
            inMemory.run(out);
            return;
        }
        long inner = in.sizes()[axis];
        long outer = out.count() / inner;
        int width = (int) Math.min(COLUMNS, inner);
        int steps = width == inner ? Reader.CHUNK / width : 1;
        long tiles = (inner + width - 1) / width;
        Parallel.items(outer * tiles, length * width, (from, to) -> {
            for (long tile = from; tile < to; tile++) {
                long column = tile % tiles * width;
                int columns = (int) Math.min(width, inner - column);
                Columns work = new Columns(op, order, tile / tiles * length, length, inner, column, columns, steps);
                work.run(new Writer(out, tile / tiles * inner + column));
            }
        });
    }

    private static Strided moveToEnd(Strided in, int axis) {
        int rank = in.rank();
        long[] sizes = new long[rank];
        long[] strides = new long[rank];
        int at = 0;
        for (int i = 0; i < rank; i++) {
            if (i != axis) {
                sizes[at] = in.sizes()[i];
                strides[at++] = in.strides()[i];
            }
        }
        sizes[at] = in.sizes()[axis];
        strides[at] = in.strides()[axis];
        return new Strided(in.buffer(), in.dtype(), in.offset(), sizes, strides);
    }

    /** {@code columns} outputs from {@code column} of {@code inner}, over {@code length} steps from {@code first}. */
    private record Columns(
            ReduceOp op, Strided in, long first, long length, long inner, long column, int columns, int steps) {
        void run(Writer writer) {
            if (whole(in)) {
                runWhole(writer);
            } else if (op == ReduceOp.SUM || op == ReduceOp.MEAN) {
                runSums(writer);
            } else {
                runOthers(writer);
            }
        }

        private void runSums(Writer writer) {
            double[] sums = new double[Math.max(columns, Chunk.CAPACITY)];
            Chunk x = Chunk.of(in.dtype() == org.tenon.DType.F64);
            Reader reader = new Reader(in, 0);
            for (long j = 0; j < length; j += steps) {
                int count = (int) Math.min(steps, length - j);
                reader.seek((first + j) * inner + column);
                x.read(reader, count * columns);
                for (int k = 0; k < count; k++) {
                    x.addRow(sums, k * columns, columns);
                }
            }
            if (op == ReduceOp.MEAN) {
                for (int i = 0; i < columns; i++) {
                    sums[i] /= length;
                }
            }
            writer.write(sums, columns);
        }

        private void runOthers(Writer writer) {
            Partial[] partials = new Partial[columns];
            Arrays.setAll(partials, i -> new Partial(op));
            Reader reader = new Reader(in, 0);
            float[] narrow = new float[columns];
            double[] wide = new double[columns];
            for (long j = 0; j < length; j++) {
                reader.seek((first + j) * inner + column);
                if (reader.isDouble()) {
                    reader.read(wide, columns);
                } else {
                    reader.read(narrow, columns);
                }
                for (int i = 0; i < columns; i++) {
                    partials[i].add(reader.isDouble() ? wide[i] : narrow[i], j);
                }
            }
            for (int i = 0; i < columns; i++) {
                wide[i] = partials[i].result(length);
            }
            writer.write(wide, columns);
        }

        private void runWhole(Writer writer) {
            WholePartial[] partials = new WholePartial[columns];
            Arrays.setAll(partials, i -> new WholePartial(op));
            Reader reader = new Reader(in, 0);
            long[] x = new long[columns];
            for (long j = 0; j < length; j++) {
                reader.seek((first + j) * inner + column);
                reader.read(x, columns);
                for (int i = 0; i < columns; i++) {
                    partials[i].add(x[i], j);
                }
            }
            for (int i = 0; i < columns; i++) {
                x[i] = partials[i].result();
            }
            writer.write(x, columns);
        }
    }
}

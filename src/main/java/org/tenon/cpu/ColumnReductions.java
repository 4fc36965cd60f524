package org.tenon.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.tenon.DType;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Strided;

/**
 * Reductions of float32 along an axis that is not the last, where the data lies: tiles of columns, in blocks of rows of a fixed size
 * whose results are joined in order. Columns are added up in float32 for {@link #PIECE} rows, and these sums in float64.
 *
 * @param x the memory
 * @param offset of the first element
 * @param outer slices, each of which gives {@code inner} results
 * @param outerStride between them
 * @param length rows of a slice
 * @param stride between them
 * @param inner columns, neighbours in memory
 */
record ColumnReductions(
        ReduceOp op, MemorySegment x, long offset, long outer, long outerStride, long length, long stride, long inner) {
    private static final FloatReductions LOOPS = Lanes.CHOSEN.reductions();
    private static final int WIDTH = 1024;
    private static final int PIECE = 64;
    /** Rows of a block. */
    private static final int BLOCK = 32 * PIECE;

    /** For {@code in} whose last axis holds the columns, behind the {@code kept - 1} other axes that are kept; or null. */
    static ColumnReductions of(ReduceOp op, Strided in, int kept, Strided out) {
        int last = in.rank() - 1;
        if (LOOPS == null
                || op == ReduceOp.LOGSUMEXP
                || in.dtype() != DType.F32
                || !out.isContiguous()
                || in.sizes()[last] < LOOPS.least()
                || in.strides()[last] != 1
                || !isOneAxis(in, 0, kept - 1)
                || !isOneAxis(in, kept - 1, last)) {
            return null;
        }
        return new ColumnReductions(
                op,
                CpuBuffer.segment(in),
                in.offset(),
                count(in, 0, kept - 1),
                stride(in, 0, kept - 1),
                count(in, kept - 1, last),
                stride(in, kept - 1, last),
                in.sizes()[last]);
    }

    private static long count(Strided in, int from, int to) {
        long count = 1;
        for (int i = from; i < to; i++) {
            count *= in.sizes()[i];
        }
        return count;
    }

    /** Of the last axis that has one. */
    private static long stride(Strided in, int from, int to) {
        for (int i = to - 1; i >= from; i--) {
            if (in.sizes()[i] > 1) {
                return in.strides()[i];
            }
        }
        return 0;
    }

    /** Whether axes {@code from} to {@code to} are as good as one. */
    private static boolean isOneAxis(Strided in, int from, int to) {
        long next = stride(in, from, to);
        for (int i = to - 1; i >= from; i--) {
            if (in.sizes()[i] > 1) {
                if (in.strides()[i] != next) {
                    return false;
                }
                next *= in.sizes()[i];
            }
        }
        return stride(in, from, to) >= 0;
    }

    /** The results, of all columns of one slice after another's. */
    void run(Strided out) {
        int width = (int) Math.min(WIDTH, inner);
        // The last tile takes what is too narrow for one of its own.
        long tiles = inner / width;
        int blocks = Math.toIntExact((length + BLOCK - 1) / BLOCK);
        Part[] parts = new Part[Math.toIntExact(outer * tiles * blocks)];
        long work = Math.max(1, Math.min(length, BLOCK) * width / 4);
        Parallel.items(parts.length, work, (from, to) -> {
            for (long i = from; i < to; i++) {
                long tile = i / blocks;
                long column = tile % tiles * width;
                int columns = (int) (tile % tiles == tiles - 1 ? inner - column : width);
                parts[(int) i] = part(tile / tiles * outerStride + column, columns, i % blocks * BLOCK);
            }
        });
        MemorySegment to = CpuBuffer.segment(out);
        for (int i = 0; i < parts.length; i += blocks) {
            for (int k = 1; k < blocks; k++) {
                parts[i].join(parts[i + k]);
            }
            long tile = i / blocks;
            write(parts[i], to, out.offset() + tile / tiles * inner + tile % tiles * width);
        }
    }

    /** The reduction of a block of rows. */
    private Part part(long at, int columns, long firstRow) {
        int rows = (int) Math.min(BLOCK, length - firstRow);
        long from = offset + at + firstRow * stride;
        return switch (op) {
            case SUM, MEAN -> sums(from, columns, rows);
            case MAX, MIN -> {
                float[] extremes = new float[columns];
                Arrays.fill(extremes, Float.NEGATIVE_INFINITY);
                for (int row = 0; row < rows; row += PIECE) {
                    int n = Math.min(PIECE, rows - row);
                    LOOPS.extendRows(x, from + row * stride, stride, n, columns, MemoryReductions.sign(op), extremes);
                }
                yield new Extremes(extremes);
            }
            case ARGMAX, ARGMIN -> positions(from, columns, firstRow, rows);
            case LOGSUMEXP -> throw new IllegalStateException(op + " goes by rows");
        };
    }

    private Sums sums(long from, int columns, int rows) {
        float[] some = new float[columns];
        double[] all = new double[columns];
        for (int row = 0; row < rows; row += PIECE) {
            LOOPS.addRows(x, from + row * stride, stride, Math.min(PIECE, rows - row), columns, some);
            for (int i = 0; i < columns; i++) {
                all[i] += some[i];
            }
            Arrays.fill(some, 0);
        }
        return new Sums(all);
    }

    private Positions positions(long from, int columns, long firstRow, int rows) {
        float sign = MemoryReductions.sign(op);
        float[] extremes = new float[columns];
        int[] positions = new int[columns];
        for (int i = 0; i < columns; i++) {
            extremes[i] = sign * x.getAtIndex(ValueLayout.JAVA_FLOAT, from + i);
        }
        for (int row = 0; row < rows; row += PIECE) {
            int n = Math.min(PIECE, rows - row);
            LOOPS.extendRows(x, from + row * stride, stride, n, columns, sign, extremes, row, positions);
        }
        long[] places = new long[columns];
        for (int i = 0; i < columns; i++) {
            places[i] = firstRow + positions[i];
        }
        return new Positions(extremes, places);
    }

    private void write(Part part, MemorySegment to, long at) {
        switch (part) {
            case Sums sums -> {
                double divisor = op == ReduceOp.MEAN ? length : 1;
                for (int i = 0; i < sums.values.length; i++) {
                    to.setAtIndex(ValueLayout.JAVA_FLOAT, at + i, (float) (sums.values[i] / divisor));
                }
            }
            case Extremes extremes -> {
                float sign = MemoryReductions.sign(op);
                for (int i = 0; i < extremes.values.length; i++) {
                    to.setAtIndex(ValueLayout.JAVA_FLOAT, at + i, sign * extremes.values[i]);
                }
            }
            case Positions positions -> {
                for (int i = 0; i < positions.places.length; i++) {
                    to.setAtIndex(ValueLayout.JAVA_LONG, at + i, positions.places[i]);
                }
            }
        }
    }

    /** What a block of rows gave for some columns. */
    private sealed interface Part {
        /** Takes in that of a later block of the same columns. */
        void join(Part later);
    }

    private record Sums(double[] values) implements Part {
        @Override
        public void join(Part later) {
            double[] more = ((Sums) later).values;
            for (int i = 0; i < values.length; i++) {
                values[i] += more[i];
            }
        }
    }

    private record Extremes(float[] values) implements Part {
        @Override
        public void join(Part later) {
            float[] more = ((Extremes) later).values;
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.max(values[i], more[i]);
            }
        }
    }

    private record Positions(float[] extremes, long[] places) implements Part {
        @Override
        public void join(Part later) {
            Positions more = (Positions) later;
            for (int i = 0; i < places.length; i++) {
                boolean isFirstNaN = more.extremes[i] != more.extremes[i] && extremes[i] == extremes[i];
                if (more.extremes[i] > extremes[i] || isFirstNaN) {
                    extremes[i] = more.extremes[i];
                    places[i] = more.places[i];
                }
            }
        }
    }
}

package org.tenon.cpu;

import org.tenon.DType;
import org.tenon.spi.Norm;
import org.tenon.spi.Strided;

/**
 * Layer norm and RMS norm of rows: mean, sum of squared deviations, result; backward two sums and the result. The gradients of
 * weight and bias are added up over runs of rows whose number depends on the shape alone, then over the runs in order, so that
 * threads change no bit.
 */
final class CpuNorm {
    /** The most runs of rows, and the most sums that all of them keep. */
    private static final int RUNS = 64;

    private static final long SUMS = 1 << 20;

    private CpuNorm() {}

    static void norm(Norm norm, Strided x, Strided out) {
        if (x.count() > 0) {
            Parallel.items(norm.rows().outer(), norm.rows().len(), (from, to) -> {
                NormSteps steps = steps(norm, null, x, out);
                for (long row = from; row < to; row++) {
                    steps.forward(row);
                }
            });
        }
    }

    static void normGrad(Norm norm, Strided g, Strided x, Strided dx, Strided dweight, Strided dbias) {
        long rows = x.count() == 0 ? 0 : norm.rows().outer();
        long columns = norm.rows().len();
        boolean affine = dweight != null || dbias != null;
        if (!affine) {
            Parallel.items(rows, columns, (from, to) -> backward(steps(norm, g, x, dx), from, to, dx, false));
            return;
        }
        long most = Math.clamp(rows * columns / Parallel.GRAIN, 1, Math.clamp(SUMS / Math.max(1, columns), 1, RUNS));
        long each = Math.max(1, (rows + most - 1) / most);
        NormSteps[] runs = new NormSteps[Math.toIntExact((rows + each - 1) / each)];
        Parallel.range(runs.length, 1, (begin, end) -> {
            for (int run = (int) begin; run < end; run++) {
                runs[run] = steps(norm, g, x, dx);
                backward(runs[run], run * each, Math.min(rows, (run + 1) * each), dx, true);
            }
        });
        total(runs, columns, dweight, NormSteps::weightSum);
        total(runs, columns, dbias, NormSteps::biasSum);
    }

    private static void backward(NormSteps steps, long from, long to, Strided dx, boolean affine) {
        for (long row = from; row < to; row++) {
            steps.backward(row, dx != null, affine);
        }
    }

    /** What the runs have for a column. */
    @FunctionalInterface
    private interface Sum {
        double of(NormSteps run, long column);
    }

    private static void total(NormSteps[] runs, long columns, Strided out, Sum sum) {
        if (out == null) {
            return;
        }
        Cells to = new Cells(out);
        for (long column = 0; column < columns; column++) {
            double total = 0;
            for (NormSteps run : runs) {
                total += sum.of(run, column);
            }
            to.set(column, total);
        }
    }

    private static NormSteps steps(Norm norm, Strided g, Strided x, Strided out) {
        boolean inMemory = Lanes.CHOSEN.norms() != null
                && norm.weight() != null
                && norm.rows().len() >= Lanes.CHOSEN.rows().least()
                && x.dtype() == DType.F32;
        return inMemory ? new MemoryNorm(norm, g, x, out) : new ChunkNorm(norm, g, x, out);
    }
}

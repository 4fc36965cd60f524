package org.tenon.cpu;

import org.tenon.spi.IndexCheck;
import org.tenon.spi.LossReduction;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** The negative log likelihood of classes and its backward. */
final class Nll {
    private static final long BLOCK = 8192;

    private final Rows rows;
    private final Cells target;
    private final Cells weight;
    private final Long ignored;

    Nll(Rows rows, Strided target, Strided weight, IndexCheck check) {
        this.rows = rows;
        this.target = new Cells(target);
        this.weight = weight == null ? null : new Cells(weight);
        this.ignored = check.ignored();
        Indexing.check(target, check);
    }

    static void forward(
            Strided logp,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            Strided out,
            Strided totalWeight) {
        Cells input = new Cells(logp);
        new Nll(rows, target, weight, check).forward((_, at) -> input.get(at), reduction, out, totalWeight);
    }

    /** The log-probability of row i's target, which is element {@code at} of the input. */
    @FunctionalInterface
    interface LogProbability {
        double of(long i, long at);
    }

    void forward(LogProbability logp, LossReduction reduction, Strided out, Strided totalWeight) {
        Cells result = new Cells(out);
        if (reduction == LossReduction.NONE) {
            Parallel.range(rows.count(), Parallel.GRAIN / 8, (from, to) -> {
                for (long i = from; i < to; i++) {
                    result.set(i, loss(logp, i));
                }
            });
            return;
        }
        int blocks = Math.toIntExact((rows.count() + BLOCK - 1) / BLOCK);
        double[] losses = new double[blocks];
        double[] weights = new double[blocks];
        Parallel.range(blocks, 1, (from, to) -> {
            for (long block = from; block < to; block++) {
                for (long i = block * BLOCK; i < Math.min(rows.count(), (block + 1) * BLOCK); i++) {
                    losses[(int) block] += loss(logp, i);
                    weights[(int) block] += weight(i);
                }
            }
        });
        double loss = 0;
        double total = 0;
        for (int i = 0; i < blocks; i++) {
            loss += losses[i];
            total += weights[i];
        }
        result.set(0, reduction == LossReduction.MEAN ? loss / total : loss);
        new Cells(totalWeight).set(0, total);
    }

    static void backward(
            Strided g,
            Rows rows,
            Strided target,
            Strided weight,
            LossReduction reduction,
            IndexCheck check,
            Strided totalWeight,
            Strided dx) {
        Nll nll = new Nll(rows, target, weight, check);
        Copies.fill(dx, 0);
        Cells gradient = new Cells(dx);
        Slopes slopes = nll.slopes(g, reduction, totalWeight);
        Parallel.range(rows.count(), Parallel.GRAIN / 8, (from, to) -> {
            for (long i = from; i < to; i++) {
                if (nll.counts(i)) {
                    gradient.set(nll.position(i), -slopes.of(i));
                }
            }
        });
    }

    /** {@code weight * g / total} of row i. */
    @FunctionalInterface
    interface Slopes {
        double of(long i);
    }

    Slopes slopes(Strided g, LossReduction reduction, Strided totalWeight) {
        Cells incoming = new Cells(g);
        double total = reduction == LossReduction.MEAN ? new Cells(totalWeight).get(0) : 1;
        return i -> weight(i) * incoming.get(reduction == LossReduction.NONE ? i : 0) / total;
    }

    /** Whether its target is not the ignored one. */
    boolean counts(long i) {
        return ignored == null || target.whole(i) != ignored;
    }

    long target(long i) {
        return target.whole(i);
    }

    private double weight(long i) {
        return !counts(i) ? 0 : weight == null ? 1 : weight.get(target.whole(i));
    }

    private long position(long i) {
        return (i / rows.inner() * rows.len() + target.whole(i)) * rows.inner() + i % rows.inner();
    }

    private double loss(LogProbability logp, long i) {
        return counts(i) ? -weight(i) * logp.of(i, position(i)) : 0;
    }
}

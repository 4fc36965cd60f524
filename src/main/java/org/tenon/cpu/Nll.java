package org.tenon.cpu;

import org.tenon.spi.ClassLoss;
import org.tenon.spi.LossReduction;
import org.tenon.spi.Rows;
import org.tenon.spi.Strided;

/** The negative log likelihood of classes and its backward. */
final class Nll {
    private static final long BLOCK = 8192;

    private final ClassLoss loss;
    private final Rows rows;
    private final Cells target;
    private final Cells weight;
    private final Long ignored;

    Nll(ClassLoss loss) {
        this.loss = loss;
        rows = loss.rows();
        target = new Cells(loss.target());
        weight = loss.weight() == null ? null : new Cells(loss.weight());
        ignored = loss.check().ignored();
        Indexing.check(loss.target(), loss.check());
    }

    static void forward(ClassLoss loss, Strided logp, Strided out) {
        Cells input = new Cells(logp);
        new Nll(loss).forward((_, at) -> input.get(at), out);
    }

    /** The log-probability of row i's target, which is element {@code at} of the input. */
    @FunctionalInterface
    interface LogProbability {
        double of(long i, long at);
    }

    void forward(LogProbability logp, Strided out) {
        Cells result = new Cells(out);
        if (!loss.isReduced()) {
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
                double sum = 0;
                double total = 0;
                for (long i = block * BLOCK; i < Math.min(rows.count(), (block + 1) * BLOCK); i++) {
                    sum += loss(logp, i);
                    total += weight(i);
                }
                losses[(int) block] = sum;
                weights[(int) block] = total;
            }
        });
        double sum = 0;
        double total = 0;
        for (int i = 0; i < blocks; i++) {
            sum += losses[i];
            total += weights[i];
        }
        result.set(0, loss.reduction() == LossReduction.MEAN ? sum / total : sum);
        new Cells(loss.total()).set(0, total);
    }

    static void backward(ClassLoss loss, Strided g, Strided dx) {
        Nll nll = new Nll(loss);
        Copies.fill(dx, 0);
        Cells gradient = new Cells(dx);
        Slopes slopes = nll.slopes(g);
        Parallel.range(loss.rows().count(), Parallel.GRAIN / 8, (from, to) -> {
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

    Slopes slopes(Strided g) {
        Cells incoming = new Cells(g);
        double total = loss.reduction() == LossReduction.MEAN ? new Cells(loss.total()).get(0) : 1;
        return i -> weight(i) * incoming.get(loss.isReduced() ? 0 : i) / total;
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

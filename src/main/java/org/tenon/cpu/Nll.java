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
                    long c = target.whole(i);
                    result.set(i, isCounted(c) ? -weightOf(c) * logp.of(i, position(i, c)) : 0);
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
                long end = Math.min(rows.count(), (block + 1) * BLOCK);
                for (long i = block * BLOCK; i < end; i++) {
                    long c = target.whole(i);
                    if (isCounted(c)) {
                        double w = weightOf(c);
                        sum -= w * logp.of(i, position(i, c));
                        total += w;
                    }
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
                    gradient.set(nll.position(i, nll.target(i)), -slopes.of(i));
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

    /** Whether the target of row i is not the ignored one. */
    boolean counts(long i) {
        return isCounted(target.whole(i));
    }

    long target(long i) {
        return target.whole(i);
    }

    private boolean isCounted(long c) {
        return ignored == null || c != ignored;
    }

    private double weight(long i) {
        long c = target.whole(i);
        return isCounted(c) ? weightOf(c) : 0;
    }

    private double weightOf(long c) {
        return weight == null ? 1 : weight.get(c);
    }

    /** Of class c of row i. */
    private long position(long i, long c) {
        long inner = rows.inner();
        return inner == 1 ? i * rows.len() + c : (i / inner * rows.len() + c) * inner + i % inner;
    }
}

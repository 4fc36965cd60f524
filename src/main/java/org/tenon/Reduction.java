package org.tenon;

import org.tenon.spi.LossReduction;

/**
 * What becomes of the losses of single elements, and what shape that leaves: a loss of shape {@code S} becomes {@code R}.
 *
 * @param <S> the shape of the single losses
 * @param <R> the shape of the result
 */
public final class Reduction<S extends Shape, R extends Shape> {
    private final LossReduction kind;

    private Reduction(LossReduction kind) {
        this.kind = kind;
    }

    /** They stay as they are: {@code reduction="none"}. */
    public static <S extends Shape> Reduction<S, S> none() {
        return new Reduction<>(LossReduction.NONE);
    }

    /** Their mean, weighted by the weights of the targets where a loss has weights: {@code reduction="mean"}. */
    public static <S extends Shape> Reduction<S, R0> mean() {
        return new Reduction<>(LossReduction.MEAN);
    }

    /** Their sum: {@code reduction="sum"}. */
    public static <S extends Shape> Reduction<S, R0> sum() {
        return new Reduction<>(LossReduction.SUM);
    }

    /** Their sum divided by the size of axis 0; {@code klDiv} only: {@code reduction="batchmean"}. */
    public static <S extends Shape> Reduction<S, R0> batchMean() {
        return new Reduction<>(LossReduction.BATCH_MEAN);
    }

    LossReduction kind() {
        return kind;
    }

    /** PyTorch's name of it. */
    @Override
    public String toString() {
        return switch (kind) {
            case NONE -> "none";
            case MEAN -> "mean";
            case SUM -> "sum";
            case BATCH_MEAN -> "batchmean";
        };
    }
}

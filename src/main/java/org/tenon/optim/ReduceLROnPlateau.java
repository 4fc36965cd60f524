package org.tenon.optim;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tenon.TensorArgumentException;

/**
 * Lowers the learning rates when a metric stops getting better: after more than {@code patience} bad steps in a row,
 * {@code lr = max(lr * factor, least)}. PyTorch: {@code ReduceLROnPlateau}.
 */
public final class ReduceLROnPlateau {
    private final Optimizer<?, ?> optimizer;
    private final Options options;
    private double best;
    private long bad;
    private long cooling;

    /** Which way is better. */
    public enum Mode {
        /** A loss: less is better. */
        MIN,
        /** An accuracy: more is better. */
        MAX
    }

    /**
     * How it decides. A metric is better than the best if it is less than {@code best (1 - threshold)}, or for
     * {@link Mode#MAX} more than {@code best (1 + threshold)}.
     *
     * @param mode which way is better
     * @param factor of the new rate, in (0, 1)
     * @param patience how many bad steps are borne
     * @param threshold the relative change that counts
     * @param cooldown how many steps after a change are not counted as bad
     * @param least the least learning rate
     */
    public record Options(Mode mode, double factor, long patience, double threshold, long cooldown, double least) {
        /** PyTorch's: {@code MIN, 0.1, 10, 1e-4, 0, 0}. */
        public static final Options DEFAULTS = new Options(Mode.MIN, 0.1, 10, 1e-4, 0, 0);

        /** With another direction. */
        public Options mode(Mode newMode) {
            return new Options(newMode, factor, patience, threshold, cooldown, least);
        }

        /** With another factor. */
        public Options factor(double newFactor) {
            return new Options(mode, newFactor, patience, threshold, cooldown, least);
        }

        /** With another patience. */
        public Options patience(long newPatience) {
            return new Options(mode, factor, newPatience, threshold, cooldown, least);
        }

        /** With another cooldown. */
        public Options cooldown(long newCooldown) {
            return new Options(mode, factor, patience, threshold, newCooldown, least);
        }

        /** With another least rate. */
        public Options least(double newLeast) {
            return new Options(mode, factor, patience, threshold, cooldown, newLeast);
        }
    }

    /** With these options. */
    public ReduceLROnPlateau(Optimizer<?, ?> optimizer, Options options) {
        if (!(options.factor() > 0 && options.factor() < 1)) {
            throw new TensorArgumentException("ReduceLROnPlateau", "factor " + options.factor() + " is outside (0, 1)");
        }
        this.optimizer = optimizer;
        this.options = options;
        best = options.mode() == Mode.MIN ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
    }

    /** One step more, with the metric it gave. NaN is never better. */
    public void step(double metric) {
        if (isBetter(metric)) {
            best = metric;
            bad = 0;
        } else {
            bad++;
        }
        if (cooling > 0) {
            cooling--;
            bad = 0;
        }
        if (bad > options.patience()) {
            optimizer.groups().forEach(group -> group.lr(Math.max(group.lr() * options.factor(), options.least())));
            cooling = options.cooldown();
            bad = 0;
        }
    }

    private boolean isBetter(double metric) {
        return switch (options.mode()) {
            case MIN -> metric < best * (1 - options.threshold()) || Double.isInfinite(best) && metric < best;
            case MAX -> metric > best * (1 + options.threshold()) || Double.isInfinite(best) && metric > best;
        };
    }

    /** What it remembers: {@code best}, {@code num_bad_epochs}, {@code cooldown_counter}. The rates are the optimizer's. */
    public Map<String, Double> state() {
        Map<String, Double> state = new LinkedHashMap<>();
        state.put("best", best);
        state.put("num_bad_epochs", (double) bad);
        state.put("cooldown_counter", (double) cooling);
        return state;
    }

    /** Goes on from a {@link #state}. */
    public void load(Map<String, Double> saved) {
        if (!saved.keySet().equals(state().keySet())) {
            throw new TensorArgumentException(
                    "ReduceLROnPlateau", "the state has " + saved.keySet() + "; " + state().keySet() + " are needed");
        }
        best = saved.get("best");
        bad = saved.get("num_bad_epochs").longValue();
        cooling = saved.get("cooldown_counter").longValue();
    }
}

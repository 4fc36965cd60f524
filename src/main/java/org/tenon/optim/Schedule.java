package org.tenon.optim;

import java.util.Arrays;
import java.util.List;
import org.tenon.TensorArgumentException;

/**
 * The learning rate as a function of the number of steps taken, 0 before the first. It has no state of its own, so schedules
 * compose, and a run can go on at any step. A {@link LRScheduler} applies one to an optimizer. PyTorch:
 * {@code torch.optim.lr_scheduler}.
 */
@FunctionalInterface
public interface Schedule {
    /** The learning rate after {@code step} steps of a group whose own is {@code base}. */
    double rate(double base, long step);

    /** {@code base}, always. */
    static Schedule constant() {
        return (base, step) -> base;
    }

    /** {@code base * factor(step)}. PyTorch: {@code LambdaLR}. */
    static Schedule lambda(java.util.function.LongToDoubleFunction factor) {
        return (base, step) -> base * factor.applyAsDouble(step);
    }

    /** Times {@code gamma} every {@code size} steps. PyTorch: {@code StepLR}. */
    static Schedule step(long size, double gamma) {
        check("step", size >= 1, "size " + size + " is not 1 or more");
        return (base, step) -> base * Math.pow(gamma, step / size);
    }

    /** Times {@code gamma} at each of these steps. PyTorch: {@code MultiStepLR}. */
    static Schedule multiStep(double gamma, long... milestones) {
        long[] sorted = milestones.clone();
        Arrays.sort(sorted);
        return (base, step) -> base
                * Math.pow(gamma, Arrays.stream(sorted).filter(m -> m <= step).count());
    }

    /** Times {@code gamma} every step. PyTorch: {@code ExponentialLR}. */
    static Schedule exponential(double gamma) {
        return (base, step) -> base * Math.pow(gamma, step);
    }

    /**
     * From {@code base} to {@code least} along half a cosine of {@code steps} steps, where it stays:
     * {@code least + (base - least) (1 + cos(pi step / steps)) / 2} (Loshchilov and Hutter 2017). PyTorch:
     * {@code CosineAnnealingLR}, which climbs again after as many steps.
     */
    static Schedule cosine(long steps, double least) {
        check("cosine", steps >= 1, steps + " steps are too few; take 1 or more");
        return (base, step) ->
                step >= steps ? least : least + (base - least) * (1 + Math.cos(Math.PI * step / steps)) / 2;
    }

    /**
     * From {@code start * base} to {@code end * base} in a straight line of {@code steps} steps, then {@code end * base}: a
     * warm-up for {@code start < end = 1}. PyTorch: {@code LinearLR}.
     */
    static Schedule linear(double start, double end, long steps) {
        check("linear", steps >= 1, steps + " steps are too few; take 1 or more");
        return (base, step) -> base * (start + (end - start) * Math.min(step, steps) / steps);
    }

    /**
     * One cycle (Smith and Topin 2018) with PyTorch's default numbers: up for 30 % of the steps from {@code base / 25} to
     * {@code base}, then down to {@code base / 250000}. Here {@code base} is the peak. PyTorch: {@code OneCycleLR}.
     */
    static Schedule oneCycle(long steps) {
        return oneCycle(steps, 0.3, 25, 1e4);
    }

    /**
     * One cycle of {@code steps} steps, 0 to {@code steps - 1}: along half a cosine from {@code base / divisor} up to
     * {@code base} for the fraction {@code rise}, then along half a cosine down to {@code base / divisor / finalDivisor}.
     */
    static Schedule oneCycle(long steps, double rise, double divisor, double finalDivisor) {
        check("oneCycle", steps >= 1, steps + " steps are too few; take 1 or more");
        check("oneCycle", rise >= 0 && rise <= 1, "the rise " + rise + " is outside [0, 1]");
        check("oneCycle", divisor > 0 && finalDivisor > 0, "divisors are positive");
        double top = rise * steps - 1;
        double end = steps - 1;
        return (base, step) -> {
            double low = base / divisor;
            double at = Math.min(step, end);
            return at <= top
                    ? between(low, base, top == 0 ? 1 : at / top)
                    : between(base, low / finalDivisor, (at - top) / (end - top));
        };
    }

    private static double between(double from, double to, double fraction) {
        return to + (from - to) / 2 * (1 + Math.cos(Math.PI * fraction));
    }

    /**
     * One schedule after another: the one of index i from step {@code milestones[i - 1]} on, each counting from its own start.
     * PyTorch: {@code SequentialLR}.
     */
    static Schedule sequential(List<Schedule> parts, long... milestones) {
        List<Schedule> all = List.copyOf(parts);
        long[] starts = milestones.clone();
        boolean rising = true;
        for (int i = 1; i < starts.length; i++) {
            rising &= starts[i - 1] < starts[i];
        }
        check(
                "sequential",
                rising && starts.length == all.size() - 1,
                all.size() + " schedules and milestones " + Arrays.toString(starts)
                        + "; give one milestone fewer than schedules, rising");
        return (base, step) -> {
            int i = 0;
            while (i < starts.length && starts[i] <= step) {
                i++;
            }
            return all.get(i).rate(base, i == 0 ? step : step - starts[i - 1]);
        };
    }

    /** This one times the factor of another, as PyTorch's schedulers chain. */
    default Schedule times(Schedule other) {
        return (base, step) -> rate(other.rate(base, step), step);
    }

    private static void check(String op, boolean good, String problem) {
        if (!good) {
            throw new TensorArgumentException(op, problem);
        }
    }
}

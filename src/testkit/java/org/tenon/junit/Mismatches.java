package org.tenon.junit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.opentest4j.AssertionFailedError;
import org.tenon.Tensor;

/** The elements that are not as expected: the first few in words, and the worst error. */
final class Mismatches {
    private static final int SHOWN = 5;

    private final long[] shape;
    private final List<String> first = new ArrayList<>();
    private long count;
    private double worst;

    Mismatches(long[] shape) {
        this.shape = shape;
    }

    void add(long index, double actual, double expected, double allowed) {
        double error = Math.abs(actual - expected);
        note(index, "%s, expected %s, error %.3g, allowed %.3g".formatted(actual, expected, error, allowed), error);
    }

    void add(long index, long actual, long expected) {
        note(index, actual + ", expected " + expected, Math.abs((double) actual - expected));
    }

    private void note(long index, String text, double error) {
        count++;
        worst = Double.isNaN(error) ? worst : Math.max(worst, error);
        if (first.size() < SHOWN) {
            first.add("  at " + position(index) + ": " + text);
        }
    }

    private String position(long index) {
        long[] position = new long[shape.length];
        long rest = index;
        for (int dim = shape.length - 1; dim >= 0; dim--) {
            position[dim] = rest % shape[dim];
            rest /= shape[dim];
        }
        return Arrays.toString(position);
    }

    /** Fails if there are any, of this many elements of a tensor. */
    void report(long elements, Tensor<?, ?, ?> actual) {
        if (count > 0) {
            throw new AssertionFailedError(
                    "%d of %d elements of %s %s on %s are not as expected; largest error %.3g%n%s%s"
                            .formatted(
                                    count,
                                    elements,
                                    actual.dtype(),
                                    Arrays.toString(shape),
                                    actual.device(),
                                    worst,
                                    String.join(System.lineSeparator(), first),
                                    count > first.size() ? System.lineSeparator() + "  ..." : ""));
        }
    }
}

package org.tenon.examples;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** How often each class was taken for each. */
final class Confusion {
    private final long[][] counts;

    /** A class, what it was taken for, and how often. */
    record Pair(int actual, int guess, long count) {}

    Confusion(int classes) {
        counts = new long[classes][classes];
    }

    void add(long[] actual, long[] guesses) {
        for (int i = 0; i < actual.length; i++) {
            counts[(int) actual[i]][(int) guesses[i]]++;
        }
    }

    /** The fraction that was taken for what it is. */
    double accuracy() {
        long right = 0;
        long all = 0;
        for (int i = 0; i < counts.length; i++) {
            for (int j = 0; j < counts.length; j++) {
                all += counts[i][j];
                right += i == j ? counts[i][j] : 0;
            }
        }
        return (double) right / all;
    }

    /** The mistakes made most often, at most so many kinds. */
    List<Pair> worst(int most) {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < counts.length; i++) {
            for (int j = 0; j < counts.length; j++) {
                if (i != j && counts[i][j] > 0) {
                    pairs.add(new Pair(i, j, counts[i][j]));
                }
            }
        }
        pairs.sort(Comparator.comparingLong(Pair::count).reversed());
        return pairs.subList(0, Math.min(most, pairs.size()));
    }
}

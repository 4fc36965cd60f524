package org.tenon.metrics;

import java.util.Arrays;

/** The numbers of one name. Of more points than a screen can show every other is dropped, again and again, the last never. */
final class Series {
    private static final int MOST = 8192;

    private long[] steps = new long[64];
    private double[] values = new double[64];
    private int size;
    private long told;
    private long stride = 1;
    private double least = Double.NaN;
    private long leastStep;
    private double most = Double.NaN;

    void add(long step, double value) {
        if (!(value >= least)) {
            if (!Double.isNaN(value)) {
                least = value;
                leastStep = step;
            }
        }
        if (!(value <= most) && !Double.isNaN(value)) {
            most = value;
        }
        // The last point is kept until a later one takes its place.
        boolean replaces = size > 0 && (told - 1) % stride != 0;
        told++;
        if (replaces) {
            size--;
        } else if (size == MOST) {
            halve();
        }
        if (size == steps.length) {
            steps = Arrays.copyOf(steps, 2 * size);
            values = Arrays.copyOf(values, 2 * size);
        }
        steps[size] = step;
        values[size++] = value;
    }

    private void halve() {
        size = (size + 1) / 2;
        for (int i = 0; i < size; i++) {
            steps[i] = steps[2 * i];
            values[i] = values[2 * i];
        }
        stride *= 2;
    }

    int size() {
        return size;
    }

    long step(int i) {
        return steps[i];
    }

    double value(int i) {
        return values[i];
    }

    double last() {
        return values[size - 1];
    }

    /** The least number told, NaN if all were NaN. */
    double least() {
        return least;
    }

    long leastStep() {
        return leastStep;
    }

    double most() {
        return most;
    }
}

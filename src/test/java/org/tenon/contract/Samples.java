package org.tenon.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Inputs: shapes with random numbers, and numbers at the edges. */
final class Samples {
    private static final long[][] SHAPES = {{}, {1}, {7}, {3, 5}, {2, 3, 4}, {0}, {3, 0}, {1, 33}, {65, 3}, {2, 1, 3, 2}
    };
    private static final double[] EDGES = {
        0, -0.0, 1, -1, 0.5, -2.5, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e-3, 80, -80
    };

    private Samples() {}

    static Array random(double low, double high, long... sizes) {
        Random random = new Random(java.util.Arrays.hashCode(sizes) + 31);
        return Array.of(sizes, index -> low + (high - low) * random.nextDouble());
    }

    /** One input of every shape. */
    static List<List<Array>> ones(double low, double high) {
        List<List<Array>> all = new ArrayList<>();
        for (long[] shape : SHAPES) {
            all.add(List.of(random(low, high, shape)));
        }
        return all;
    }

    /** One input of every shape, and the edges. */
    static List<List<Array>> onesAndEdges(double low, double high) {
        List<List<Array>> all = ones(low, high);
        all.add(List.of(new Array(EDGES, EDGES.length)));
        all.add(List.of(new Array(EDGES, 3, 4)));
        return all;
    }

    /** Inputs with an axis to reduce, of at least one element. */
    static List<List<Array>> filled(double low, double high) {
        List<List<Array>> all = ones(low, high);
        all.removeIf(inputs -> inputs.getFirst().data().length == 0);
        return all;
    }

    /** Inputs of rank two or more. */
    static List<List<Array>> matrices(double low, double high) {
        return List.of(
                List.of(random(low, high, 3, 5)),
                List.of(random(low, high, 1, 1)),
                List.of(random(low, high, 65, 33)),
                List.of(random(low, high, 4, 130)),
                List.of(random(low, high, 2, 3, 4)),
                List.of(random(low, high, 3, 2, 5, 2)));
    }

    /** Matrices with NaN, infinities and a row of nothing but -inf. */
    static List<List<Array>> matricesAndEdges(double low, double high) {
        List<List<Array>> all = new ArrayList<>(matrices(low, high));
        double inf = Double.POSITIVE_INFINITY;
        all.add(List.of(new Array(
                new double[] {0, 1, 2, -inf, -inf, -inf, 0, -inf, 1, Double.NaN, 1, 2, inf, 0, 1, inf, -inf, 0},
                6,
                3)));
        return all;
    }

    /** Two inputs, equal in shape or broadcast. */
    static List<List<Array>> pairs(double low, double high) {
        List<List<Array>> all = new ArrayList<>();
        for (long[] shape : SHAPES) {
            Array first = random(low, high, shape);
            all.add(List.of(first, first.map(v -> low + high - v)));
        }
        all.add(List.of(random(low, high, 3, 5), random(low, high, 5)));
        all.add(List.of(random(low, high, 3, 5), random(low, high, 3, 1)));
        all.add(List.of(random(low, high, 3, 1), random(low, high, 1, 4)));
        all.add(List.of(random(low, high, 2, 3, 4), random(low, high)));
        all.add(List.of(random(low, high, 70, 40), random(low, high, 40)));
        return all;
    }

    static List<List<Array>> pairsAndEdges(double low, double high) {
        List<List<Array>> all = pairs(low, high);
        Array across = new Array(EDGES, 1, EDGES.length);
        all.add(List.of(across.reshape(EDGES.length, 1), across));
        return all;
    }
}

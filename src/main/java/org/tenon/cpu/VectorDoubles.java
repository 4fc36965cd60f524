package org.tenon.cpu;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/** Rows of a product of doubles, added up in vectors. What is left of a row goes one by one, in the same order and with the same rounding. */
final class VectorDoubles {
    private static final VectorSpecies<Double> SPECIES =
            VectorSpecies.of(double.class, VectorMath.SPECIES.vectorShape());
    private static final int WIDTH = SPECIES.length();

    private VectorDoubles() {}

    /** {@code result[at + j] += sum of factors[p] * block[p * columns + j]} over p, one after another. */
    static void addRows(double[] factors, int depth, double[] block, int columns, double[] result, int at) {
        int whole = columns - columns % WIDTH;
        int p = 0;
        for (; p <= depth - 4; p += 4) {
            addFour(factors, p, block, columns, whole, result, at);
        }
        for (; p < depth; p++) {
            addOne(factors[p], block, p * columns, whole, result, at);
        }
        for (int j = whole; j < columns; j++) {
            double sum = result[at + j];
            for (int i = 0; i < depth; i++) {
                sum = Math.fma(factors[i], block[i * columns + j], sum);
            }
            result[at + j] = sum;
        }
    }

    private static void addFour(
            double[] factors, int p, double[] block, int columns, int whole, double[] result, int at) {
        DoubleVector f0 = DoubleVector.broadcast(SPECIES, factors[p]);
        DoubleVector f1 = DoubleVector.broadcast(SPECIES, factors[p + 1]);
        DoubleVector f2 = DoubleVector.broadcast(SPECIES, factors[p + 2]);
        DoubleVector f3 = DoubleVector.broadcast(SPECIES, factors[p + 3]);
        int from = p * columns;
        for (int j = 0; j < whole; j += WIDTH) {
            DoubleVector sum = f0.fma(
                    DoubleVector.fromArray(SPECIES, block, from + j), DoubleVector.fromArray(SPECIES, result, at + j));
            sum = f1.fma(DoubleVector.fromArray(SPECIES, block, from + columns + j), sum);
            sum = f2.fma(DoubleVector.fromArray(SPECIES, block, from + 2 * columns + j), sum);
            sum = f3.fma(DoubleVector.fromArray(SPECIES, block, from + 3 * columns + j), sum);
            sum.intoArray(result, at + j);
        }
    }

    private static void addOne(double factor, double[] block, int from, int whole, double[] result, int at) {
        DoubleVector f = DoubleVector.broadcast(SPECIES, factor);
        for (int j = 0; j < whole; j += WIDTH) {
            f.fma(DoubleVector.fromArray(SPECIES, block, from + j), DoubleVector.fromArray(SPECIES, result, at + j))
                    .intoArray(result, at + j);
        }
    }
}

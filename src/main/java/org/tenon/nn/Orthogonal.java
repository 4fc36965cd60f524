package org.tenon.nn;

/** Gram and Schmidt's method, each row taken twice so that rounding does not add up. */
final class Orthogonal {
    private Orthogonal() {}

    /** {@code count} orthonormal rows of {@code length} elements from random ones, which are not of full rank with probability 0. */
    static double[] rows(double[] random, int count, int length) {
        double[] q = random.clone();
        for (int i = 0; i < count; i++) {
            for (int pass = 0; pass < 2; pass++) {
                for (int j = 0; j < i; j++) {
                    double along = dot(q, i, j, length);
                    for (int k = 0; k < length; k++) {
                        q[i * length + k] -= along * q[j * length + k];
                    }
                }
            }
            double norm = Math.sqrt(dot(q, i, i, length));
            for (int k = 0; k < length; k++) {
                q[i * length + k] /= norm;
            }
        }
        return q;
    }

    private static double dot(double[] q, int i, int j, int length) {
        double sum = 0;
        for (int k = 0; k < length; k++) {
            sum += q[i * length + k] * q[j * length + k];
        }
        return sum;
    }
}

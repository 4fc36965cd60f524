package org.tenon.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tenon.DType;
import org.tenon.spi.Strided;

/** Row-major products in the words of BLAS, tried on its definition. */
class GemmTest {
    private static final int[] SIZES = {1, 2, 5};

    @Test
    void everyLayoutIsSaidRightOrNotAtAll() {
        int said = 0;
        int unsaid = 0;
        for (int batch : new int[] {1, 3}) {
            for (int m : SIZES) {
                for (int n : SIZES) {
                    for (int k : SIZES) {
                        for (Operands x : Operands.all(batch, m, k)) {
                            for (Operands y : Operands.all(batch, k, n)) {
                                if (check(x, y, batch, m, n, k)) {
                                    said++;
                                } else {
                                    unsaid++;
                                }
                            }
                        }
                    }
                }
            }
        }
        assertThat(said).isGreaterThan(5000);
        assertThat(unsaid).isGreaterThan(1000);
    }

    private static boolean check(Operands x, Operands y, int batch, int m, int n, int k) {
        Gemm gemm = Gemm.of(x.strided(), y.strided(), dense(batch, m, n));
        String what = x + " by " + y;
        assertThat(gemm != null).as(what).isEqualTo(x.expressible() && y.expressible());
        if (gemm == null) {
            return false;
        }
        double[] left = new Random(1).doubles(x.extent()).toArray();
        double[] right = new Random(2).doubles(y.extent()).toArray();
        double[] got = new double[batch * m * n];
        multiply(gemm, right, (int) y.offset(), left, (int) x.offset(), got);
        for (int b = 0; b < batch; b++) {
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double wanted = 0;
                    for (int l = 0; l < k; l++) {
                        wanted += left[x.at(b, i, l)] * right[y.at(b, l, j)];
                    }
                    assertThat(got[(b * m + i) * n + j]).as(what).isEqualTo(wanted);
                }
            }
        }
        return true;
    }

    private static Strided dense(long batch, long m, long n) {
        return new Strided(null, DType.F32, 0, new long[] {batch, m, n}, new long[] {m * n, n, 1});
    }

    /** As BLAS defines it, with the conditions it sets; out is dense. */
    private static void multiply(Gemm g, double[] a, int aFrom, double[] b, int bFrom, double[] out) {
        assertThat(g.a().ld()).isGreaterThanOrEqualTo(g.a().transposed() ? g.k() : g.m());
        assertThat(g.b().ld()).isGreaterThanOrEqualTo(g.b().transposed() ? g.n() : g.k());
        for (int p = 0; p < g.batch(); p++) {
            for (int j = 0; j < g.n(); j++) {
                for (int i = 0; i < g.m(); i++) {
                    double sum = 0;
                    for (int l = 0; l < g.k(); l++) {
                        sum += a[aFrom + at(g.a(), p, i, l)] * b[bFrom + at(g.b(), p, l, j)];
                    }
                    out[(int) (p * g.outStride()) + i + j * g.m()] = sum;
                }
            }
        }
    }

    private static int at(Gemm.Operand operand, int batch, int i, int j) {
        return (int) (batch * operand.stride() + (operand.transposed() ? j + i * operand.ld() : i + j * operand.ld()));
    }

    @Test
    void oneMatrixForAllIsOneProduct() {
        Gemm gemm = Gemm.of(
                new Strided(null, DType.F32, 0, new long[] {4, 3, 5}, new long[] {15, 5, 1}),
                new Strided(null, DType.F32, 0, new long[] {4, 5, 2}, new long[] {0, 2, 1}),
                dense(4, 3, 2));
        assertThat(gemm.batch()).isEqualTo(1);
        assertThat(gemm.n()).isEqualTo(12);
    }

    @Test
    void whatDoesNotFitAnIntIsLeftToOthers() {
        long huge = 1L << 31;
        assertThat(of(1, huge, 2, 2)).isNull();
        assertThat(of(1, 2, huge, 2)).isNull();
        assertThat(of(1, 2, 2, huge)).isNull();
        assertThat(of(huge, 2, 2, 2)).isNull();
        assertThat(of(1, huge - 1, 2, 2)).isNotNull();
        assertThat(of(2, 3, 4, 0)).as("empty sums").isNull();
        assertThat(Gemm.Operand.of(2, 2, huge, 1, 0)).as("rows too far apart").isNull();
    }

    private static Gemm of(long batch, long m, long n, long k) {
        return Gemm.of(
                new Strided(null, DType.F32, 0, new long[] {batch, m, k}, new long[] {m * k, k, 1}),
                new Strided(null, DType.F32, 0, new long[] {batch, k, n}, new long[] {k * n, n, 1}),
                dense(batch, m, n));
    }
}

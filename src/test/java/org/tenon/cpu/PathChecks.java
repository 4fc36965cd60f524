package org.tenon.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import org.tenon.Any;
import org.tenon.BceOptions;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.KlTarget;
import org.tenon.NormOptions;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.Tensor;

/** Ops that have loops of their own for each width of vectors, against double precision. Run as {@link #main}, it says what it ran on. */
final class PathChecks {
    private static final int[] LENGTHS = {1, 3, 4, 5, 8, 9, 15, 16, 17, 33, 64, 100, 2049};
    private static final int[][] PRODUCTS = {
        {1, 1, 1},
        {1, 40, 50},
        {2, 300, 70},
        {5, 9, 600},
        {6, 9, 33},
        {40, 50, 1},
        {70, 300, 3},
        {9, 20, 5},
        {3, 17, 2},
        {13, 300, 65},
        {100, 64, 100},
        {7, 1, 40},
        {4, 1000, 4}
    };

    private final Device<Cpu> cpu = Devices.cpu();
    private int checks;

    private PathChecks() {}

    public static void main(String[] arguments) {
        PathChecks all = new PathChecks();
        Scope.run(all::run);
        System.out.println("device " + Devices.cpu().description());
        System.out.println("checks " + all.checks);
    }

    private void run() {
        for (int n : LENGTHS) {
            unary("exp", F::exp, Math::exp, n);
            unary("log", x -> F.log(F.exp(x)), x -> x, n);
            unary("tanh", F::tanh, Math::tanh, n);
            unary("sigmoid", F::sigmoid, x -> 1 / (1 + Math.exp(-x)), n);
            unary("gelu", F::gelu, x -> 0.5 * x * (1 + CpuMath.erf(x * Math.sqrt(0.5))), n);
            unary("relu", F::relu, x -> Math.max(x, 0), n);
            unary("sqrt", x -> F.sqrt(x.abs()), x -> Math.sqrt(Math.abs(x)), n);
            unary("where", x -> F.where(x.gt(0), x, x.mul(2)), x -> x > 0 ? x : 2 * x, n);
            rows(n);
            losses(n);
            columns(n);
            classes(n);
            rowsAlone(n);
        }
        for (int[] sizes : PRODUCTS) {
            for (int form = 0; form < 4; form++) {
                product(sizes[0], sizes[1], sizes[2], form);
            }
        }
    }

    private static double[] values(int n, long seed) {
        return new Random(seed).doubles(n, -4, 4).map(v -> (float) v).toArray();
    }

    private void unary(String name, UnaryOperator<Tensor<Any, F32, Cpu>> op, DoubleUnaryOperator reference, int n) {
        double[] x = values(n, n);
        float[] y = op.apply(cpu.tensor(x, Any.of(n)).to(DType.F32)).toFloatArray();
        for (int i = 0; i < n; i++) {
            near(name, i, y[i], reference.applyAsDouble(x[i]), 2e-6);
        }
    }

    private void rows(int n) {
        int count = 3;
        double[] x = values(count * n, n);
        Tensor<R2<Dim, Dim>, F32, Cpu> rows =
                cpu.tensor(x, R2.<Dim, Dim>of(count, n)).to(DType.F32);
        float[] logs = F.logSoftmax(rows, -1).toFloatArray();
        float[] shares = F.softmax(rows, -1).toFloatArray();
        float[] sums = rows.sum(R2.dim1()).toFloatArray();
        for (int row = 0; row < count; row++) {
            double total = 0;
            double sum = 0;
            double size = 0;
            for (int i = 0; i < n; i++) {
                total += Math.exp(x[row * n + i]);
                sum += x[row * n + i];
                size += Math.abs(x[row * n + i]);
            }
            near("sum", n, sums[row], sum, 1e-6 * size);
            for (int i = 0; i < n; i++) {
                double log = x[row * n + i] - Math.log(total);
                near("logSoftmax", n, logs[row * n + i], log, 3e-6);
                near("softmax", n, shares[row * n + i], Math.exp(log), 3e-6);
            }
        }
    }

    private void losses(int n) {
        double[] x = values(n, n);
        double[] t = Arrays.stream(values(n, n + 1))
                .map(v -> (float) Math.abs(v) / 4)
                .toArray();
        loss(
                "klDiv",
                (a, b) -> F.klDiv(a, b, KlTarget.PROBABILITIES, Reduction.mean()),
                x,
                t,
                (a, b) -> b == 0 ? 0 : b * (Math.log(b) - a),
                (a, b) -> -b);
        loss(
                "klDiv of logarithms",
                (a, b) -> F.klDiv(a, b, KlTarget.LOG_PROBABILITIES, Reduction.mean()),
                x,
                t,
                (a, b) -> Math.exp(b) * (b - a),
                (a, b) -> -Math.exp(b));
        loss(
                "mseLoss",
                (a, b) -> F.mseLoss(a, b, Reduction.mean()),
                x,
                t,
                (a, b) -> (a - b) * (a - b),
                (a, b) -> 2 * (a - b));
        loss(
                "l1Loss",
                (a, b) -> F.l1Loss(a, b, Reduction.mean()),
                x,
                t,
                (a, b) -> Math.abs(a - b),
                (a, b) -> Math.signum(a - b));
        loss(
                "huberLoss",
                (a, b) -> F.huberLoss(a, b, 0.7, Reduction.mean()),
                x,
                t,
                (a, b) -> Math.abs(a - b) <= 0.7 ? (a - b) * (a - b) / 2 : 0.7 * (Math.abs(a - b) - 0.35),
                (a, b) -> Math.clamp(a - b, -0.7, 0.7));
        loss(
                "smoothL1Loss",
                (a, b) -> F.smoothL1Loss(a, b, 0.7, Reduction.mean()),
                x,
                t,
                (a, b) -> Math.abs(a - b) < 0.7 ? (a - b) * (a - b) / 1.4 : Math.abs(a - b) - 0.35,
                (a, b) -> Math.clamp((a - b) / 0.7, -1, 1));
        loss(
                "binaryCrossEntropyWithLogits",
                (a, b) -> F.binaryCrossEntropyWithLogits(a, b, BceOptions.defaults(), Reduction.mean()),
                x,
                t,
                (a, b) -> (1 - b) * a + Math.log1p(Math.exp(-a)),
                (a, b) -> 1 / (1 + Math.exp(-a)) - b);
    }

    private void loss(
            String name,
            BiFunction<Tensor<R1<Dim>, F32, Cpu>, Tensor<R1<Dim>, F32, Cpu>, Tensor<R0, F32, Cpu>> op,
            double[] x,
            double[] t,
            DoubleBinaryOperator term,
            DoubleBinaryOperator slope) {
        int n = x.length;
        Tensor<R1<Dim>, F32, Cpu> leaf = cpu.<Dim>tensor(x).to(DType.F32).requireGrad();
        Tensor<R0, F32, Cpu> loss = op.apply(leaf, cpu.<Dim>tensor(t).to(DType.F32));
        double sum = 0;
        double size = 0;
        for (int i = 0; i < n; i++) {
            sum += term.applyAsDouble(x[i], t[i]);
            size += Math.abs(x[i]) + Math.abs(t[i]) + 1;
        }
        near(name, n, loss.item(), sum / n, 1e-6 * size / n);
        float[] slopes = loss.backward().get(leaf).toFloatArray();
        for (int i = 0; i < n; i++) {
            near("gradient of " + name, i, slopes[i] * n, slope.applyAsDouble(x[i], t[i]), 4e-6);
        }
    }

    private void columns(int n) {
        int count = 70;
        double[] x = values(count * n, n);
        Tensor<R2<Dim, Dim>, F32, Cpu> rows =
                cpu.tensor(x, R2.<Dim, Dim>of(count, n)).to(DType.F32);
        float[] sums = rows.sum(R2.dim0()).toFloatArray();
        float[] largest = rows.max(R2.dim0()).toFloatArray();
        long[] places = rows.argmin(R2.dim0()).toLongArray();
        for (int i = 0; i < n; i++) {
            double sum = 0;
            double top = x[i];
            int least = 0;
            for (int row = 0; row < count; row++) {
                sum += x[row * n + i];
                top = Math.max(top, x[row * n + i]);
                least = x[row * n + i] < x[least * n + i] ? row : least;
            }
            near("sum of a column", i, sums[i], sum, 1e-5 * count);
            near("largest of a column", i, largest[i], top, 0);
            near("least of a column", i, places[i], least, 0);
        }
    }

    /** Cross entropy of some rows, of which one does not count, and its slope. */
    private void classes(int n) {
        int count = 21;
        double[] x = values(count * n, n);
        long[] targets = new long[count];
        for (int row = 0; row < count; row++) {
            targets[row] = row == 5 ? -100 : row % n;
        }
        Tensor<R2<Dim, Dim>, F32, Cpu> rows =
                cpu.tensor(x, R2.<Dim, Dim>of(count, n)).to(DType.F32).detach().requireGrad();
        Tensor<R0, F32, Cpu> loss = F.crossEntropy(rows, cpu.tensor(targets, R1.of(count)));
        float[] slopes = loss.backward().get(rows).toFloatArray();
        double expected = 0;
        for (int row = 0; row < count; row++) {
            double total = 0;
            for (int i = 0; i < n; i++) {
                total += Math.exp(x[row * n + i]);
            }
            for (int i = 0; i < n; i++) {
                double share = Math.exp(x[row * n + i]) / total;
                double slope = row == 5 ? 0 : (share - (i == targets[row] ? 1 : 0)) / (count - 1);
                near("slope of cross entropy", n, slopes[row * n + i], slope, 1e-6);
            }
            if (row != 5) {
                expected += Math.log(total) - x[row * n + (int) targets[row]];
            }
        }
        near("crossEntropy", n, loss.item(), expected / (count - 1), 3e-6);
    }

    /** A row has the same bits alone as among others, of which some thread or other goes through some. */
    private void rowsAlone(int n) {
        int count = 65;
        Tensor<R2<Dim, Dim>, F32, Cpu> x =
                cpu.tensor(values(count * n, n), R2.<Dim, Dim>of(count, n)).to(DType.F32);
        Tensor<R2<Dim, Dim>, F32, Cpu> g =
                cpu.tensor(values(count * n, n + 1), R2.<Dim, Dim>of(count, n)).to(DType.F32);
        List<UnaryOperator<Tensor<R2<Dim, Dim>, F32, Cpu>>> ops = List.of(
                y -> F.logSoftmax(y, -1),
                y -> F.softmax(y, -1),
                y -> F.rmsNorm(y, new long[] {n}, NormOptions.defaults()));
        for (UnaryOperator<Tensor<R2<Dim, Dim>, F32, Cpu>> op : ops) {
            float[] results = op.apply(x).toFloatArray();
            float[] all = slope(op, x, g);
            for (int row = 0; row < count; row++) {
                Tensor<R2<Dim, Dim>, F32, Cpu> one = x.narrow(0, row, 1).as(R2.kind());
                float[] result = op.apply(one).toFloatArray();
                float[] alone = slope(op, one, g.narrow(0, row, 1).as(R2.kind()));
                for (int i = 0; i < n; i++) {
                    near("a row alone", i, result[i], results[row * n + i], 0);
                    near("gradient of a row alone", i, alone[i], all[row * n + i], 0);
                }
            }
        }
    }

    private static float[] slope(
            UnaryOperator<Tensor<R2<Dim, Dim>, F32, Cpu>> op,
            Tensor<R2<Dim, Dim>, F32, Cpu> x,
            Tensor<R2<Dim, Dim>, F32, Cpu> g) {
        Tensor<R2<Dim, Dim>, F32, Cpu> leaf = x.detach().requireGrad();
        return op.apply(leaf).mul(g).sum().backward().get(leaf).toFloatArray();
    }

    /** The operands as they are, or laid out as their transposes. */
    private void product(int m, int k, int n, int form) {
        double[] a = values(m * k, 1);
        double[] b = values(k * n, 2);
        Tensor<R2<Dim, Dim>, F32, Cpu> x = matrix(a, m, k, (form & 1) != 0);
        Tensor<R2<Dim, Dim>, F32, Cpu> y = matrix(b, k, n, (form & 2) != 0);
        String what = "product %d by %d by %d, form %d".formatted(m, k, n, form);
        float[] z = F.matmul(x, y).toFloatArray();
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                double size = 0;
                for (int p = 0; p < k; p++) {
                    sum += a[i * k + p] * b[p * n + j];
                    size += Math.abs(a[i * k + p] * b[p * n + j]);
                }
                near(what, i * n + j, z[i * n + j], sum, 1e-6 * size);
            }
        }
    }

    private Tensor<R2<Dim, Dim>, F32, Cpu> matrix(double[] values, int rows, int columns, boolean transposed) {
        Tensor<Any, F32, Cpu> x = cpu.tensor(values, Any.of(rows, columns)).to(DType.F32);
        Tensor<Any, F32, Cpu> laid = transposed ? x.transpose(0, 1).contiguous().transpose(0, 1) : x;
        return laid.as(R2.<Dim, Dim>kind());
    }

    private void near(String what, int number, double actual, double expected, double tolerance) {
        checks++;
        if (!(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)))) {
            throw new AssertionError(what + ", " + number + ": " + actual + " in place of " + expected);
        }
    }
}

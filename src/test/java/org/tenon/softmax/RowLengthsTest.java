package org.tenon.softmax;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tenon.DType.F32;
import static org.tenon.junit.TensorAssertions.assertClose;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.tenon.Cpu;
import org.tenon.CrossEntropyOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.KeepGraph;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;

/**
 * Softmax and its gradients at every length where an implementation goes another way, and one either side: vectors, batches
 * and pieces of rows on the CPU, groups of threads on GPUs. Rows have parts of very different size, and one without a number.
 */
@Tag("plain")
class RowLengthsTest {
    private static final int[] THRESHOLDS = {
        8, 16, 32, 48, 64, 128, 256, 512, 1024, 2048, 2064, 3072, 4096, 4112, 6160, 8192, 12288, 16384
    };
    private static final int ROWS = 19;

    @DeviceTest
    void everyLength(Device<?> device) {
        for (int threshold : THRESHOLDS) {
            for (int length = threshold - 1; length <= threshold + 1; length++) {
                int n = length;
                Scope.run(() -> length(device, n));
            }
        }
    }

    private static <Dev extends DeviceType> void length(Device<Dev> device, int length) {
        double[] x = logits(length);
        double[] slopes =
                new Random(2).doubles(x.length, -1, 1).map(v -> (float) v).toArray();
        double[] logs = new double[x.length];
        double[] shares = new double[x.length];
        double[] logSlopes = new double[x.length];
        double[] shareSlopes = new double[x.length];
        for (int row = 0; row < x.length; row += length) {
            double top = IntStream.range(row, row + length)
                    .mapToDouble(i -> x[i])
                    .max()
                    .orElseThrow();
            double sum = IntStream.range(row, row + length)
                    .mapToDouble(i -> Math.exp(x[i] - top))
                    .sum();
            double total = 0;
            double dot = 0;
            for (int i = row; i < row + length; i++) {
                logs[i] = x[i] - top - Math.log(sum);
                shares[i] = Math.exp(logs[i]);
                total += slopes[i];
                dot += slopes[i] * shares[i];
            }
            for (int i = row; i < row + length; i++) {
                logSlopes[i] = slopes[i] - shares[i] * total;
                shareSlopes[i] = shares[i] * (slopes[i] - dot);
            }
        }
        R2<Dim, Dim> shape = R2.of(ROWS, length);
        Tensor<R2<Dim, Dim>, F32, Dev> leaf = device.tensor(x, shape).to(F32).requireGrad();
        Tensor<R2<Dim, Dim>, F32, Dev> g = device.tensor(slopes, shape).to(F32);
        Tensor<R2<Dim, Dim>, F32, Dev> log = F.logSoftmax(leaf, -1);
        Tensor<R2<Dim, Dim>, F32, Dev> share = F.softmax(leaf, -1);
        assertClose(log, logs);
        assertClose(share, shares);
        assertClose(log.backward(g, KeepGraph.RETAIN).get(leaf), logSlopes);
        assertClose(share.backward(g, KeepGraph.RETAIN).get(leaf), shareSlopes);
        entropy(leaf, logs, shares);
    }

    /** Cross entropy, each row against another class, one of which is ignored. */
    private static <Dev extends DeviceType> void entropy(
            Tensor<R2<Dim, Dim>, F32, Dev> leaf, double[] logs, double[] shares) {
        int length = logs.length / ROWS;
        int ignored = 4;
        double[] losses = new double[ROWS];
        double[] slopes = shares.clone();
        int[] targets = new int[ROWS];
        double[] factors = new double[ROWS];
        for (int row = 0; row < ROWS; row++) {
            targets[row] = row == ignored ? -1 : row * 31 % (length / 4);
            factors[row] = row % 5 - 1.5;
            losses[row] = row == ignored ? 0 : -logs[row * length + targets[row]];
            for (int i = row * length; i < (row + 1) * length; i++) {
                boolean own = i == row * length + targets[row];
                slopes[i] = row == ignored ? 0 : factors[row] * (shares[i] - (own ? 1 : 0));
            }
        }
        Tensor<R1<Dim>, F32, Dev> loss = F.crossEntropy(
                leaf,
                leaf.device().tensor(targets, R1.of(ROWS)),
                CrossEntropyOptions.<F32, Dev>defaults().ignoreIndex(-1),
                Reduction.none());
        assertClose(loss, losses);
        Tensor<R1<Dim>, F32, Dev> g = leaf.device().tensor(factors, R1.of(ROWS)).to(F32);
        assertClose(loss.backward(g).get(leaf), slopes);
    }

    /** The largest is at another place in each row; the middle of every third row has no number at all. */
    private static double[] logits(int length) {
        Random random = new Random(length);
        double[] x = new double[ROWS * length];
        for (int i = 0; i < x.length; i++) {
            int row = i / length;
            int at = i % length;
            double slant = 30.0 * (row % 2 == 0 ? at : length - at) / length;
            boolean none = row % 3 == 2 && at >= length / 4 && at < length - length / 4;
            x[i] = none ? Double.NEGATIVE_INFINITY : (float) (slant + random.nextGaussian());
        }
        return x;
    }

    /** What a row becomes does not depend on how many there are, nor on which thread takes it. */
    @DeviceTest
    void aRowIsTheSameAmongOthers(Device<?> device) {
        Scope.run(() -> alone(device));
    }

    private static <Dev extends DeviceType> void alone(Device<Dev> device) {
        for (int length : new int[] {17, 100, 1000, 2064, 5000}) {
            R2<Dim, Dim> shape = R2.of(ROWS, length);
            Tensor<R2<Dim, Dim>, F32, Dev> x =
                    device.tensor(logits(length), shape).to(F32);
            Tensor<R2<Dim, Dim>, F32, Dev> all = F.logSoftmax(x, -1);
            Tensor<R2<Dim, Dim>, F32, Dev> shares = F.softmax(x, -1);
            for (int row = 0; row < ROWS; row += 3) {
                var one = x.slice(0, row, row + 1).contiguous();
                assertThat(F.logSoftmax(one, -1).toFloatArray())
                        .isEqualTo(all.slice(0, row, row + 1).toFloatArray());
                assertThat(F.softmax(one, -1).toFloatArray())
                        .isEqualTo(shares.slice(0, row, row + 1).toFloatArray());
            }
        }
    }

    /** On the CPU few long rows are cut for the threads, many are not. */
    @Test
    void longRowsFewAndMany() {
        int length = 70_000;
        for (int rows : new int[] {1, 63, 64}) {
            R2<Dim, Dim> shape = R2.of(rows, length);
            double[] x = new Random(rows)
                    .doubles((long) rows * length, -20, 20)
                    .map(v -> (float) v)
                    .toArray();
            Scope.run(() -> {
                Tensor<R2<Dim, Dim>, F64, Cpu> wide = Devices.cpu().tensor(x, shape);
                assertClose(F.logSoftmax(wide.to(F32), -1), F.logSoftmax(wide, -1));
                assertClose(F.softmax(wide.to(F32), -1), F.softmax(wide, -1));
            });
        }
    }
}

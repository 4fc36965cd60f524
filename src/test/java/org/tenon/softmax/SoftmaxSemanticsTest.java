package org.tenon.softmax;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.tenon.DType.BF16;
import static org.tenon.DType.F16;
import static org.tenon.DType.F32;
import static org.tenon.DType.F64;
import static org.tenon.DType.I64;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.tenon.Any;
import org.tenon.CrossEntropyOptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.NllLossOptions;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.SoftmaxOptions;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;
import org.tenon.op.Random;

/** The values that the softmax family returns, edge by edge, on every device. */
@Tag("plain")
class SoftmaxSemanticsTest {
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final double NAN = Double.NaN;

    @DeviceTest
    void aCommonOffsetChangesNothing(Device<?> device) {
        Scope.run(() -> offset(device));
    }

    private static <Dev extends DeviceType> void offset(Device<Dev> device) {
        for (long length : new long[] {3, 64, 1000, 5000}) {
            Tensor<R2<Dim, Dim>, F32, Dev> x =
                    device.randint(R2.<Dim, Dim>of(4, length), -8, 8).to(F32);
            assertThat(F.logSoftmax(x.add(1e7), -1).toFloatArray())
                    .isEqualTo(F.logSoftmax(x, -1).toFloatArray());
            assertThat(F.logSoftmax(x.to(F16).add(1.5e3), -1).toFloatArray())
                    .isEqualTo(F.logSoftmax(x.to(F16), -1).toFloatArray());
        }
    }

    @DeviceTest
    void rowsWithEdges(Device<?> device) {
        Scope.run(() -> edges(device));
    }

    private static <Dev extends DeviceType> void edges(Device<Dev> device) {
        double[][] rows = {{-INF, -INF, -INF}, {INF, 0, 1}, {NAN, 0, 1}, {0, -INF, 0}, {INF, INF, -INF}};
        Tensor<R2<Dim, Dim>, F64, Dev> y = F.logSoftmax(device.<Dim, Dim>tensor(rows), -1);
        double half = -Math.log(2);
        assertThat(y.toDoubleArray())
                .containsExactly(NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, half, -INF, half, NAN, NAN, NAN);
        assertThat(F.logSoftmax(device.<Dim>tensor(0.0, -INF), 0).toDoubleArray())
                .containsExactly(0, -INF);
        assertThat(F.softmax(device.<Dim>tensor(0.0, -INF), 0).toDoubleArray()).containsExactly(1, 0);
        for (long length : new long[] {63, 2047, 2049, 70_000}) {
            for (double bad : new double[] {NAN, INF}) {
                double[] row = new double[(int) length];
                row[row.length - 1] = bad;
                assertThat(F.logSoftmax(device.tensor(row, R1.<Dim>of(length)).to(F32), 0)
                                .toDoubleArray())
                        .containsOnly(NAN);
            }
        }
    }

    @DeviceTest
    void theGradientAtMinusInfinityIsTheIncomingOne(Device<?> device) {
        Scope.run(() -> minusInfinity(device));
    }

    private static <Dev extends DeviceType> void minusInfinity(Device<Dev> device) {
        Tensor<R1<Dim>, F64, Dev> x = device.<Dim>tensor(0.0, -INF, 1).requireGrad();
        Tensor<R1<Dim>, F64, Dev> g = device.tensor(3.0, 5, 7);
        assertThat(F.logSoftmax(x, 0).backward(g).get(x).toDoubleArray()[1]).isEqualTo(5);
    }

    @DeviceTest
    void scalarsAndAxesOfOne(Device<?> device) {
        Scope.run(() -> {
            for (int dim : new int[] {0, -1}) {
                assertThat(F.logSoftmax(device.scalar(3, F32), dim).item()).isZero();
                assertThat(F.softmax(device.scalar(3, F32), dim).item()).isEqualTo(1);
                assertThat(F.softmax(device.scalar(NAN, F32), dim).item()).isNaN();
                assertThat(F.logSoftmax(device.scalar(INF, F32), dim).item()).isNaN();
            }
            assertThat(F.logSoftmax(device.ones(R2.of(4, 1)), 1).toDoubleArray())
                    .containsOnly(0);
            assertThat(F.softmax(device.ones(R2.of(1, 4)), 0).toDoubleArray()).containsOnly(1);
        });
    }

    @DeviceTest
    void emptyTensors(Device<?> device) {
        Scope.run(() -> {
            for (int dim : new int[] {0, 1, -1, -2}) {
                assertThat(F.logSoftmax(device.zeros(R2.of(0, 5)), dim).shape()).containsExactly(0, 5);
                assertThat(F.softmax(device.zeros(R2.of(5, 0), F16), dim).shape())
                        .containsExactly(5, 0);
                assertThat(F.softmax(device.zeros(R2.of(5, 0), I64), dim, BF16).shape())
                        .containsExactly(5, 0);
            }
        });
    }

    @DeviceTest
    void aDimOutOfRange(Device<?> device) {
        Scope.run(() -> {
            assertThatThrownBy(() -> F.logSoftmax(device.zeros(R2.of(2, 5)), 2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("logSoftmax: dim 2 is outside [-2, 1] for a tensor of shape [2, 5]");
            assertThatThrownBy(() -> F.softmax(device.scalar(1, F32), 1)).hasMessageContaining("[-1, 0]");
        });
    }

    @DeviceTest
    void theGradientComesBackInTheInputsType(Device<?> device) {
        Scope.run(() -> halfGradient(device));
    }

    private static <Dev extends DeviceType> void halfGradient(Device<Dev> device) {
        var x = device.randn(R2.<Dim, Dim>of(3, 4), F16, new Generator(1)).requireGrad();
        var y = F.logSoftmax(x, SoftmaxOptions.along(-1).dtype(F32));
        assertThat(y.dtype()).isEqualTo(F32);
        assertThat(y.backward(device.ones(R2.of(3, 4))).get(x).dtype()).isEqualTo(F16);
        assertThat(F.logSoftmax(x, SoftmaxOptions.along(0)).dtype()).isEqualTo(F16);
    }

    /** A tensor cast first would lie in the device's cache afterwards. */
    @DeviceTest
    void wideningIsPartOfTheSamePass(Device<?> device) {
        Scope.run(() -> {
            Tensor<?, ?, ?> half = device.randn(R2.of(512, 1024), F16, new Generator(1));
            Tensor<?, ?, ?> brain = device.zeros(R2.of(512, 1024), BF16);
            for (Tensor<?, ?, ?> x : List.of(half, brain)) {
                for (int dim : new int[] {0, 1}) {
                    device.trimMemory();
                    Tensor<?, F32, ?> y = F.logSoftmax(x, dim, F32);
                    assertThat(device.memory().cachedBytes()).isLessThan(y.numel() * F32.bytes());
                }
            }
        });
    }

    // ---- nll_loss, cross_entropy, kl_div

    @DeviceTest
    void reductionsOfNllLoss(Device<?> device) {
        Scope.run(() -> nll(device));
    }

    private static <Dev extends DeviceType> void nll(Device<Dev> device) {
        double[][] rows = {{-1, -2, -3}, {-4, -5, -6}, {-7, -8, -9}};
        Tensor<R2<Dim, Dim>, F64, Dev> logp = device.tensor(rows);
        Tensor<R1<Dim>, I64, Dev> target = device.tensor(2L, 0L, -100L);
        Tensor<R1<Dim>, F64, Dev> weight = device.tensor(0.5, 1, 2);
        NllLossOptions<F64, Dev> plain = NllLossOptions.defaults();
        NllLossOptions<F64, Dev> weighted = plain.weight(weight);
        assertThat(F.nllLoss(logp, target).item()).isEqualTo(3.5);
        assertThat(F.nllLoss(logp, target, weighted, Reduction.mean()).item()).isCloseTo(8 / 2.5, within(1e-6));
        assertThat(F.nllLoss(logp, target, weighted, Reduction.sum()).item()).isEqualTo(8);
        assertThat(F.nllLoss(logp, target, weighted, Reduction.none()).toDoubleArray())
                .containsExactly(6, 2, 0);
        assertThat(F.nllLoss(logp, target, plain, Reduction.none()).shape()).containsExactly(3);
        Tensor<R1<Dim>, I64, Dev> ignored = device.tensor(1L, 1L, 1L);
        assertThat(F.nllLoss(logp, ignored, plain.ignoreIndex(1), Reduction.mean())
                        .item())
                .isNaN();
        assertThat(F.nllLoss(logp, ignored, plain.ignoreIndex(1), Reduction.sum())
                        .item())
                .isZero();
        assertThat(F.nllLoss(logp, ignored, plain.ignoreIndex(1), Reduction.none())
                        .toDoubleArray())
                .containsOnly(0);
        Tensor<R1<Dim>, I64, Dev> nothing = device.tensor(new long[0], R1.of(0));
        assertThat(F.nllLoss(device.zeros(R2.<Dim, Dim>of(0, 3)), nothing).item())
                .isNaN();
        Tensor<R1<Dim>, F64, Dev> single = device.tensor(-1.0, -2);
        assertThat(F.nllLoss(single, device.scalar(1, I64), plain, Reduction.mean())
                        .item())
                .isEqualTo(2);
        Tensor<R3<Dim, Dim, Dim>, F64, Dev> spatial = device.tensor(new double[] {-1, -2, -3, -4}, R3.of(1, 2, 2));
        Tensor<R2<Dim, Dim>, I64, Dev> where = device.tensor(new long[] {1, 0}, R2.of(1, 2));
        assertThat(F.nllLoss(spatial, where, plain, Reduction.none()).toDoubleArray())
                .containsExactly(3, 2);
        assertThat(F.nllLoss(logp, device.<Dim>tensor(2, 0, 1)).item()).isCloseTo((3 + 4 + 8) / 3.0, within(1e-12));
    }

    /** Any number may be the class that does not count, with label smoothing as well; without classes all is 0. */
    @DeviceTest
    void ignoredClassesWithLabelSmoothing(Device<?> device) {
        Scope.run(() -> smoothed(device));
    }

    private static <Dev extends DeviceType> void smoothed(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> x =
                device.tensor(new double[][] {{1, 2, 3}, {0, 5, 1}}).to(F32);
        CrossEntropyOptions<F32, Dev> options =
                CrossEntropyOptions.<F32, Dev>defaults().labelSmoothing(0.1);
        long large = (1L << 53) + 1;
        float[] losses = F.crossEntropy(x, device.<Dim>tensor(large, 2L), options.ignoreIndex(large), Reduction.none())
                .toFloatArray();
        float[] all = F.crossEntropy(x, device.<Dim>tensor(1L, 2L), options, Reduction.none())
                .toFloatArray();
        assertThat(losses).containsExactly(0, all[1]);
        assertThat(F.crossEntropy(x, device.<Dim>tensor(1, 2), options.ignoreIndex(1L << 32 | 1), Reduction.none())
                        .toFloatArray())
                .containsExactly(all);
        Tensor<R2<Dim, Dim>, F32, Dev> none = device.zeros(R2.<Dim, Dim>of(2, 0));
        assertThat(F.crossEntropy(none, device.<Dim>tensor(-100L, -100L), options, Reduction.sum())
                        .item())
                .isZero();
    }

    @DeviceTest
    void badTargetsAreNamedAndTheDeviceGoesOn(Device<?> device) {
        Scope.run(() -> badTargets(device));
    }

    private static <Dev extends DeviceType> void badTargets(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> logp = device.zeros(R2.of(4, 5));
        refused(
                () -> F.nllLoss(logp, device.<Dim>tensor(0L, 1L, 2L, 7L)).item(),
                "target 7 at position 3 is outside [0, 5)");
        refused(() -> F.nllLoss(logp, device.<Dim>tensor(0L, -1L, 2L, 7L)).item(), "target -1 at position 1");
        refused(() -> F.nllLoss(logp, device.<Dim>tensor(0L, 1L)).item(), "[4, 5]", "[4]", "[2]");
        NllLossOptions<F32, Dev> options = NllLossOptions.<F32, Dev>defaults().weight(device.ones(R1.of(4)));
        refused(() -> F.nllLoss(logp, device.<Dim>tensor(0L, 1L, 2L, 3L), options, Reduction.mean()), "[4]", "[5]");
        assertThat(F.nllLoss(logp, device.<Dim>tensor(0L, 1L, 2L, 3L)).item()).isZero();
    }

    private static void refused(Runnable call, String... fragments) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .satisfies(contains(fragments));
    }

    private static Consumer<Throwable> contains(String... fragments) {
        return error -> assertThat(error.getMessage()).contains(fragments);
    }

    @DeviceTest
    void crossEntropyOfProbabilities(Device<?> device) {
        Scope.run(() -> probabilities(device));
    }

    private static <Dev extends DeviceType> void probabilities(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F64, Dev> x = device.randn(R2.of(4, 3), F64, new Generator(2));
        Tensor<R2<Dim, Dim>, F64, Dev> p = F.softmax(device.randn(R2.<Dim, Dim>of(4, 3), F64, new Generator(3)), -1);
        CrossEntropyOptions<F64, Dev> plain = CrossEntropyOptions.defaults();
        double[] logp = F.logSoftmax(x, -1).toDoubleArray();
        double[] target = p.toDoubleArray();
        double sum =
                -IntStream.range(0, 12).mapToDouble(i -> logp[i] * target[i]).sum();
        Tensor<R0, F64, Dev> mean = F.crossEntropyOfProbabilities(x, p, plain, Reduction.mean());
        assertThat(mean.item()).isCloseTo(sum / 4, within(1e-12));
        assertThat(F.crossEntropyOfProbabilities(x, p, plain, R2.dim1()).shape())
                .containsExactly(4);
        refused(() -> F.crossEntropyOfProbabilities(x, p, plain.ignoreIndex(1), Reduction.mean()), "ignoreIndex 1");
    }

    @DeviceTest
    void gumbelSoftmax(Device<?> device) {
        Scope.run(() -> gumbel(device));
    }

    private static <Dev extends DeviceType> void gumbel(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.tensor(new float[][] {{0, (float) Math.log(3)}})
                .expand(R2.of(20_000, 2))
                .contiguous()
                .requireGrad();
        var hard = F.gumbelSoftmax(x, 1, Random.Hardness.HARD, -1, new Generator(4));
        assertThat(hard.toFloatArray()).containsOnly(0, 1);
        assertThat(F.mean(hard, R2.dim0()).toDoubleArray()[1]).isCloseTo(0.75, within(0.015));
        var soft = F.gumbelSoftmax(x, 0.5, Random.Hardness.SOFT, -1, new Generator(4));
        assertThat(soft.sum(R2.dim1()).sub(1).abs().max().item()).isLessThan(1e-5);
        var slope = hard.backward(device.randn(R2.<Dim, Dim>of(20_000, 2), F32, new Generator(1)))
                .get(x);
        assertThat(F.norm(slope).item()).isPositive();
    }

    @DeviceTest
    void anyTensorOfIntegersTakesADtype(Device<?> device) {
        Scope.run(() -> {
            Tensor<Any, ?, ?> y = F.logSoftmax(device.ones(Any.of(2, 2), I64), -1, F32);
            double half = -Math.log(2);
            assertThat(y.toDoubleArray()).containsExactly(new double[] {half, half, half, half}, within(1e-6));
        });
    }
}

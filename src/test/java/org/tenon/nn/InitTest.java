package org.tenon.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Tag;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Scope;
import org.tenon.Shape;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;

/** Initialisers: bounds, moments, orthogonality. */
@Tag("plain")
class InitTest {
    @DeviceTest
    void moments(Device<?> device) {
        Scope.run(() -> fill(device));
    }

    private static <Dev extends DeviceType> void fill(Device<Dev> device) {
        Init.Nonlinearity relu = Init.Nonlinearity.RELU;
        // [40, 50, 3]: fan in 150, fan out 120
        spread(
                device,
                (x, g) -> Init.kaimingUniform(x, Init.Fan.IN, relu, g),
                0,
                Math.sqrt(2.0 / 150),
                Math.sqrt(6.0 / 150));
        spread(device, (x, g) -> Init.kaimingNormal(x, Init.Fan.OUT, relu, g), 0, Math.sqrt(2.0 / 120), 1);
        spread(device, (x, g) -> Init.xavierUniform(x, 2, g), 0, 2 * Math.sqrt(2.0 / 270), 2 * Math.sqrt(6.0 / 270));
        spread(device, (x, g) -> Init.xavierNormal(x, 1, g), 0, Math.sqrt(2.0 / 270), 1);
        spread(device, (x, g) -> Init.normal(x, 3, 0.5, g), 3, 0.5, 6);
        spread(device, (x, g) -> Init.uniform(x, -1, 1, g), 0, Math.sqrt(1.0 / 3), 1);
        // a standard normal cut at -2 and 2 has deviation 0.87963
        spread(device, (x, g) -> Init.truncNormal(x, 0, 0.02, -0.04, 0.04, g), 0, 0.02 * 0.87963, 0.04);
        spread(device, (x, g) -> Init.constant(x, 0.25), 0.25, 0, 0.25);
        spread(device, (x, g) -> Init.zeros(x), 0, 0, 0);
        spread(device, (x, g) -> Init.ones(x), 1, 0, 1);
        assertThat(Init.Nonlinearity.TANH.gain()).isEqualTo(5.0 / 3);
    }

    private static <Dev extends DeviceType> void spread(
            Device<Dev> device,
            BiConsumer<Tensor<R3<Dim, Dim, Dim>, F32, Dev>, Generator> init,
            double mean,
            double deviation,
            double bound) {
        Tensor<R3<Dim, Dim, Dim>, F32, Dev> x =
                device.full(R3.<Dim, Dim, Dim>of(40, 50, 3), 77, DType.F32).requireGrad();
        init.accept(x, new Generator(5));
        double[] values = x.toDoubleArray();
        double average = Arrays.stream(values).average().orElseThrow();
        double variance =
                Arrays.stream(values).map(v -> (v - average) * (v - average)).sum() / values.length;
        assertThat(average).isCloseTo(mean, within(0.05 * deviation + 1e-6));
        assertThat(Math.sqrt(variance)).isCloseTo(deviation, within(0.03 * deviation + 1e-6));
        assertThat(Arrays.stream(values).map(Math::abs).max().orElseThrow()).isLessThanOrEqualTo(bound + 1e-6);
        assertThat(x.requiresGrad()).isTrue();
    }

    /** The distribution between skewed bounds, by its deciles: each tenth of the probability gets a tenth of the numbers. */
    @DeviceTest
    void truncatedNormalsFollowTheirDistribution(Device<?> device) {
        Scope.run(() -> deciles(device));
    }

    private static <Dev extends DeviceType> void deciles(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.zeros(R2.<Dim, Dim>of(100, 200));
        Init.truncNormal(x, 1, 2, 0, 10, new Generator(3));
        double least = cumulative(-0.5);
        double most = cumulative(4.5);
        int[] counts = new int[10];
        for (double v : x.toDoubleArray()) {
            assertThat(v).isBetween(0.0, 10.0);
            counts[(int) Math.min(9, 10 * (cumulative((v - 1) / 2) - least) / (most - least))]++;
        }
        assertThat(Arrays.stream(counts)).allMatch(count -> Math.abs(count - 2000) < 200);
    }

    /** The normal distribution function by Simpson's rule. */
    private static double cumulative(double x) {
        int n = 400;
        double sum = 0;
        for (int i = 0; i <= n; i++) {
            double t = x * i / n;
            sum += (i == 0 || i == n ? 1 : i % 2 == 1 ? 4 : 2) * Math.exp(-t * t / 2);
        }
        return 0.5 + sum * x / n / 3 / Math.sqrt(2 * Math.PI);
    }

    @DeviceTest
    void orthogonalRowsAreOrthogonal(Device<?> device) {
        Scope.run(() -> orthogonal(device, R2.<Dim, Dim>of(5, 9)));
        Scope.run(() -> orthogonal(device, R2.<Dim, Dim>of(9, 5)));
        Scope.run(() -> orthogonal(device, R3.<Dim, Dim, Dim>of(4, 2, 3)));
    }

    private static <S extends Shape, Dev extends DeviceType> void orthogonal(Device<Dev> device, S shape) {
        Tensor<S, F32, Dev> x = device.zeros(shape);
        Init.orthogonal(x, 1.5, new Generator(2));
        int rows = (int) x.size(0);
        int columns = (int) (x.numel() / rows);
        double[] q = x.toDoubleArray();
        boolean wide = rows <= columns;
        int count = Math.min(rows, columns);
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < count; j++) {
                double dot = 0;
                for (int k = 0; k < Math.max(rows, columns); k++) {
                    dot += wide ? q[i * columns + k] * q[j * columns + k] : q[k * columns + i] * q[k * columns + j];
                }
                assertThat(dot).isCloseTo(i == j ? 2.25 : 0, within(1e-5));
            }
        }
    }

    @DeviceTest
    void badShapesAreRefused(Device<?> device) {
        Scope.run(() -> {
            var vector = device.ones(org.tenon.R1.<Dim>of(3));
            refused(() -> Init.xavierUniform(vector, 1, new Generator(1)), "xavierUniform: shape [3] has no fans");
            refused(() -> Init.orthogonal(vector, 1, new Generator(1)), "orthogonal: shape [3] has no rows");
            refused(() -> Init.truncNormal(vector, 0, 1, 2, 1, new Generator(1)), "bounds 2.0, 1.0");
        });
    }

    private static void refused(Runnable call, String fragment) {
        assertThatThrownBy(call::run)
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining(fragment);
    }
}

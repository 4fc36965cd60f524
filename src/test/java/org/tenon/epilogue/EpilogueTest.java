package org.tenon.epilogue;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.tenon.Activation;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.EpilogueOptions;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;

/** An epilogue and the separate ops: the same bits in float32 and float64, forward and backward, wherever the elements are. */
@Tag("plain")
class EpilogueTest {
    /** Rows and columns: rows of no four elements, of more than a chunk, as many as threads share. */
    private static final int[][] SHAPES = {{1, 1}, {3, 5}, {7, 4}, {33, 100}, {3, 2049}, {2, 6001}, {130, 1030}};

    /** Beside the activation. */
    private record Parts(boolean bias, double dropout, boolean residual) {}

    private static final List<Parts> PARTS = List.of(
            new Parts(false, 0, false),
            new Parts(true, 0, false),
            new Parts(true, 0.25, false),
            new Parts(true, 0.25, true),
            new Parts(false, 0.5, true),
            new Parts(false, 1, true),
            new Parts(true, 0, true));

    @DeviceTest
    void float32HasTheBitsOfTheSeparateOps(Device<?> device) {
        sameBits(device, DType.F32);
    }

    @DeviceTest
    void float64HasTheBitsOfTheSeparateOps(Device<?> device) {
        if (device.supports(DType.F64)) {
            sameBits(device, DType.F64);
        }
    }

    private static <D extends Floating, Dev extends DeviceType> void sameBits(Device<Dev> device, D dtype) {
        for (Activation activation : Activation.values()) {
            for (Parts parts : PARTS) {
                for (int[] shape : SHAPES) {
                    if (shape[1] < 1000 || parts == PARTS.get(3)) {
                        Scope.run(() -> sameBits(device, dtype, activation, parts, shape));
                    }
                }
            }
        }
    }

    private static <D extends Floating, Dev extends DeviceType> void sameBits(
            Device<Dev> device, D dtype, Activation activation, Parts parts, int[] shape) {
        Generator chance = new Generator(7);
        R2<Dim, Dim> sizes = R2.of(shape[0], shape[1]);
        Tensor<R2<Dim, Dim>, D, Dev> x =
                device.<R2<Dim, Dim>, D>uniform(sizes, -4, 4, dtype, chance).requireGrad();
        Tensor<R1<Dim>, D, Dev> bias = device.<R1<Dim>, D>uniform(R1.of(shape[1]), -1, 1, dtype, chance)
                .requireGrad();
        Tensor<R2<Dim, Dim>, D, Dev> residual =
                device.<R2<Dim, Dim>, D>uniform(sizes, -1, 1, dtype, chance).requireGrad();
        Tensor<R2<Dim, Dim>, D, Dev> g = device.uniform(sizes, -1, 1, dtype, chance);
        EpilogueOptions<D, Dev> options =
                EpilogueOptions.<D, Dev>defaults().activation(activation).dropout(parts.dropout(), new Generator(5));
        options = parts.bias() ? options.bias(bias) : options;
        options = parts.residual() ? options.residual(residual) : options;
        Tensor<R2<Dim, Dim>, D, Dev> joined = F.epilogue(x, options);
        Tensor<R2<Dim, Dim>, D, Dev> separate = parts.bias() ? F.add(x, bias) : x;
        separate = activated(activation, separate);
        separate = parts.dropout() > 0 ? F.dropout(separate, parts.dropout(), new Generator(5)) : separate;
        separate = parts.residual() ? residual.add(separate) : separate;
        String what = activation + " " + parts + " " + shape[0] + " x " + shape[1];
        assertThat(joined.toDoubleArray()).as(what).isEqualTo(separate.toDoubleArray());
        if (separate != x) {
            Gradients got = joined.backward(g);
            Gradients wanted = separate.backward(g);
            assertThat(got.get(x).toDoubleArray())
                    .as("gradient of %s", what)
                    .isEqualTo(wanted.get(x).toDoubleArray());
            if (parts.bias()) {
                assertThat(got.get(bias).toDoubleArray())
                        .as("gradient of the bias, %s", what)
                        .isEqualTo(wanted.get(bias).toDoubleArray());
            }
            if (parts.residual()) {
                assertThat(got.get(residual).toDoubleArray())
                        .as("gradient of the residual, %s", what)
                        .isEqualTo(wanted.get(residual).toDoubleArray());
            }
        }
    }

    private static <D extends Floating, Dev extends DeviceType> Tensor<R2<Dim, Dim>, D, Dev> activated(
            Activation activation, Tensor<R2<Dim, Dim>, D, Dev> x) {
        return switch (activation) {
            case NONE -> x;
            case RELU -> F.relu(x);
            case GELU -> F.gelu(x);
            case GELU_TANH -> F.gelu(x, F.Approximation.TANH);
            case SILU -> F.silu(x);
            case TANH -> F.tanh(x);
            case SIGMOID -> F.sigmoid(x);
        };
    }

    /** What is no number, and limits, go through as through the separate ops, also where they are dropped. */
    @DeviceTest
    void specialNumbers(Device<?> device) {
        Scope.run(() -> specials(device));
    }

    private static <Dev extends DeviceType> void specials(Device<Dev> device) {
        float[] numbers = {
            Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0f, -0f, 88.8f, -104f, Float.MAX_VALUE, 20f
        };
        Tensor<R1<Dim>, F32, Dev> x = device.tensor(numbers);
        for (Activation activation : Activation.values()) {
            Tensor<R2<Dim, Dim>, F32, Dev> rows = x.reshape(R2.of(1, numbers.length));
            Tensor<R2<Dim, Dim>, F32, Dev> joined = F.epilogue(
                    rows,
                    EpilogueOptions.<F32, Dev>defaults().activation(activation).dropout(0.5, new Generator(2)));
            Tensor<R2<Dim, Dim>, F32, Dev> separate = F.dropout(activated(activation, rows), 0.5, new Generator(2));
            assertThat(joined.toFloatArray()).as("%s", activation).isEqualTo(separate.toFloatArray());
        }
    }

    /** A half type is rounded once: to what float32 gives, which separate ops miss now and then. */
    @DeviceTest
    void halfTypesAreRoundedOnce(Device<?> device) {
        Scope.run(() -> {
            rounded(device, DType.F16);
            rounded(device, DType.BF16);
        });
    }

    private static <D extends Floating, Dev extends DeviceType> void rounded(Device<Dev> device, D dtype) {
        R2<Dim, Dim> sizes = R2.of(20, 37);
        Tensor<R2<Dim, Dim>, D, Dev> x = device.uniform(sizes, -3, 3, dtype, new Generator(1));
        Tensor<R1<Dim>, D, Dev> bias = device.uniform(R1.of(37), -1, 1, dtype, new Generator(2));
        Tensor<R2<Dim, Dim>, D, Dev> y = F.epilogue(
                x,
                EpilogueOptions.<D, Dev>defaults()
                        .bias(bias)
                        .activation(Activation.GELU)
                        .dropout(0.5, new Generator(3))
                        .residual(x));
        Tensor<R2<Dim, Dim>, F32, Dev> wide = x.to(DType.F32);
        Tensor<R2<Dim, Dim>, D, Dev> wanted = F.epilogue(
                        wide,
                        EpilogueOptions.<F32, Dev>defaults()
                                .bias(bias.to(DType.F32))
                                .activation(Activation.GELU)
                                .dropout(0.5, new Generator(3))
                                .residual(wide))
                .to(dtype);
        assertThat(y.to(DType.F32).toFloatArray())
                .isEqualTo(wanted.to(DType.F32).toFloatArray());
        Tensor<R2<Dim, Dim>, D, Dev> separate = x.add(F.dropout(F.gelu(F.add(x, bias)), 0.5, new Generator(3)));
        assertThat(separate.to(DType.F32).toFloatArray())
                .isNotEqualTo(y.to(DType.F32).toFloatArray());
    }

    /** A captured step drops other elements each time, those that it drops op by op, forward and backward. */
    @DeviceTest
    void dropoutInACapturedStep(Device<?> device) {
        assertThat(steps(device, true)).isEqualTo(steps(device, false));
    }

    private static <Dev extends DeviceType> List<Float> steps(Device<Dev> device, boolean captured) {
        return Scope.call(() -> {
            R2<Dim, Dim> sizes = R2.of(9, 13);
            Tensor<R2<Dim, Dim>, F32, Dev> x = device.<R2<Dim, Dim>, F32>uniform(
                            sizes, -3, 3, DType.F32, new Generator(1))
                    .requireGrad();
            Tensor<R2<Dim, Dim>, F32, Dev> g = device.uniform(sizes, -3, 3, DType.F32, new Generator(2));
            EpilogueOptions<F32, Dev> options = EpilogueOptions.<F32, Dev>defaults()
                    .activation(Activation.GELU)
                    .dropout(0.4, new Generator(3));
            List<Float> all = new ArrayList<>();
            Supplier<List<Tensor<R2<Dim, Dim>, F32, Dev>>> body = () -> {
                Tensor<R2<Dim, Dim>, F32, Dev> y = F.epilogue(x, options);
                return List.of(y.detach(), y.backward(g).get(x));
            };
            try (var step = device.capture(body)) {
                for (int i = 0; i < 5; i++) {
                    Scope.run(() -> {
                        for (var each : captured ? step.run() : body.get()) {
                            for (float number : each.toFloatArray()) {
                                all.add(number);
                            }
                        }
                    });
                }
            }
            int length = all.size() / 5;
            assertThat(all.subList(0, length)).isNotEqualTo(all.subList(length, 2 * length));
            assertThat(all.subList(3 * length, 4 * length)).isNotEqualTo(all.subList(4 * length, 5 * length));
            return all;
        });
    }
}

package org.tenon.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.tenon.Autocast;
import org.tenon.ConvOptions;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.R4;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;
import org.tenon.nn.LSTM;
import org.tenon.nn.Linear;
import org.tenon.nn.Recurrent;
import org.tenon.nn.Sequential;
import org.tenon.nn.Tanh;

/** Regions of mixed precision: which ops narrow, what stays float32, and how the loss scale moves. */
@Tag("plain")
class MixedPrecisionTest {
    private interface Batch extends Dim {}

    private interface In extends Dim {}

    private interface Out extends Dim {}

    private static final Floating[] HALVES = {DType.F16, DType.BF16};

    private static <Dev extends DeviceType> Tensor<R2<Batch, In>, F32, Dev> matrix(
            Device<Dev> device, long rows, long columns, long seed) {
        return device.randn(R2.of(rows, columns), DType.F32, new Generator(seed));
    }

    @DeviceTest
    void productsNarrowAndNothingElse(Device<?> device) {
        Scope.run(() -> narrow(device));
    }

    private static <Dev extends DeviceType> void narrow(Device<Dev> device) {
        Tensor<R2<Batch, In>, F32, Dev> x = matrix(device, 3, 4, 1).requireGrad();
        Tensor<R2<In, Batch>, F32, Dev> w = F.t(matrix(device, 5, 4, 2));
        Tensor<R2<In, Batch>, F32, Dev> leaf = w.contiguous().detach().requireGrad();
        for (Floating half : HALVES) {
            Tensor<R2<Batch, Batch>, F32, Dev> y = Autocast.call(half, () -> F.matmul(x, leaf));
            Tensor<?, F32, Dev> expected = F.matmul(x.to(half), leaf.to(half)).to(DType.F32);
            assertThat(y.toFloatArray()).isEqualTo(expected.toFloatArray());
            assertThat(y.toFloatArray()).isNotEqualTo(F.matmul(x, leaf).toFloatArray());
            Tensor<R2<Batch, Batch>, F32, Dev> g = device.randn(R2.of(3, 5), DType.F32, new Generator(3));
            Gradients gradients = y.backward(g);
            assertThat(gradients.get(x).toFloatArray())
                    .as("the gradient's product is in half too")
                    .isEqualTo(F.matmul(g.to(half), F.t(leaf.to(half)))
                            .to(DType.F32)
                            .toFloatArray());
            assertThat(gradients.get(leaf).dtype()).isSameAs(DType.F32);
            Autocast.call(half, () -> {
                assertThat(Autocast.isEnabled()).isTrue();
                assertThat(F.exp(x).toFloatArray())
                        .isEqualTo(Autocast.off(() -> F.exp(x)).toFloatArray());
                assertThat(Autocast.off(() -> F.matmul(x, leaf)).toFloatArray())
                        .isNotEqualTo(F.matmul(x, leaf).toFloatArray());
                assertThat(F.softmax(x, 1).toFloatArray())
                        .isEqualTo(Autocast.off(() -> F.softmax(x, 1)).toFloatArray());
                assertThat(x.sum().item()).isEqualTo(Autocast.off(() -> x.sum().item()));
                return null;
            });
            assertThat(Autocast.isEnabled()).isFalse();
            convolution(device, half);
            recurrence(device, half);
        }
        assertThatThrownBy(() -> Autocast.call(DType.F32, () -> x))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("autocast: float32 is no half type");
    }

    private static <Dev extends DeviceType> void convolution(Device<Dev> device, Floating half) {
        Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> x = device.randn(R4.of(1, 2, 5, 5), DType.F32, new Generator(1));
        Tensor<R4<Dim, Dim, Dim, Dim>, F32, Dev> w = device.randn(R4.of(2, 2, 3, 3), DType.F32, new Generator(2));
        same(
                Autocast.call(half, () -> F.conv2d(x, w, ConvOptions.defaults())),
                F.conv2d(x.to(half), w.to(half), ConvOptions.defaults()).to(DType.F32));
        same(
                Autocast.call(half, () -> F.convTranspose2d(x, w, ConvOptions.defaults())),
                F.convTranspose2d(x.to(half), w.to(half), ConvOptions.defaults())
                        .to(DType.F32));
    }

    private static void same(Tensor<?, F32, ?> actual, Tensor<?, F32, ?> expected) {
        assertThat(actual.toFloatArray()).isEqualTo(expected.toFloatArray());
    }

    private static <Dev extends DeviceType> void recurrence(Device<Dev> device, Floating half) {
        LSTM<Dim, Dim, Dim, Dim, F32, Dev> lstm =
                new LSTM<>(device, DType.F32, 3, 4, Recurrent.Options.DEFAULTS, new Generator(1));
        Tensor<R3<Dim, Dim, Dim>, F32, Dev> x = device.randn(R3.of(3, 2, 3), DType.F32, new Generator(2));
        float[] narrow = Autocast.call(half, () -> lstm.forward(x)).output().toFloatArray();
        float[] wide = lstm.forward(x).output().toFloatArray();
        assertThat(narrow).isNotEqualTo(wide).containsExactly(wide, within(0.02f));
    }

    /** A step of 1e-4 on weights near 1, which float16 and bfloat16 cannot hold, adds up in the float32 masters. */
    @DeviceTest
    void mastersAreFloat32(Device<?> device) {
        Scope.run(() -> masters(device));
    }

    private static <Dev extends DeviceType> void masters(Device<Dev> device) {
        for (Floating half : HALVES) {
            Tensor<R2<In, Batch>, F32, Dev> w =
                    device.ones(R2.<In, Batch>of(1, 1)).requireGrad();
            Tensor<R2<Batch, In>, F32, Dev> x = device.ones(R2.of(1, 1));
            SGD<F32, Dev> sgd = new SGD<>(java.util.List.of(w), 1e-4);
            for (int i = 0; i < 100; i++) {
                Scope.run(() -> {
                    Tensor<R0, F32, Dev> loss =
                            Autocast.call(half, () -> F.matmul(x, w).sum());
                    sgd.step(loss.backward());
                });
            }
            assertThat(w.item()).isCloseTo(0.99, within(1e-5));
        }
    }

    @DeviceTest
    void anOverflowIsSkippedAndTheScaleRecovers(Device<?> device) {
        Scope.run(() -> overflow(device));
    }

    private static <Dev extends DeviceType> void overflow(Device<Dev> device) {
        Tensor<R2<In, Batch>, F32, Dev> w = device.ones(R2.<In, Batch>of(1, 1)).requireGrad();
        Tensor<R2<Batch, In>, F32, Dev> x = device.ones(R2.of(1, 1));
        SGD<F32, Dev> sgd = new SGD<>(java.util.List.of(w), 0.5);
        GradScaler scaler = new GradScaler(new GradScaler.Options(1 << 18, 2, 0.5, 3));
        double[] scales = {1 << 17, 1 << 16, 1 << 15, 1 << 15, 1 << 15, 1 << 16, 1 << 15};
        double[] weights = {1, 1, 1, 0.5, 0, -0.5, -0.5};
        for (int i = 0; i < scales.length; i++) {
            double scale = scaler.scale();
            boolean stepped = Scope.call(() -> {
                Tensor<R0, F32, Dev> loss =
                        Autocast.call(DType.F16, () -> F.matmul(x, w).sum());
                Gradients gradients = scaler.unscale(scaler.scale(loss).backward());
                return scaler.step(sgd, gradients);
            });
            scaler.update();
            assertThat(stepped).as("a gradient of %s in float16", scale).isEqualTo(scale < 65504);
            assertThat(w.item()).as("after step %d", i).isEqualTo(weights[i]);
            assertThat(scaler.scale()).as("after step %d", i).isEqualTo(scales[i]);
        }
        assertThat(sgd.state().numbers()).as("skipped steps do not count").containsEntry("state.0.step", 3.0);
        GradScaler other = new GradScaler();
        other.load(scaler.state());
        assertThat(other.state()).isEqualTo(scaler.state()).containsEntry("scale", (double) (1 << 15));
        assertThatThrownBy(() -> other.load(java.util.Map.of("scale", 1.0)))
                .isInstanceOf(TensorArgumentException.class);
        assertThatThrownBy(() -> new GradScaler(new GradScaler.Options(1, 0.5, 0.5, 1)))
                .hasMessageContaining("growth above 1");
        assertThatThrownBy(() -> scaler.scale(device.scalar(1, DType.F16)))
                .hasMessageContaining("a float16 loss overflows");
    }

    /** Exclusive or, learned in float32, in both half types, with the same code. */
    @DeviceTest
    void aModelLearnsAsInFloat32(Device<?> device) {
        Scope.run(() -> {
            double wide = learn(device, DType.F32);
            assertThat(wide).isLessThan(0.05);
            for (Floating half : HALVES) {
                assertThat(learn(device, half)).isCloseTo(wide, within(0.03));
            }
        });
    }

    private static <Dev extends DeviceType> double learn(Device<Dev> device, Floating precision) {
        Generator generator = new Generator(4);
        Linear<R2<Batch, In>, R2<Batch, In>, F32, Dev> hidden = Linear.of(device, DType.F32, 2, 16, generator);
        Linear<R2<Batch, In>, R2<Batch, Out>, F32, Dev> output = Linear.of(device, DType.F32, 16, 2, generator);
        var model = Sequential.of(hidden).then(new Tanh<>()).then(output);
        Tensor<R2<Batch, In>, F32, Dev> x = device.tensor(new float[][] {{0, 0}, {0, 1}, {1, 0}, {1, 1}});
        Tensor<R1<Batch>, org.tenon.I64, Dev> y = device.tensor(0L, 1, 1, 0);
        AdamW<F32, Dev> optimizer = new AdamW<>(model.parameters(), 0.05);
        GradScaler scaler = new GradScaler();
        double last = 0;
        for (int step = 0; step < 120; step++) {
            last = Scope.call(() -> {
                Tensor<R0, F32, Dev> loss = precision == DType.F32
                        ? F.crossEntropy(model.forward(x), y)
                        : Autocast.call(precision, () -> F.crossEntropy(model.forward(x), y));
                Gradients gradients = scaler.unscale(scaler.scale(loss).backward());
                scaler.step(optimizer, gradients.clipNorm(10));
                scaler.update();
                return loss.item();
            });
        }
        return last;
    }
}

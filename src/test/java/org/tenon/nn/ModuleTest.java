package org.tenon.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.tenon.Any;
import org.tenon.CrossEntropyOptions;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.F64;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.I64;
import org.tenon.KlTarget;
import org.tenon.NllLossOptions;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.SoftmaxOptions;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;
import org.tenon.optim.SGD;

/** Modules: names, modes, what they compute, and that they learn. */
@Tag("plain")
class ModuleTest {
    private interface Batch extends Dim {}

    private interface In extends Dim {}

    private interface Out extends Dim {}

    private interface Time extends Dim {}

    private interface Features extends Dim {}

    private static final class Small<Dev extends DeviceType> extends Module<F64, Dev> {
        final Linear<R2<Batch, In>, R2<Batch, Out>, F64, Dev> first;
        final Dropout<R2<Batch, Out>, F64, Dev> dropout;
        final Tensor<R1<Out>, F64, Dev> scale;
        final Tensor<R1<Dim>, I64, Dev> count;

        Small(Device<Dev> device) {
            first = register("first", Linear.of(device, DType.F64, 3, 2, new Generator(1)));
            dropout = register("dropout", new Dropout<>(0.5, new Generator(2)));
            scale = register("scale", device.ones(R1.of(2), DType.F64));
            count = registerBuffer("count", device.zeros(R1.of(1), DType.I64));
        }

        void badName(String name) {
            register(name, scale);
        }
    }

    @DeviceTest
    void parametersAndBuffersHaveNames(Device<?> device) {
        Scope.run(() -> names(device));
    }

    private static <Dev extends DeviceType> void names(Device<Dev> device) {
        Small<Dev> small = new Small<>(device);
        assertThat(small.namedParameters().keySet()).containsExactly("scale", "first.weight", "first.bias");
        assertThat(small.namedBuffers().keySet()).containsExactly("count");
        assertThat(small.parameterCount()).isEqualTo(2 + 6 + 2);
        assertThat(small.parameters()).allMatch(Tensor::requiresGrad);
        assertThat(small.count.requiresGrad()).isFalse();
        assertThat(small.tensors()).hasSize(4);
        assertThat(small.toString())
                .startsWith("Small (10 parameters)")
                .contains("scale [2]")
                .contains("  first: Linear (8 parameters)")
                .contains("    weight [2, 3]");
        assertThatThrownBy(() -> small.badName("scale"))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("taken");
        assertThatThrownBy(() -> small.badName("a.b")).hasMessageContaining("dot");
        small.eval();
        assertThat(small.isTraining() || small.dropout.isTraining()).isFalse();
        small.train();
        assertThat(small.isTraining() && small.dropout.isTraining()).isTrue();
        long live = device.memory().liveBuffers();
        small.close();
        assertThat(device.memory().liveBuffers()).isEqualTo(live - 4);
    }

    /** Two names for one weight, as for an embedding that is also the output layer. */
    private static final class Tied<Dev extends DeviceType> extends Module<F32, Dev> {
        final Tensor<R1<Dim>, F32, Dev> weight;

        Tied(Device<Dev> device) {
            weight = register("in", device.ones(R1.of(3)));
            register("out", weight);
        }

        void holdItself() {
            register("me", this);
        }
    }

    @DeviceTest
    void aTiedParameterCountsAndMovesOnce(Device<?> device) {
        Scope.run(() -> tied(device));
    }

    private static <Dev extends DeviceType> void tied(Device<Dev> device) {
        Tied<Dev> tied = new Tied<>(device);
        assertThat(tied.namedParameters().keySet()).containsExactly("in");
        assertThat(tied.parameters()).hasSize(1);
        assertThat(tied.parameterCount()).isEqualTo(3);
        new SGD<>(tied.parameters(), 0.25).step(tied.weight.sum().backward());
        assertThat(tied.weight.toFloatArray()).containsOnly(0.75f);
        assertThatThrownBy(tied::holdItself)
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("a module cannot be a part of itself");
    }

    @DeviceTest
    void linearIsXTimesWTransposedPlusB(Device<?> device) {
        Scope.run(() -> linear(device));
    }

    private static <Dev extends DeviceType> void linear(Device<Dev> device) {
        Linear<R2<Batch, In>, R2<Batch, Out>, F64, Dev> layer = Linear.of(device, DType.F64, 3, 2, new Generator(1));
        Tensor<R2<Batch, In>, F64, Dev> x = device.tensor(new double[][] {{1, 2, 3}, {-1, 0, 4}});
        double[] w = layer.weight().toDoubleArray();
        double[] b = layer.bias().toDoubleArray();
        double[] in = x.toDoubleArray();
        double[] y = layer.forward(x).toDoubleArray();
        for (int row = 0; row < 2; row++) {
            for (int o = 0; o < 2; o++) {
                double sum = b[o];
                for (int i = 0; i < 3; i++) {
                    sum += in[3 * row + i] * w[3 * o + i];
                }
                assertThat(y[2 * row + o]).isCloseTo(sum, within(1e-12));
            }
        }
        assertThat(Arrays.stream(w).map(Math::abs).max().orElseThrow()).isLessThan(1 / Math.sqrt(3));
        assertThatThrownBy(() -> layer.forward(device.zeros(R2.of(2, 4), DType.F64)))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("[2, 4]");
        assertThatThrownBy(() -> Linear.of(device, DType.F64, 0, 2, new Generator(1)))
                .hasMessageContaining("0 to 2");
        Linear<R3<Batch, Time, In>, R3<Batch, Time, Out>, F64, Dev> sequences =
                Linear.ofSequences(device, DType.F64, 3, 2, new Generator(1));
        assertThat(sequences.forward(device.ones(R3.of(4, 5, 3), DType.F64)).shape())
                .containsExactly(4, 5, 2);
        assertThat(Linear.ofAny(device, DType.F64, 3, 2, new Generator(1))
                        .forward(device.ones(Any.of(3), DType.F64))
                        .shape())
                .containsExactly(2);
    }

    @DeviceTest
    void dropoutKeepsTheMeanWhileTraining(Device<?> device) {
        Scope.run(() -> dropout(device));
    }

    private static <Dev extends DeviceType> void dropout(Device<Dev> device) {
        Dropout<R1<Dim>, F32, Dev> layer = new Dropout<>(0.25, new Generator(3));
        Tensor<R1<Dim>, F32, Dev> x = device.ones(R1.<Dim>of(100_000)).requireGrad();
        Tensor<R1<Dim>, F32, Dev> y = layer.forward(x);
        float kept = 1 / 0.75f;
        double ones = y.gt(0).to(DType.F32).sum().item();
        assertThat(ones / 100_000).isCloseTo(0.75, within(0.01));
        assertThat(y.max().item()).isCloseTo(kept, within(1e-6));
        assertThat(y.sum().backward(org.tenon.KeepGraph.RETAIN).get(x).toFloatArray())
                .isEqualTo(y.toFloatArray());
        layer.eval();
        assertThat(layer.forward(x)).isSameAs(x);
        assertThatThrownBy(() -> new Dropout<>(1.5, new Generator(1))).hasMessageContaining("1.5");
        Dropout<R1<Dim>, F32, Dev> all = new Dropout<>(1, new Generator(3));
        assertThat(all.forward(x).abs().sum().item()).isZero();
    }

    @DeviceTest
    void embeddingLooksUpAndAddsUpGradients(Device<?> device) {
        Scope.run(() -> embedding(device));
    }

    private static <Dev extends DeviceType> void embedding(Device<Dev> device) {
        Embedding<R2<Batch, Time>, R3<Batch, Time, Features>, F32, Dev> table =
                new Embedding<>(device, DType.F32, 5, 3, R3.dim2(), new Generator(1));
        Tensor<R2<Batch, Time>, I64, Dev> index = device.tensor(new long[] {4, 0, 4, 4}, R2.of(2, 2));
        Tensor<R3<Batch, Time, Features>, F32, Dev> y = table.forward(index);
        float[] w = table.weight().toFloatArray();
        assertThat(y.shape()).containsExactly(2, 2, 3);
        assertThat(Arrays.copyOf(y.toFloatArray(), 3)).isEqualTo(Arrays.copyOfRange(w, 12, 15));
        float[] slope = y.sum().backward().get(table.weight()).toFloatArray();
        assertThat(slope).containsExactly(1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3);
        Tensor<R2<Batch, Time>, I64, Dev> bad = device.tensor(new long[] {0, 5}, R2.of(1, 2));
        assertThatThrownBy(() -> table.forward(bad).sum().item())
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("index 5 at position 1 is outside [0, 5)");
    }

    @DeviceTest
    void layersAreTheirFunctions(Device<?> device) {
        Scope.run(() -> layers(device));
    }

    private static <Dev extends DeviceType> void layers(Device<Dev> device) {
        Tensor<R2<Batch, In>, F32, Dev> x = device.randn(R2.of(4, 3), DType.F32, new Generator(1));
        same(new Tanh<R2<Batch, In>, F32, Dev>().forward(x), F.tanh(x));
        same(new Sigmoid<R2<Batch, In>, F32, Dev>().forward(x), F.sigmoid(x));
        same(new ReLU<R2<Batch, In>, F32, Dev>().forward(x), F.relu(x));
        same(new SiLU<R2<Batch, In>, F32, Dev>().forward(x), F.silu(x));
        same(new GELU<R2<Batch, In>, F32, Dev>().forward(x), F.gelu(x));
        same(new GELU<R2<Batch, In>, F32, Dev>(F.Approximation.TANH).forward(x), F.gelu(x, F.Approximation.TANH));
        same(new Softmax<R2<Batch, In>, F32, Dev>(0).forward(x), F.softmax(x, 0));
        same(new LogSoftmax<R2<Batch, In>, F32, Dev>(-1).forward(x), F.logSoftmax(x, SoftmaxOptions.along(-1)));
        Tensor<R1<Batch>, I64, Dev> target = device.tensor(0L, 2, 1, 0);
        Tensor<R2<Batch, In>, F32, Dev> logp = F.logSoftmax(x, -1);
        same(NLLLoss.<R1<Batch>, F32, Dev>mean().forward(logp, target), F.nllLoss(logp, target));
        same(
                new NLLLoss<R1<Batch>, R1<Batch>, F32, Dev>(NllLossOptions.defaults(), Reduction.none())
                        .forward(logp, target),
                F.nllLoss(logp, target, NllLossOptions.defaults(), Reduction.none()));
        same(CrossEntropyLoss.<R1<Batch>, F32, Dev>mean().forward(x, target), F.crossEntropy(x, target));
        same(
                new CrossEntropyLoss<R1<Batch>, R0, F32, Dev>(
                                CrossEntropyOptions.<F32, Dev>defaults().labelSmoothing(0.1), Reduction.sum())
                        .forward(x, target),
                F.crossEntropy(
                        x, target, CrossEntropyOptions.<F32, Dev>defaults().labelSmoothing(0.1), Reduction.sum()));
        same(
                new KLDivLoss<R2<Batch, In>, R0>(KlTarget.LOG_PROBABILITIES, Reduction.batchMean())
                        .forward(logp, F.logSoftmax(x.neg(), -1)),
                F.klDiv(logp, F.logSoftmax(x.neg(), -1), KlTarget.LOG_PROBABILITIES, Reduction.batchMean()));
    }

    private static void same(Tensor<?, F32, ?> actual, Tensor<?, F32, ?> expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        assertThat(actual.toFloatArray()).isEqualTo(expected.toFloatArray());
    }

    @DeviceTest
    void aSequenceLearns(Device<?> device) {
        Scope.run(() -> learn(device));
    }

    /** Exclusive or, which no single layer can do. */
    private static <Dev extends DeviceType> void learn(Device<Dev> device) {
        Generator generator = new Generator(4);
        Linear<R2<Batch, In>, R2<Batch, Out>, F32, Dev> hidden = Linear.of(device, DType.F32, 2, 16, generator);
        Linear<R2<Batch, Out>, R2<Batch, Out>, F32, Dev> output = Linear.of(device, DType.F32, 16, 2, generator);
        var model = Sequential.of(hidden).then(new Tanh<>()).then(output).then(new LogSoftmax<>(-1));
        assertThat(model.namedParameters().keySet()).containsExactly("0.weight", "0.bias", "2.weight", "2.bias");
        Tensor<R2<Batch, In>, F32, Dev> x = device.tensor(new float[][] {{0, 0}, {0, 1}, {1, 0}, {1, 1}});
        Tensor<R1<Batch>, I64, Dev> y = device.tensor(0L, 1, 1, 0);
        SGD<F32, Dev> optimizer = new SGD<>(model.parameters(), 0.2, SGD.Options.DEFAULTS.momentum(0.9));
        double first = F.nllLoss(model.forward(x), y).item();
        for (int step = 0; step < 500; step++) {
            Scope.run(() -> {
                Gradients gradients = F.nllLoss(model.forward(x), y).backward();
                optimizer.step(gradients);
            });
        }
        assertThat(F.nllLoss(model.forward(x), y).item()).isLessThan(0.05).isLessThan(first);
        assertThat(model.forward(x).argmax(R2.dim1()).toLongArray()).containsExactly(0, 1, 1, 0);
    }
}

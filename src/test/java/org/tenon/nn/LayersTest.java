package org.tenon.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.tenon.Activation;
import org.tenon.AttentionOptions;
import org.tenon.Bool;
import org.tenon.ConvOptions;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.NormOptions;
import org.tenon.PoolOptions;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.R4;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;
import org.tenon.optim.AdamW;
import org.tenon.optim.SGD;

/** Layers of normalisation, convolution and attention: their parameters, their modes, and that they are their functions. */
@Tag("plain")
class LayersTest {
    private interface Batch extends Dim {}

    private interface Channels extends Dim {}

    private interface Maps extends Dim {}

    private interface Rows extends Dim {}

    private interface Columns extends Dim {}

    private interface Time extends Dim {}

    private interface Features extends Dim {}

    private static void same(Tensor<?, F32, ?> actual, Tensor<?, F32, ?> expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        assertThat(actual.toFloatArray()).containsExactly(expected.toFloatArray(), within(1e-5f));
    }

    private static void refused(Runnable call, String fragment) {
        assertThatThrownBy(call::run)
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining(fragment);
    }

    @DeviceTest
    void norms(Device<?> device) {
        Scope.run(() -> norm(device));
    }

    private static <Dev extends DeviceType> void norm(Device<Dev> device) {
        Tensor<R2<Batch, Features>, F32, Dev> x = device.randn(R2.of(6, 4), DType.F32, new Generator(1));
        LayerNorm<R2<Batch, Features>, F32, Dev> layer = new LayerNorm<>(device, DType.F32, 4);
        same(layer.forward(x), F.layerNorm(x, new long[] {4}, NormOptions.defaults()));
        assertThat(layer.namedParameters().keySet()).containsExactly("weight", "bias");
        LayerNorm<R2<Batch, Features>, F32, Dev> unbiased = new LayerNorm<>(device, DType.F32, Bias.NONE, 4);
        same(unbiased.forward(x), layer.forward(x));
        assertThat(unbiased.namedParameters().keySet()).containsExactly("weight");
        RMSNorm<R2<Batch, Features>, F32, Dev> rms = new RMSNorm<>(device, DType.F32, 4);
        same(rms.forward(x), F.rmsNorm(x, new long[] {4}, NormOptions.defaults()));
        BatchNorm1d<R2<Batch, Features>, F32, Dev> batch =
                BatchNorm1d.of(device, DType.F32, 4, new BatchNorm.Options(1e-5, 1));
        assertThat(batch.namedBuffers().keySet()).containsExactly("running_mean", "running_var");
        assertThat(batch.parameters()).hasSize(2);
        same(batch.forward(x), F.batchNorm(x, NormOptions.defaults()));
        same(batch.runningMean(), F.mean(x, R2.dim0()));
        same(batch.runningVar(), F.var(x, R2.dim0()));
        batch.eval();
        Tensor<R2<Batch, Features>, F32, Dev> one = x.narrow(0, 0, 1);
        Tensor<R2<Batch, Features>, F32, Dev> expected = F.div(
                F.sub(one, F.mean(x, R2.dim0())), F.sqrt(F.var(x, R2.dim0()).add(1e-5)));
        same(batch.forward(one), expected);
        same(batch.runningMean(), F.mean(x, R2.dim0()));
        batch.train();
        refused(() -> batch.forward(one), "one value a channel has no variance");
        BatchNorm2d<Batch, Channels, Rows, Columns, F32, Dev> images = new BatchNorm2d<>(device, DType.F32, 3);
        Tensor<R4<Batch, Channels, Rows, Columns>, F32, Dev> y =
                device.randn(R4.of(2, 3, 4, 5), DType.F32, new Generator(2));
        same(images.forward(y), F.batchNorm(y, NormOptions.defaults()));
        assertThat(images.runningMean().toFloatArray()).isNotEqualTo(new float[3]);
        BatchNorm1d<R3<Batch, Channels, Time>, F32, Dev> sequences =
                BatchNorm1d.ofSequences(device, DType.F32, 3, BatchNorm.Options.DEFAULTS);
        assertThat(sequences.forward(device.randn(R3.of(2, 3, 4))).shape()).containsExactly(2, 3, 4);
        refused(() -> BatchNorm1d.of(device, DType.F32, 0, BatchNorm.Options.DEFAULTS), "0 channels are too few");
    }

    @DeviceTest
    void convolutions(Device<?> device) {
        Scope.run(() -> convolve(device));
    }

    private static <Dev extends DeviceType> void convolve(Device<Dev> device) {
        Generator generator = new Generator(1);
        Tensor<R4<Batch, Channels, Rows, Columns>, F32, Dev> x = device.randn(R4.of(2, 4, 7, 8), DType.F32, generator);
        Conv2d<Batch, Channels, Maps, Rows, Columns, F32, Dev> conv = new Conv2d<>(
                device,
                DType.F32,
                4,
                6,
                new long[] {3, 2},
                Bias.LEARNED,
                ConvOptions.<F32, Dev>defaults().stride(2, 1).padding(1).groups(2),
                generator);
        assertThat(conv.weight().shape()).containsExactly(6, 2, 3, 2);
        Tensor<R4<Batch, Maps, Rows, Columns>, F32, Dev> y = conv.forward(x);
        assertThat(y.shape()).containsExactly(2, 6, 4, 9);
        double bound = 1 / Math.sqrt(2 * 3 * 2);
        assertThat(conv.weight().abs().max().item()).isLessThanOrEqualTo(bound).isGreaterThan(0.8 * bound);
        Tensor<R4<Batch, Maps, Rows, Columns>, F32, Dev> plain = F.conv2d(
                x,
                conv.weight(),
                ConvOptions.<F32, Dev>defaults().stride(2, 1).padding(1).groups(2));
        same(y, F.add(plain, conv.bias().orElseThrow().reshape(6, 1, 1)));
        Conv2d<Batch, Channels, Maps, Rows, Columns, F32, Dev> bare =
                new Conv2d<>(device, DType.F32, 4, 6, new long[] {1, 1}, Bias.NONE, ConvOptions.defaults(), generator);
        assertThat(bare.parameters()).hasSize(1);
        ConvTranspose2d<Batch, Maps, Channels, Rows, Columns, F32, Dev> back = new ConvTranspose2d<>(
                device,
                DType.F32,
                6,
                4,
                new long[] {3, 2},
                Bias.LEARNED,
                ConvOptions.<F32, Dev>defaults().stride(2, 1).padding(1),
                generator);
        assertThat(back.forward(y).shape()).as("back where it came from").containsExactly(2, 4, 7, 8);
        Conv1d<Batch, Channels, Maps, Time, F32, Dev> line = new Conv1d<>(device, DType.F32, 4, 6, 3, generator);
        assertThat(line.forward(device.randn(R3.of(2, 4, 9))).shape()).containsExactly(2, 6, 7);
        MaxPool2d<Batch, Channels, Rows, Columns, F32, Dev> max = new MaxPool2d<>(PoolOptions.of(2));
        AvgPool2d<Batch, Channels, Rows, Columns, F32, Dev> mean = new AvgPool2d<>(PoolOptions.of(2));
        same(max.forward(x), F.maxPool2d(x, PoolOptions.of(2)));
        same(mean.forward(x), F.avgPool2d(x, PoolOptions.of(2)));
        same(
                new AdaptiveAvgPool2d<Batch, Channels, Rows, Columns, F32, Dev>(3, 2).forward(x),
                F.adaptiveAvgPool2d(x, 3, 2));
        same(
                new AdaptiveMaxPool2d<Batch, Channels, Rows, Columns, F32, Dev>(3, 2).forward(x),
                F.adaptiveMaxPool2d(x, 3, 2));
        Flatten<R4<Batch, Channels, Rows, Columns>, Batch, Features, F32, Dev> flatten = Flatten.images();
        same(flatten.forward(x), x.reshape(2, 224));
        assertThat(flatten.forward(x.narrow(0, 0, 0)).shape()).containsExactly(0, 224);
        refused(
                () -> new Conv1d<Batch, Channels, Maps, Time, F32, Dev>(device, DType.F32, 4, 0, 3, generator),
                "conv1d: channels 4 to 0");
        refused(
                () -> new Conv2d<Batch, Channels, Maps, Rows, Columns, F32, Dev>(
                        device,
                        DType.F32,
                        4,
                        6,
                        new long[] {1, 1},
                        Bias.NONE,
                        ConvOptions.<F32, Dev>defaults().groups(3),
                        generator),
                "conv2d: 3 groups do not divide channels 4 and 6");
    }

    /** Images of a vertical or a horizontal bar, which a small net of all these layers learns to tell apart. */
    @DeviceTest
    void aConvolutionalNetLearns(Device<?> device) {
        Scope.run(() -> bars(device));
    }

    private static <Dev extends DeviceType> void bars(Device<Dev> device) {
        Generator generator = new Generator(7);
        Conv2d<Batch, Channels, Maps, Rows, Columns, F32, Dev> conv =
                new Conv2d<>(device, DType.F32, 1, 4, 3, generator);
        Linear<R2<Batch, Features>, R2<Batch, Features>, F32, Dev> head =
                Linear.of(device, DType.F32, 16, 2, generator);
        var model = Sequential.of(conv)
                .then(new BatchNorm2d<>(device, DType.F32, 4))
                .then(new ReLU<>())
                .then(new MaxPool2d<>(PoolOptions.of(2)))
                .then(Flatten.<Batch, Maps, Rows, Columns, Features, F32, Dev>images())
                .then(head);
        float[] pixels = new float[12 * 36];
        long[] classes = new long[12];
        for (int i = 0; i < 12; i++) {
            classes[i] = i % 2;
            for (int k = 0; k < 6; k++) {
                pixels[36 * i + (i % 2 == 0 ? 6 * (i / 2) + k : 6 * k + i / 2)] = 1;
            }
        }
        Tensor<R4<Batch, Channels, Rows, Columns>, F32, Dev> x = device.tensor(pixels, R4.of(12, 1, 6, 6));
        Tensor<R1<Batch>, I64, Dev> y = device.tensor(classes);
        AdamW<F32, Dev> optimizer = new AdamW<>(model.parameters(), 0.02);
        for (int step = 0; step < 60; step++) {
            Scope.run(() -> optimizer.step(F.crossEntropy(model.forward(x), y).backward()));
        }
        assertThat(F.crossEntropy(model.forward(x), y).item()).isLessThan(0.1);
    }

    @DeviceTest
    void attention(Device<?> device) {
        Scope.run(() -> attend(device));
    }

    private static <Dev extends DeviceType> void attend(Device<Dev> device) {
        Generator generator = new Generator(1);
        MultiheadAttention<Features, F32, Dev> attention =
                new MultiheadAttention<>(device, DType.F32, 6, 2, 0.5, generator);
        assertThat(attention.namedParameters().keySet())
                .containsExactly("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias");
        attention.eval();
        Tensor<R3<Batch, Time, Features>, F32, Dev> x = device.randn(R3.of(2, 5, 6), DType.F32, generator);
        AttentionOptions<F32, Dev> causal =
                AttentionOptions.<F32, Dev>defaults().withCausality();
        Tensor<R3<Batch, Time, Features>, F32, Dev> y = attention.forward(x, causal);
        assertThat(y.shape()).containsExactly(2, 5, 6);
        byHand(attention, x, y);
        Tensor<R3<Batch, Time, Features>, F32, Dev> changed =
                F.cat(List.of(x.narrow(1, 0, 3), x.narrow(1, 3, 2).mul(9)), 1);
        same(attention.forward(changed, causal).narrow(1, 0, 3), y.narrow(1, 0, 3));
        Tensor<R2<Batch, Time>, Bool, Dev> padding = device.tensor(
                new boolean[] {false, false, false, true, true, false, false, false, true, true}, R2.of(2, 5));
        AttentionOptions<F32, Dev> padded =
                AttentionOptions.<F32, Dev>defaults().keyPadding(padding);
        same(
                attention.forward(changed, padded).narrow(1, 0, 3),
                attention.forward(x, padded).narrow(1, 0, 3));
        same(
                attention.forward(x, padded).narrow(1, 0, 3),
                attention.forward(x.narrow(1, 0, 3), AttentionOptions.defaults()));
        attention.train();
        assertThat(attention.forward(x, causal).toFloatArray()).as("dropout").isNotEqualTo(y.toFloatArray());
        MultiheadAttention<Features, F32, Dev> unbiased =
                new MultiheadAttention<>(device, DType.F32, 6, 2, 0, Bias.NONE, generator);
        assertThat(unbiased.namedParameters().keySet()).containsExactly("in_proj_weight", "out_proj.weight");
        byHand(unbiased, x, unbiased.forward(x, causal));
        refused(
                () -> new MultiheadAttention<Features, F32, Dev>(device, DType.F32, 6, 4, 0, generator),
                "4 heads do not divide 6 features");
        refused(
                () -> attention.forward(device.randn(R3.<Batch, Time, Features>of(2, 5, 7)), causal),
                "its last size must be 6");
    }

    /** Causal self-attention a number at a time. */
    private static void byHand(
            MultiheadAttention<?, F32, ?> module, Tensor<?, F32, ?> input, Tensor<?, F32, ?> output) {
        double[] w = module.namedParameters().get("in_proj_weight").toDoubleArray();
        double[] o = module.namedParameters().get("out_proj.weight").toDoubleArray();
        double[] x = input.toDoubleArray();
        double[] y = output.toDoubleArray();
        for (int n = 0; n < 2; n++) {
            double[][][] qkv = new double[3][5][6];
            for (int part = 0; part < 3; part++) {
                for (int t = 0; t < 5; t++) {
                    for (int i = 0; i < 36; i++) {
                        qkv[part][t][i / 6] += w[36 * part + i] * x[30 * n + 6 * t + i % 6];
                    }
                }
            }
            for (int t = 0; t < 5; t++) {
                double[] joined = new double[6];
                for (int head = 0; head < 2; head++) {
                    double[] weights = new double[t + 1];
                    double sum = 0;
                    for (int u = 0; u <= t; u++) {
                        double score = 0;
                        for (int e = 3 * head; e < 3 * head + 3; e++) {
                            score += qkv[0][t][e] * qkv[1][u][e] / Math.sqrt(3);
                        }
                        weights[u] = Math.exp(score);
                        sum += weights[u];
                    }
                    for (int u = 0; u <= t; u++) {
                        for (int e = 3 * head; e < 3 * head + 3; e++) {
                            joined[e] += weights[u] / sum * qkv[2][u][e];
                        }
                    }
                }
                for (int e = 0; e < 6; e++) {
                    double expected = 0;
                    for (int j = 0; j < 6; j++) {
                        expected += o[6 * e + j] * joined[j];
                    }
                    assertThat(y[30 * n + 6 * t + e]).isCloseTo(expected, within(1e-5));
                }
            }
        }
    }

    @DeviceTest
    void anEncoderLayerIsItsParts(Device<?> device) {
        Scope.run(() -> encode(device));
    }

    private static <Dev extends DeviceType> void encode(Device<Dev> device) {
        Tensor<R3<Batch, Time, Features>, F32, Dev> x = device.randn(R3.of(2, 5, 6), DType.F32, new Generator(2));
        for (TransformerEncoderLayer.NormPlace place : TransformerEncoderLayer.NormPlace.values()) {
            TransformerEncoderLayer.Options options = TransformerEncoderLayer.Options.DEFAULTS
                    .hidden(8)
                    .norm(place)
                    .activation(Activation.GELU);
            TransformerEncoderLayer<Batch, Time, Features, F32, Dev> layer =
                    new TransformerEncoderLayer<>(device, DType.F32, 6, 3, options, new Generator(1));
            assertThat(layer.namedParameters().keySet())
                    .contains(
                            "self_attn.in_proj_weight", "linear1.weight", "linear2.bias", "norm1.weight", "norm2.bias");
            assertThat(layer.forward(x).toFloatArray())
                    .as("dropout while training")
                    .isNotEqualTo(layer.forward(x).toFloatArray());
            layer.eval();
            same(layer.forward(x), parts(layer, x, place));
            assertThat(layer.forward(x).mul(x).sum().backward().size())
                    .isEqualTo(layer.parameters().size());
        }
    }

    @SuppressWarnings("unchecked")
    private static <Dev extends DeviceType> Tensor<R3<Batch, Time, Features>, F32, Dev> parts(
            TransformerEncoderLayer<Batch, Time, Features, F32, Dev> layer,
            Tensor<R3<Batch, Time, Features>, F32, Dev> x,
            TransformerEncoderLayer.NormPlace place) {
        var all = layer.childModules();
        var attention = (MultiheadAttention<Features, F32, Dev>) all.get("self_attn");
        var first = (LayerNorm<R3<Batch, Time, Features>, F32, Dev>) all.get("norm1");
        var second = (LayerNorm<R3<Batch, Time, Features>, F32, Dev>) all.get("norm2");
        var wide = (Linear<R3<Batch, Time, Features>, R3<Batch, Time, Features>, F32, Dev>) all.get("linear1");
        var narrow = (Linear<R3<Batch, Time, Features>, R3<Batch, Time, Features>, F32, Dev>) all.get("linear2");
        AttentionOptions<F32, Dev> none = AttentionOptions.defaults();
        if (place == TransformerEncoderLayer.NormPlace.BEFORE) {
            var y = x.add(attention.forward(first.forward(x), none));
            return y.add(narrow.forward(F.gelu(wide.forward(second.forward(y)))));
        }
        var y = first.forward(x.add(attention.forward(x, none)));
        return second.forward(y.add(narrow.forward(F.gelu(wide.forward(y)))));
    }

    @DeviceTest
    void positions(Device<?> device) {
        Scope.run(() -> position(device));
    }

    private static <Dev extends DeviceType> void position(Device<Dev> device) {
        Tensor<R3<Batch, Time, Features>, F32, Dev> x = device.randn(R3.of(2, 3, 4), DType.F32, new Generator(1));
        PositionalEmbedding<Batch, Time, Features, F32, Dev> learned =
                PositionalEmbedding.learned(device, DType.F32, 5, 4, new Generator(2));
        same(learned.forward(x), F.add(x, learned.table().narrow(0, 0, 3)));
        assertThat(learned.namedParameters().keySet()).containsExactly("weight");
        PositionalEmbedding<Batch, Time, Features, F32, Dev> waves =
                PositionalEmbedding.sinusoidal(device, DType.F32, 5, 4);
        assertThat(waves.parameters()).isEmpty();
        double[] table = waves.table().toDoubleArray();
        for (int t = 0; t < 5; t++) {
            assertThat(table[4 * t]).isCloseTo(Math.sin(t), within(1e-6));
            assertThat(table[4 * t + 1]).isCloseTo(Math.cos(t), within(1e-6));
            assertThat(table[4 * t + 2]).isCloseTo(Math.sin(t / 100.0), within(1e-6));
            assertThat(table[4 * t + 3]).isCloseTo(Math.cos(t / 100.0), within(1e-6));
        }
        refused(
                () -> waves.forward(device.randn(R3.<Batch, Time, Features>of(1, 6, 4))),
                "a sequence of 6 is longer than the 5 positions");
        refused(() -> PositionalEmbedding.sinusoidal(device, DType.F32, 5, 3), "3 features are odd");
    }

    private static final class Tied<Dev extends DeviceType> extends Module<F32, Dev> {
        final Embedding<R1<Batch>, R2<Batch, Features>, F32, Dev> table;
        final Linear<R2<Batch, Features>, R2<Batch, Dim>, F32, Dev> head;

        Tied(Device<Dev> device) {
            table = register("table", new Embedding<>(device, DType.F32, 7, 3, R2.dim1(), new Generator(1)));
            head = register("head", Linear.tied(table.weight(), R2.<Batch, Dim>kind()));
        }
    }

    /** A table that both ends of a model share is one parameter, with the sum of both gradients. */
    @DeviceTest
    void tiedWeightsAreOne(Device<?> device) {
        Scope.run(() -> tied(device));
    }

    private static <Dev extends DeviceType> void tied(Device<Dev> device) {
        Tied<Dev> model = new Tied<>(device);
        assertThat(model.namedParameters().keySet()).containsExactly("table.weight");
        assertThat(model.parameterCount()).isEqualTo(21);
        Tensor<R1<Batch>, I64, Dev> x = device.tensor(1L, 4, 4);
        Tensor<R2<Dim, Dim>, F32, Dev> w = model.table.weight();
        Tensor<R2<Dim, Dim>, F32, Dev> twin = w.detach().copy().requireGrad();
        var both = model.head.forward(model.table.forward(x)).sum().backward().get(w);
        Tensor<R2<Batch, Features>, F32, Dev> looked = F.embedding(w, x, R2.dim1());
        var apart = looked.matmul(F.t(twin)).sum().backward();
        same(both, apart.get(w).add(apart.get(twin)));
        SGD<F32, Dev> sgd = new SGD<>(model.parameters(), 1);
        float[] before = w.toFloatArray();
        float[] slope = both.toFloatArray();
        sgd.step(model.head.forward(model.table.forward(x)).sum().backward());
        for (int i = 0; i < before.length; i++) {
            assertThat(w.toFloatArray()[i]).isCloseTo(before[i] - slope[i], within(1e-5f));
        }
        refused(() -> model.head.bias(), "this layer has no bias");
    }

    @DeviceTest
    void lossesAreTheirFunctions(Device<?> device) {
        Scope.run(() -> losses(device));
    }

    private static <Dev extends DeviceType> void losses(Device<Dev> device) {
        Tensor<R2<Batch, Features>, F32, Dev> x = device.randn(R2.of(4, 3), DType.F32, new Generator(1));
        Tensor<R2<Batch, Features>, F32, Dev> t = device.rand(R2.of(4, 3), DType.F32, new Generator(2));
        Tensor<R2<Batch, Features>, F32, Dev> signs = x.sign();
        Tensor<R1<Batch>, I64, Dev> classes = device.tensor(0L, 2, 1, 0);
        same(MSELoss.<R2<Batch, Features>>mean().forward(x, t), F.mseLoss(x, t, Reduction.mean()));
        same(L1Loss.<R2<Batch, Features>>mean().forward(x, t), F.l1Loss(x, t, Reduction.mean()));
        same(HuberLoss.<R2<Batch, Features>>mean().forward(x, t), F.huberLoss(x, t, 1, Reduction.mean()));
        same(SmoothL1Loss.<R2<Batch, Features>>mean().forward(x, t), F.smoothL1Loss(x, t, 1, Reduction.mean()));
        same(
                new HingeEmbeddingLoss<R2<Batch, Features>, R2<Batch, Features>>(0.5, Reduction.none())
                        .forward(x, signs),
                F.hingeEmbeddingLoss(x, signs, 0.5, Reduction.none()));
        same(
                MarginRankingLoss.<R2<Batch, Features>>mean().forward(x, t, signs),
                F.marginRankingLoss(x, t, signs, 0, Reduction.mean()));
        org.tenon.BceOptions<F32, Dev> bce =
                org.tenon.BceOptions.<F32, Dev>defaults().posWeight(t.add(1));
        same(
                new BCEWithLogitsLoss<R2<Batch, Features>, org.tenon.R0, F32, Dev>(bce, Reduction.sum()).forward(x, t),
                F.binaryCrossEntropyWithLogits(x, t, bce, Reduction.sum()));
        org.tenon.MultiMarginOptions<F32, Dev> margin =
                org.tenon.MultiMarginOptions.<F32, Dev>defaults().p(2);
        same(
                new MultiMarginLoss<Batch, org.tenon.R0, F32, Dev>(margin, Reduction.mean()).forward(x, classes),
                F.multiMarginLoss(x, classes, margin, Reduction.mean()));
        Tensor<R1<Batch>, F32, Dev> pairs = device.tensor(1f, -1, 1, -1);
        same(
                new CosineEmbeddingLoss<Batch, org.tenon.R0>(0.1, Reduction.mean()).forward(x, t, pairs),
                F.cosineEmbeddingLoss(x, t, pairs, 0.1, Reduction.mean()));
        Tensor<R3<Time, Batch, Features>, F32, Dev> logp = F.logSoftmax(device.randn(R3.of(5, 4, 3)), -1);
        Tensor<R2<Batch, Dim>, I64, Dev> labels = device.tensor(new long[] {1, 2, 2, 1, 1, 1, 2, 0}, R2.of(4, 2));
        long[] inputs = {5, 5, 5, 4};
        long[] targets = {2, 2, 2, 1};
        same(
                new CTCLoss<Batch, org.tenon.R0>(org.tenon.CtcOptions.defaults(), Reduction.mean())
                        .forward(logp, labels, inputs, targets),
                F.ctcLoss(logp, labels, inputs, targets, org.tenon.CtcOptions.defaults(), Reduction.mean()));
    }
}

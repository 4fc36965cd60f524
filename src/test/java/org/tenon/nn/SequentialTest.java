package org.tenon.nn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.tenon.Activation;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.EpilogueOptions;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.junit.DeviceTest;

/** A sequence gives the bits, and the gradients, of its layers called one after another, whichever of them it joins. */
@Tag("plain")
class SequentialTest {
    private static final long FEATURES = 7;

    /** Layers of rows of {@link #FEATURES}, in an order each. */
    private static <Dev extends DeviceType> Map<String, List<Layer<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev>>> orders(
            Device<Dev> device, Generator generator) {
        return Map.of(
                "activation and dropout",
                List.of(linear(device), new ReLU<>(), new Dropout<>(0.5, generator), linear(device)),
                "dropout first",
                List.of(linear(device), new Dropout<>(0.5, generator), new SiLU<>(), linear(device)),
                "two of each",
                List.of(
                        linear(device),
                        new Tanh<>(),
                        new Sigmoid<>(),
                        new Dropout<>(0.5, generator),
                        new Dropout<>(0.25, generator)),
                "no map in front",
                List.of(new GELU<>(), new Dropout<>(0.5, generator), linear(device), new GELU<>(F.Approximation.TANH)),
                "another layer between",
                List.of(linear(device), new LayerNorm<>(device, DType.F32, FEATURES), new GELU<>(), linear(device)),
                "a sequence within",
                List.of(Sequential.of(linear(device)).then(new GELU<>()), new Dropout<>(0.5, generator)),
                "a map without a bias",
                List.of(Linear.tied(linear(device).weight(), R2.kind()), new GELU<>(), new Dropout<>(0.5, generator)),
                "dropout of nothing and of everything",
                List.of(linear(device), new Dropout<>(0, generator), linear(device), new Dropout<>(1, generator)));
    }

    private static <Dev extends DeviceType> Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> linear(Device<Dev> device) {
        return Linear.of(device, DType.F32, FEATURES, FEATURES, new Generator(3));
    }

    @DeviceTest
    void hasTheBitsOfItsLayers(Device<?> device) {
        Scope.run(() -> check(device));
    }

    private static <Dev extends DeviceType> void check(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.<R2<Dim, Dim>, F32>randn(
                        R2.of(5, FEATURES), DType.F32, new Generator(1))
                .requireGrad();
        Generator generator = new Generator(9);
        orders(device, generator).forEach((name, layers) -> {
            Sequential<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> sequence = Sequential.of(layers.getFirst());
            for (Layer<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> layer : layers.subList(1, layers.size())) {
                sequence = sequence.then(layer);
            }
            assertThat(sequence.childModules().values()).as(name).containsExactlyElementsOf(layers);
            for (boolean training : new boolean[] {true, false}) {
                if (training) {
                    sequence.train();
                } else {
                    sequence.eval();
                }
                generator.reseed(9);
                Tensor<R2<Dim, Dim>, F32, Dev> joined = sequence.forward(x);
                generator.reseed(9);
                Tensor<R2<Dim, Dim>, F32, Dev> separate = x;
                for (Layer<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> layer : layers) {
                    separate = apart(layer, separate);
                }
                assertThat(joined.toFloatArray()).as(name).isEqualTo(separate.toFloatArray());
                Gradients got = joined.sum().backward();
                Gradients wanted = separate.sum().backward();
                assertThat(got.get(x).toFloatArray())
                        .as(name)
                        .isEqualTo(wanted.get(x).toFloatArray());
                for (Tensor<?, F32, Dev> parameter : sequence.parameters()) {
                    assertThat(got.get(parameter).toFloatArray())
                            .as(name)
                            .isEqualTo(wanted.get(parameter).toFloatArray());
                }
            }
        });
    }

    /** A map's product and sum, as two ops; of other layers what they are. */
    private static <Dev extends DeviceType> Tensor<R2<Dim, Dim>, F32, Dev> apart(
            Layer<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> layer, Tensor<R2<Dim, Dim>, F32, Dev> x) {
        if (layer instanceof Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> map) {
            Tensor<R2<Dim, Dim>, F32, Dev> y = x.matmul(F.t(map.weight())).as(R2.kind());
            return map.namedParameters().containsKey("bias") ? F.add(y, map.bias()) : y;
        }
        return layer.forward(x);
    }

    @DeviceTest
    void aMapTakesAnEpilogue(Device<?> device) {
        Scope.run(() -> epilogue(device));
    }

    private static <Dev extends DeviceType> void epilogue(Device<Dev> device) {
        Tensor<R2<Dim, Dim>, F32, Dev> x = device.randn(R2.of(5, FEATURES), DType.F32, new Generator(1));
        Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> map = linear(device);
        Tensor<R2<Dim, Dim>, F32, Dev> got = map.forward(
                x,
                EpilogueOptions.<F32, Dev>defaults()
                        .activation(Activation.SILU)
                        .dropout(0.25, new Generator(2))
                        .residual(x));
        Tensor<R2<Dim, Dim>, F32, Dev> wanted = x.add(F.dropout(F.silu(apart(map, x)), 0.25, new Generator(2)));
        assertThat(got.toFloatArray()).isEqualTo(wanted.toFloatArray());
    }

    /** Its parts called one by one, with the numbers drawn in the same order. */
    @DeviceTest
    void anEncoderHasTheBitsOfItsParts(Device<?> device) {
        for (TransformerEncoderLayer.NormPlace place : TransformerEncoderLayer.NormPlace.values()) {
            Scope.run(() -> encoder(device, place));
        }
    }

    private static <Dev extends DeviceType> void encoder(Device<Dev> device, TransformerEncoderLayer.NormPlace place) {
        Generator generator = new Generator(4);
        TransformerEncoderLayer<Dim, Dim, Dim, F32, Dev> layer = new TransformerEncoderLayer<>(
                device,
                DType.F32,
                6,
                2,
                TransformerEncoderLayer.Options.DEFAULTS
                        .hidden(10)
                        .dropout(0.3)
                        .activation(Activation.GELU)
                        .norm(place),
                generator);
        Tensor<R3<Dim, Dim, Dim>, F32, Dev> x = device.randn(R3.of(2, 3, 6), DType.F32, new Generator(1));
        long position = generator.position();
        float[] got = layer.forward(x).toFloatArray();
        generator.restore(4, position);
        Parts<Dev> parts = new Parts<>(layer, generator);
        Tensor<R3<Dim, Dim, Dim>, F32, Dev> wanted = place == TransformerEncoderLayer.NormPlace.BEFORE
                ? parts.residual(
                        parts.residual(x, y -> parts.attend(parts.norm("norm1", y))),
                        y -> parts.feed(parts.norm("norm2", y)))
                : parts.norm(
                        "norm2", parts.residual(parts.norm("norm1", parts.residual(x, parts::attend)), parts::feed));
        assertThat(got).isEqualTo(wanted.toFloatArray());
    }

    private record Parts<Dev extends DeviceType>(
            TransformerEncoderLayer<Dim, Dim, Dim, F32, Dev> layer, Generator generator) {
        Tensor<R3<Dim, Dim, Dim>, F32, Dev> residual(
                Tensor<R3<Dim, Dim, Dim>, F32, Dev> x, UnaryOperator<Tensor<R3<Dim, Dim, Dim>, F32, Dev>> part) {
            return x.add(F.dropout(part.apply(x), 0.3, generator));
        }

        @SuppressWarnings("unchecked")
        private <M extends Module<F32, Dev>> M child(String name) {
            return (M) layer.childModules().get(name);
        }

        Tensor<R3<Dim, Dim, Dim>, F32, Dev> norm(String name, Tensor<R3<Dim, Dim, Dim>, F32, Dev> x) {
            LayerNorm<R3<Dim, Dim, Dim>, F32, Dev> norm = child(name);
            return norm.forward(x);
        }

        Tensor<R3<Dim, Dim, Dim>, F32, Dev> attend(Tensor<R3<Dim, Dim, Dim>, F32, Dev> x) {
            MultiheadAttention<Dim, F32, Dev> attention = child("self_attn");
            return attention.forward(x, org.tenon.AttentionOptions.defaults());
        }

        Tensor<R3<Dim, Dim, Dim>, F32, Dev> feed(Tensor<R3<Dim, Dim, Dim>, F32, Dev> x) {
            Linear<R3<Dim, Dim, Dim>, R3<Dim, Dim, Dim>, F32, Dev> wide = child("linear1");
            Linear<R3<Dim, Dim, Dim>, R3<Dim, Dim, Dim>, F32, Dev> narrow = child("linear2");
            return narrow.forward(F.dropout(F.gelu(wide.forward(x)), 0.3, generator));
        }
    }
}

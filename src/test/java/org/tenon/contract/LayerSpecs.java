package org.tenon.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.K3;
import static org.tenon.contract.Specs.spec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.tenon.Activation;
import org.tenon.Any;
import org.tenon.AttentionOptions;
import org.tenon.Autograd;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.R0;
import org.tenon.R3;
import org.tenon.Tensor;
import org.tenon.nn.GRU;
import org.tenon.nn.LSTM;
import org.tenon.nn.Module;
import org.tenon.nn.MultiheadAttention;
import org.tenon.nn.PositionalEmbedding;
import org.tenon.nn.RNN;
import org.tenon.nn.Recurrent;
import org.tenon.nn.TransformerEncoderLayer;

/**
 * Layers of several ops, against {@link LayerReference}: what they give, their gradients by the input, and those by every
 * parameter, which the reference has from differences.
 */
final class LayerSpecs {
    private static final double STEP = 1e-6;

    private LayerSpecs() {}

    /** A layer on a device: its parameters, and what it makes of an input. */
    private record Built<D extends Floating>(
            Module<D, Cpu> module, Function<Tensor<R3<Dim, Dim, Dim>, D, Cpu>, List<Tensor<?, D, Cpu>>> forward) {}

    /** A layer in general. */
    private interface Layer {
        <D extends Floating> Built<D> on(Device<Cpu> device, D dtype);
    }

    static void add(List<OpSpec> all) {
        recurrent(all);
        OpSpec attention = spec(all, "nn.MultiheadAttention");
        for (boolean causal : new boolean[] {false, true}) {
            add(
                    attention,
                    causal ? "causal" : "plain",
                    attention(causal),
                    LayerReference.attentionShapes("", 4),
                    (p, x) -> LayerReference.attention(p, "", x, 2, causal),
                    2,
                    3,
                    4);
        }
        OpSpec encoder = spec(all, "nn.TransformerEncoderLayer");
        for (TransformerEncoderLayer.NormPlace place : TransformerEncoderLayer.NormPlace.values()) {
            for (Activation f : Activation.values()) {
                add(
                        encoder,
                        place + " " + f,
                        encoder(place, f),
                        LayerReference.encoderShapes(4, 5),
                        (p, x) -> LayerReference.encoder(p, x, 2, place, f),
                        2,
                        3,
                        4);
            }
        }
        OpSpec positions = spec(all, "nn.PositionalEmbedding");
        add(
                positions,
                "learned",
                new Layer() {
                    @Override
                    public <D extends Floating> Built<D> on(Device<Cpu> device, D dtype) {
                        PositionalEmbedding<Dim, Dim, Dim, D, Cpu> layer =
                                PositionalEmbedding.learned(device, dtype, 5, 4, new Generator(1));
                        return new Built<>(layer, x -> List.of(layer.forward(x)));
                    }
                },
                Map.of("weight", new long[] {5, 4}),
                (p, x) -> LayerReference.positions(p.get("weight"), x),
                2,
                3,
                4);
    }

    private static void recurrent(List<OpSpec> all) {
        for (String kind : List.of("RNN", "GRU", "LSTM")) {
            OpSpec spec = spec(all, "nn." + kind);
            for (int layers = 1; layers <= 2; layers++) {
                for (Recurrent.Direction direction : Recurrent.Direction.values()) {
                    int depth = layers;
                    int directions = direction == Recurrent.Direction.BOTH ? 2 : 1;
                    String name = layers + (directions == 2 ? " both ways" : "");
                    add(
                            spec,
                            name,
                            recurrent(
                                    kind,
                                    RNN.Activation.TANH,
                                    Recurrent.Options.DEFAULTS.layers(layers).direction(direction)),
                            LayerReference.recurrentShapes(kind, 3, 2, layers, directions),
                            (p, x) -> LayerReference.recurrent(kind, Math::tanh, p, x, 2, depth, directions),
                            3,
                            2,
                            3);
                }
            }
        }
        OpSpec relu = spec(all, "nn.RNN relu");
        add(
                relu,
                "2",
                recurrent("RNN", RNN.Activation.RELU, Recurrent.Options.DEFAULTS.layers(2)),
                LayerReference.recurrentShapes("RNN", 3, 2, 2, 1),
                (p, x) -> LayerReference.recurrent("RNN", v -> Math.max(v, 0), p, x, 2, 2, 1),
                3,
                2,
                3);
    }

    private static Layer recurrent(String kind, RNN.Activation activation, Recurrent.Options options) {
        return new Layer() {
            @Override
            public <D extends Floating> Built<D> on(Device<Cpu> device, D dtype) {
                Generator generator = new Generator(1);
                return switch (kind) {
                    case "RNN" -> {
                        RNN<Dim, Dim, Dim, Dim, D, Cpu> rnn =
                                new RNN<>(device, dtype, 3, 2, activation, options, generator);
                        yield new Built<>(rnn, x -> {
                            var out = rnn.forward(x);
                            return List.of(out.output(), out.hidden());
                        });
                    }
                    case "GRU" -> {
                        GRU<Dim, Dim, Dim, Dim, D, Cpu> gru = new GRU<>(device, dtype, 3, 2, options, generator);
                        yield new Built<>(gru, x -> {
                            var out = gru.forward(x);
                            return List.of(out.output(), out.hidden());
                        });
                    }
                    default -> {
                        LSTM<Dim, Dim, Dim, Dim, D, Cpu> lstm = new LSTM<>(device, dtype, 3, 2, options, generator);
                        yield new Built<>(lstm, x -> {
                            var out = lstm.forward(x);
                            return List.of(out.output(), out.hidden(), out.cell());
                        });
                    }
                };
            }
        };
    }

    private static Layer attention(boolean causal) {
        return new Layer() {
            @Override
            public <D extends Floating> Built<D> on(Device<Cpu> device, D dtype) {
                MultiheadAttention<Dim, D, Cpu> layer =
                        new MultiheadAttention<>(device, dtype, 4, 2, 0, new Generator(1));
                AttentionOptions<D, Cpu> plain = AttentionOptions.defaults();
                return new Built<>(layer, x -> List.of(layer.forward(x, causal ? plain.withCausality() : plain)));
            }
        };
    }

    private static Layer encoder(TransformerEncoderLayer.NormPlace place, Activation f) {
        return new Layer() {
            @Override
            public <D extends Floating> Built<D> on(Device<Cpu> device, D dtype) {
                TransformerEncoderLayer<Dim, Dim, Dim, D, Cpu> layer = new TransformerEncoderLayer<>(
                        device, dtype, 4, 2, new TransformerEncoderLayer.Options(5, 0, f, place), new Generator(1));
                return new Built<>(layer, x -> List.of(layer.forward(x)));
            }
        };
    }

    // ---- a layer beside its reference

    private static void add(
            OpSpec spec,
            String name,
            Layer layer,
            Map<String, long[]> shapes,
            LayerReference.Forward reference,
            long... shape) {
        for (DType dtype : FLOATS) {
            Floating floating = (Floating) dtype;
            // half types round between the ops of a layer
            double tolerance = dtype.bytes() == 2 ? 10 * OpSpec.tolerance(dtype) : OpSpec.DEFAULT;
            spec.sample(
                    dtype + " " + name,
                    tolerance,
                    x -> run(layer, shapes, x.device(), floating, x.a()),
                    x -> vector(dtype, reference.of(values(shapes, dtype), x.getFirst())),
                    Arr.normal(dtype, 1, shape));
            if (dtype.bytes() > 2) {
                spec.sample(
                        dtype + " " + name + ", slopes of parameters",
                        dtype == DType.F64 ? 1e-7 : 1e-4,
                        x -> slopes(layer, shapes, x.device(), floating, x.a()),
                        x -> vector(dtype, slopes(reference, shapes, x.getFirst())),
                        Arr.normal(dtype, 1, shape));
            }
        }
        spec.grad(
                name,
                // the check runs in float32 as well
                x -> run(layer, shapes, x.device(), (Floating) x.a().value().dtype(), x.a()),
                Arr.normal(DType.F64, 1, shape));
    }

    private static Arr vector(DType dtype, double[] values) {
        return Arr.floats(dtype, new long[] {values.length}, values);
    }

    /** Values of parameters of these shapes. */
    private static Map<String, Arr> values(Map<String, long[]> shapes, DType dtype) {
        Map<String, Arr> values = new LinkedHashMap<>();
        shapes.forEach((name, shape) -> values.put(name, Arr.uniform(dtype, 50 + values.size(), -0.8, 0.8, shape)));
        return values;
    }

    private static <D extends Floating> Built<D> built(
            Layer layer, Map<String, long[]> shapes, Device<Cpu> device, D dtype) {
        Built<D> built = layer.on(device, dtype);
        Map<String, Tensor<?, D, Cpu>> parameters = built.module().namedParameters();
        assertThat(parameters.keySet()).containsExactlyElementsOf(shapes.keySet());
        Autograd.noGrad(() -> {
            values(shapes, dtype)
                    .forEach((name, value) -> parameters
                            .get(name)
                            .any()
                            .copyFrom(device.tensor(value.bytes(), Any.of(value.shape()), dtype)));
            return null;
        });
        return built;
    }

    @SuppressWarnings("unchecked")
    private static <D extends Floating> Tensor<R3<Dim, Dim, Dim>, D, Cpu> typed(Tensor<Any, F64, Cpu> x) {
        return ((Tensor<Any, D, Cpu>) (Tensor<?, ?, ?>) x).as(K3);
    }

    private static <D extends Floating> Tensor<Any, D, Cpu> run(
            Layer layer, Map<String, long[]> shapes, Device<Cpu> device, D dtype, Tensor<Any, F64, Cpu> x) {
        return flat(built(layer, shapes, device, dtype).forward().apply(typed(x)));
    }

    /** All elements in a row. */
    private static <D extends Floating> Tensor<Any, D, Cpu> flat(List<Tensor<?, D, Cpu>> parts) {
        List<Tensor<Any, D, Cpu>> rows = new ArrayList<>();
        parts.forEach(part -> rows.add(part.reshape(part.numel())));
        return F.cat(rows, 0);
    }

    /** The weights that outputs have in the sum whose slopes are compared. */
    private static Arr weights(DType dtype, int count) {
        return Arr.uniform(dtype, 9, -1, 1, count);
    }

    private static <D extends Floating> Tensor<Any, D, Cpu> slopes(
            Layer layer, Map<String, long[]> shapes, Device<Cpu> device, D dtype, Tensor<Any, F64, Cpu> x) {
        Built<D> built = built(layer, shapes, device, dtype);
        Tensor<Any, D, Cpu> out = flat(built.forward().apply(typed(x)));
        Arr weights = weights(dtype, (int) out.numel());
        Tensor<R0, D, Cpu> sum = out.mul(device.tensor(weights.bytes(), Any.of(out.shape()), dtype))
                .sum();
        Gradients gradients = sum.backward();
        List<Tensor<?, D, Cpu>> all = new ArrayList<>();
        built.module().namedParameters().values().forEach(parameter -> all.add(gradients.get(parameter.any())));
        return flat(all);
    }

    private static double[] slopes(LayerReference.Forward reference, Map<String, long[]> shapes, Arr x) {
        List<Double> slopes = new ArrayList<>();
        Map<String, Arr> values = values(shapes, x.dtype());
        for (String name : shapes.keySet()) {
            Arr value = values.get(name);
            for (int i = 0; i < value.count(); i++) {
                double up = sum(reference, values, name, value.with(i, value.f()[i] + STEP), x);
                double down = sum(reference, values, name, value.with(i, value.f()[i] - STEP), x);
                slopes.add((up - down) / (2 * STEP));
            }
        }
        return slopes.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static double sum(
            LayerReference.Forward reference, Map<String, Arr> values, String name, Arr moved, Arr x) {
        Map<String, Arr> all = new LinkedHashMap<>(values);
        all.put(name, moved);
        double[] out = reference.of(all, x);
        double[] weights = weights(x.dtype(), out.length).f();
        double[] terms = new double[out.length];
        Arrays.setAll(terms, i -> out[i] * weights[i]);
        return Arrays.stream(terms).sum();
    }
}

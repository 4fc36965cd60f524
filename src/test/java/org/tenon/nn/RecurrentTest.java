package org.tenon.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.tenon.Any;
import org.tenon.Autograd;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Dim;
import org.tenon.F64;
import org.tenon.Generator;
import org.tenon.R3;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;

/** GRU and LSTM beside their formulas, written out a number at a time. */
@Tag("plain")
class RecurrentTest {
    private static final int STEPS = 4;
    private static final int BATCH = 2;
    private static final int IN = 3;
    private static final int HIDDEN = 5;

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    /** One layer of the formulas: {@code x [T][N][in]} to {@code h [T][N][H]}; h and c are changed to those at the end. */
    private static double[][][] layer(double[][][] x, double[][] h, double[][] c, Map<String, double[]> p, int k) {
        double[] w = p.get("weight_ih_l" + k);
        double[] u = p.get("weight_hh_l" + k);
        double[] b = p.get("bias_ih_l" + k);
        double[] d = p.get("bias_hh_l" + k);
        double[][][] out = new double[x.length][BATCH][];
        for (int t = 0; t < x.length; t++) {
            for (int n = 0; n < BATCH; n++) {
                double[] fromInput = map(w, b, x[t][n]);
                double[] fromState = map(u, d, h[n]);
                double[] next = new double[HIDDEN];
                for (int i = 0; i < HIDDEN; i++) {
                    if (c != null) {
                        double in = sigmoid(fromInput[i] + fromState[i]);
                        double forget = sigmoid(fromInput[HIDDEN + i] + fromState[HIDDEN + i]);
                        double news = Math.tanh(fromInput[2 * HIDDEN + i] + fromState[2 * HIDDEN + i]);
                        double gate = sigmoid(fromInput[3 * HIDDEN + i] + fromState[3 * HIDDEN + i]);
                        c[n][i] = forget * c[n][i] + in * news;
                        next[i] = gate * Math.tanh(c[n][i]);
                    } else {
                        double reset = sigmoid(fromInput[i] + fromState[i]);
                        double keep = sigmoid(fromInput[HIDDEN + i] + fromState[HIDDEN + i]);
                        double news = Math.tanh(fromInput[2 * HIDDEN + i] + reset * fromState[2 * HIDDEN + i]);
                        next[i] = (1 - keep) * news + keep * h[n][i];
                    }
                }
                h[n] = next;
                out[t][n] = next;
            }
        }
        return out;
    }

    private static double[] map(double[] w, double[] b, double[] x) {
        double[] y = b.clone();
        for (int i = 0; i < y.length; i++) {
            for (int j = 0; j < x.length; j++) {
                y[i] += w[i * x.length + j] * x[j];
            }
        }
        return y;
    }

    private static double[][][] nested(double[] flat, int a, int b, int c) {
        double[][][] out = new double[a][b][c];
        for (int i = 0; i < flat.length; i++) {
            out[i / (b * c)][i / c % b][i % c] = flat[i];
        }
        return out;
    }

    private static void close(Tensor<?, F64, ?> actual, double[][][] expected) {
        double[] got = actual.toDoubleArray();
        double[][][] shaped = nested(got, expected.length, expected[0].length, expected[0][0].length);
        assertThat(got).hasSize(expected.length * expected[0].length * expected[0][0].length);
        for (int i = 0; i < expected.length; i++) {
            for (int j = 0; j < expected[0].length; j++) {
                assertThat(shaped[i][j]).containsExactly(expected[i][j], within(1e-12));
            }
        }
    }

    private static Map<String, double[]> parameters(Recurrent<F64, ?> module) {
        Map<String, double[]> all = new LinkedHashMap<>();
        module.namedParameters().forEach((name, tensor) -> all.put(name, tensor.toDoubleArray()));
        return all;
    }

    @DeviceTest
    void twoLayersOfLstm(Device<?> device) {
        if (device.supports(DType.F64)) {
            Scope.run(() -> lstm(device));
        }
    }

    private static <Dev extends DeviceType> void lstm(Device<Dev> device) {
        LSTM<Dim, Dim, Dim, Dim, F64, Dev> lstm =
                new LSTM<>(device, DType.F64, IN, HIDDEN, Recurrent.Options.DEFAULTS.layers(2), new Generator(1));
        assertThat(lstm.namedParameters().keySet())
                .startsWith("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l1");
        Tensor<R3<Dim, Dim, Dim>, F64, Dev> x = random(device, STEPS, BATCH, IN, 2);
        Tensor<R3<Dim, Dim, Dim>, F64, Dev> h = random(device, 2, BATCH, HIDDEN, 3);
        Tensor<R3<Dim, Dim, Dim>, F64, Dev> c = random(device, 2, BATCH, HIDDEN, 4);
        var zero = lstm.forward(x);
        var given = lstm.forward(x, h, c);
        for (boolean zeros : new boolean[] {true, false}) {
            double[][][] states = nested(zeros ? new double[20] : h.toDoubleArray(), 2, BATCH, HIDDEN);
            double[][][] cells = nested(zeros ? new double[20] : c.toDoubleArray(), 2, BATCH, HIDDEN);
            double[][][] y = nested(x.toDoubleArray(), STEPS, BATCH, IN);
            for (int k = 0; k < 2; k++) {
                y = layer(y, states[k], cells[k], parameters(lstm), k);
            }
            var out = zeros ? zero : given;
            close(out.output(), y);
            close(out.hidden(), states);
            close(out.cell(), cells);
        }
        var first = lstm.forward(x.narrow(0, 0, 3));
        var rest = lstm.forward(x.narrow(0, 3, 1), first.hidden(), first.cell());
        assertThat(rest.output().toDoubleArray())
                .as("a sequence in two stretches")
                .containsExactly(zero.output().narrow(0, 3, 1).toDoubleArray(), within(1e-12));
        slopes(lstm, () -> lstm.forward(x, h, c).output());
    }

    @DeviceTest
    void aGruBatchFirst(Device<?> device) {
        if (device.supports(DType.F64)) {
            Scope.run(() -> gru(device));
        }
    }

    private static <Dev extends DeviceType> void gru(Device<Dev> device) {
        GRU<Dim, Dim, Dim, Dim, F64, Dev> gru = new GRU<>(
                device,
                DType.F64,
                IN,
                HIDDEN,
                Recurrent.Options.DEFAULTS.layers(2).order(Recurrent.Order.BATCH_FIRST),
                new Generator(1));
        Tensor<R3<Dim, Dim, Dim>, F64, Dev> x = random(device, STEPS, BATCH, IN, 2);
        Tensor<R3<Dim, Dim, Dim>, F64, Dev> turned = x.transpose(0, 1).as(R3.<Dim, Dim, Dim>kind());
        Tensor<R3<Dim, Dim, Dim>, F64, Dev> h = random(device, 2, BATCH, HIDDEN, 3);
        double[][][] states = nested(h.toDoubleArray(), 2, BATCH, HIDDEN);
        double[][][] y = nested(x.toDoubleArray(), STEPS, BATCH, IN);
        for (int k = 0; k < 2; k++) {
            y = layer(y, states[k], null, parameters(gru), k);
        }
        var out = gru.forward(turned, h);
        assertThat(out.output().isContiguous()).isTrue();
        assertThat(out.output().shape()).containsExactly(BATCH, STEPS, HIDDEN);
        close(out.output().transpose(0, 1), y);
        close(out.hidden(), states);
        close(gru.forward(turned).hidden(), fromZero(x, gru));
        slopes(gru, () -> gru.forward(turned, h).output());
    }

    private static double[][][] fromZero(Tensor<?, F64, ?> x, Recurrent<F64, ?> gru) {
        double[][][] states = new double[2][BATCH][HIDDEN];
        double[][][] y = nested(x.toDoubleArray(), STEPS, BATCH, IN);
        for (int k = 0; k < 2; k++) {
            y = layer(y, states[k], null, parameters(gru), k);
        }
        return states;
    }

    private static <Dev extends DeviceType> Tensor<R3<Dim, Dim, Dim>, F64, Dev> random(
            Device<Dev> device, long a, long b, long c, long seed) {
        return device.randn(R3.of(a, b, c), DType.F64, new Generator(seed));
    }

    /** Gradients of the sum of squares, for a few elements of each parameter, against differences. */
    private static <Dev extends DeviceType> void slopes(
            Module<F64, Dev> module, java.util.function.Supplier<Tensor<R3<Dim, Dim, Dim>, F64, Dev>> output) {
        Tensor<R3<Dim, Dim, Dim>, F64, Dev> y = output.get();
        var gradients = y.mul(y).sum().backward();
        module.namedParameters().forEach((name, parameter) -> {
            double[] slope = gradients.get(parameter).toDoubleArray();
            double[] start = parameter.toDoubleArray();
            for (int i = 0; i < slope.length; i += 1 + slope.length / 3) {
                double step = 1e-6;
                double difference =
                        (squares(parameter, start, i, step, output) - squares(parameter, start, i, -step, output))
                                / (2 * step);
                assertThat(slope[i]).as("%s %d", name, i).isCloseTo(difference, within(1e-6));
            }
        });
    }

    private static <Dev extends DeviceType> double squares(
            Tensor<?, F64, Dev> parameter,
            double[] start,
            int i,
            double step,
            java.util.function.Supplier<Tensor<R3<Dim, Dim, Dim>, F64, Dev>> output) {
        double[] moved = start.clone();
        moved[i] += step;
        return Scope.call(() -> Autograd.noGrad(() -> {
            Tensor<Any, F64, Dev> target = parameter.any();
            target.copyFrom(parameter.device().tensor(moved, Any.of(parameter.shape())));
            Tensor<R3<Dim, Dim, Dim>, F64, Dev> y = output.get();
            double sum = y.mul(y).sum().item();
            target.copyFrom(parameter.device().tensor(start, Any.of(parameter.shape())));
            return sum;
        }));
    }

    @DeviceTest
    void badShapesAreRefused(Device<?> device) {
        Scope.run(() -> bad(device));
    }

    private static <Dev extends DeviceType> void bad(Device<Dev> device) {
        var lstm = new LSTM<Dim, Dim, Dim, Dim, org.tenon.F32, Dev>(
                device,
                DType.F32,
                IN,
                HIDDEN,
                Recurrent.Options.DEFAULTS.dropout(1).layers(2),
                new Generator(1));
        refused(
                () -> lstm.forward(device.ones(R3.of(4, 2, 7))),
                "lstm: the input does not fit; give rank 3, sequences of at least one step and 3 features");
        refused(
                () -> lstm.forward(device.ones(R3.of(0, 2, 3))),
                "lstm: the input does not fit; give rank 3, sequences of at least one step");
        var x = device.ones(R3.<Dim, Dim, Dim>of(4, 2, 3));
        refused(
                () -> lstm.forward(x, device.ones(R3.of(1, 2, 5)), device.ones(R3.of(2, 2, 5))),
                "lstm: a state has shape [1, 2, 5]; [2, 2, 5]");
        refused(
                () -> new GRU<Dim, Dim, Dim, Dim, org.tenon.F32, Dev>(
                        device, DType.F32, 0, 5, Recurrent.Options.DEFAULTS, new Generator(1)),
                "gru: sizes 0 to 5");
        float[] dropped = lstm.forward(x).hidden().toFloatArray();
        lstm.eval();
        assertThat(lstm.forward(x).hidden().toFloatArray())
                .as("no dropout in evaluation")
                .isNotEqualTo(dropped);
    }

    private static void refused(Runnable call, String fragment) {
        assertThatThrownBy(call::run)
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining(fragment);
    }
}

package org.tenon.contract;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.tenon.Activation;
import org.tenon.nn.TransformerEncoderLayer.NormPlace;

/** Layers written out a number at a time, in double. */
final class LayerReference {
    private LayerReference() {}

    /** All outputs of a layer in a row, from its parameters and its input. */
    interface Forward {
        double[] of(Map<String, Arr> parameters, Arr x);
    }

    // ---- recurrent layers

    private static int gates(String kind) {
        return kind.equals("RNN") ? 1 : kind.equals("GRU") ? 3 : 4;
    }

    static Map<String, long[]> recurrentShapes(String kind, int in, int hidden, int layers, int directions) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        int rows = gates(kind) * hidden;
        for (int k = 0; k < layers; k++) {
            for (int way = 0; way < directions; way++) {
                String suffix = "_l" + k + (way == 1 ? "_reverse" : "");
                shapes.put("weight_ih" + suffix, new long[] {rows, k == 0 ? in : directions * hidden});
                shapes.put("weight_hh" + suffix, new long[] {rows, hidden});
                shapes.put("bias_ih" + suffix, new long[] {rows});
                shapes.put("bias_hh" + suffix, new long[] {rows});
            }
        }
        return shapes;
    }

    /** {@code x [T, N, in]}: the outputs of the last layer, then the states at the end, then those of an LSTM's cells. */
    static double[] recurrent(
            String kind,
            DoubleUnaryOperator activation,
            Map<String, Arr> p,
            Arr x,
            int hidden,
            int layers,
            int directions) {
        int steps = (int) x.shape()[0];
        int batch = (int) x.shape()[1];
        double[][][] rows = new double[steps][batch][(int) x.shape()[2]];
        for (int i = 0; i < x.count(); i++) {
            int[] at = Reference.position(x.shape(), i);
            rows[at[0]][at[1]][at[2]] = x.f()[i];
        }
        double[] lastHidden = new double[layers * directions * batch * hidden];
        double[] lastCells = new double[lastHidden.length];
        for (int k = 0; k < layers; k++) {
            double[][][] next = new double[steps][batch][directions * hidden];
            for (int way = 0; way < directions; way++) {
                String suffix = "_l" + k + (way == 1 ? "_reverse" : "");
                for (int n = 0; n < batch; n++) {
                    double[] h = new double[hidden];
                    double[] c = new double[hidden];
                    for (int s = 0; s < steps; s++) {
                        int t = way == 1 ? steps - 1 - s : s;
                        h = step(kind, activation, p, suffix, rows[t][n], h, c);
                        System.arraycopy(h, 0, next[t][n], way * hidden, hidden);
                    }
                    int at = ((k * directions + way) * batch + n) * hidden;
                    System.arraycopy(h, 0, lastHidden, at, hidden);
                    System.arraycopy(c, 0, lastCells, at, hidden);
                }
            }
            rows = next;
        }
        int outputs = steps * batch * directions * hidden;
        double[] all = new double[outputs + lastHidden.length * (kind.equals("LSTM") ? 2 : 1)];
        for (int i = 0; i < outputs; i++) {
            int width = directions * hidden;
            all[i] = rows[i / width / batch][i / width % batch][i % width];
        }
        System.arraycopy(lastHidden, 0, all, outputs, lastHidden.length);
        if (kind.equals("LSTM")) {
            System.arraycopy(lastCells, 0, all, outputs + lastHidden.length, lastCells.length);
        }
        return all;
    }

    /** The next state; an LSTM's cells {@code c} change. */
    private static double[] step(
            String kind,
            DoubleUnaryOperator activation,
            Map<String, Arr> p,
            String suffix,
            double[] x,
            double[] h,
            double[] c) {
        int size = h.length;
        double[] in = map(p.get("weight_ih" + suffix), p.get("bias_ih" + suffix), x);
        double[] state = map(p.get("weight_hh" + suffix), p.get("bias_hh" + suffix), h);
        double[] next = new double[size];
        for (int i = 0; i < size; i++) {
            switch (kind) {
                case "RNN" -> next[i] = activation.applyAsDouble(in[i] + state[i]);
                case "GRU" -> {
                    double reset = Reference.sigmoid(in[i] + state[i]);
                    double keep = Reference.sigmoid(in[size + i] + state[size + i]);
                    double news = Math.tanh(in[2 * size + i] + reset * state[2 * size + i]);
                    next[i] = (1 - keep) * news + keep * h[i];
                }
                default -> {
                    double input = Reference.sigmoid(in[i] + state[i]);
                    double forget = Reference.sigmoid(in[size + i] + state[size + i]);
                    double news = Math.tanh(in[2 * size + i] + state[2 * size + i]);
                    double output = Reference.sigmoid(in[3 * size + i] + state[3 * size + i]);
                    c[i] = forget * c[i] + input * news;
                    next[i] = output * Math.tanh(c[i]);
                }
            }
        }
        return next;
    }

    /** {@code W x + b}. */
    private static double[] map(Arr w, Arr b, double[] x) {
        return map(w, b, x, 0, b.count());
    }

    private static double[] map(Arr w, Arr b, double[] x, int from, int count) {
        double[] y = new double[count];
        for (int i = 0; i < count; i++) {
            y[i] = b.f()[from + i];
            for (int j = 0; j < x.length; j++) {
                y[i] += w.f()[(from + i) * x.length + j] * x[j];
            }
        }
        return y;
    }

    // ---- attention

    static Map<String, long[]> attentionShapes(String prefix, int features) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put(prefix + "in_proj_weight", new long[] {3 * features, features});
        shapes.put(prefix + "in_proj_bias", new long[] {3 * features});
        shapes.put(prefix + "out_proj.weight", new long[] {features, features});
        shapes.put(prefix + "out_proj.bias", new long[] {features});
        return shapes;
    }

    /** Row {@code t} of batch {@code n} of x, [N, T, E]. */
    private static double[] row(double[] x, long[] shape, int n, int t) {
        int features = (int) shape[2];
        double[] row = new double[features];
        System.arraycopy(x, (int) ((n * shape[1] + t) * features), row, 0, features);
        return row;
    }

    static double[] attention(Map<String, Arr> p, String prefix, Arr x, int heads, boolean causal) {
        return attention(p, prefix, x.f(), x.shape(), heads, causal);
    }

    private static double[] attention(
            Map<String, Arr> p, String prefix, double[] x, long[] shape, int heads, boolean causal) {
        Arr maps = p.get(prefix + "in_proj_weight");
        Arr biases = p.get(prefix + "in_proj_bias");
        int steps = (int) shape[1];
        int features = (int) shape[2];
        int width = features / heads;
        double[] out = new double[x.length];
        for (int n = 0; n < shape[0]; n++) {
            for (int t = 0; t < steps; t++) {
                double[] query = map(maps, biases, row(x, shape, n, t), 0, features);
                double[] joined = new double[features];
                for (int head = 0; head < heads; head++) {
                    double total = 0;
                    double[] mean = new double[width];
                    for (int u = 0; u < (causal ? t + 1 : steps); u++) {
                        double[] key = map(maps, biases, row(x, shape, n, u), features, features);
                        double[] value = map(maps, biases, row(x, shape, n, u), 2 * features, features);
                        double score = 0;
                        for (int e = head * width; e < (head + 1) * width; e++) {
                            score += query[e] * key[e] / Math.sqrt(width);
                        }
                        double weight = Math.exp(score);
                        total += weight;
                        for (int e = 0; e < width; e++) {
                            mean[e] += weight * value[head * width + e];
                        }
                    }
                    for (int e = 0; e < width; e++) {
                        joined[head * width + e] = mean[e] / total;
                    }
                }
                double[] y = map(p.get(prefix + "out_proj.weight"), p.get(prefix + "out_proj.bias"), joined);
                System.arraycopy(y, 0, out, (n * steps + t) * features, features);
            }
        }
        return out;
    }

    static Map<String, long[]> encoderShapes(int features, int hidden) {
        Map<String, long[]> shapes = attentionShapes("self_attn.", features);
        shapes.put("linear1.weight", new long[] {hidden, features});
        shapes.put("linear1.bias", new long[] {hidden});
        shapes.put("linear2.weight", new long[] {features, hidden});
        shapes.put("linear2.bias", new long[] {features});
        for (String norm : new String[] {"norm1", "norm2"}) {
            shapes.put(norm + ".weight", new long[] {features});
            shapes.put(norm + ".bias", new long[] {features});
        }
        return shapes;
    }

    static double[] encoder(Map<String, Arr> p, Arr x, int heads, NormPlace place, Activation activation) {
        long[] shape = x.shape();
        boolean before = place == NormPlace.BEFORE;
        double[] inside = before ? normalised(p, "norm1", x.f(), shape) : x.f();
        double[] y = sum(x.f(), attention(p, "self_attn.", inside, shape, heads, false));
        y = before ? y : normalised(p, "norm1", y, shape);
        double[] fed = feed(p, before ? normalised(p, "norm2", y, shape) : y, shape, activation);
        double[] out = sum(y, fed);
        return before ? out : normalised(p, "norm2", out, shape);
    }

    private static double[] feed(Map<String, Arr> p, double[] x, long[] shape, Activation activation) {
        double[] out = new double[x.length];
        for (int i = 0; i < shape[0] * shape[1]; i++) {
            double[] wide = map(p.get("linear1.weight"), p.get("linear1.bias"), row(x, shape, 0, i));
            for (int j = 0; j < wide.length; j++) {
                wide[j] = Reference.activation(activation, wide[j]);
            }
            double[] narrow = map(p.get("linear2.weight"), p.get("linear2.bias"), wide);
            System.arraycopy(narrow, 0, out, i * narrow.length, narrow.length);
        }
        return out;
    }

    private static double[] normalised(Map<String, Arr> p, String name, double[] x, long[] shape) {
        int features = (int) shape[2];
        double[] out = new double[x.length];
        for (int i = 0; i < x.length / features; i++) {
            double[] row = row(x, shape, 0, i);
            double mean = 0;
            for (double v : row) {
                mean += v / features;
            }
            double square = 0;
            for (double v : row) {
                square += (v - mean) * (v - mean) / features;
            }
            for (int e = 0; e < features; e++) {
                out[i * features + e] = (row[e] - mean)
                                / Math.sqrt(square + 1e-5)
                                * p.get(name + ".weight").f()[e]
                        + p.get(name + ".bias").f()[e];
            }
        }
        return out;
    }

    private static double[] sum(double[] a, double[] b) {
        double[] sum = a.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += b[i];
        }
        return sum;
    }

    // ---- positions

    static double[] positions(Arr table, Arr x) {
        double[] out = x.f().clone();
        int row = (int) (x.shape()[1] * x.shape()[2]);
        for (int i = 0; i < out.length; i++) {
            out[i] += table.f()[i % row];
        }
        return out;
    }
}

package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.closed;
import static org.tenon.contract.ElementwiseSpecs.in;
import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.K2;
import static org.tenon.contract.Specs.K4;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tenon.AttentionOptions;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.Generator;

/** Attention, against loops over queries and keys. */
final class AttentionSpecs {
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final long SEED = 11;
    private static final double DROPPED = 0.25;

    private AttentionSpecs() {}

    static void add(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.scaledDotProductAttention(Tensor,Tensor,Tensor,AttentionOptions)");
        for (DType dtype : FLOATS) {
            // half types round the scores and the weights
            double tolerance = dtype.bytes() == 2 ? 8 * OpSpec.tolerance(dtype) : OpSpec.DEFAULT;
            for (boolean causal : new boolean[] {false, true}) {
                spec.sample(
                        dtype + " plain" + (causal ? " causal" : ""),
                        tolerance,
                        op(causal, Mask.NONE, Double.NaN),
                        ref(causal, Mask.NONE, Double.NaN),
                        inputs(dtype, 5, 7));
                spec.sample(
                        dtype + " boolean mask" + (causal ? " causal" : ""),
                        tolerance,
                        op(causal, Mask.ALLOWED, 0.3),
                        ref(causal, Mask.ALLOWED, 0.3),
                        with(inputs(dtype, 3, 4), allowed()));
            }
            spec.sample(
                    dtype + " additive mask",
                    tolerance,
                    op(false, Mask.BIAS, Double.NaN),
                    ref(false, Mask.BIAS, Double.NaN),
                    with(inputs(dtype, 3, 4), bias(dtype)));
            spec.sample(
                    dtype + " padded keys",
                    tolerance,
                    x -> F.scaledDotProductAttention(
                            x.a().as(K4),
                            x.b().as(K4),
                            x.c().as(K4),
                            options().keyPadding(x.bools(3).as(K2))),
                    x -> attention(x, false, padded(x.get(3)), null, Double.NaN),
                    with(inputs(dtype, 3, 4), Arr.longs(DType.BOOL, dims(2, 4), new long[] {0, 0, 0, 1, 1, 1, 1, 1})));
            spec.sample(
                    dtype + " NaN in a query",
                    tolerance,
                    op(true, Mask.NONE, Double.NaN),
                    ref(true, Mask.NONE, Double.NaN),
                    spoiled(inputs(dtype, 3, 3)));
            tiles(spec, dtype, tolerance);
            spec.exact(
                    dtype + " no queries",
                    op(true, Mask.NONE, Double.NaN),
                    x -> Arr.any(dtype, 1, 2, 2, 0, 2),
                    inputs(dtype, 0, 3));
        }
        spec.exact(
                "float32 dropout of everything",
                x -> F.scaledDotProductAttention(
                        x.a().as(K4), x.b().as(K4), x.c().as(K4), options().dropout(1, new Generator(1))),
                x -> Arr.floats(DType.F32, dims(2, 2, 3, 2), new double[24]),
                inputs(DType.F32, 3, 4));
        for (boolean causal : new boolean[] {false, true}) {
            spec.grad("plain" + (causal ? " causal" : ""), op(causal, Mask.NONE, Double.NaN), small(2, 3));
        }
        spec.grad(
                "boolean mask with a row of none",
                op(false, Mask.ALLOWED, 0.3),
                new int[] {0, 1, 2},
                with(small(3, 4), allowed()));
        spec.grad("additive mask", op(false, Mask.BIAS, Double.NaN), with(small(2, 3), Arr.normal(DType.F64, 4, 2, 3)));
        refusals(spec);
    }

    /** Sizes at which an implementation by tiles has its edges, masks of every form, and weights that are dropped. */
    private static void tiles(OpSpec spec, DType dtype, double tolerance) {
        int[][] sizes = {
            {63, 65, 8, 8},
            {64, 64, 20, 32},
            {65, 63, 33, 1},
            {5, 130, 64, 80},
            {130, 5, 128, 127},
            {32, 31, 1, 33},
            {4, 6, 129, 129}
        };
        for (int i = 0; i < sizes.length; i++) {
            boolean causal = i % 2 == 0;
            int[] s = sizes[i];
            spec.sample(
                    dtype + " queries, keys, features and values " + Arrays.toString(s) + (causal ? " causal" : ""),
                    tolerance,
                    op(causal, Mask.NONE, Double.NaN),
                    ref(causal, Mask.NONE, Double.NaN),
                    Arr.normal(dtype, 1, 1, 2, s[0], s[2]),
                    Arr.normal(dtype, 2, 1, 2, s[1], s[2]),
                    Arr.normal(dtype, 3, 1, 2, s[1], s[3]));
        }
        for (long[] shape : new long[][] {{1}, {4}, {3, 1}, {2, 1, 4}, {2, 3, 4}, {2, 1, 1, 4}, {2, 2, 3, 4}}) {
            spec.sample(
                    dtype + " additive mask of shape " + Arrays.toString(shape),
                    tolerance,
                    op(true, Mask.BIAS, Double.NaN),
                    ref(true, Mask.BIAS, Double.NaN),
                    with(inputs(dtype, 3, 4), Arr.normal(dtype, 4, shape)));
            spec.sample(
                    dtype + " boolean mask of shape " + Arrays.toString(shape),
                    tolerance,
                    op(false, Mask.ALLOWED, Double.NaN),
                    ref(false, Mask.ALLOWED, Double.NaN),
                    with(inputs(dtype, 3, 4), Arr.any(DType.BOOL, 5, shape)));
        }
        for (int keys : new int[] {4, 7, 33}) {
            spec.sample(
                    dtype + " dropout of " + keys + " keys",
                    tolerance,
                    x -> F.scaledDotProductAttention(
                            x.a().as(K4),
                            x.b().as(K4),
                            x.c().as(K4),
                            options().withCausality().dropout(DROPPED, new Generator(SEED))),
                    x -> attention(x, true, null, null, Double.NaN, DROPPED),
                    inputs(dtype, 6, keys));
        }
    }

    private enum Mask {
        NONE,
        ALLOWED,
        BIAS
    }

    private static AttentionOptions<F64, Cpu> options() {
        return AttentionOptions.defaults();
    }

    private static Arr[] inputs(DType dtype, int t, int u) {
        return new Arr[] {
            Arr.normal(dtype, 1, 2, 2, t, 3), Arr.normal(dtype, 2, 2, 2, u, 3), Arr.normal(dtype, 3, 2, 2, u, 2)
        };
    }

    private static Arr[] small(int t, int u) {
        return new Arr[] {
            Arr.normal(DType.F64, 1, 1, 2, t, 2),
            Arr.normal(DType.F64, 2, 1, 2, u, 2),
            Arr.normal(DType.F64, 3, 1, 2, u, 2)
        };
    }

    private static Arr[] with(Arr[] inputs, Arr mask) {
        List<Arr> all = new ArrayList<>(List.of(inputs));
        all.add(mask);
        return all.toArray(Arr[]::new);
    }

    private static Arr[] spoiled(Arr[] inputs) {
        return new Arr[] {inputs[0].with(4, Double.NaN), inputs[1], inputs[2]};
    }

    /** [3, 4], whose second row allows nothing. */
    private static Arr allowed() {
        return Arr.longs(DType.BOOL, dims(3, 4), new long[] {1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1});
    }

    /** [3, 4], whose last row forbids everything. */
    private static Arr bias(DType dtype) {
        return Arr.of(dtype, dims(3, 4), 0.5, -1, -INF, 0, 2, 1, -2, 0, -INF, -INF, -INF, -INF);
    }

    private static OpSpec.Op op(boolean causal, Mask mask, double scale) {
        return x -> {
            AttentionOptions<F64, Cpu> options = causal ? options().withCausality() : options();
            options = Double.isNaN(scale) ? options : options.scale(scale);
            options = switch (mask) {
                case NONE -> options;
                case ALLOWED -> options.allowed(x.bools(3));
                case BIAS -> options.bias(x.all().get(3));
            };
            return F.scaledDotProductAttention(x.a().as(K4), x.b().as(K4), x.c().as(K4), options);
        };
    }

    private static OpSpec.Ref ref(boolean causal, Mask mask, double scale) {
        return x -> attention(
                x, causal, mask == Mask.ALLOWED ? x.get(3) : null, mask == Mask.BIAS ? x.get(3) : null, scale);
    }

    /** The mask of padded keys, [N, U], as what is allowed, [N, 1, 1, U]. */
    private static Arr padded(Arr padding) {
        long[] allowed = new long[padding.count()];
        for (int i = 0; i < allowed.length; i++) {
            allowed[i] = 1 - padding.n()[i];
        }
        return Arr.longs(DType.BOOL, dims(padding.shape()[0], 1, 1, padding.shape()[1]), allowed);
    }

    /** Broadcast: the last axes, each at 0 where there is only that. */
    private static double at(Arr mask, int... position) {
        long[] shape = mask.shape();
        int[] at = new int[shape.length];
        for (int d = 0; d < at.length; d++) {
            at[d] = shape[d] == 1 ? 0 : position[position.length - at.length + d];
        }
        return mask.at(Reference.flat(shape, at));
    }

    private static Arr attention(List<Arr> x, boolean causal, Arr allowed, Arr bias, double scale) {
        return attention(x, causal, allowed, bias, scale, 0);
    }

    private static Arr attention(List<Arr> x, boolean causal, Arr allowed, Arr bias, double scale, double dropped) {
        long[] q = x.get(0).shape();
        long[] v = x.get(2).shape();
        double factor = Double.isNaN(scale) ? 1 / Math.sqrt(q[3]) : scale;
        long[] shape = {q[0], q[1], q[2], v[3]};
        double[] out = new double[Arr.count(shape)];
        for (int n = 0; n < q[0]; n++) {
            for (int h = 0; h < q[1]; h++) {
                for (int t = 0; t < q[2]; t++) {
                    double[] weights = new double[(int) v[2]];
                    double sum = 0;
                    for (int u = 0; u < weights.length; u++) {
                        double score = bias == null ? 0 : at(bias, n, h, t, u);
                        for (int e = 0; e < q[3]; e++) {
                            score += factor
                                    * x.get(0).f()[Reference.flat(q, new int[] {n, h, t, e})]
                                    * x.get(1).f()[Reference.flat(x.get(1).shape(), new int[] {n, h, u, e})];
                        }
                        boolean seen = (allowed == null || at(allowed, n, h, t, u) != 0) && (!causal || u <= t);
                        weights[u] = seen ? Math.exp(score) : 0;
                        sum += weights[u];
                    }
                    for (int c = 0; c < v[3]; c++) {
                        double total = 0;
                        for (int u = 0; u < weights.length; u++) {
                            int number = (int) (((n * q[1] + h) * q[2] + t) * v[2] + u);
                            boolean stays = dropped == 0 || Reference.uniform(SEED, 0, number, false) < 1 - dropped;
                            double weight = sum == 0 || !stays ? 0 : weights[u] / sum / (1 - dropped);
                            total += weight * x.get(2).f()[Reference.flat(v, new int[] {n, h, u, c})];
                        }
                        out[Reference.flat(shape, new int[] {n, h, t, c})] = total;
                    }
                }
            }
        }
        return Arr.floats(x.get(0).dtype(), shape, out);
    }

    private static void refusals(OpSpec spec) {
        OpSpec.Op plain = op(false, Mask.NONE, Double.NaN);
        spec.refuses(
                "features that differ",
                "shapes [1, 2, 3, 4], [1, 2, 3, 5], [1, 2, 3, 4] do not fit; give [..., T, E]",
                d -> plain.apply(in(
                        d,
                        made(d, Arr.normal(DType.F32, 1, 1, 2, 3, 4)),
                        made(d, Arr.normal(DType.F32, 1, 1, 2, 3, 5)),
                        made(d, Arr.normal(DType.F32, 1, 1, 2, 3, 4)))));
        spec.refuses(
                "keys and values that differ in number",
                "scaledDotProductAttention: query, key and value of shapes [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 2, 4]",
                d -> plain.apply(in(
                        d,
                        made(d, Arr.normal(DType.F32, 1, 1, 2, 3, 4)),
                        made(d, Arr.normal(DType.F32, 1, 1, 2, 3, 4)),
                        made(d, Arr.normal(DType.F32, 1, 1, 2, 2, 4)))));
        Arr x = Arr.normal(DType.F32, 1, 1, 2, 3, 4);
        spec.refuses(
                "a mask that does not broadcast",
                "the mask has shape [3, 2]; it must broadcast to the scores, [1, 2, 3, 3]",
                d -> op(false, Mask.ALLOWED, 1)
                        .apply(in(d, made(d, x), made(d, x), made(d, x), made(d, Arr.any(DType.BOOL, 1, 3, 2)))));
        spec.refuses(
                "a mask of integers",
                "the mask must be bool, not int64",
                d -> op(false, Mask.ALLOWED, 1)
                        .apply(in(d, made(d, x), made(d, x), made(d, x), made(d, Arr.any(DType.I64, 1, 3, 3)))));
        spec.refuses(
                "a bias of another type",
                "element types differ",
                d -> op(false, Mask.BIAS, 1)
                        .apply(in(d, made(d, x), made(d, x), made(d, x), made(d, Arr.any(DType.F64, 1, 3, 3)))));
        spec.refuses(
                "a bad dropout",
                "dropout 2.0 is outside [0, 1]",
                d -> F.scaledDotProductAttention(
                        made(d, x).as(K4),
                        made(d, x).as(K4),
                        made(d, x).as(K4),
                        options().dropout(2, new Generator(1))));
        spec.refuses(
                "integers",
                "not defined for int64",
                d -> plain.apply(in(
                        d,
                        made(d, Arr.any(DType.I64, 1, 1, 2, 3, 4)),
                        made(d, Arr.any(DType.I64, 1, 1, 2, 3, 4)),
                        made(d, Arr.any(DType.I64, 1, 1, 2, 3, 4)))));
        spec.refuses(
                "a closed tensor",
                "after it was closed",
                d -> plain.apply(new OpSpec.In(
                        d,
                        List.of(
                                OpSpec.untyped(closed(d).reshape(1, 1, 1, 2)),
                                made(d, Arr.normal(DType.F64, 1, 1, 1, 1, 2)),
                                made(d, Arr.normal(DType.F64, 1, 1, 1, 1, 2))))));
    }
}

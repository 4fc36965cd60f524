package org.tenon.contract;

import static org.tenon.contract.ElementwiseSpecs.closed;
import static org.tenon.contract.ElementwiseSpecs.in;
import static org.tenon.contract.ElementwiseSpecs.made;
import static org.tenon.contract.Specs.FLOATS;
import static org.tenon.contract.Specs.K1;
import static org.tenon.contract.Specs.K2;
import static org.tenon.contract.Specs.K3;
import static org.tenon.contract.Specs.dims;
import static org.tenon.contract.Specs.spec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import org.tenon.Any;
import org.tenon.BceOptions;
import org.tenon.Cpu;
import org.tenon.CtcOptions;
import org.tenon.DType;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F64;
import org.tenon.MultiMarginOptions;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.Shape;
import org.tenon.Tensor;

/** Losses of elements, of rows, and of sequences. */
final class LossSpecs {
    private static final double NAN = Double.NaN;
    private static final List<String> REDUCTIONS = List.of("none", "mean", "sum");

    private LossSpecs() {}

    static void add(List<OpSpec> all) {
        elements(all);
        bce(all);
        signed(all);
        cosine(all);
        multiMargin(all);
        ctc(all);
    }

    private interface Loss {
        Tensor<?, ?, ?> apply(OpSpec.In x, String reduction);
    }

    /** One call for the three reductions, whose types differ. */
    private interface Call<S extends Shape> {
        Tensor<?, ?, ?> apply(OpSpec.In x, Reduction<S, ?> reduction);
    }

    private static <S extends Shape> Loss loss(Call<S> call) {
        return (x, reduction) -> switch (reduction) {
            case "none" -> call.apply(x, Reduction.<S>none());
            case "mean" -> call.apply(x, Reduction.<S>mean());
            case "sum" -> call.apply(x, Reduction.<S>sum());
            default -> call.apply(x, Reduction.<S>batchMean());
        };
    }

    private static Arr reduced(DType dtype, double[] losses, long[] shape, String reduction) {
        return Reference.reduced(dtype, losses, shape, losses.length, reduction);
    }

    private static OpSpec.Ref pairwise(DoubleBinaryOperator f, String reduction) {
        return x -> {
            double[] losses = new double[x.get(0).count()];
            Arrays.setAll(losses, i -> f.applyAsDouble(x.get(0).f()[i], x.get(1).f()[i]));
            return reduced(x.get(0).dtype(), losses, x.get(0).shape(), reduction);
        };
    }

    private static void elements(List<OpSpec> all) {
        element(
                all,
                "F.mseLoss(Tensor,Tensor,Reduction)",
                (x, t) -> (x - t) * (x - t),
                loss((OpSpec.In x, Reduction<Any, ?> r) -> F.mseLoss(x.a(), x.b(), r)));
        element(
                all,
                "F.l1Loss(Tensor,Tensor,Reduction)",
                (x, t) -> Math.abs(x - t),
                loss((OpSpec.In x, Reduction<Any, ?> r) -> F.l1Loss(x.a(), x.b(), r)));
        OpSpec huber = element(
                all,
                "F.huberLoss(Tensor,Tensor,double,Reduction)",
                (x, t) -> Math.abs(x - t) <= 0.7 ? (x - t) * (x - t) / 2 : 0.7 * (Math.abs(x - t) - 0.35),
                loss((OpSpec.In x, Reduction<Any, ?> r) -> F.huberLoss(x.a(), x.b(), 0.7, r)));
        OpSpec smooth = element(
                all,
                "F.smoothL1Loss(Tensor,Tensor,double,Reduction)",
                (x, t) -> Math.abs(x - t) < 0.7 ? (x - t) * (x - t) / 1.4 : Math.abs(x - t) - 0.35,
                loss((OpSpec.In x, Reduction<Any, ?> r) -> F.smoothL1Loss(x.a(), x.b(), 0.7, r)));
        smooth.sample(
                "float32 beta 0",
                x -> F.smoothL1Loss(x.a(), x.b(), 0, Reduction.<Any>none()),
                pairwise((x, t) -> Math.abs(x - t), "none"),
                Arr.normal(DType.F32, 1, 5),
                Arr.normal(DType.F32, 2, 5));
        Arr two = Arr.normal(DType.F32, 1, 2);
        huber.refuses(
                "delta 0",
                "huberLoss: delta is 0.0; it must be positive",
                d -> F.huberLoss(made(d, two), made(d, two), 0, Reduction.<Any>mean()));
        smooth.refuses(
                "beta -1",
                "smoothL1Loss: beta is -1.0; it must be 0 or more",
                d -> F.smoothL1Loss(made(d, two), made(d, two), -1, Reduction.<Any>mean()));
    }

    private static OpSpec element(List<OpSpec> all, String name, DoubleBinaryOperator f, Loss loss) {
        OpSpec spec = spec(all, name);
        for (String reduction : REDUCTIONS) {
            OpSpec.Op op = x -> loss.apply(x, reduction);
            for (DType dtype : FLOATS) {
                spec.sample(
                        dtype + " [3, 5] " + reduction,
                        op,
                        pairwise(f, reduction),
                        Arr.normal(dtype, 1, 3, 5),
                        Arr.normal(dtype, 2, 3, 5));
            }
            spec.sample(
                    "float32 edges " + reduction,
                    op,
                    pairwise(f, reduction),
                    Arr.vector(DType.F32, 1, 1.7, NAN, Double.POSITIVE_INFINITY, -3e4),
                    Arr.vector(DType.F32, 1, 1, 0, 0, 3e4));
            spec.sample(
                    "float64 empty " + reduction,
                    op,
                    x -> reduction.equals("none")
                            ? x.get(0)
                            : Arr.of(DType.F64, dims(), reduction.equals("mean") ? NAN : 0),
                    Arr.any(DType.F64, 1, 0),
                    Arr.any(DType.F64, 1, 0));
            spec.grad(reduction, op, Arr.normal(DType.F64, 3, 2, 3), Arr.normal(DType.F64, 4, 2, 3));
        }
        refusals(spec, name.substring(2, name.indexOf('(')), loss);
        return spec;
    }

    private static void refusals(OpSpec spec, String op, Loss loss) {
        Arr three = Arr.normal(DType.F32, 1, 3);
        spec.refuses(
                "shapes that differ",
                op + ": shapes [3] and [1] differ",
                d -> loss.apply(
                        in(
                                d,
                                made(d, three),
                                made(d, Arr.normal(DType.F32, 1, 1)),
                                made(d, Arr.normal(DType.F32, 1, 1))),
                        "mean"));
        spec.refuses(
                "types that differ",
                "element types differ",
                d -> loss.apply(
                        in(
                                d,
                                made(d, three),
                                made(d, Arr.normal(DType.F64, 1, 3)),
                                made(d, Arr.normal(DType.F64, 1, 3))),
                        "mean"));
        spec.refuses(
                "integers",
                op + ": not defined for int64",
                d -> loss.apply(
                        in(
                                d,
                                made(d, Arr.any(DType.I64, 1, 3)),
                                made(d, Arr.any(DType.I64, 1, 3)),
                                made(d, Arr.any(DType.I64, 1, 3))),
                        "mean"));
        spec.refuses(
                "batchMean",
                op + ": batchMean is for klDiv",
                d -> loss.apply(in(d, made(d, three), made(d, three), made(d, three)), "batchmean"));
        spec.refuses(
                "a closed tensor",
                "after it was closed",
                d -> loss.apply(in(d, closed(d), closed(d), closed(d)), "mean"));
    }

    private static void bce(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.binaryCrossEntropyWithLogits(Tensor,Tensor,BceOptions,Reduction)");
        Loss plain = loss((OpSpec.In x, Reduction<Any, ?> r) ->
                F.binaryCrossEntropyWithLogits(x.a(), x.b(), BceOptions.<F64, Cpu>defaults(), r));
        Loss weighted = loss((OpSpec.In x, Reduction<Any, ?> r) -> F.binaryCrossEntropyWithLogits(
                x.a(),
                x.b(),
                BceOptions.<F64, Cpu>defaults().weight(x.c()).posWeight(x.all().get(3)),
                r));
        for (String reduction : REDUCTIONS) {
            for (DType dtype : FLOATS) {
                spec.sample(
                        dtype + " " + reduction,
                        x -> plain.apply(x, reduction),
                        x -> bceOf(x, reduction),
                        Arr.normal(dtype, 1, 3, 5),
                        Arr.uniform(dtype, 2, 0, 1, 3, 5));
                spec.sample(
                        dtype + " weighted " + reduction,
                        x -> weighted.apply(x, reduction),
                        x -> bceOf(x, reduction),
                        Arr.normal(dtype, 1, 3, 5),
                        Arr.uniform(dtype, 2, 0, 1, 3, 5),
                        Arr.uniform(dtype, 3, 0.5, 2, 3, 1),
                        Arr.uniform(dtype, 4, 0.5, 2, 5));
            }
            spec.grad(
                    reduction,
                    x -> plain.apply(x, reduction),
                    Arr.normal(DType.F64, 1, 2, 3),
                    Arr.uniform(DType.F64, 2, 0, 1, 2, 3));
        }
        spec.grad(
                "weighted",
                x -> weighted.apply(x, "sum"),
                Arr.normal(DType.F64, 1, 2, 3).with(2, 0),
                Arr.uniform(DType.F64, 2, 0, 1, 2, 3),
                Arr.uniform(DType.F64, 3, 0.5, 2, 2, 1),
                Arr.uniform(DType.F64, 4, 0.5, 2, 3));
        spec.sample(
                "float32 far logits",
                x -> plain.apply(x, "none"),
                x -> Arr.vector(DType.F32, 1000, 0, 0, 1000, NAN, Math.log(2)),
                Arr.vector(DType.F32, 1000, 1000, -1000, -1000, NAN, 0),
                Arr.vector(DType.F32, 0, 1, 0, 1, 1, 1));
        refusals(spec, "binaryCrossEntropyWithLogits", plain);
        spec.refuses(
                "a weight that does not broadcast",
                "do not broadcast",
                d -> weighted.apply(
                        in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 3)),
                                made(d, Arr.normal(DType.F32, 1, 3)),
                                made(d, Arr.normal(DType.F32, 1, 2)),
                                made(d, Arr.normal(DType.F32, 1, 3))),
                        "mean"));
        spec.refuses(
                "a weight of a higher rank",
                "the posWeight has shape [2, 3]; it must broadcast",
                d -> weighted.apply(
                        in(
                                d,
                                made(d, Arr.normal(DType.F32, 1, 3)),
                                made(d, Arr.normal(DType.F32, 1, 3)),
                                made(d, Arr.normal(DType.F32, 1, 3)),
                                made(d, Arr.normal(DType.F32, 1, 2, 3))),
                        "mean"));
    }

    /** By probabilities, as the definition has it; the samples are near enough to 0 for that. */
    private static Arr bceOf(List<Arr> x, String reduction) {
        double[] losses = new double[x.get(0).count()];
        for (int i = 0; i < losses.length; i++) {
            double p = Reference.sigmoid(x.get(0).f()[i]);
            double t = x.get(1).f()[i];
            double w = x.size() == 2 ? 1 : x.get(2).f()[i / 5];
            double pos = x.size() == 2 ? 1 : x.get(3).f()[i % 5];
            losses[i] = -w * (pos * t * Math.log(p) + (1 - t) * Math.log(1 - p));
        }
        return reduced(x.get(0).dtype(), losses, x.get(0).shape(), reduction);
    }

    private static Arr signs(DType dtype, int count) {
        double[] signs = new double[count];
        Arrays.setAll(signs, i -> i % 3 == 0 ? -1 : 1);
        return Arr.vector(dtype, signs);
    }

    private static void signed(List<OpSpec> all) {
        OpSpec ranking = spec(all, "F.marginRankingLoss(Tensor,Tensor,Tensor,double,Reduction)");
        OpSpec hinge = spec(all, "F.hingeEmbeddingLoss(Tensor,Tensor,double,Reduction)");
        Loss rank = loss((OpSpec.In x, Reduction<Any, ?> r) -> F.marginRankingLoss(x.a(), x.b(), x.c(), 0.3, r));
        Loss embed = loss((OpSpec.In x, Reduction<Any, ?> r) -> F.hingeEmbeddingLoss(x.a(), x.b(), 0.8, r));
        for (String reduction : REDUCTIONS) {
            for (DType dtype : FLOATS) {
                ranking.sample(
                        dtype + " " + reduction,
                        x -> rank.apply(x, reduction),
                        x -> {
                            double[] losses = new double[7];
                            Arrays.setAll(
                                    losses,
                                    i -> Math.max(
                                            0,
                                            -x.get(2).f()[i]
                                                            * (x.get(0).f()[i]
                                                                    - x.get(1).f()[i])
                                                    + 0.3));
                            return reduced(dtype, losses, dims(7), reduction);
                        },
                        Arr.normal(dtype, 1, 7),
                        Arr.normal(dtype, 2, 7),
                        signs(dtype, 7));
                hinge.sample(
                        dtype + " " + reduction,
                        x -> embed.apply(x, reduction),
                        pairwise((x, t) -> t == 1 ? x : Math.max(0, 0.8 - x), reduction),
                        Arr.normal(dtype, 1, 7),
                        signs(dtype, 7));
            }
            ranking.grad(
                    reduction,
                    x -> rank.apply(x, reduction),
                    new int[] {0, 1},
                    Arr.normal(DType.F64, 1, 5),
                    Arr.normal(DType.F64, 2, 5),
                    signs(DType.F64, 5));
            hinge.grad(
                    reduction,
                    x -> embed.apply(x, reduction),
                    new int[] {0},
                    Arr.normal(DType.F64, 1, 5),
                    signs(DType.F64, 5));
        }
        refusals(ranking, "marginRankingLoss", rank);
        refusals(hinge, "hingeEmbeddingLoss", embed);
    }

    private static double cosineOf(Arr a, Arr b, int row, double eps) {
        int n = (int) a.shape()[1];
        double product = 0;
        double first = 0;
        double second = 0;
        for (int i = row * n; i < (row + 1) * n; i++) {
            product += a.f()[i] * b.f()[i];
            first += a.f()[i] * a.f()[i];
            second += b.f()[i] * b.f()[i];
        }
        return product / Math.max(Math.sqrt(first), eps) / Math.max(Math.sqrt(second), eps);
    }

    private static void cosine(List<OpSpec> all) {
        OpSpec similarity = spec(all, "F.cosineSimilarity(Tensor,Tensor,Axis,double)");
        OpSpec.Op op = x -> F.cosineSimilarity(x.a().as(K2), x.b().as(K2), R2.<Dim, Dim>dim1(), 1e-8);
        OpSpec embedding = spec(all, "F.cosineEmbeddingLoss(Tensor,Tensor,Tensor,double,Reduction)");
        Loss loss = loss((OpSpec.In x, Reduction<R1<Dim>, ?> r) ->
                F.cosineEmbeddingLoss(x.a().as(K2), x.b().as(K2), x.c().as(K1), 0.1, r));
        for (DType dtype : FLOATS) {
            similarity.sample(
                    dtype + " [4, 9]",
                    op,
                    x -> {
                        double[] y = new double[4];
                        Arrays.setAll(y, i -> cosineOf(x.get(0), x.get(1), i, 1e-8));
                        return Arr.vector(dtype, y);
                    },
                    Arr.normal(dtype, 1, 4, 9),
                    Arr.normal(dtype, 2, 4, 9));
            similarity.sample(
                    dtype + " zero and NaN",
                    op,
                    x -> Arr.vector(dtype, 0, NAN),
                    Arr.of(dtype, dims(2, 2), 0, 0, NAN, 1),
                    Arr.of(dtype, dims(2, 2), 1, 2, 1, 1));
            for (String reduction : REDUCTIONS) {
                for (DType signs : List.of(dtype, DType.I64)) {
                    embedding.sample(
                            dtype + " targets " + signs + " " + reduction,
                            x -> loss.apply(x, reduction),
                            x -> {
                                double[] y = new double[4];
                                for (int i = 0; i < 4; i++) {
                                    double c = cosineOf(x.get(0), x.get(1), i, 1e-12);
                                    y[i] = x.get(2).at(i) == 1 ? 1 - c : Math.max(0, c - 0.1);
                                }
                                return reduced(dtype, y, dims(4), reduction);
                            },
                            Arr.normal(dtype, 1, 4, 9),
                            Arr.normal(dtype, 2, 4, 9),
                            signs(dtype, 4).as(signs));
                }
            }
        }
        Arr a = Arr.normal(DType.F64, 1, 3, 4);
        Arr b = Arr.normal(DType.F64, 2, 3, 4);
        similarity.grad("[3, 4]", op, a, b);
        similarity.sample(
                "float32 the gradient of a zero vector is finite",
                x -> {
                    var leaf = x.a().detach().requireGrad();
                    return F.cosineSimilarity(leaf.as(K2), x.b().as(K2), R2.<Dim, Dim>dim1(), 0.5)
                            .sum()
                            .backward()
                            .get(leaf);
                },
                x -> Arr.of(DType.F32, dims(1, 2), 1.2, 1.6),
                Arr.of(DType.F32, dims(1, 2), 0, 0),
                Arr.of(DType.F32, dims(1, 2), 3, 4));
        embedding.grad("sum", x -> loss.apply(x, "sum"), new int[] {0, 1}, a, b, signs(DType.F64, 3));
        similarity.refuses(
                "eps 0",
                "cosineSimilarity: eps is 0.0; it must be positive",
                d -> F.cosineSimilarity(made(d, a).as(K2), made(d, b).as(K2), R2.<Dim, Dim>dim1(), 0));
        similarity.refuses(
                "shapes that differ",
                "cosineSimilarity: shapes [3, 4] and [3, 5] differ",
                d -> op.apply(in(d, made(d, a), made(d, Arr.normal(DType.F64, 1, 3, 5)))));
        embedding.refuses(
                "another number of targets",
                "the shapes do not fit; give rows (N, E) twice and a target (N)",
                d -> loss.apply(in(d, made(d, a), made(d, b), made(d, signs(DType.F64, 2))), "sum"));
        embedding.refuses(
                "batchMean",
                "batchMean is for klDiv",
                d -> loss.apply(in(d, made(d, a), made(d, b), made(d, signs(DType.F64, 3))), "batchmean"));
    }

    private static void multiMargin(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.multiMarginLoss(Tensor,Tensor,MultiMarginOptions,Reduction)");
        for (int p : new int[] {1, 2}) {
            Loss loss = loss((OpSpec.In x, Reduction<R1<Dim>, ?> r) -> {
                MultiMarginOptions<F64, Cpu> options =
                        MultiMarginOptions.<F64, Cpu>defaults().p(p).margin(0.6);
                return F.multiMarginLoss(
                        x.a().as(K2), x.ints(1).as(K1), x.all().size() == 2 ? options : options.weight(x.c()), r);
            });
            for (String reduction : REDUCTIONS) {
                for (DType dtype : FLOATS) {
                    Arr x = Arr.normal(dtype, 1, 3, 4);
                    Arr target = Arr.longs(DType.I32, dims(3), new long[] {3, 0, 2});
                    spec.sample(
                            dtype + " p " + p + " " + reduction,
                            i -> loss.apply(i, reduction),
                            i -> multiMarginOf(i, p, reduction),
                            x,
                            target);
                    spec.sample(
                            dtype + " p " + p + " weighted " + reduction,
                            i -> loss.apply(i, reduction),
                            i -> multiMarginOf(i, p, reduction),
                            x,
                            target.as(DType.I64),
                            Arr.uniform(dtype, 3, 0.5, 2, 4));
                }
            }
            spec.grad(
                    "p " + p,
                    i -> loss.apply(i, "mean"),
                    new int[] {0, 2},
                    Arr.normal(DType.F64, 5, 3, 4),
                    Arr.longs(DType.I64, dims(3), new long[] {3, 0, 2}),
                    Arr.uniform(DType.F64, 3, 0.5, 2, 4));
            spec.refuses(
                    "target 4 p " + p,
                    "multiMarginLoss: target 4 at position 1 is outside [0, 4)",
                    d -> loss.apply(
                            in(
                                    d,
                                    made(d, Arr.normal(DType.F32, 1, 3, 4)),
                                    made(d, Arr.longs(DType.I64, dims(3), new long[] {0, 4, 1}))),
                            "sum"));
        }
        spec.refuses(
                "p 3",
                "multiMarginLoss: p is 3; it must be 1 or 2",
                d -> F.multiMarginLoss(
                        made(d, Arr.normal(DType.F64, 1, 3, 4)).as(K2),
                        OpSpec.asInts(made(d, Arr.ints(DType.I64, 1, 0, 4, 3))).as(K1),
                        MultiMarginOptions.<F64, Cpu>defaults().p(3),
                        Reduction.<R1<Dim>>mean()));
        spec.refuses(
                "floating targets",
                "the target must be int32 or int64",
                d -> F.multiMarginLoss(
                        made(d, Arr.normal(DType.F64, 1, 3, 4)).as(K2),
                        OpSpec.asInts(made(d, Arr.normal(DType.F64, 1, 3))).as(K1),
                        MultiMarginOptions.<F64, Cpu>defaults(),
                        Reduction.<R1<Dim>>mean()));
    }

    private static Arr multiMarginOf(List<Arr> x, int p, String reduction) {
        double[] losses = new double[3];
        for (int i = 0; i < 3; i++) {
            int t = (int) x.get(1).n()[i];
            for (int j = 0; j < 4; j++) {
                double over =
                        Math.max(0, 0.6 - x.get(0).f()[4 * i + t] + x.get(0).f()[4 * i + j]);
                losses[i] += j == t
                        ? 0
                        : Math.pow(over, p) / 4 * (x.size() == 2 ? 1 : x.get(2).f()[t]);
            }
        }
        return reduced(x.get(0).dtype(), losses, dims(3), reduction);
    }

    // ---- CTC, whose reference tries every path

    private record Ctc(int blank, long[] inputs, long[] targets, boolean zero) {
        Loss loss() {
            CtcOptions options = new CtcOptions(blank, zero);
            return LossSpecs.loss((OpSpec.In x, Reduction<R1<Dim>, ?> r) ->
                    F.ctcLoss(x.a().as(K3), x.ints(1).as(K2), inputs, targets, options, r));
        }

        Arr reference(Arr logp, Arr labels, String reduction) {
            double[] losses = new double[inputs.length];
            for (int n = 0; n < losses.length; n++) {
                List<Long> wanted = new ArrayList<>();
                for (int s = 0; s < targets[n]; s++) {
                    wanted.add(labels.n()[n * (int) labels.shape()[1] + s]);
                }
                double total = paths(logp, n, 0, -1, new ArrayList<>(), wanted);
                losses[n] = total == 0 && zero ? 0 : -Math.log(total);
                losses[n] /= reduction.equals("mean") ? Math.max(1, targets[n]) : 1;
            }
            return reduced(logp.dtype(), losses, dims(losses.length), reduction);
        }

        /** The probability of all continuations that spell what is wanted once repeats and blanks are dropped. */
        private double paths(Arr logp, int n, int t, long last, List<Long> spelt, List<Long> wanted) {
            if (t == inputs[n]) {
                return spelt.equals(wanted) ? 1 : 0;
            }
            double sum = 0;
            for (int c = 0; c < logp.shape()[2]; c++) {
                List<Long> next = new ArrayList<>(spelt);
                if (c != blank && c != last) {
                    next.add((long) c);
                }
                double p = Math.exp(logp.f()[Reference.flat(logp.shape(), new int[] {t, n, c})]);
                sum += p * paths(logp, n, t + 1, c, next, wanted);
            }
            return sum;
        }
    }

    private static void ctc(List<OpSpec> all) {
        OpSpec spec = spec(all, "F.ctcLoss(Tensor,Tensor,long[],long[],CtcOptions,Reduction)");
        Arr labels = Arr.longs(DType.I64, dims(3, 3), new long[] {1, 1, 99, 2, 1, 2, -7, -7, -7});
        Ctc whole = new Ctc(0, new long[] {5, 4, 2}, new long[] {2, 3, 0}, false);
        Ctc short2 = new Ctc(0, new long[] {5, 1, 3}, new long[] {2, 3, 0}, false);
        Ctc zero = new Ctc(0, new long[] {5, 1, 3}, new long[] {2, 3, 0}, true);
        Ctc last = new Ctc(2, new long[] {3, 5}, new long[] {1, 2}, false);
        for (DType dtype : FLOATS) {
            Arr logp = Reference.softmax(Arr.normal(dtype, 1, 5, 3, 3), 2, dtype, true);
            Arr two = Reference.softmax(Arr.normal(dtype, 2, 5, 2, 3), 2, dtype, true);
            for (String reduction : REDUCTIONS) {
                // half types cannot hold the sums' terms better than this
                double tolerance = dtype.bytes() == 2 ? 4 * OpSpec.tolerance(dtype) : OpSpec.DEFAULT;
                for (Ctc ctc : List.of(whole, short2, zero)) {
                    spec.sample(
                            dtype + " inputs " + Arrays.toString(ctc.inputs) + (ctc.zero ? " zeroInfinity " : " ")
                                    + reduction,
                            tolerance,
                            x -> ctc.loss().apply(x, reduction),
                            x -> ctc.reference(x.get(0), x.get(1), reduction),
                            logp,
                            labels);
                }
                spec.sample(
                        dtype + " blank 2 " + reduction,
                        tolerance,
                        x -> last.loss().apply(x, reduction),
                        x -> last.reference(x.get(0), x.get(1), reduction),
                        two,
                        Arr.longs(DType.I32, dims(2, 2), new long[] {1, 0, 0, 0}));
            }
        }
        spec.sample(
                "float32 classes of probability 0",
                x -> whole.loss().apply(x, "none"),
                x -> whole.reference(x.get(0), x.get(1), "none"),
                Reference.softmax(Arr.normal(DType.F32, 1, 5, 3, 3), 2, DType.F32, true)
                        .with(1, Double.NEGATIVE_INFINITY)
                        .with(12, Double.NEGATIVE_INFINITY),
                labels);
        for (Ctc ctc : List.of(whole, zero)) {
            spec.grad(
                    "inputs " + Arrays.toString(ctc.inputs),
                    x -> ctc.loss().apply(x, "sum"),
                    new int[] {0},
                    Reference.softmax(Arr.normal(DType.F64, 1, 5, 3, 3), 2, DType.F64, true),
                    labels);
        }
        Arr logp = Arr.normal(DType.F32, 1, 5, 3, 3);
        spec.refuses(
                "an input that is too long",
                "ctcLoss: input length 6 at position 1 is outside [1, 5]",
                d -> new Ctc(0, new long[] {5, 6, 1}, new long[3], false)
                        .loss()
                        .apply(in(d, made(d, logp), made(d, labels)), "sum"));
        spec.refuses(
                "a target that is too long",
                "ctcLoss: target length 4 at position 2 is outside [0, 3]",
                d -> new Ctc(0, new long[] {5, 5, 5}, new long[] {0, 0, 4}, false)
                        .loss()
                        .apply(in(d, made(d, logp), made(d, labels)), "sum"));
        spec.refuses(
                "too few lengths",
                "ctcLoss: 2 input lengths are given for a batch of 3",
                d -> new Ctc(0, new long[] {5, 5}, new long[3], false)
                        .loss()
                        .apply(in(d, made(d, logp), made(d, labels)), "sum"));
        spec.refuses(
                "a blank outside",
                "ctcLoss: blank 3 is outside [0, 3)",
                d -> new Ctc(3, new long[] {5, 5, 5}, new long[3], false)
                        .loss()
                        .apply(in(d, made(d, logp), made(d, labels)), "sum"));
        spec.refuses(
                "a label outside",
                "ctcLoss: target 99 at position",
                d -> new Ctc(0, new long[] {5, 5, 5}, new long[] {3, 1, 0}, false)
                        .loss()
                        .apply(in(d, made(d, logp), made(d, labels)), "sum"));
    }
}

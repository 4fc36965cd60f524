package org.tenon.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.tenon.Activation;
import org.tenon.Cpu;
import org.tenon.Dim;
import org.tenon.EpilogueOptions;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.I64;
import org.tenon.KeepGraph;
import org.tenon.KlTarget;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.bench.Operands.Pair;
import org.tenon.bench.PeerServer.Op;

/** What {@link PeersBench} measures. */
final class PeerCases {
    private static final long[][] ROWS = {
        {65536, 10}, {65536, 128}, {4096, 1024}, {8192, 4096}, {256, 32768}, {64, 131072}, {1024, 50257}
    };
    /** Rows, inner axis, columns; the last four have the sizes of a small GPT's linear layers and of an MLP's. */
    private static final long[][] PRODUCTS = {
        {256, 256, 256},
        {512, 512, 512},
        {1024, 1024, 1024},
        {2048, 2048, 2048},
        {768, 128, 512},
        {768, 512, 128},
        {128, 768, 512},
        {64, 784, 256}
    };

    private static final long ROW = 1024;
    private static final long COLUMN = 4096;
    private static final int WARM_SECONDS = 3;
    /** A step calls so many methods, each so few times, that the JVM compiles the last of them after ten seconds. */
    private static final int STEPS_WARM_SECONDS = 20;

    private static final double SUM_TOLERANCE = 1e-3;
    private static final double TOLERANCE = 1e-5;

    private PeerCases() {}

    /**
     * One case.
     *
     * @param name op and shape, what a regular expression is matched with
     * @param bytes of a large tensor of it, 0 where all may stay in the cache
     * @param warmSeconds how long all contenders together run before they are measured
     * @param build adds its contenders
     */
    record PeerCase(String name, long bytes, int warmSeconds, Consumer<Operands> build) {
        PeerCase(String name, long bytes, Consumer<Operands> build) {
            this(name, bytes, WARM_SECONDS, build);
        }
    }

    /** A function of PyTorch's that writes where it is told. */
    @FunctionalInterface
    private interface Out {
        void apply(org.bytedeco.pytorch.Tensor out, int i);
    }

    static List<PeerCase> all() {
        List<PeerCase> all = new ArrayList<>();
        for (long[] each : ROWS) {
            rows(all, each[0], each[1]);
        }
        for (long[] each : new long[][] {{21, 262144}, {1024, 1024}}) {
            columns(all, each[0], each[1]);
        }
        for (long[] each : PRODUCTS) {
            products(all, each[0], each[1], each[2]);
        }
        elementwise(all);
        for (long[] each : new long[][] {{COLUMN, ROW}, {768, 512}}) {
            afterProducts(all, each[0], each[1]);
        }
        reductions(all);
        steps(all);
        return all;
    }

    private static void add(List<PeerCase> all, String op, long rows, long columns, Consumer<Operands> build) {
        all.add(new PeerCase(op + " [" + rows + ", " + columns + "]", rows * columns * Float.BYTES, build));
    }

    private static void out(Operands s, IntFunction<org.bytedeco.pytorch.Tensor> op, Out function) {
        org.bytedeco.pytorch.Tensor[] outs = s.outs(op);
        s.add("torch out", i -> function.apply(outs[i % s.count], i % s.count));
    }

    private static void both(
            Operands s,
            double tolerance,
            IntFunction<Tensor<?, ?, Cpu>> here,
            IntFunction<org.bytedeco.pytorch.Tensor> there) {
        s.tenon(here);
        s.torch(there);
        s.check(tolerance);
    }

    /** Along the first axis. */
    private static void columns(List<PeerCase> all, long length, long columns) {
        long bytes = length * columns * Float.BYTES;
        add(all, "logSoftmaxColumns", length, columns, s -> {
            Pair[] x = s.matrices(length, columns);
            s.copy(bytes);
            both(s, TOLERANCE, i -> F.logSoftmax(x[i].here(), 0), i -> torch.log_softmax(x[i].there(), 0));
            out(
                    s,
                    i -> torch.log_softmax(x[i].there(), 0),
                    (to, i) -> torch.log_softmax_out(to, x[i].there(), 0).close());
        });
        add(all, "softmaxColumns", length, columns, s -> {
            Pair[] x = s.matrices(length, columns);
            s.copy(bytes);
            both(s, TOLERANCE, i -> F.softmax(x[i].here(), 0), i -> torch.softmax(x[i].there(), 0));
        });
        add(all, "logSoftmaxColumnsBackward", length, columns, s -> {
            s.copy(bytes * 3 / 2);
            backward(s, length, columns, x -> F.logSoftmax(x, 0), x -> torch.log_softmax(x, 0));
        });
    }

    private static void rows(List<PeerCase> all, long rows, long length) {
        long bytes = rows * length * Float.BYTES;
        add(all, "logSoftmax", rows, length, s -> {
            Pair[] x = s.matrices(rows, length);
            s.copy(bytes);
            both(s, TOLERANCE, i -> F.logSoftmax(x[i].here(), -1), i -> torch.log_softmax(x[i].there(), 1));
            out(
                    s,
                    i -> torch.log_softmax(x[i].there(), 1),
                    (to, i) -> torch.log_softmax_out(to, x[i].there(), 1).close());
            s.others(Op.LOG_SOFTMAX, TOLERANCE, x);
        });
        add(all, "softmax", rows, length, s -> {
            Pair[] x = s.matrices(rows, length);
            s.copy(bytes);
            both(s, TOLERANCE, i -> F.softmax(x[i].here(), -1), i -> torch.softmax(x[i].there(), 1));
            out(
                    s,
                    i -> torch.softmax(x[i].there(), 1),
                    (to, i) -> torch.softmax_out(to, x[i].there(), 1).close());
            s.others(Op.SOFTMAX, TOLERANCE, x);
        });
        add(all, "logSoftmaxBackward", rows, length, s -> {
            s.copy(bytes * 3 / 2);
            backward(s, rows, length, x -> F.logSoftmax(x, -1), x -> torch.log_softmax(x, 1));
        });
        add(all, "softmaxBackward", rows, length, s -> {
            s.copy(bytes * 3 / 2);
            backward(s, rows, length, x -> F.softmax(x, -1), x -> torch.softmax(x, 1));
        });
        add(all, "crossEntropy", rows, length, s -> {
            s.copy(bytes * 3 / 2);
            crossEntropy(s, rows, length);
        });
        add(all, "klDiv", rows, length, s -> {
            Pair[] x = s.matrices(rows, length);
            Pair[] p = s.matrices(rows, length);
            s.copy(bytes * 3 / 2);
            both(
                    s,
                    TOLERANCE,
                    i -> F.klDiv(x[i].here(), p[i].here(), KlTarget.LOG_PROBABILITIES, Reduction.none()),
                    i -> torch.kl_div(x[i].there(), p[i].there(), 0, true));
        });
        add(all, "klDiv, mean", rows, length, s -> {
            Pair[] x = s.matrices(rows, length);
            Pair[] p = s.matrices(rows, length);
            both(
                    s,
                    TOLERANCE,
                    i -> F.klDiv(x[i].here(), p[i].here(), KlTarget.LOG_PROBABILITIES, Reduction.mean()),
                    i -> torch.kl_div(x[i].there(), p[i].there(), 1, true));
        });
        add(all, "mseLoss, mean", rows, length, s -> {
            Pair[] x = s.matrices(rows, length);
            Pair[] p = s.matrices(rows, length);
            both(
                    s,
                    TOLERANCE,
                    i -> F.mseLoss(x[i].here(), p[i].here(), Reduction.mean()),
                    i -> torch.mse_loss(x[i].there(), p[i].there(), 1));
        });
    }

    /** Through autograd, from the saved output. */
    private static void backward(
            Operands s,
            long rows,
            long length,
            java.util.function.UnaryOperator<Tensor<R2<Dim, Dim>, F32, Cpu>> here,
            java.util.function.UnaryOperator<org.bytedeco.pytorch.Tensor> there) {
        Pair[] x = s.matrices(rows, length);
        Pair[] g = s.matrices(rows, length);
        List<Tensor<R2<Dim, Dim>, F32, Cpu>> leaves = new ArrayList<>();
        List<Tensor<R2<Dim, Dim>, F32, Cpu>> results = new ArrayList<>();
        org.bytedeco.pytorch.Tensor[] torchResults = new org.bytedeco.pytorch.Tensor[s.count];
        for (int i = 0; i < s.count; i++) {
            leaves.add(s.keep(x[i].here().detach().requireGrad()));
            results.add(s.keep(here.apply(leaves.get(i))));
            torchResults[i] = s.keep(there.apply(x[i].there().requires_grad_(true)));
        }
        both(
                s,
                TOLERANCE,
                i -> {
                    Gradients gradients = results.get(i).backward(g[i].here(), KeepGraph.RETAIN);
                    return gradients.get(leaves.get(i));
                },
                i -> gradient(torchResults[i], x[i].there(), new TensorVector(g[i].there())));
    }

    private static org.bytedeco.pytorch.Tensor gradient(
            org.bytedeco.pytorch.Tensor of, org.bytedeco.pytorch.Tensor by, TensorVector slope) {
        try (TensorVector outputs = new TensorVector(of);
                TensorVector inputs = new TensorVector(by);
                BoolOptional keep = new BoolOptional(true);
                TensorVector gradients = torch.grad(outputs, inputs, slope, keep, false, false)) {
            return new org.bytedeco.pytorch.Tensor(gradients.get(0));
        } finally {
            slope.close();
        }
    }

    /** Forward and backward. */
    private static void crossEntropy(Operands s, long rows, long length) {
        Pair[] x = s.matrices(rows, length);
        List<Tensor<R2<Dim, Dim>, F32, Cpu>> leaves = new ArrayList<>();
        for (Pair each : x) {
            leaves.add(s.keep(each.here().detach().requireGrad()));
            each.there().requires_grad_(true);
        }
        Tensor<R1<Dim>, I64, Cpu> classes = s.classes(rows, length);
        org.bytedeco.pytorch.Tensor target = torchClasses(classes.toLongArray());
        s.keep(target);
        both(
                s,
                TOLERANCE,
                i -> Scope.call(
                        () -> F.crossEntropy(leaves.get(i), classes).backward().get(leaves.get(i))),
                i -> {
                    try (org.bytedeco.pytorch.Tensor loss = torch.cross_entropy_loss(x[i].there(), target)) {
                        return gradient(loss, x[i].there(), new TensorVector(torch.ones_like(loss)));
                    }
                });
    }

    private static org.bytedeco.pytorch.Tensor torchClasses(long[] values) {
        try (LongPointer data = new LongPointer(values);
                LongPointer sizes = new LongPointer(new long[] {values.length})) {
            return torch.from_blob(
                            data,
                            new LongArrayRef(sizes, 1),
                            new org.bytedeco.pytorch.TensorOptions(torch.ScalarType.Long))
                    .clone();
        }
    }

    private static void products(List<PeerCase> all, long m, long k, long n) {
        String shape = "[" + m + ", " + k + "] x [" + k + ", " + n + "]";
        all.add(new PeerCase("matmul " + shape, 0, s -> {
            Pair x = s.matrices(m, k)[0];
            Pair y = s.matrices(k, n)[0];
            product(s, k, x, y);
        }));
        all.add(new PeerCase("matmul, second transposed " + shape, 0, s -> {
            Pair x = s.matrices(m, k)[0];
            Pair y = s.matrices(n, k)[0];
            product(s, k, x, transposed(y));
        }));
        all.add(new PeerCase("matmul, first transposed " + shape, 0, s -> {
            Pair x = s.matrices(k, m)[0];
            Pair y = s.matrices(k, n)[0];
            product(s, k, transposed(x), y);
        }));
    }

    private static Pair transposed(Pair x) {
        return new Pair(F.t(x.here()), x.there().t());
    }

    private static void product(Operands s, long depth, Pair x, Pair y) {
        both(s, TOLERANCE * depth, i -> F.matmul(x.here(), y.here()), i -> torch.mm(x.there(), y.there()));
        out(
                s,
                i -> torch.mm(x.there(), y.there()),
                (to, i) -> torch.mm_out(to, x.there(), y.there()).close());
        s.others(Op.MATMUL, TOLERANCE * depth, new Pair[] {x}, new Pair[] {y});
    }

    private static void elementwise(List<PeerCase> all) {
        long bytes = COLUMN * ROW * Float.BYTES;
        all.add(new PeerCase("add [2, 3]", 0, s -> {
            Pair x = s.matrices(2, 3)[0];
            Pair y = s.matrices(2, 3)[0];
            s.tenon(i -> x.here().add(y.here()));
            s.torch(i -> x.there().add(y.there()));
            s.check(TOLERANCE);
            out(
                    s,
                    i -> x.there().add(y.there()),
                    (to, i) -> torch.add_out(to, x.there(), y.there()).close());
            s.others(Op.ADD, TOLERANCE, new Pair[] {x}, new Pair[] {y});
        }));
        add(all, "add", COLUMN, ROW, s -> {
            Pair[] x = s.matrices(COLUMN, ROW);
            Pair[] y = s.matrices(COLUMN, ROW);
            s.copy(bytes * 3 / 2);
            both(
                    s,
                    TOLERANCE,
                    i -> x[i].here().add(y[i].here()),
                    i -> x[i].there().add(y[i].there()));
            out(
                    s,
                    i -> x[i].there().add(y[i].there()),
                    (to, i) -> torch.add_out(to, x[i].there(), y[i].there()).close());
            s.others(Op.ADD, TOLERANCE, x, y);
        });
        broadcast(all, "add of a row", 1, ROW, bytes);
        broadcast(all, "add of a column", COLUMN, 1, bytes);
        add(all, "gelu", COLUMN, ROW, s -> {
            Pair[] x = s.matrices(COLUMN, ROW);
            s.copy(bytes);
            both(s, TOLERANCE, i -> F.gelu(x[i].here()), i -> torch.gelu(x[i].there()));
            out(
                    s,
                    i -> torch.gelu(x[i].there()),
                    (to, i) -> torch.gelu_out(to, x[i].there()).close());
        });
        add(all, "exp", COLUMN, ROW, s -> {
            Pair[] x = s.matrices(COLUMN, ROW);
            s.copy(bytes);
            both(s, TOLERANCE, i -> F.exp(x[i].here()), i -> torch.exp(x[i].there()));
            out(
                    s,
                    i -> torch.exp(x[i].there()),
                    (to, i) -> torch.exp_out(to, x[i].there()).close());
            s.others(Op.EXP, TOLERANCE, x);
        });
        add(all, "dropout", COLUMN, ROW, s -> {
            Pair[] x = s.matrices(COLUMN, ROW);
            Generator generator = new Generator(3);
            s.copy(bytes);
            s.tenon(i -> F.dropout(x[i].here(), 0.5, generator));
            s.torch(i -> torch.dropout(x[i].there(), 0.5, true));
        });
    }

    /** What comes after the products of an MLP and of a residual path, as one op and as those that PyTorch has. */
    private static void afterProducts(List<PeerCase> all, long rows, long columns) {
        for (boolean joined : new boolean[] {true, false}) {
            String name = joined ? "epilogue of " : "apart: ";
            add(all, name + "bias, gelu", rows, columns, s -> {
                Pair[] x = s.matrices(rows, columns);
                Pair y = s.matrices(1, columns)[0];
                Tensor<R1<Dim>, F32, Cpu> bias = y.here().reshape(R1.of(columns));
                EpilogueOptions<F32, Cpu> options =
                        EpilogueOptions.<F32, Cpu>defaults().bias(bias).activation(Activation.GELU);
                s.copy(rows * columns * Float.BYTES);
                both(s, TOLERANCE, i -> joined ? F.epilogue(x[i].here(), options) : gelu(x[i].here(), bias), i -> {
                    try (var sum = x[i].there().add(y.there())) {
                        return torch.gelu(sum);
                    }
                });
            });
            add(all, name + "bias, dropout, residual", rows, columns, s -> {
                Pair[] x = s.matrices(rows, columns);
                Pair y = s.matrices(1, columns)[0];
                Pair residual = s.matrices(rows, columns)[0];
                Tensor<R1<Dim>, F32, Cpu> bias = y.here().reshape(R1.of(columns));
                Generator generator = new Generator(3);
                EpilogueOptions<F32, Cpu> options = EpilogueOptions.<F32, Cpu>defaults()
                        .bias(bias)
                        .dropout(0.1, generator)
                        .residual(residual.here());
                s.copy(rows * columns * Float.BYTES);
                s.tenon(i -> joined
                        ? F.epilogue(x[i].here(), options)
                        : dropped(x[i].here(), bias, generator, residual.here()));
                s.torch(i -> {
                    try (var sum = x[i].there().add(y.there());
                            var dropped = torch.dropout(sum, 0.1, true)) {
                        return residual.there().add(dropped);
                    }
                });
            });
        }
    }

    private static Tensor<?, ?, Cpu> gelu(Tensor<R2<Dim, Dim>, F32, Cpu> x, Tensor<R1<Dim>, F32, Cpu> bias) {
        return Scope.call(() -> F.gelu(F.add(x, bias)));
    }

    private static Tensor<?, ?, Cpu> dropped(
            Tensor<R2<Dim, Dim>, F32, Cpu> x,
            Tensor<R1<Dim>, F32, Cpu> bias,
            Generator generator,
            Tensor<R2<Dim, Dim>, F32, Cpu> residual) {
        return Scope.call(() -> residual.add(F.dropout(F.add(x, bias), 0.1, generator)));
    }

    private static void broadcast(List<PeerCase> all, String op, long rows, long columns, long bytes) {
        add(all, op, COLUMN, ROW, s -> {
            Pair[] x = s.matrices(COLUMN, ROW);
            Pair y = s.matrices(rows, columns)[0];
            s.copy(bytes);
            both(
                    s,
                    TOLERANCE,
                    i -> F.add(x[i].here(), y.here()),
                    i -> x[i].there().add(y.there()));
            out(
                    s,
                    i -> x[i].there().add(y.there()),
                    (to, i) -> torch.add_out(to, x[i].there(), y.there()).close());
            s.others(Op.ADD, TOLERANCE, x, new Pair[] {y});
        });
    }

    private static void reductions(List<PeerCase> all) {
        for (int dim = 0; dim < 2; dim++) {
            int axis = dim;
            long[] axes = {dim};
            ScalarTypeOptional same = new ScalarTypeOptional();
            LongOptional along = new LongOptional(dim);
            add(all, "sum along axis " + dim, COLUMN, ROW, s -> {
                Pair[] x = s.matrices(COLUMN, ROW);
                both(s, SUM_TOLERANCE, i -> x[i].here().sum(axis), i -> torch.sum(x[i].there(), axes, false, same));
                out(
                        s,
                        i -> torch.sum(x[i].there(), axes, false, same),
                        (to, i) -> torch.sum_out(to, x[i].there(), axes, false, same)
                                .close());
                s.others(Op.SUM, axis, SUM_TOLERANCE, x);
            });
            add(all, "max along axis " + dim, COLUMN, ROW, s -> {
                Pair[] x = s.matrices(COLUMN, ROW);
                both(s, 0, i -> x[i].here().max(axis), i -> torch.amax(x[i].there(), axes, false));
                out(
                        s,
                        i -> torch.amax(x[i].there(), axes, false),
                        (to, i) -> torch.amax_out(to, x[i].there(), axes, false).close());
                s.others(Op.MAX, axis, 0, x);
            });
            add(all, "argmax along axis " + dim, COLUMN, ROW, s -> {
                Pair[] x = s.matrices(COLUMN, ROW);
                both(s, 0, i -> x[i].here().argmax(axis), i -> torch.argmax(x[i].there(), along, false));
                out(
                        s,
                        i -> torch.argmax(x[i].there(), along, false),
                        (to, i) ->
                                torch.argmax_out(to, x[i].there(), along, false).close());
            });
        }
        add(all, "sum of all", COLUMN, ROW, s -> {
            Pair[] x = s.matrices(COLUMN, ROW);
            both(s, SUM_TOLERANCE, i -> x[i].here().sum(), i -> torch.sum(x[i].there()));
            s.others(Op.SUM, SUM_TOLERANCE, x);
        });
    }

    private static void steps(List<PeerCase> all) {
        for (long batch : new long[] {64, 256}) {
            all.add(new PeerCase("training step of an MLP, " + batch + " rows", 0, STEPS_WARM_SECONDS, s -> {
                Pair x = s.matrices(batch, MlpSteps.IN)[0];
                Tensor<R1<Dim>, I64, Cpu> classes = s.classes(batch, MlpSteps.CLASSES);
                org.bytedeco.pytorch.Tensor target = s.keep(torchClasses(classes.toLongArray()));
                MlpSteps steps = new MlpSteps();
                steps.begin(x, classes, target);
                both(s, TOLERANCE, i -> steps.step(x, classes), i -> steps.step(x, target));
            }));
        }
    }
}

package org.tenon.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.KeepGraph;
import org.tenon.R2;
import org.tenon.Tensor;

/**
 * Log-softmax of float32 rows on the CPU, forward and backward, beside a copy of the forward's bytes and beside PyTorch with
 * as many threads. Inputs rotate, so that those of one call have left the cache by the next. {@link #main} prints ratios.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
public class LogSoftmaxBench {
    private static final long WORKING_SET = 256L << 20;
    private static final int THREADS = Runtime.getRuntime().availableProcessors();

    /** Rows by elements. */
    @Param({"65536x10", "32768x128", "4096x1024", "256x32768", "64x131072", "1024x50257"})
    public String shape;

    private long bytes;
    private int inputs;
    private int next;
    private Arena arena;
    private MemorySegment[] sources;
    private MemorySegment[] targets;
    private List<Tensor<R2<Dim, Dim>, F32, Cpu>> x;
    private List<Tensor<R2<Dim, Dim>, F32, Cpu>> y;
    private List<Tensor<R2<Dim, Dim>, F32, Cpu>> g;
    private org.bytedeco.pytorch.Tensor[] torchX;
    private org.bytedeco.pytorch.Tensor[] plainX;
    private org.bytedeco.pytorch.Tensor[] torchY;
    private org.bytedeco.pytorch.Tensor[] torchG;

    /** Random inputs, the same for both libraries. */
    @Setup(Level.Trial)
    public void prepare() {
        int cross = shape.indexOf('x');
        long rows = Long.parseLong(shape.substring(0, cross));
        long length = Long.parseLong(shape.substring(cross + 1));
        bytes = rows * length * Float.BYTES;
        inputs = (int) Math.max(2, WORKING_SET / bytes);
        arena = Arena.ofShared();
        sources = new MemorySegment[inputs];
        targets = new MemorySegment[inputs];
        x = new ArrayList<>();
        y = new ArrayList<>();
        g = new ArrayList<>();
        torchX = new org.bytedeco.pytorch.Tensor[inputs];
        plainX = new org.bytedeco.pytorch.Tensor[inputs];
        torchY = new org.bytedeco.pytorch.Tensor[inputs];
        torchG = new org.bytedeco.pytorch.Tensor[inputs];
        torch.set_num_threads(THREADS);
        Device<Cpu> cpu = Devices.cpu();
        Generator generator = new Generator(1);
        for (int i = 0; i < inputs; i++) {
            sources[i] = arena.allocate(bytes, 64).fill((byte) 1);
            targets[i] = arena.allocate(bytes, 64).fill((byte) 2);
            Tensor<R2<Dim, Dim>, F32, Cpu> logits = cpu.randn(R2.<Dim, Dim>of(rows, length), DType.F32, generator);
            x.add(logits);
            y.add(F.logSoftmax(logits.detach().requireGrad(), -1));
            g.add(cpu.randn(R2.of(rows, length), DType.F32, generator));
            torchX[i] = toTorch(logits.toFloatArray(), rows, length).requires_grad_(true);
            plainX[i] = torchX[i].detach();
            torchG[i] = toTorch(g.get(i).toFloatArray(), rows, length);
            torchY[i] = torch.log_softmax(torchX[i], 1);
        }
        check();
    }

    private static org.bytedeco.pytorch.Tensor toTorch(float[] values, long rows, long length) {
        try (FloatPointer data = new FloatPointer(values);
                LongPointer sizes = new LongPointer(rows, length)) {
            return torch.from_blob(data, new org.bytedeco.pytorch.LongArrayRef(sizes, 2))
                    .clone();
        }
    }

    /** A benchmark of wrong results would be worth nothing: both libraries agree. */
    private void check() {
        float[] mine = y.getFirst().toFloatArray();
        float[] theirs = new float[mine.length];
        torchY[0].data_ptr_float().get(theirs);
        for (int i = 0; i < mine.length; i++) {
            if (!(Math.abs(mine[i] - theirs[i]) <= 1e-5 * Math.max(1, Math.abs(theirs[i])))) {
                throw new IllegalStateException("element " + i + ": " + mine[i] + " against " + theirs[i]);
            }
        }
    }

    /** Frees all. */
    @TearDown(Level.Trial)
    public void release() {
        arena.close();
        x.forEach(Tensor::close);
        y.forEach(Tensor::close);
        g.forEach(Tensor::close);
    }

    private int advance() {
        next = (next + 1) % inputs;
        return next;
    }

    /** Reads and writes what the forward must: its input and its output once. */
    @Benchmark
    public MemorySegment copy() {
        int i = advance();
        List<ForkJoinTask<?>> parts = new ArrayList<>();
        for (int part = 0; part < THREADS; part++) {
            long from = bytes * part / THREADS;
            long to = bytes * (part + 1) / THREADS;
            parts.add(ForkJoinPool.commonPool()
                    .submit(() -> MemorySegment.copy(sources[i], from, targets[i], from, to - from)));
        }
        parts.forEach(ForkJoinTask::join);
        return targets[i];
    }

    /** Forward here. */
    @Benchmark
    public long forward() {
        try (Tensor<R2<Dim, Dim>, F32, Cpu> out = F.logSoftmax(x.get(advance()), -1)) {
            return out.numel();
        }
    }

    /** Forward in PyTorch. */
    @Benchmark
    public long forwardPyTorch() {
        try (PointerScope _ = new PointerScope()) {
            return torch.log_softmax(plainX[advance()], 1).numel();
        }
    }

    /** Backward here, through autograd, from the saved output. */
    @Benchmark
    public int backward() {
        int i = advance();
        try (Gradients gradients = y.get(i).backward(g.get(i), KeepGraph.RETAIN)) {
            return gradients.size();
        }
    }

    /** Backward in PyTorch, through autograd, from the saved output. */
    @Benchmark
    public long backwardPyTorch() {
        int i = advance();
        try (PointerScope _ = new PointerScope()) {
            return torch.grad(
                            new TensorVector(torchY[i]),
                            new TensorVector(torchX[i]),
                            new TensorVector(torchG[i]),
                            new BoolOptional(true),
                            false,
                            false)
                    .get(0)
                    .numel();
        }
    }

    /** Runs all and prints a table; arguments, if any, are shapes. */
    public static void main(String[] arguments) throws RunnerException {
        OptionsBuilder options = new OptionsBuilder();
        options.include(LogSoftmaxBench.class.getSimpleName());
        if (arguments.length > 0) {
            options.param("shape", arguments);
        }
        Collection<RunResult> results = new Runner(options.build()).run();
        Map<String, Map<String, Double>> times = new TreeMap<>();
        for (RunResult each : results) {
            times.computeIfAbsent(each.getParams().getParam("shape"), key -> new TreeMap<>())
                    .put(
                            each.getPrimaryResult().getLabel(),
                            each.getPrimaryResult().getScore());
        }
        System.out.println("| shape | copy ms | GB/s | forward ms | of copy | PyTorch ms | ratio | backward ms |"
                + " of 1.5 copies | PyTorch ms | ratio |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|---|");
        times.forEach((shape, t) -> {
            double copy = t.get("copy");
            double elements = java.util.Arrays.stream(shape.split("x"))
                    .mapToDouble(Double::parseDouble)
                    .reduce(1, (a, b) -> a * b);
            System.out.printf(
                    "| %s | %.2f | %.1f | %.2f | %.0f %% | %.2f | %.2f | %.2f | %.0f %% | %.2f | %.2f |%n",
                    shape,
                    copy,
                    8 * elements / copy / 1e6,
                    t.get("forward"),
                    100 * copy / t.get("forward"),
                    t.get("forwardPyTorch"),
                    t.get("forwardPyTorch") / t.get("forward"),
                    t.get("backward"),
                    150 * copy / t.get("backward"),
                    t.get("backwardPyTorch"),
                    t.get("backwardPyTorch") / t.get("backward"));
        });
        System.out.println("Device: " + Devices.cpu().description() + ". A ratio above 1: faster than PyTorch.");
    }
}

package org.tenon.bench;

import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
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
import org.tenon.R2;
import org.tenon.Tensor;

/**
 * Products of float32 matrices on the CPU beside PyTorch's with as many threads. The last three have the sizes of a
 * small GPT's linear layers: a result, the gradient of its input, the gradient of a weight. {@link #main} prints ratios.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MatMulBench {
    /** Rows by inner axis by columns. */
    @Param({
        "256x256x256",
        "512x512x512",
        "1024x1024x1024",
        "2048x2048x2048",
        "64x784x256",
        "768x128x512",
        "768x512x128",
        "128x768x512"
    })
    public String shape;

    private Tensor<R2<Dim, Dim>, F32, Cpu> x;
    private Tensor<R2<Dim, Dim>, F32, Cpu> y;
    private org.bytedeco.pytorch.Tensor torchX;
    private org.bytedeco.pytorch.Tensor torchY;

    /** Random operands, the same for both libraries. */
    @Setup(Level.Trial)
    public void prepare() {
        String[] parts = shape.split("x");
        long m = Long.parseLong(parts[0]);
        long k = Long.parseLong(parts[1]);
        long n = Long.parseLong(parts[2]);
        torch.set_num_threads(Runtime.getRuntime().availableProcessors());
        Device<Cpu> cpu = Devices.cpu();
        Generator generator = new Generator(1);
        x = cpu.randn(R2.<Dim, Dim>of(m, k), DType.F32, generator);
        y = cpu.randn(R2.<Dim, Dim>of(k, n), DType.F32, generator);
        torchX = toTorch(x.toFloatArray(), m, k);
        torchY = toTorch(y.toFloatArray(), k, n);
        check((int) n, k);
    }

    private static org.bytedeco.pytorch.Tensor toTorch(float[] values, long rows, long columns) {
        try (FloatPointer data = new FloatPointer(values);
                LongPointer sizes = new LongPointer(rows, columns)) {
            return torch.from_blob(data, new org.bytedeco.pytorch.LongArrayRef(sizes, 2))
                    .clone();
        }
    }

    /** A benchmark of wrong results would be worth nothing: both libraries agree. */
    private void check(int columns, long depth) {
        try (Tensor<R2<Dim, Dim>, F32, Cpu> product = F.matmul(x, y);
                PointerScope _ = new PointerScope()) {
            float[] mine = product.toFloatArray();
            float[] theirs = new float[mine.length];
            torch.matmul(torchX, torchY).data_ptr_float().get(theirs);
            for (int i = 0; i < mine.length; i++) {
                if (!(Math.abs(mine[i] - theirs[i]) <= 1e-5 * depth)) {
                    throw new IllegalStateException("row " + i / columns + ", column " + i % columns + ": " + mine[i]
                            + " against " + theirs[i]);
                }
            }
        }
    }

    /** Frees all. */
    @TearDown(Level.Trial)
    public void release() {
        x.close();
        y.close();
    }

    /** Here. */
    @Benchmark
    public long tenon() {
        try (Tensor<R2<Dim, Dim>, F32, Cpu> product = F.matmul(x, y)) {
            return product.numel();
        }
    }

    /** In PyTorch. */
    @Benchmark
    public long pyTorch() {
        try (PointerScope _ = new PointerScope()) {
            return torch.matmul(torchX, torchY).numel();
        }
    }

    /** Runs all and prints a table; arguments, if any, are shapes. */
    public static void main(String[] arguments) throws RunnerException {
        OptionsBuilder options = new OptionsBuilder();
        options.include(MatMulBench.class.getSimpleName());
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
        System.out.println("| product | Tenon ms | GFLOP/s | PyTorch ms | GFLOP/s | ratio |");
        System.out.println("|---|---|---|---|---|---|");
        times.forEach((shape, t) -> {
            double work = 2;
            for (String each : shape.split("x")) {
                work *= Double.parseDouble(each);
            }
            System.out.printf(
                    "| %s | %.3f | %.0f | %.3f | %.0f | %.2f |%n",
                    shape,
                    t.get("tenon"),
                    work / t.get("tenon") / 1e6,
                    t.get("pyTorch"),
                    work / t.get("pyTorch") / 1e6,
                    t.get("pyTorch") / t.get("tenon"));
        });
        System.out.println("Device: " + Devices.cpu().description() + ". A ratio above 1: faster than PyTorch.");
    }
}

package org.tenon.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tenon.AttentionOptions;
import org.tenon.Autograd;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.Floating;
import org.tenon.Generator;
import org.tenon.I64;
import org.tenon.KlTarget;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R3;
import org.tenon.R4;
import org.tenon.Reduction;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.op.Pins;
import org.tenon.op.Value;
import org.tenon.spi.Kernels;
import org.tenon.spi.Norm;
import org.tenon.spi.ReduceOp;
import org.tenon.spi.Rows;
import org.tenon.spi.SoftmaxKind;
import org.tenon.spi.Strided;

/**
 * Times of ops along rows and of attention, for {@code src/bench/python/row_ops.py}, which asks for one after another and measures peers between:
 * {@code RowsBench DEVICE SAMPLES}. A line of its input is {@code OP DTYPE OUTER LENGTH INNER BUFFERS}, the answer the median of
 * milliseconds a call. Buffers of the same shape are taken in turn. Of attention OUTER is the number of heads, INNER their size.
 */
public final class RowsBench {
    private static final double SAMPLE_SECONDS = 0.005;

    private RowsBench() {}

    /** Answers until its input ends. */
    public static void main(String[] args) throws IOException {
        Device<?> device = Devices.get(args[0]);
        int samples = Integer.parseInt(args[1]);
        if (device.description().startsWith("Tenon stand-in")) {
            throw new IllegalArgumentException(device + " is a stand-in, which has no speed");
        }
        System.out.println("ready " + device.description());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            double seconds = Scope.call(() -> measure(device, words, samples));
            System.out.println(seconds * 1e3);
        }
    }

    private static double measure(Device<?> device, String[] words, int samples) {
        Problem problem = new Problem(
                words[0],
                Arrays.stream(new DType[] {DType.F32, DType.F64, DType.F16, DType.BF16})
                        .filter(each -> each.toString().equals(words[1]))
                        .map(Floating.class::cast)
                        .findFirst()
                        .orElseThrow(),
                new Rows(Long.parseLong(words[2]), Long.parseLong(words[3]), Long.parseLong(words[4])),
                Integer.parseInt(words[5]));
        return median(device, call(device, problem), samples);
    }

    private record Problem(String op, Floating dtype, Rows rows, int buffers) {}

    private static <Dev extends DeviceType> IntConsumer call(Device<Dev> device, Problem p) {
        if (p.op.equals("crossEntropy")) {
            return crossEntropy(device, p.dtype, p);
        }
        if (p.op.equals("klDiv")) {
            return klDiv(device, p.dtype, p);
        }
        if (p.op.equals("sum") || p.op.equals("max")) {
            return reduction(device, p.op.equals("sum") ? ReduceOp.SUM : ReduceOp.MAX, p);
        }
        if (p.op.startsWith("attention")) {
            return attention(device, p.dtype, p);
        }
        Kernels kernels = device.backend().kernels();
        List<Value> x = values(device, p);
        List<Value> out = values(device, p);
        boolean forward = p.op.endsWith("Forward") || p.op.equals("copy");
        List<Value> g = forward ? x : values(device, p);
        Norm norm = p.op.startsWith("layerNorm") ? norm(device, p) : null;
        return i -> {
            Value from = x.get(i % p.buffers);
            Value to = out.get(i % p.buffers);
            Value slope = g.get(i % p.buffers);
            try (Pins _ = Pins.of(from, to, slope)) {
                switch (p.op) {
                    case "copy" -> kernels.copy(from.strided(), to.strided());
                    case "logSoftmaxForward" ->
                        kernels.softmax(SoftmaxKind.LOG_SOFTMAX, from.strided(), p.rows, to.strided());
                    case "softmaxForward" -> kernels.softmax(SoftmaxKind.SOFTMAX, from.strided(), p.rows, to.strided());
                    case "logSoftmaxBackward" ->
                        kernels.softmaxGrad(
                                SoftmaxKind.LOG_SOFTMAX, slope.strided(), from.strided(), p.rows, to.strided());
                    case "softmaxBackward" ->
                        kernels.softmaxGrad(SoftmaxKind.SOFTMAX, slope.strided(), from.strided(), p.rows, to.strided());
                    case "layerNormForward" -> kernels.norm(norm, from.strided(), to.strided());
                    case "layerNormBackward" ->
                        kernels.normGrad(
                                norm, slope.strided(), from.strided(), to.strided(), norm.weight(), norm.bias());
                    default -> throw new IllegalArgumentException("there is no op " + p.op);
                }
            }
        };
    }

    private static <Dev extends DeviceType> List<Value> values(Device<Dev> device, Problem p) {
        R3<Dim, Dim, Dim> shape = R3.of(p.rows.outer(), p.rows.len(), p.rows.inner());
        Generator generator = new Generator(7);
        List<Value> all = new ArrayList<>();
        for (int i = 0; i < p.buffers; i++) {
            all.add(device.randn(shape, p.dtype, generator).value());
        }
        return all;
    }

    private static <Dev extends DeviceType> Norm norm(Device<Dev> device, Problem p) {
        Floating wide = p.dtype == DType.F64 ? DType.F64 : DType.F32;
        R1<Dim> columns = R1.of(p.rows.len());
        R1<Dim> rows = R1.of(p.rows.outer());
        return new Norm(
                p.rows,
                1e-5,
                device.ones(columns, p.dtype).value().strided(),
                device.zeros(columns, p.dtype).value().strided(),
                device.zeros(rows, wide).value().strided(),
                device.ones(rows, wide).value().strided());
    }

    /** Forward and backward, from the mean over targets. */
    private static <D extends Floating, Dev extends DeviceType> IntConsumer crossEntropy(
            Device<Dev> device, D dtype, Problem p) {
        R2<Dim, Dim> shape = R2.of(p.rows.outer(), p.rows.len());
        Generator generator = new Generator(7);
        List<Tensor<R2<Dim, Dim>, D, Dev>> all = new ArrayList<>();
        for (int i = 0; i < p.buffers; i++) {
            all.add(device.<R2<Dim, Dim>, D>randn(shape, dtype, generator).requireGrad());
        }
        Tensor<R1<Dim>, I64, Dev> target = device.randint(R1.of(p.rows.outer()), 0, p.rows.len(), DType.I64, generator);
        return i ->
                Scope.run(() -> F.crossEntropy(all.get(i % p.buffers), target).backward());
    }

    /** Forward and backward to the first operand, summed over elements and divided by the rows; both are log-probabilities. */
    private static <D extends Floating, Dev extends DeviceType> IntConsumer klDiv(
            Device<Dev> device, D dtype, Problem p) {
        R2<Dim, Dim> shape = R2.of(p.rows.outer(), p.rows.len());
        Generator generator = new Generator(7);
        List<Tensor<R2<Dim, Dim>, D, Dev>> logs = new ArrayList<>();
        List<Tensor<R2<Dim, Dim>, D, Dev>> targets = new ArrayList<>();
        for (int i = 0; i < p.buffers; i++) {
            logs.add(Scope.call(() -> F.logSoftmax(device.<R2<Dim, Dim>, D>randn(shape, dtype, generator), 1))
                    .requireGrad());
            targets.add(Scope.call(() -> F.logSoftmax(device.<R2<Dim, Dim>, D>randn(shape, dtype, generator), 1)));
        }
        return i -> Scope.run(() -> F.klDiv(
                        logs.get(i % p.buffers),
                        targets.get(i % p.buffers),
                        KlTarget.LOG_PROBABILITIES,
                        Reduction.batchMean())
                .backward());
    }

    /** Of the middle axis. */
    private static <Dev extends DeviceType> IntConsumer reduction(Device<Dev> device, ReduceOp op, Problem p) {
        List<Value> x = values(device, p);
        Value to = device.zeros(R2.of(p.rows.outer(), p.rows.inner()), p.dtype).value();
        long[] sizes = {p.rows.outer(), p.rows.inner(), p.rows.len()};
        long[] strides = {p.rows.len() * p.rows.inner(), 1, p.rows.inner()};
        return i -> {
            Value from = x.get(i % p.buffers);
            try (Pins _ = Pins.of(from, to)) {
                Strided all = from.strided();
                device.backend()
                        .kernels()
                        .reduce(
                                op,
                                new Strided(all.buffer(), all.dtype(), all.offset(), sizes, strides),
                                2,
                                to.strided());
            }
        };
    }

    /** Causal attention of one batch: forward alone, or forward and backward, from a gradient of ones. */
    private static <D extends Floating, Dev extends DeviceType> IntConsumer attention(
            Device<Dev> device, D dtype, Problem p) {
        R4<Dim, Dim, Dim, Dim> shape = R4.of(1, p.rows.outer(), p.rows.len(), p.rows.inner());
        Generator generator = new Generator(7);
        List<List<Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev>>> all = new ArrayList<>();
        for (int i = 0; i < p.buffers; i++) {
            all.add(Stream.generate(() -> device.<R4<Dim, Dim, Dim, Dim>, D>randn(shape, dtype, generator)
                            .requireGrad())
                    .limit(3)
                    .toList());
        }
        Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev> ones = device.ones(shape, dtype);
        AttentionOptions<D, Dev> options = AttentionOptions.<D, Dev>defaults().withCausality();
        IntFunction<Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev>> forward = i -> {
            List<Tensor<R4<Dim, Dim, Dim, Dim>, D, Dev>> of = all.get(i % p.buffers);
            return F.scaledDotProductAttention(of.get(0), of.get(1), of.get(2), options);
        };
        return switch (p.op) {
            case "attentionForward" -> i -> Scope.run(() -> Autograd.noGrad(() -> forward.apply(i)));
            case "attention" -> i -> Scope.run(() -> forward.apply(i).backward(ones));
            default -> throw new IllegalArgumentException("there is no op " + p.op);
        };
    }

    /** Seconds a call, the median of samples that are long enough for the clock. */
    private static double median(Device<?> device, IntConsumer call, int samples) {
        int batch = 1;
        while (time(device, call, batch) < SAMPLE_SECONDS) {
            batch *= 2;
        }
        int repeats = batch;
        double[] all = IntStream.range(0, samples)
                .mapToDouble(i -> time(device, call, repeats) / repeats)
                .sorted()
                .toArray();
        return all[all.length / 2];
    }

    private static double time(Device<?> device, IntConsumer call, int batch) {
        device.synchronize();
        long start = System.nanoTime();
        for (int i = 0; i < batch; i++) {
            call.accept(i);
        }
        device.synchronize();
        return (System.nanoTime() - start) * 1e-9;
    }
}

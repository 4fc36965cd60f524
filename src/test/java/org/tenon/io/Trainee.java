package org.tenon.io;

import static org.tenon.DType.F32;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.F;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.HostArray;
import org.tenon.I64;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.data.Batch;
import org.tenon.data.DataLoader;
import org.tenon.data.TensorDataset;
import org.tenon.nn.Dropout;
import org.tenon.nn.Linear;
import org.tenon.nn.Module;
import org.tenon.optim.AdamW;

/** A small training with everything that must be saved: two layers with dropout, AdamW, a shuffled loader. */
final class Trainee<Dev extends DeviceType> implements AutoCloseable {
    private static final int BATCH = 16;
    private static final int SAMPLES = 112;

    final Net<Dev> net;
    final AdamW<F32, Dev> optimizer;
    final Generator chance;
    private final Device<Dev> device;
    private final DataLoader<Batch<Tensor<R2<Dim, Dim>, F32, Dev>, Tensor<R1<Dim>, I64, Dev>>> loader;

    static final class Net<Dev extends DeviceType> extends Module<F32, Dev> {
        private final Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> first;
        private final Dropout<R2<Dim, Dim>, F32, Dev> dropout;
        private final Linear<R2<Dim, Dim>, R2<Dim, Dim>, F32, Dev> second;
        private final Tensor<R1<Dim>, F32, Dev> seen;

        Net(Device<Dev> device, long hidden, Generator start, Generator chance) {
            first = register("first", Linear.of(device, F32, 8, hidden, start));
            dropout = register("dropout", new Dropout<>(0.25, chance));
            second = register("second", Linear.of(device, F32, hidden, 4, start));
            seen = registerBuffer("seen", device.zeros(R1.of(1)));
        }

        Tensor<R2<Dim, Dim>, F32, Dev> forward(Tensor<R2<Dim, Dim>, F32, Dev> x) {
            if (isTraining()) {
                seen.copyFrom(seen.add(x.size(0)));
            }
            return second.forward(dropout.forward(F.gelu(first.forward(x))));
        }
    }

    Trainee(Device<Dev> device, long seed) {
        this(device, seed, 12);
    }

    Trainee(Device<Dev> device, long seed, long hidden) {
        this.device = device;
        chance = new Generator(seed + 1);
        net = new Net<>(device, hidden, new Generator(seed), chance);
        optimizer = new AdamW<>(net.parameters(), 0.01);
        Generator.HostStream numbers = new Generator(7).stream(SAMPLES * 9L);
        float[] inputs = new float[SAMPLES * 8];
        long[] targets = new long[SAMPLES];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = numbers.below(2000) / 1000f - 1;
        }
        for (int i = 0; i < SAMPLES; i++) {
            targets[i] = numbers.below(4);
        }
        HostArray<R2<Dim, Dim>, F32> x = HostArray.of(inputs, R2.of(SAMPLES, 8));
        HostArray<R1<Dim>, I64> y = HostArray.of(targets, R1.of(SAMPLES));
        loader = DataLoader.of(TensorDataset.of(x, y).on(device), BATCH).shuffle(5);
    }

    Checkpoint checkpoint() {
        return new Checkpoint()
                .module("model", net)
                .optimizer("optimizer", optimizer)
                .generator("chance", chance);
    }

    /** Steps {@code from} (counted from 0) to {@code to}; the bits of each loss. */
    List<String> train(long from, long to) {
        List<String> losses = new ArrayList<>();
        long step = from;
        while (step < to) {
            long epoch = step / loader.batchesPerEpoch();
            try (var batches = loader.epoch(epoch, (int) (step % loader.batchesPerEpoch()))) {
                while (step < to && batches.hasNext()) {
                    var batch = batches.next();
                    losses.add(Scope.call(() -> {
                        Tensor<R0, F32, Dev> loss =
                                F.nllLoss(F.logSoftmax(net.forward(batch.input()), -1), batch.target());
                        optimizer.lr(0.01 / (1 + optimizer.lr()));
                        optimizer.step(loss.backward());
                        return Integer.toHexString(Float.floatToRawIntBits((float) loss.item()));
                    }));
                    step++;
                }
            }
        }
        return losses;
    }

    float[] outputs() {
        net.eval();
        float[] outputs =
                Scope.call(() -> net.forward(device.arange(0, 4, 0.125, F32).reshape(R2.of(4, 8)))
                        .toFloatArray());
        net.train();
        return outputs;
    }

    /** All bits of the state. */
    String state() {
        StringBuilder text = new StringBuilder();
        Weights.tensors(net).forEach((name, tensor) -> text.append(name).append(bits(tensor)));
        optimizer.state().tensors().forEach((name, tensor) -> text.append(name).append(bits(tensor)));
        return text.append(optimizer.state().numbers())
                .append(chance.seed())
                .append(' ')
                .append(chance.position())
                .toString();
    }

    private static String bits(Tensor<?, ?, ?> tensor) {
        return HexFormat.of().formatHex(HostArray.of(tensor).data().toArray(ValueLayout.JAVA_BYTE));
    }

    @Override
    public void close() {
        optimizer.close();
        net.close();
    }

    /**
     * In a JVM of its own. {@code resume DEVICE FILE FROM TO}: loads, trains on, prints the bits of the losses. {@code
     * halt FILE BYTES}: trains 3 steps, saves, 3 more, and ends in the middle of the second save, after that many bytes; with
     * -1 after all bytes and before they are forced, with -2 after that and before the file has its name.
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments[0].equals("resume")) {
            resume(Devices.get(arguments[1]), arguments);
        } else {
            halt(Path.of(arguments[1]), Long.parseLong(arguments[2]));
        }
    }

    private static <Dev extends DeviceType> void resume(Device<Dev> device, String[] arguments) throws IOException {
        try (Trainee<Dev> trainee = new Trainee<>(device, 99)) {
            long step = trainee.checkpoint().load(Path.of(arguments[2])).step();
            System.out.println("losses " + trainee.train(step, Long.parseLong(arguments[3])));
        }
    }

    private static void halt(Path file, long bytes) throws IOException {
        try (var trainee = new Trainee<>(Devices.cpu(), 1)) {
            trainee.train(0, 3);
            trainee.checkpoint().save(file, 3);
            trainee.train(3, 6);
            trainee.checkpoint().save(file, 6, Map.of(), sink -> new Halting(sink, bytes));
            System.out.println("saved");
        }
    }

    /** Ends the JVM after so many bytes. */
    private static final class Halting implements AtomicFile.Sink {
        private final AtomicFile.Sink sink;
        private final long limit;
        private long written;

        Halting(AtomicFile.Sink sink, long limit) {
            this.sink = sink;
            this.limit = limit;
        }

        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            if (limit >= 0 && written + bytes.remaining() > limit) {
                sink.write(bytes.slice(bytes.position(), (int) (limit - written)), position);
                Runtime.getRuntime().halt(9);
            }
            written += bytes.remaining();
            sink.write(bytes, position);
        }

        @Override
        public void force() throws IOException {
            if (limit == -1) {
                Runtime.getRuntime().halt(9);
            }
            sink.force();
            if (limit == -2) {
                Runtime.getRuntime().halt(9);
            }
        }
    }
}

package org.tenon.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.tenon.Autograd;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F32;
import org.tenon.Generator;
import org.tenon.Gradients;
import org.tenon.I64;
import org.tenon.R0;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.data.Batch;
import org.tenon.data.DataLoader;
import org.tenon.data.Sampler;
import org.tenon.data.TokenDataset;
import org.tenon.examples.Gpt.Sequences;
import org.tenon.examples.Gpt.Time;
import org.tenon.io.Checkpoint;
import org.tenon.optim.AdamW;
import org.tenon.optim.GradScaler;
import org.tenon.optim.LRScheduler;
import org.tenon.optim.Schedule;

/** The training of a {@link Gpt} on a {@link Corpus}, on one device: steps, losses, and its state in a file. */
final class GptTraining<Dev extends DeviceType> implements AutoCloseable {
    /** The steps that draw their windows from one sequence of random numbers. */
    private static final int EPOCH = 1000;

    private static final double CLIP = 1;

    private final Gpt<Dev> model;
    private final Settings settings;
    private final AdamW<F32, Dev> optimizer;
    private final LRScheduler scheduler;
    private final GradScaler scaler = new GradScaler();
    private final Checkpoint checkpoint;
    private final DataLoader<Batch<Tensor<R2<Sequences, Time>, I64, Dev>, Tensor<R2<Sequences, Time>, I64, Dev>>>
            training;
    private final DataLoader<Batch<Tensor<R2<Sequences, Time>, I64, Dev>, Tensor<R2<Sequences, Time>, I64, Dev>>>
            trainingProbe;
    private final DataLoader<Batch<Tensor<R2<Sequences, Time>, I64, Dev>, Tensor<R2<Sequences, Time>, I64, Dev>>>
            validationProbe;
    private long step;

    /**
     * What a training may vary besides its model.
     *
     * @param steps the number of steps in which the learning rate falls
     * @param batch the windows of text in a step
     * @param rate the learning rate after the warm-up
     * @param minRate the learning rate at the end
     * @param warmup the steps in which the learning rate rises
     * @param weightDecay of matrices
     * @param evalBatches the batches that a loss is the mean of
     * @param precision what products are computed in
     * @param seed of everything random
     */
    record Settings(
            int steps,
            int batch,
            double rate,
            double minRate,
            int warmup,
            double weightDecay,
            int evalBatches,
            Precision precision,
            long seed) {}

    /** What is told of a step: its number from 1, and its loss where that was asked for, else NaN. */
    @FunctionalInterface
    interface Progress {
        void step(long number, double loss);
    }

    GptTraining(Device<Dev> device, Corpus corpus, Gpt.Size size, Settings settings) {
        this.settings = settings;
        Generator generator = new Generator(settings.seed());
        model = new Gpt<>(device, size, generator);
        optimizer = optimizer(model, settings.rate(), settings.weightDecay());
        scheduler = new LRScheduler(optimizer, schedule(settings));
        checkpoint = new Checkpoint()
                .module("model", model)
                .optimizer("optimizer", optimizer)
                .generator("generator", generator)
                .numbers("scheduler", scheduler::state, scheduler::load)
                .numbers("scaler", scaler::state, scaler::load);
        TokenDataset train = TokenDataset.of(corpus.training(), size.context());
        TokenDataset validate = TokenDataset.of(corpus.validation(), size.context());
        training = loader(train, device, EPOCH, settings.seed());
        trainingProbe = loader(train, device, settings.evalBatches(), ~settings.seed());
        validationProbe = loader(validate, device, settings.evalBatches(), ~settings.seed());
    }

    private DataLoader<Batch<Tensor<R2<Sequences, Time>, I64, Dev>, Tensor<R2<Sequences, Time>, I64, Dev>>> loader(
            TokenDataset windows, Device<Dev> device, int batches, long seed) {
        int batch = settings.batch();
        return DataLoader.of(windows.<Sequences, Time, Dev>on(device), batch)
                .sampler(Sampler.withReplacement(Math.multiplyExact(batches, batch), seed));
    }

    /** Matrices decay. */
    static <Dev extends DeviceType> AdamW<F32, Dev> optimizer(Gpt<Dev> model, double rate, double weightDecay) {
        var parameters = model.parameters();
        var matrices = parameters.stream().filter(each -> each.rank() > 1).toList();
        var vectors = parameters.stream().filter(each -> each.rank() == 1).toList();
        AdamW.Options options = AdamW.DEFAULTS.betas(0.9, 0.99).weightDecay(weightDecay);
        AdamW<F32, Dev> optimizer = new AdamW<>(matrices, rate, options);
        optimizer.addGroup(vectors).weightDecay(0);
        return optimizer;
    }

    /** Up in a line, down along a cosine. */
    static Schedule schedule(Settings settings) {
        int warmup = settings.warmup();
        Schedule fall = Schedule.cosine(Math.max(1, settings.steps() - warmup), settings.minRate());
        return warmup == 0
                ? fall
                : Schedule.sequential(List.of(Schedule.linear(1.0 / (warmup + 1), 1, warmup), fall), warmup);
    }

    Gpt<Dev> model() {
        return model;
    }

    /** The number of steps taken so far. */
    long step() {
        return step;
    }

    /** Goes on to this step. The loss is fetched, which waits for the device, every {@code every} steps only. */
    void run(long until, int every, Progress progress) {
        while (step < until) {
            try (var batches = training.epoch(step / EPOCH, (int) (step % EPOCH))) {
                while (step < until && batches.hasNext()) {
                    var batch = batches.next();
                    step++;
                    boolean wanted = step % every == 0 || step == 1 || step == until;
                    progress.step(step, Scope.call(() -> step(batch.input(), batch.target(), wanted)));
                }
            }
        }
    }

    private double step(
            Tensor<R2<Sequences, Time>, I64, Dev> x, Tensor<R2<Sequences, Time>, I64, Dev> y, boolean lossWanted) {
        Tensor<R0, F32, Dev> loss = settings.precision().call(() -> model.loss(x, y));
        if (settings.precision() == Precision.F16) {
            Gradients gradients = scaler.unscale(scaler.scale(loss).backward());
            scaler.step(optimizer, gradients.clipNorm(CLIP));
            scaler.update();
        } else {
            optimizer.step(loss.backward().clipNorm(CLIP));
        }
        scheduler.step();
        return lossWanted ? loss.item() : Double.NaN;
    }

    /** The mean loss over windows of the training part, always the same ones. */
    double trainingLoss() {
        return mean(trainingProbe);
    }

    /** The mean loss over windows of the validation part, always the same ones. */
    double validationLoss() {
        return mean(validationProbe);
    }

    private double mean(
            DataLoader<Batch<Tensor<R2<Sequences, Time>, I64, Dev>, Tensor<R2<Sequences, Time>, I64, Dev>>> probe) {
        model.eval();
        double sum = 0;
        try (var batches = probe.epoch(0)) {
            for (var batch : batches) {
                sum += Autograd.noGrad(() -> Scope.call(() -> settings.precision()
                        .call(() -> model.loss(batch.input(), batch.target()))
                        .item()));
            }
        } finally {
            model.train();
        }
        return sum / settings.evalBatches();
    }

    /** Replaces a file by the state after this step. */
    void save(Path file, Map<String, String> notes) throws IOException {
        checkpoint.save(file, step, notes);
    }

    /** Goes on from where a file was saved. */
    void load(Path file) throws IOException {
        step = checkpoint.load(file).step();
    }

    @Override
    public void close() {
        optimizer.close();
        model.close();
    }
}

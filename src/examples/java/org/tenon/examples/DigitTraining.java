package org.tenon.examples;

import org.tenon.Autograd;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F32;
import org.tenon.I64;
import org.tenon.R0;
import org.tenon.R1;
import org.tenon.R2;
import org.tenon.R4;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.data.Batch;
import org.tenon.data.DataLoader;
import org.tenon.data.TensorDataset;
import org.tenon.examples.DigitModel.Channels;
import org.tenon.examples.DigitModel.Classes;
import org.tenon.examples.DigitModel.Columns;
import org.tenon.examples.DigitModel.Images;
import org.tenon.examples.DigitModel.Rows;
import org.tenon.io.Checkpoint;
import org.tenon.nn.Layer;
import org.tenon.optim.AdamW;
import org.tenon.optim.LRScheduler;
import org.tenon.optim.Schedule;

/** The training of a model of digits on one device: epochs, and what it takes for what. */
final class DigitTraining<Dev extends DeviceType> implements AutoCloseable {
    private static final int TEST_BATCH = 500;

    private final Device<Dev> device;
    private final Layer<R4<Images, Channels, Rows, Columns>, R2<Images, Classes>, F32, Dev> model;
    private final Objective<Dev> objective;
    private final AdamW<F32, Dev> optimizer;
    private final LRScheduler scheduler;
    private final DataLoader<Batch<Tensor<R4<Images, Channels, Rows, Columns>, F32, Dev>, Tensor<R1<Images>, I64, Dev>>>
            loader;

    /**
     * What a training may vary.
     *
     * @param epochs in which the learning rate falls along a cosine
     * @param batch pictures in a step
     * @param rate the learning rate at the start
     * @param seed of the order of pictures
     */
    record Settings(int epochs, int batch, double rate, long seed) {}

    /** The loss of a batch: of its pictures, what the model says of them, and what they are. */
    @FunctionalInterface
    interface Objective<Dev extends DeviceType> {
        Tensor<R0, F32, Dev> loss(
                Tensor<R4<Images, Channels, Rows, Columns>, F32, Dev> pictures,
                Tensor<R2<Images, Classes>, F32, Dev> logits,
                Tensor<R1<Images>, I64, Dev> digits);
    }

    DigitTraining(
            Device<Dev> device,
            Layer<R4<Images, Channels, Rows, Columns>, R2<Images, Classes>, F32, Dev> model,
            TensorDataset<R4<Images, Channels, Rows, Columns>, F32, R1<Images>, I64> data,
            Settings settings,
            Objective<Dev> objective) {
        this.device = device;
        this.model = model;
        this.objective = objective;
        loader = DataLoader.of(data.on(device), settings.batch()).shuffle(settings.seed());
        optimizer = new AdamW<>(model.parameters(), settings.rate());
        int steps = Math.multiplyExact(settings.epochs(), loader.batchesPerEpoch());
        scheduler = new LRScheduler(optimizer, Schedule.cosine(steps, settings.rate() / 100));
    }

    /** The pictures in turn, another order each epoch; the mean loss of its steps. */
    double epoch(int number) {
        double sum = 0;
        try (var batches = loader.epoch(number)) {
            for (var batch : batches) {
                sum += Scope.call(() -> step(batch.input(), batch.target()));
            }
        }
        return sum / loader.batchesPerEpoch();
    }

    private double step(
            Tensor<R4<Images, Channels, Rows, Columns>, F32, Dev> pictures, Tensor<R1<Images>, I64, Dev> digits) {
        Tensor<R0, F32, Dev> loss = objective.loss(pictures, model.forward(pictures), digits);
        optimizer.step(loss.backward());
        scheduler.step();
        return loss.item();
    }

    /** What the model takes the pictures for. */
    Confusion test(TensorDataset<R4<Images, Channels, Rows, Columns>, F32, R1<Images>, I64> data) {
        Confusion confusion = new Confusion(DigitModel.CLASSES);
        model.eval();
        try (var batches = DataLoader.of(data.on(device), TEST_BATCH).epoch(0)) {
            for (var batch : batches) {
                long[] guesses = Autograd.noGrad(() -> Scope.call(
                        () -> model.forward(batch.input()).argmax(R2.dim1()).toLongArray()));
                confusion.add(batch.target().toLongArray(), guesses);
            }
        } finally {
            model.train();
        }
        return confusion;
    }

    /** Names the parts that a file of this training has. */
    Checkpoint checkpoint() {
        return new Checkpoint()
                .module("model", model)
                .optimizer("optimizer", optimizer)
                .numbers("scheduler", scheduler::state, scheduler::load);
    }

    /** Frees the optimizer's state; the model is its maker's. */
    @Override
    public void close() {
        optimizer.close();
    }
}

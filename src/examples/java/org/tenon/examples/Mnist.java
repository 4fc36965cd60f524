package org.tenon.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.F;
import org.tenon.Generator;
import org.tenon.metrics.HtmlReport;
import org.tenon.metrics.Metrics;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a model to tell handwritten digits apart, and says what it takes for what. */
@Command(name = "Mnist", description = "Trains an MLP or a CNN on MNIST and prints its accuracy.", sortOptions = false)
public final class Mnist implements Callable<Integer> {
    private static final int WORST = 5;

    @Option(names = "--model", description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private DigitModel model = DigitModel.MLP;

    @Mixin
    private DigitOptions options = new DigitOptions();

    @Option(names = "--checkpoint", paramLabel = "FILE", description = "Where the trained state is written.")
    private Path checkpoint;

    @Option(names = "--report", paramLabel = "FILE.html", description = "A page with curves of loss and accuracy.")
    private Path report;

    /** A command with its defaults; picocli fills in the rest. */
    public Mnist() {}

    /** Runs the command and ends the JVM: 0 for success, 2 for bad input. */
    public static void main(String[] arguments) {
        System.exit(ExampleCommand.run(new Mnist(), arguments));
    }

    @Override
    public Integer call() throws BadFlagException {
        options.check();
        Device<?> device = options.device();
        Digits digits = options.digits();
        try (Metrics metrics = report == null ? Metrics.all() : HtmlReport.at(report, "MNIST, " + model)) {
            train(device, digits, metrics);
        } catch (IOException e) {
            throw new BadFlagException("a file could not be written: " + e.getMessage());
        }
        return 0;
    }

    private <Dev extends DeviceType> void train(Device<Dev> device, Digits digits, Metrics metrics) throws IOException {
        var settings = options.settings();
        System.out.printf("device: %s (%s)%n", device, device.description());
        try (var net = model.on(device, new Generator(settings.seed()));
                var training = new DigitTraining<>(
                        device,
                        net,
                        digits.training(),
                        settings,
                        (pictures, logits, labels) -> F.crossEntropy(logits, labels))) {
            System.out.printf(
                    "model: %s, %,d parameters; %,d pictures to learn from, %,d to be judged by%n",
                    model.name().toLowerCase(Locale.ROOT),
                    net.parameterCount(),
                    digits.training().size(),
                    digits.test().size());
            Confusion confusion = null;
            for (int epoch = 1; epoch <= settings.epochs(); epoch++) {
                long start = System.nanoTime();
                double loss = training.epoch(epoch);
                double seconds = (System.nanoTime() - start) / 1e9;
                confusion = training.test(digits.test());
                metrics.scalar(epoch, "loss", loss);
                metrics.scalar(epoch, "accuracy", confusion.accuracy());
                System.out.printf(
                        "epoch %d: loss %.4f, accuracy %.2f %%, %,.0f pictures a second%n",
                        epoch,
                        loss,
                        100 * confusion.accuracy(),
                        digits.training().size() / seconds);
            }
            if (checkpoint != null) {
                training.checkpoint().save(checkpoint, settings.epochs());
            }
            System.out.printf("accuracy: %.2f %%%n", 100 * confusion.accuracy());
            confusion
                    .worst(WORST)
                    .forEach(pair -> System.out.printf(
                            "%d times %d was taken for %d%n", pair.count(), pair.actual(), pair.guess()));
        }
    }
}

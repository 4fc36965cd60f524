package org.tenon.examples;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.DeviceUnavailableException;
import org.tenon.Devices;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains a character-level language model and lets it write. */
@Command(
        name = "CharLm",
        description = "Trains a character-level language model on text and prints losses and a sample.",
        sortOptions = false)
public final class CharLm implements Callable<Integer> {
    private static final int REFRESH_TERMINAL = 200;
    private static final int REFRESH_FILE = 10_000;
    private static final int SAMPLE = 400;
    private static final int FETCH_LOSS = 20;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "The text, UTF-8. Default: the Java sources below src.")
    private Path text;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "cpu, opencl:0, cuda:0 or best. Default: ${DEFAULT-VALUE}.")
    private String device = "best";

    @Option(names = "--steps", description = "Training steps. Default: ${DEFAULT-VALUE}.")
    private int steps = 12000;

    @Option(names = "--batch", description = "Characters guessed in a step. Default: ${DEFAULT-VALUE}.")
    private int batch = 256;

    @Option(names = "--context", description = "Characters seen before each. Default: ${DEFAULT-VALUE}.")
    private int context = 16;

    @Option(names = "--features", description = "Numbers that stand for a character. Default: ${DEFAULT-VALUE}.")
    private int features = 24;

    @Option(names = "--hidden", description = "Units of the hidden layer. Default: ${DEFAULT-VALUE}.")
    private int hidden = 384;

    @Option(names = "--lr", description = "Learning rate at the start; it falls to a tenth. Default: ${DEFAULT-VALUE}.")
    private double rate = 2e-3;

    @Option(names = "--seed", description = "Of everything random. Default: ${DEFAULT-VALUE}.")
    private long seed = 1;

    @Option(names = "--help", usageHelp = true, description = "Shows this and ends.")
    private boolean help;

    @Spec
    private CommandSpec spec;

    /** A command with its defaults; picocli fills in the rest. */
    public CharLm() {}

    /** Runs the command and ends the JVM: 0 for success, 2 for bad input. */
    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    /** Runs the command; the result is the exit code. */
    static int run(String... arguments) {
        return new CommandLine(new CharLm())
                .setParameterExceptionHandler((error, rejected) -> {
                    error.getCommandLine().getErr().println("CharLm: " + error.getMessage());
                    return CommandLine.ExitCode.USAGE;
                })
                .execute(arguments);
    }

    @Override
    public Integer call() {
        atLeastOne("--steps", steps);
        atLeastOne("--batch", batch);
        atLeastOne("--context", context);
        atLeastOne("--features", features);
        atLeastOne("--hidden", hidden);
        if (!(rate > 0 && rate < 1)) {
            throw bad("--lr is " + rate + "; it is above 0 and below 1");
        }
        Corpus corpus = corpus();
        train(device(), corpus);
        return 0;
    }

    private void atLeastOne(String option, int value) {
        if (value < 1) {
            throw bad(option + " is " + value + "; it is 1 or more");
        }
    }

    private ParameterException bad(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private Corpus corpus() {
        try {
            Corpus corpus = text == null ? Corpus.ofSources(Path.of("src")) : Corpus.ofFile(text);
            int needed = 20 * (context + 2);
            if (corpus.length() < needed) {
                throw bad((text == null ? "the sources below src have " : text + " has ") + corpus.length()
                        + " characters; at least " + needed + " are needed");
            }
            return corpus;
        } catch (IOException | java.io.UncheckedIOException e) {
            throw bad(
                    text == null
                            ? "no Java sources below src here (" + e.getMessage() + "); give --text FILE"
                            : e.getMessage());
        }
    }

    private Device<?> device() {
        try {
            return Devices.get(device);
        } catch (DeviceUnavailableException e) {
            throw bad("--device " + e.getMessage());
        }
    }

    private <Dev extends DeviceType> void train(Device<Dev> on, Corpus corpus) {
        PrintStream out = System.out;
        out.printf("device: %s (%s)%n", on, on.description());
        out.printf(
                "text: %,d characters, %d different, %,d for training%n",
                corpus.length(), corpus.vocabulary(), corpus.trainingLength());
        var settings = new CharTraining.Settings(steps, batch, context, features, hidden, rate, seed);
        try (var training = new CharTraining<>(on, corpus, settings)) {
            out.printf("model: %,d parameters%n", training.model().parameterCount());
            long start = System.nanoTime();
            try (ProgressBar bar = bar()) {
                training.run(FETCH_LOSS, (step, loss) -> {
                    bar.step();
                    if (!Double.isNaN(loss)) {
                        double seconds = (System.nanoTime() - start) / 1e9;
                        bar.setExtraMessage(
                                String.format("loss %.3f, %,.0f chars/s", loss, step * (double) batch / seconds));
                    }
                });
            }
            out.printf("training loss: %.4f nats a character%n", training.trainingLoss());
            out.printf("validation loss: %.4f%n", training.validationLoss());
            out.printf("unigram entropy: %.4f, the loss of guessing by frequency alone%n", corpus.unigramEntropy());
            out.printf("sample:%n%s%n", training.sample(SAMPLE, 0.7));
        }
    }

    /** A bar that redraws itself on a terminal; elsewhere a line now and then. */
    private ProgressBar bar() {
        boolean terminal = System.console() != null && System.console().isTerminal();
        return new ProgressBarBuilder()
                .setTaskName("training")
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(terminal ? REFRESH_TERMINAL : REFRESH_FILE)
                .setConsumer(new ConsoleProgressBarConsumer(System.err, 110))
                .build();
    }
}

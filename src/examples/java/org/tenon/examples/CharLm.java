package org.tenon.examples;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.io.Safetensors;
import org.tenon.io.StateMismatchException;
import org.tenon.metrics.HtmlReport;
import org.tenon.metrics.Metrics;
import org.tenon.metrics.TensorBoard;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a character-level GPT, as nanoGPT does (Karpathy 2022), and lets it write. */
@Command(
        name = "CharLm",
        description = "Trains a character-level GPT on text and prints losses and a sample.",
        sortOptions = false)
public final class CharLm implements Callable<Integer> {
    private static final int REFRESH_TERMINAL = 200;
    private static final int REFRESH_FILE = 10_000;
    private static final int FETCH_LOSS = 20;
    /** The name of a checkpoint's note of the characters that its tokens stand for. */
    private static final String CHARACTERS = "characters";

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

    @Mixin
    private CharLmOptions options = new CharLmOptions();

    @Mixin
    private SampleOptions samples = new SampleOptions();

    @Option(
            names = "--checkpoint",
            paramLabel = "FILE",
            description = "Where the training's state is kept, written at each look at the losses and at the end.")
    private Path checkpoint;

    @Option(
            names = "--resume",
            description = "Goes on from the checkpoint, bit for bit as if it had never stopped; where its steps are"
                    + " done it only writes.")
    private boolean resume;

    @Option(names = "--report", paramLabel = "FILE.html", description = "A page with curves of the losses.")
    private Path report;

    @Option(names = "--tensorboard", paramLabel = "DIR", description = "A folder for TensorBoard.")
    private Path tensorBoard;

    @Option(names = "--help", usageHelp = true, description = "Shows this and ends.")
    private boolean help;

    /** A command with its defaults; picocli fills in the rest. */
    public CharLm() {}

    /** Runs the command and ends the JVM: 0 for success, 2 for bad input. */
    public static void main(String[] arguments) {
        System.exit(ExampleCommand.run(new CharLm(), arguments));
    }

    @Override
    public Integer call() throws BadFlagException {
        options.check();
        BadFlagException.unless(!resume || checkpoint != null, "--resume needs --checkpoint FILE");
        BadFlagException.unless(
                !resume || Files.exists(checkpoint), "--checkpoint " + checkpoint + ": there is no such file");
        Corpus corpus = corpus();
        samples.check(corpus);
        train(ExampleCommand.device(device), corpus);
        return 0;
    }

    private Corpus corpus() throws BadFlagException {
        try {
            Corpus corpus = text == null ? Corpus.ofSources(Path.of("src")) : Corpus.ofFile(text);
            int needed = 20 * (options.size(1).context() + 2);
            BadFlagException.unless(
                    corpus.length() >= needed,
                    (text == null ? "the sources below src have " : text + " has ") + corpus.length()
                            + " characters; at least " + needed + " are needed");
            return corpus;
        } catch (IOException | UncheckedIOException e) {
            throw new BadFlagException(
                    text == null
                            ? "no Java sources below src here (" + e.getMessage() + "); give --text FILE"
                            : e.getMessage());
        }
    }

    private <Dev extends DeviceType> void train(Device<Dev> on, Corpus corpus) throws BadFlagException {
        Gpt.Size size = options.size(corpus.vocabulary().size());
        try (Metrics metrics = metrics();
                GptTraining<Dev> training = new GptTraining<>(on, corpus, size, options.settings())) {
            if (resume) {
                load(training, corpus);
            }
            PrintStream out = System.out;
            out.printf("device: %s (%s)%n", on, on.description());
            out.printf(
                    "text: %,d characters, %d different, %,d for training%n",
                    corpus.length(), size.vocabulary(), corpus.trainingLength());
            out.printf("model: %,d parameters%n", training.model().parameterCount());
            metrics.text(training.step(), "settings", size + "\n" + options.settings());
            run(training, metrics, corpus);
            out.printf("unigram entropy: %.4f, the loss of guessing by frequency alone%n", corpus.unigramEntropy());
            var writer = new TextWriter<>(
                    on,
                    training.model(),
                    corpus.vocabulary(),
                    samples.manner(options.settings().seed()));
            String prompt = samples.prompt(corpus);
            String sample = writer.write(prompt, samples.length());
            metrics.text(training.step(), "sample", prompt + sample);
            out.printf("sample:%n%s%s%n", prompt, sample);
        } catch (IOException | UncheckedIOException e) {
            throw new BadFlagException("a file could not be written: " + e.getMessage());
        }
    }

    private Metrics metrics() throws BadFlagException {
        List<Metrics> outputs = new ArrayList<>();
        try {
            if (report != null) {
                outputs.add(HtmlReport.at(report, "CharLm"));
            }
            if (tensorBoard != null) {
                outputs.add(TensorBoard.in(tensorBoard));
            }
        } catch (IOException e) {
            throw new BadFlagException("--report or --tensorboard: " + e);
        }
        return Metrics.all(outputs.toArray(Metrics[]::new));
    }

    private void load(GptTraining<?> training, Corpus corpus) throws BadFlagException {
        try (Safetensors saved = Safetensors.open(checkpoint)) {
            for (Map.Entry<String, String> own : options.identity().entrySet()) {
                String its = saved.metadata().get(own.getKey());
                BadFlagException.unless(
                        own.getValue().equals(its),
                        checkpoint + " was trained with " + own.getKey() + " " + its + "; here it is "
                                + own.getValue());
            }
            BadFlagException.unless(
                    corpus.vocabulary().toString().equals(saved.metadata().get(CHARACTERS)),
                    checkpoint + " was trained on a text of other characters; give that text");
            training.load(checkpoint);
        } catch (IOException | StateMismatchException e) {
            throw new BadFlagException("--checkpoint: " + e.getMessage());
        }
    }

    /** All steps that are left, with a look at the losses now and then and at the end. */
    private void run(GptTraining<?> training, Metrics metrics, Corpus corpus) throws IOException {
        if (training.step() < options.settings().steps()) {
            advance(training, metrics, corpus);
        }
        double[] losses = look(training, metrics);
        System.out.printf("training loss: %.4f nats a character%n", losses[0]);
        System.out.printf("validation loss: %.4f%n", losses[1]);
    }

    private void advance(GptTraining<?> training, Metrics metrics, Corpus corpus) throws IOException {
        int steps = options.settings().steps();
        int every = options.evalEvery();
        double tokens = (double) options.settings().batch() * options.size(1).context();
        Map<String, String> notes = options.identity();
        notes.put(CHARACTERS, corpus.vocabulary().toString());
        try (ProgressBar bar = bar(steps)) {
            bar.stepTo(training.step());
            while (training.step() < steps) {
                long start = System.nanoTime();
                long first = training.step();
                training.run(Math.min(steps, (first / every + 1) * every), FETCH_LOSS, (step, loss) -> {
                    bar.stepTo(step);
                    if (!Double.isNaN(loss)) {
                        double speed = (step - first) * tokens / (System.nanoTime() - start) * 1e9;
                        metrics.scalar(step, "loss/step", loss);
                        metrics.scalar(step, "characters per second", speed);
                        bar.setExtraMessage(String.format("loss %.3f, %,.0f chars/s", loss, speed));
                    }
                });
                if (checkpoint != null) {
                    training.save(checkpoint, notes);
                }
                if (training.step() < steps) {
                    look(training, metrics);
                }
            }
        }
    }

    private static double[] look(GptTraining<?> training, Metrics metrics) {
        double train = training.trainingLoss();
        double validation = training.validationLoss();
        metrics.scalar(training.step(), "loss/train", train);
        metrics.scalar(training.step(), "loss/validation", validation);
        return new double[] {train, validation};
    }

    /** A bar that redraws itself on a terminal; elsewhere a line now and then. */
    private static ProgressBar bar(long steps) {
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

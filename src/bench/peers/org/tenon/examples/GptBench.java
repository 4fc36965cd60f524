package org.tenon.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.pytorch.global.torch;
import org.tenon.Cpu;
import org.tenon.Devices;
import org.tenon.data.Sampler;
import org.tenon.nn.Bias;

/**
 * The training of a GPT with nanoGPT's setting for a CPU, here and in PyTorch with as many threads: from the same parameters,
 * on the same windows, by turns, so that both meet the same load of the machine. Prints the time of a step of each, and their
 * losses. Arguments: {@code TEXT [STEPS]}. The environment needs {@code OMP_WAIT_POLICY=passive}: PyTorch's idle threads spin
 * otherwise, and a step of it takes six times as long on two cores.
 */
public final class GptBench {
    private static final int EPOCH = 1000;
    private static final int TURN = 10;
    private static final long SEED = 1;

    private final Corpus corpus;
    private final int[] tokens;
    private final GptTraining.Settings settings;
    private final Gpt.Size size;
    private final int[] order;
    private final int[] probe;
    private final int[] validation;

    private GptBench(Corpus corpus, int steps) {
        CharLmPreset preset = CharLmPreset.CPU;
        this.corpus = corpus;
        tokens = corpus.training();
        validation = corpus.validation();
        size = new Gpt.Size(
                corpus.vocabulary().size(),
                preset.context,
                preset.layers,
                preset.heads,
                preset.embedding,
                0,
                Bias.LEARNED);
        settings = new GptTraining.Settings(
                steps,
                preset.batch,
                preset.rate,
                preset.rate / 10,
                Math.min(preset.warmup, steps / 10),
                0.1,
                preset.evalBatches,
                Precision.F32,
                SEED);
        int windows = tokens.length - size.context();
        order = new int[((steps - 1) / EPOCH + 1) * EPOCH * preset.batch];
        Sampler sampler = Sampler.withReplacement(EPOCH * preset.batch, SEED);
        for (int epoch = 0; epoch * EPOCH * preset.batch < order.length; epoch++) {
            int[] part = sampler.order(windows, epoch);
            System.arraycopy(part, 0, order, epoch * part.length, part.length);
        }
        probe = Sampler.withReplacement(preset.evalBatches * preset.batch, ~SEED)
                .order(validation.length - size.context(), 0);
    }

    /** Runs both and prints a table. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length == 0) {
            System.err.println("GptBench: give a text: TEXT [STEPS]");
            System.exit(2);
        }
        int steps = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 200;
        new GptBench(Corpus.ofFile(Path.of(arguments[0])), steps).run();
    }

    private void run() {
        int steps = settings.steps();
        torch.set_num_threads(Runtime.getRuntime().availableProcessors());
        double[] mine = new double[steps];
        double[] theirs = new double[steps];
        long[] times = new long[(steps + TURN - 1) / TURN];
        long[] torchTimes = times.clone();
        try (GptTraining<Cpu> training = new GptTraining<>(Devices.cpu(), corpus, size, settings)) {
            TorchGpt peer = new TorchGpt(training.model(), settings);
            var schedule = GptTraining.schedule(settings);
            for (int turn = 0; turn < times.length; turn++) {
                int until = Math.min(steps, (turn + 1) * TURN);
                long start = System.nanoTime();
                training.run(until, 1, (step, loss) -> mine[(int) step - 1] = loss);
                long between = System.nanoTime();
                for (int step = turn * TURN; step < until; step++) {
                    int[] starts = Arrays.copyOfRange(order, step * settings.batch(), (step + 1) * settings.batch());
                    theirs[step] = peer.step(
                            windows(tokens, starts, 0),
                            windows(tokens, starts, 1),
                            schedule.rate(settings.rate(), step));
                }
                times[turn] = between - start;
                torchTimes[turn] = System.nanoTime() - between;
            }
            System.out.printf("| | ms a step | step %d | step %d | validation |%n|---|---|---|---|---|%n", 1, steps);
            row("Tenon", median(times), mine, training.validationLoss());
            row("PyTorch", median(torchTimes), theirs, validationLoss(peer));
            System.out.printf(
                    "ratio %.2f (above 1: Tenon is faster); medians of turns of %d steps, the first third left out%n",
                    median(torchTimes) / median(times), TURN);
        }
    }

    private static void row(String name, double milliseconds, double[] losses, double validation) {
        System.out.printf(
                "| %s | %.1f | %.4f | %.4f | %.4f |%n",
                name, milliseconds, losses[0], losses[losses.length - 1], validation);
    }

    /** Milliseconds a step. */
    private static double median(long[] turns) {
        long[] late = Arrays.copyOfRange(turns, turns.length / 3, turns.length);
        Arrays.sort(late);
        return late[late.length / 2] / 1e6 / TURN;
    }

    private long[] windows(int[] text, int[] starts, int later) {
        long[] rows = new long[starts.length * size.context()];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = text[starts[i / size.context()] + i % size.context() + later];
        }
        return rows;
    }

    private double validationLoss(TorchGpt peer) {
        double sum = 0;
        for (int i = 0; i < settings.evalBatches(); i++) {
            int[] starts = Arrays.copyOfRange(probe, i * settings.batch(), (i + 1) * settings.batch());
            sum += peer.loss(windows(validation, starts, 0), windows(validation, starts, 1));
        }
        return sum / settings.evalBatches();
    }
}

package org.tenon.examples;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tenon.nn.Bias;
import picocli.CommandLine.Option;

/** The flags of {@link CharLm} that say what is trained and how; those that are not given are the preset's. */
final class CharLmOptions {
    @Option(
            names = "--preset",
            description =
                    "What the flags below are where they are not given: quick (the default), under two minutes on two"
                            + " CPU cores; cpu and gpu, nanoGPT's settings for tinyshakespeare. Valid:"
                            + " ${COMPLETION-CANDIDATES}.")
    private CharLmPreset preset = CharLmPreset.QUICK;

    @Option(names = "--layers", paramLabel = "N", description = "Blocks of the transformer.")
    private Integer layers;

    @Option(names = "--heads", paramLabel = "N", description = "Heads of attention in a block.")
    private Integer heads;

    @Option(names = "--embedding", paramLabel = "N", description = "Numbers that stand for a position.")
    private Integer embedding;

    @Option(names = "--context", paramLabel = "N", description = "Characters seen at once.")
    private Integer context;

    @Option(names = "--dropout", paramLabel = "P", description = "Dropout while training.")
    private Double dropout;

    @Option(names = "--no-bias", description = "Maps and norms without biases.")
    private boolean noBias;

    @Option(names = "--batch", paramLabel = "N", description = "Windows of text in a step.")
    private Integer batch;

    @Option(names = "--steps", paramLabel = "N", description = "Training steps.")
    private Integer steps;

    @Option(names = "--lr", paramLabel = "RATE", description = "Learning rate after the warm-up.")
    private Double rate;

    @Option(names = "--min-lr", paramLabel = "RATE", description = "Learning rate at the end. Default: a tenth.")
    private Double minRate;

    @Option(names = "--warmup", paramLabel = "N", description = "Steps in which the learning rate rises.")
    private Integer warmup;

    @Option(
            names = "--weight-decay",
            paramLabel = "X",
            description = "Weight decay of matrices. Default: ${DEFAULT-VALUE}.")
    private double weightDecay = 0.1;

    @Option(
            names = "--precision",
            description = "What products are computed in: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Precision precision = Precision.F32;

    @Option(names = "--seed", description = "Of everything random. Default: ${DEFAULT-VALUE}.")
    private long seed = 1;

    @Option(names = "--eval-every", paramLabel = "N", description = "Steps from one look at the losses to the next.")
    private Integer evalEvery;

    @Option(names = "--eval-batches", paramLabel = "N", description = "Batches that such a loss is the mean of.")
    private Integer evalBatches;

    /** Refuses flags that cannot be as they are. */
    void check() throws BadFlagException {
        BadFlagException.unlessAtLeast(1, "--layers", size(1).layers());
        BadFlagException.unlessAtLeast(1, "--heads", size(1).heads());
        BadFlagException.unlessAtLeast(1, "--embedding", size(1).embedding());
        BadFlagException.unlessAtLeast(1, "--context", size(1).context());
        BadFlagException.unlessAtLeast(1, "--batch", settings().batch());
        BadFlagException.unlessAtLeast(1, "--steps", settings().steps());
        BadFlagException.unlessAtLeast(0, "--warmup", settings().warmup());
        BadFlagException.unlessAtLeast(1, "--eval-every", evalEvery());
        BadFlagException.unlessAtLeast(1, "--eval-batches", settings().evalBatches());
        BadFlagException.unless(
                size(1).embedding() % size(1).heads() == 0,
                "--heads is " + size(1).heads() + "; it divides --embedding, which is " + size(1).embedding());
        BadFlagException.unless(
                size(1).dropout() >= 0 && size(1).dropout() < 1,
                "--dropout is " + size(1).dropout() + "; it is 0 or more and below 1");
        BadFlagException.unless(
                settings().rate() > 0 && settings().rate() < 1,
                "--lr is " + settings().rate() + "; it is above 0 and below 1");
        BadFlagException.unless(
                settings().minRate() >= 0 && settings().minRate() <= settings().rate(),
                "--min-lr is " + settings().minRate() + "; it is 0 or more and at most --lr");
        BadFlagException.unless(
                settings().warmup() < settings().steps() || warmup == null,
                "--warmup is " + settings().warmup() + "; it is below --steps, which is "
                        + settings().steps());
        BadFlagException.unless(
                weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY,
                "--weight-decay is " + weightDecay + "; it is 0 or more and finite");
    }

    Gpt.Size size(int vocabulary) {
        return new Gpt.Size(
                vocabulary,
                or(context, preset.context),
                or(layers, preset.layers),
                or(heads, preset.heads),
                or(embedding, preset.embedding),
                or(dropout, preset.dropout),
                noBias ? Bias.NONE : Bias.LEARNED);
    }

    GptTraining.Settings settings() {
        double peak = or(rate, preset.rate);
        int total = or(steps, preset.steps);
        return new GptTraining.Settings(
                total,
                or(batch, preset.batch),
                peak,
                or(minRate, peak / 10),
                or(warmup, Math.min(preset.warmup, total / 10)),
                weightDecay,
                or(evalBatches, preset.evalBatches),
                precision,
                seed);
    }

    int evalEvery() {
        return or(evalEvery, preset.evalEvery);
    }

    /** What a training that goes on must have in common with the one before, for it to be the same training. */
    Map<String, String> identity() {
        Map<String, String> flags = new LinkedHashMap<>();
        flags.put("--layers", Integer.toString(size(1).layers()));
        flags.put("--heads", Integer.toString(size(1).heads()));
        flags.put("--embedding", Integer.toString(size(1).embedding()));
        flags.put("--context", Integer.toString(size(1).context()));
        flags.put("--no-bias", Boolean.toString(noBias));
        flags.put("--batch", Integer.toString(settings().batch()));
        flags.put("--seed", Long.toString(seed));
        return flags;
    }

    private static <T> T or(T given, T otherwise) {
        return given == null ? otherwise : given;
    }
}

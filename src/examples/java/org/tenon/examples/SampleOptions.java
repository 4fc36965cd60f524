package org.tenon.examples;

import picocli.CommandLine.Option;

/** The flags of {@link CharLm} that say how the model writes. */
final class SampleOptions {
    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "Of samples: below 1 likelier, above 1 wilder. Default: ${DEFAULT-VALUE}.")
    private double temperature = 0.7;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Samples are of the K likeliest characters. Default: ${DEFAULT-VALUE}.")
    private int topK = 200;

    @Option(
            names = "--sample-length",
            paramLabel = "N",
            description = "Characters to write. Default: ${DEFAULT-VALUE}.")
    private int length = 500;

    @Option(names = "--prompt", description = "What a sample goes on from. Default: the end of the training part.")
    private String prompt;

    /** Refuses flags that cannot be as they are. */
    void check(Corpus corpus) throws BadFlagException {
        BadFlagException.unless(
                temperature > 0 && temperature < Double.POSITIVE_INFINITY,
                "--temperature is " + temperature + "; it is above 0 and finite, and --top-k 1 takes the likeliest");
        BadFlagException.unlessAtLeast(1, "--top-k", topK);
        BadFlagException.unlessAtLeast(0, "--sample-length", length);
        BadFlagException.unless(prompt == null || !prompt.isEmpty(), "--prompt is empty; give a character at least");
        try {
            corpus.vocabulary().encode(prompt == null ? "" : prompt);
        } catch (IllegalArgumentException e) {
            throw new BadFlagException("--prompt: " + e.getMessage());
        }
    }

    TextWriter.Manner manner(long seed) {
        return new TextWriter.Manner(temperature, topK, seed);
    }

    int length() {
        return length;
    }

    /** The given prompt, or else the last line of the training part that has something on it. */
    String prompt(Corpus corpus) {
        return prompt == null ? corpus.lastLine() : prompt;
    }
}

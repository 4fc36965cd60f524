package org.tenon.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.tenon.data.Texts;
import org.tenon.data.Vocabulary;

/** A text as the numbers of its characters. The first nine tenths are for training, the rest for validation. */
final class Corpus {
    private final Vocabulary vocabulary;
    private final int[] tokens;
    private final int trainingLength;

    private Corpus(String text) {
        vocabulary = Vocabulary.of(text);
        tokens = vocabulary.encode(text);
        trainingLength = (int) (tokens.length * 9L / 10);
    }

    /** The text of a file. */
    static Corpus ofFile(Path file) throws IOException {
        return new Corpus(Texts.read(file));
    }

    /** The Java sources below a folder, in the order of their paths. */
    static Corpus ofSources(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .toList();
        }
        StringBuilder text = new StringBuilder();
        for (Path file : files) {
            text.append(Texts.read(file));
        }
        return new Corpus(text.toString());
    }

    int length() {
        return tokens.length;
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    int trainingLength() {
        return trainingLength;
    }

    /** The tokens for training. */
    int[] training() {
        return Arrays.copyOf(tokens, trainingLength);
    }

    /** The tokens for validation. */
    int[] validation() {
        return Arrays.copyOfRange(tokens, trainingLength, tokens.length);
    }

    /** The end of the training part from its last line break but one on, or 80 characters of it where lines are longer. */
    String lastLine() {
        String end = vocabulary.decode(Arrays.copyOfRange(tokens, Math.max(0, trainingLength - 80), trainingLength));
        return end.substring(Math.max(0, end.lastIndexOf('\n', end.length() - 2)));
    }

    /**
     * The loss, in nats, of guessing each validation character by its frequency in the training part alone: what a model
     * must beat to have learned anything from context.
     */
    double unigramEntropy() {
        double[] counts = new double[vocabulary.size()];
        Arrays.fill(counts, 1);
        for (int token : training()) {
            counts[token]++;
        }
        double total = Arrays.stream(counts).sum();
        return Arrays.stream(validation())
                .mapToDouble(token -> -Math.log(counts[token] / total))
                .average()
                .orElseThrow();
    }
}

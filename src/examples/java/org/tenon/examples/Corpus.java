package org.tenon.examples;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A text as numbers: which characters it has, and which of them stands where. The first nine tenths are for training, the
 * rest for validation.
 */
final class Corpus {
    private final String characters;
    private final int[] tokens;
    private final int trainingLength;

    private Corpus(String text) {
        characters =
                text.chars().sorted().distinct().mapToObj(Character::toString).collect(Collectors.joining());
        tokens = text.chars().map(characters::indexOf).toArray();
        trainingLength = tokens.length / 10 * 9;
    }

    /** The text of a file. */
    static Corpus ofFile(Path file) throws IOException {
        return new Corpus(read(file));
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
            text.append(read(file));
        }
        return new Corpus(text.toString());
    }

    private static String read(Path file) throws IOException {
        try {
            return Files.readString(file, StandardCharsets.UTF_8).replace("\r\n", "\n");
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": there is no such file", e);
        } catch (MalformedInputException e) {
            throw new IOException(file + ": this is not text in UTF-8", e);
        }
    }

    int length() {
        return tokens.length;
    }

    int vocabulary() {
        return characters.length();
    }

    int trainingLength() {
        return trainingLength;
    }

    int token(int position) {
        return tokens[position];
    }

    char character(int token) {
        return characters.charAt(token);
    }

    /** Writes the {@code context} tokens before {@code position} to {@code row} of a batch. */
    void contextOf(int position, int context, long[] batch, int row) {
        for (int i = 0; i < context; i++) {
            batch[row * context + i] = tokens[position - context + i];
        }
    }

    /**
     * The loss, in nats, of guessing each validation character by its frequency in the training part alone: what a model
     * must beat to have learned anything from context.
     */
    double unigramEntropy() {
        double[] counts = new double[vocabulary()];
        Arrays.fill(counts, 1);
        for (int i = 0; i < trainingLength; i++) {
            counts[tokens[i]]++;
        }
        double total = Arrays.stream(counts).sum();
        double loss = 0;
        for (int i = trainingLength; i < tokens.length; i++) {
            loss -= Math.log(counts[tokens[i]] / total);
        }
        return loss / (tokens.length - trainingLength);
    }
}

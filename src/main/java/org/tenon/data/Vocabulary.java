package org.tenon.data;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.tenon.TensorArgumentException;

/** The characters of a text, each with a number: the tokens of a character-level model. Numbers follow code points. */
public final class Vocabulary {
    private final int[] points;
    private final Map<Integer, Integer> numbers = new HashMap<>();

    private Vocabulary(int[] points) {
        this.points = points;
        for (int i = 0; i < points.length; i++) {
            numbers.put(points[i], i);
        }
    }

    /** The characters that occur in a text. */
    public static Vocabulary of(String text) {
        return new Vocabulary(text.codePoints().sorted().distinct().toArray());
    }

    /** The number of characters. */
    public int size() {
        return points.length;
    }

    /** The numbers of a text's characters; one that is not in the vocabulary is an error. */
    public int[] encode(String text) {
        int[] found = text.codePoints().toArray();
        for (int i = 0; i < found.length; i++) {
            Integer number = numbers.get(found[i]);
            if (number == null) {
                throw new TensorArgumentException(
                        "vocabulary",
                        "character '" + Character.toString(found[i]) + "' at position " + i
                                + " is not in the vocabulary of " + points.length);
            }
            found[i] = number;
        }
        return found;
    }

    /** The text of these numbers. */
    public String decode(int... tokens) {
        StringBuilder text = new StringBuilder();
        Arrays.stream(tokens).forEach(token -> text.appendCodePoint(points[token]));
        return text.toString();
    }

    /** The characters in order of their numbers. */
    @Override
    public String toString() {
        return new String(points, 0, points.length);
    }
}

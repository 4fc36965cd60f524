package org.tenon.io;

import java.nio.file.Path;
import java.util.List;

/**
 * A file does not hold the state that is to be loaded from it. The message lists everything that differs; nothing was
 * changed.
 */
public final class StateMismatchException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> missing;
    private final transient List<String> unexpected;
    private final transient List<String> mismatched;

    StateMismatchException(Path file, List<String> missing, List<String> unexpected, List<String> mismatched) {
        super(message(file, missing, unexpected, mismatched));
        this.missing = List.copyOf(missing);
        this.unexpected = List.copyOf(unexpected);
        this.mismatched = List.copyOf(mismatched);
    }

    private static String message(Path file, List<String> missing, List<String> unexpected, List<String> mismatched) {
        StringBuilder text = new StringBuilder("load: " + file + " does not hold this state; nothing was changed");
        section(text, "missing in the file", missing);
        section(text, "unexpected in the file", unexpected);
        section(text, "of another shape or type", mismatched);
        return text.toString();
    }

    private static void section(StringBuilder text, String title, List<String> entries) {
        if (!entries.isEmpty()) {
            text.append("\n  ").append(title).append(": ").append(String.join(", ", entries));
        }
    }

    /** The names that the file lacks. */
    public List<String> missing() {
        return missing;
    }

    /** The names that only the file has. */
    public List<String> unexpected() {
        return unexpected;
    }

    /** The tensors of another shape or element type, with both. */
    public List<String> mismatched() {
        return mismatched;
    }
}

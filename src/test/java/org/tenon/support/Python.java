package org.tenon.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Python as a second opinion on files; a test that wants it is skipped, with the reason, where it is not there. */
public final class Python {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    private Python() {}

    /** What a script prints. {@code module} is one that it needs besides Python's own, or null. */
    public static String run(String module, List<String> arguments) throws IOException {
        String python = find(module);
        List<String> command = new ArrayList<>(List.of(python));
        command.addAll(arguments);
        Finished finished = Finished.of(new ProcessBuilder(command), LIMIT);
        if (finished.exitCode() != 0) {
            throw new AssertionError(String.join(" ", command) + " failed:\n" + finished.output());
        }
        return finished.output().strip();
    }

    private static String find(String module) {
        for (String python : List.of("python3", "/usr/bin/python3")) {
            try {
                String script = module == null ? "" : "import " + module;
                if (Finished.of(new ProcessBuilder(python, "-c", script), LIMIT).exitCode() == 0) {
                    return python;
                }
            } catch (IOException e) {
                // The next one, or none.
            }
        }
        Assumptions.abort("there is no python3" + (module == null ? "" : " with " + module) + " here");
        throw new AssertionError();
    }

    /** A script of the tests. */
    public static String script(String name) {
        Path script = Path.of("src/test/python", name);
        Assumptions.assumeTrue(Files.exists(script), "there is no " + script + " here");
        return script.toString();
    }
}

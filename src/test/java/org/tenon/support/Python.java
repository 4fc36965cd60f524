package org.tenon.support;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Python as a second opinion on files; a test that wants it is skipped, with the reason, where it is not there. */
public final class Python {
    private Python() {}

    /** What a script prints. {@code module} is one that it needs besides Python's own, or null. */
    public static String run(String module, List<String> arguments) throws IOException {
        String python = find(module);
        List<String> command = new ArrayList<>(List.of(python));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (await(process) != 0) {
            throw new AssertionError(String.join(" ", command) + " failed:\n" + output);
        }
        return output.strip();
    }

    private static String find(String module) {
        for (String python : List.of("python3", "/usr/bin/python3")) {
            try {
                Process process = new ProcessBuilder(python, "-c", module == null ? "" : "import " + module)
                        .redirectErrorStream(true)
                        .start();
                process.getInputStream().readAllBytes();
                if (await(process) == 0) {
                    return python;
                }
            } catch (IOException e) {
                // The next one, or none.
            }
        }
        Assumptions.abort("there is no python3" + (module == null ? "" : " with " + module) + " here");
        throw new AssertionError();
    }

    private static int await(Process process) throws IOException {
        try {
            if (!process.waitFor(1, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IOException("still running after a minute");
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** A script of the tests. */
    public static String script(String name) {
        Path script = Path.of("src/test/python", name);
        Assumptions.assumeTrue(Files.exists(script), "there is no " + script + " here");
        return script.toString();
    }
}

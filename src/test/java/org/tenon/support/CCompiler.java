package org.tenon.support;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Assumptions;

/** The system's C compiler, for libraries that stand in for others in tests. Where there is none the test is skipped. */
public final class CCompiler {
    private CCompiler() {}

    /** Compiles a resource beside {@code of} into a shared library, under these flags, and gives {@code library}. */
    public static Path compile(Class<?> of, String source, Path library, String... flags) throws IOException {
        Assumptions.assumeTrue(
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux"),
                "libraries for tests are compiled on Linux only");
        Path file = Files.createTempFile("tenon", ".c");
        try (InputStream in = of.getResourceAsStream(source)) {
            Files.write(file, in.readAllBytes());
            List<String> command = new ArrayList<>(List.of("cc", "-O1", "-shared", "-fPIC", "-o", library.toString()));
            command.addAll(List.of(flags));
            command.addAll(List.of(file.toString(), "-ldl"));
            Finished finished = run(command);
            if (finished.exitCode() != 0) {
                throw new IOException("cc failed: " + finished.output());
            }
            return library;
        } finally {
            Files.delete(file);
        }
    }

    private static Finished run(List<String> command) throws IOException {
        try {
            return Finished.of(new ProcessBuilder(command), Duration.ofMinutes(1));
        } catch (IOException e) {
            Assumptions.assumeFalse(
                    String.valueOf(e.getMessage()).startsWith("Cannot run program"),
                    "there is no C compiler (cc) here");
            throw e;
        }
    }
}

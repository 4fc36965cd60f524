package org.tenon.support;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A program that ended, and what it printed, standard error among it. */
record Finished(int exitCode, String output) {
    /**
     * Runs it. One that does not end within the limit is killed, and that is an {@link IOException} with its output, which
     * goes to a file: reading it from a pipe would wait for as long as the program wants.
     */
    static Finished of(ProcessBuilder program, Duration limit) throws IOException {
        Path file = Files.createTempFile("tenon", ".output");
        try {
            Process process = program.redirectErrorStream(true)
                    .redirectOutput(file.toFile())
                    .start();
            try {
                boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
                // What a JVM or a compiler prints is not always UTF-8 to the last byte.
                String output = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
                if (!ended) {
                    throw new IOException("still running after " + limit.toSeconds() + " s: "
                            + String.join(" ", program.command()) + "\n" + output);
                }
                return new Finished(process.exitValue(), output);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            } finally {
                process.destroyForcibly().onExit().join();
            }
        } finally {
            Files.delete(file);
        }
    }
}

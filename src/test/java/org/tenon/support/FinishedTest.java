package org.tenon.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs that tests run come to an end. */
class FinishedTest {
    @TempDir
    private Path folder;

    private ProcessBuilder source(String body) throws IOException {
        Path file = Files.writeString(
                folder.resolve("Main.java"),
                "class Main { public static void main(String[] a) throws Exception { " + body + " } }");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ProcessBuilder(java, file.toString());
    }

    @Test
    void whatItPrintsAndHowItEnds() throws IOException {
        ProcessBuilder program = source("System.out.println(1); System.err.println(2); System.exit(3);");
        Finished finished = Finished.of(program, Duration.ofMinutes(5));
        assertThat(finished.exitCode()).isEqualTo(3);
        assertThat(finished.output().lines()).containsExactly("1", "2");
    }

    /** Its output stays open for as long as it runs, which must not be waited for. */
    @Test
    @Timeout(300)
    void oneThatDoesNotEndIsKilled() throws IOException {
        ProcessBuilder program = source("while (true) { System.out.println(1); Thread.sleep(100); }");
        assertThatThrownBy(() -> Finished.of(program, Duration.ofSeconds(1)))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("still running after 1 s: ");
        assertThat(ProcessHandle.current()
                        .children()
                        .filter(child -> child.info().commandLine().orElse("").contains(folder.toString())))
                .isEmpty();
    }
}

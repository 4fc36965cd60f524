package org.tenon.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.tenon.Devices;
import org.tenon.spi.Availability;
import org.tenon.spi.Backend;
import org.tenon.support.ChildJvm;

/** Tests that run on the stand-in driver, {@link StandIn}, in this JVM or in others. */
final class OnStandIn {
    private static final String PROPERTY = "tenon.cuda.driver";

    private OnStandIn() {}

    /** Skips a test where there is none. */
    static StandIn assumeThere() {
        Assumptions.assumeTrue(
                !System.getProperty(PROPERTY, "").isBlank(),
                "the stand-in CUDA driver is not there: native-tests/simcuda/build.sh makes it,"
                        + " -Dtenon.cuda.driver=target/simcuda/libcuda.so.1 names it");
        Assumptions.assumeTrue(
                Devices.report().stream().anyMatch(line -> line.startsWith("cuda:0: Tenon stand-in")),
                "tenon.cuda.driver names another driver");
        return StandIn.find().orElseThrow();
    }

    static Path library() {
        return Path.of(System.getProperty(PROPERTY)).toAbsolutePath();
    }

    /** A runtime of its own, that shares the process's context with others. */
    static Backend open() {
        return switch (new CudaProvider().probe()) {
            case Availability.Ready ready -> ready.devices().getFirst();
            case Availability.Absent absent -> throw new IllegalStateException(absent.reason());
            case Availability.Broken broken -> throw new IllegalStateException(broken.reason());
        };
    }

    /** Runs {@code main} in a JVM of its own, on this driver, with what the environment tells it. */
    static ChildJvm child(Class<?> main, Map<String, String> environment, List<String> flags, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-Xmx512m",
                "-D" + PROPERTY + "=" + library()));
        command.addAll(flags);
        command.addAll(List.of("-classpath", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(1, TimeUnit.MINUTES)) {
                throw new IOException("it does not end: " + output);
            }
            return new ChildJvm(process.exitValue(), output);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroyForcibly();
        }
    }
}

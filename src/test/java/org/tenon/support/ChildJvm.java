package org.tenon.support;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A JVM of its own for what takes flags, fills memory, or ends; killed after ten minutes. It has this one's class path and Vector API. */
public record ChildJvm(int exitCode, String output) {
    /** Where this JVM has the CUDA driver from: a child sees the same devices. */
    private static final String DRIVER = "tenon.cuda.driver";

    private static final Duration LIMIT = Duration.ofMinutes(10);

    /** Runs {@code main} with these flags and arguments; what it prints comes back, standard error among it. */
    public static ChildJvm run(Class<?> main, List<String> flags, String... arguments) throws IOException {
        List<String> all = new ArrayList<>(flags);
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
            all.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        }
        return runPlain(main, all, arguments);
    }

    /** The same without the Vector API. */
    public static ChildJvm runPlain(Class<?> main, List<String> flags, String... arguments) throws IOException {
        return runIn(Map.of(), main, flags, arguments);
    }

    /** The same with more in its environment. */
    public static ChildJvm runIn(
            Map<String, String> environment, Class<?> main, List<String> flags, String... arguments)
            throws IOException {
        return start(environment, System.getProperty("java.class.path"), main, flags, arguments);
    }

    /** The same without the libraries whose file has this text in its name. */
    public static ChildJvm runWithout(String library, Class<?> main, List<String> flags, String... arguments)
            throws IOException {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(each -> !Path.of(each).getFileName().toString().contains(library))
                .collect(Collectors.joining(File.pathSeparator));
        return start(Map.of(), classPath, main, flags, arguments);
    }

    private static ChildJvm start(
            Map<String, String> environment, String classPath, Class<?> main, List<String> flags, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (System.getProperty(DRIVER) != null) {
            command.add("-D" + DRIVER + "=" + System.getProperty(DRIVER));
        }
        command.addAll(flags);
        command.addAll(List.of("-classpath", classPath, main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        Finished finished = Finished.of(builder, LIMIT);
        return new ChildJvm(finished.exitCode(), finished.output());
    }
}

package org.tenon.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.tenon.Devices;
import org.tenon.spi.Availability;
import org.tenon.spi.Backend;
import org.tenon.support.ChildJvm;

/** The stand-in driver, {@code native-tests/simcuda}, and what it offers to tests. */
final class StandIn {
    private static final String PROPERTY = "tenon.cuda.driver";

    private StandIn() {}

    /** Skips a test where there is none. */
    static void assumeThere() {
        Assumptions.assumeTrue(
                !System.getProperty(PROPERTY, "").isBlank(),
                "the stand-in CUDA driver is not there: native-tests/simcuda/build.sh makes it,"
                        + " -Dtenon.cuda.driver=target/simcuda/libcuda.so.1 names it");
        Assumptions.assumeTrue(
                Devices.report().stream().anyMatch(line -> line.startsWith("cuda:0: Tenon stand-in")),
                "tenon.cuda.driver names another driver");
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

    // ---- its own functions

    /** Makes the {@code nth} call from now on of this kind answer an error, once; a kind is {@code cuMemAlloc}, or kernel. */
    static void fail(String call, int nth, int error) {
        try (Arena arena = Arena.ofConfined()) {
            invoke("simcuda_fail", arena.allocateFrom(call).address(), nth, error);
        }
    }

    /** Forgets faults, counts and limits. */
    static void reset() {
        invoke("simcuda_reset");
    }

    static int pendingFaults() {
        return (int) invoke("simcuda_pending_faults");
    }

    /** How long each kernel lasts at least. */
    static void delay(int microseconds) {
        invoke("simcuda_delay", microseconds);
    }

    static void limitMemory(long bytes) {
        invoke("simcuda_memory_limit", bytes);
    }

    static long liveAllocations() {
        return invoke("simcuda_live_allocations");
    }

    /** Writes outside of allocations that it noticed. */
    static long damage() {
        return invoke("simcuda_damage");
    }

    /** How often each kind was called. */
    static Map<String, Integer> calls() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(64 << 10);
            invoke("simcuda_calls", text.address(), text.byteSize());
            Map<String, Integer> counts = new TreeMap<>();
            text.getString(0).lines().forEach(line -> {
                String[] words = line.split(" ");
                counts.put(words[0], Integer.parseInt(words[1]));
            });
            return counts;
        }
    }

    @SuppressWarnings("restricted")
    private static long invoke(String function, long... arguments) {
        MemorySegment symbol = SymbolLookup.libraryLookup(library(), Arena.global())
                .find(function)
                .orElseThrow();
        ValueLayout[] layouts = new ValueLayout[arguments.length];
        Object[] values = new Object[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            layouts[i] = ValueLayout.JAVA_LONG;
            values[i] = arguments[i];
        }
        try {
            return (long) Linker.nativeLinker()
                    .downcallHandle(symbol, FunctionDescriptor.of(ValueLayout.JAVA_LONG, layouts))
                    .invokeWithArguments(values);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}

package org.tenon.opencl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the JVM's signal handlers in place on Linux. HotSpot takes SIGSEGV for safepoints and null checks, in any thread at any time. A
 * driver that compiles with LLVM, such as PoCL, puts in handlers of its own that the system takes out as it calls them: where two
 * threads get such a signal at once, the second ends the process without a report. The handler also removes the files that are being
 * compiled. LLVM puts its handlers in once, as long as none of them is called: after that moment they are taken out for good.
 */
final class SignalHandlers {
    private static final Logger LOG = LoggerFactory.getLogger(SignalHandlers.class);
    private static final Path MAPS = Path.of("/proc/self/maps");
    private static final int SIGNALS = 31;
    private static final int SIGSEGV = 11;
    /** More than {@code struct sigaction} takes, and where its flags are: the same on x86-64 and AArch64, with glibc and musl. */
    private static final int BYTES = 256;

    private static final int FLAGS = 136;
    /** {@code SA_RESETHAND}: the default comes back as the handler is called. */
    private static final int USED_ONCE = 0x8000_0000;

    private static final MethodHandle SIGACTION = sigaction();
    private static final MemorySegment BEFORE = SIGACTION == null ? null : read(Arena.global());

    private SignalHandlers() {}

    /** Remembers the handlers of now, before a driver is loaded, when called first. Then puts back each that is to be used once. */
    static synchronized void keep() {
        List<Integer> signals = usedOnce();
        for (int signal : signals) {
            call(signal, of(BEFORE, signal), MemorySegment.NULL);
        }
        if (!signals.isEmpty()) {
            LOG.debug("a driver took signals {} for itself; the handlers from before are in place again", signals);
        }
    }

    /** Lets LLVM, where a driver has loaded it as a library, put in its handlers now rather than in the middle of something long. */
    static void settle() {
        if (BEFORE == null) {
            return;
        }
        try (Stream<String> maps = Files.lines(MAPS);
                Arena arena = Arena.ofConfined()) {
            List<String> libraries = maps.map(line -> line.substring(line.indexOf('/') + 1))
                    .filter(path -> path.contains("/libLLVM"))
                    .distinct()
                    .toList();
            for (String path : libraries) {
                settle("/" + path, arena);
            }
        } catch (IOException | RuntimeException e) {
            LOG.debug("LLVM is not asked for its signal handlers: {}", e.toString());
        }
        keep();
    }

    @SuppressWarnings("restricted")
    private static void settle(String library, Arena arena) {
        MemorySegment function = SymbolLookup.libraryLookup(library, arena)
                .find("LLVMEnablePrettyStackTrace")
                .orElseThrow();
        MethodHandle enable = Linker.nativeLinker().downcallHandle(function, FunctionDescriptor.ofVoid());
        MemorySegment before = of(BEFORE, SIGSEGV);
        try {
            enable.invokeExact();
            // With as little in between as can be.
            call(SIGSEGV, before, MemorySegment.NULL);
        } catch (Throwable e) {
            throw new IllegalStateException("LLVM cannot be called", e);
        }
    }

    /** The signals whose handler is one to be used once. */
    static List<Integer> usedOnce() {
        if (BEFORE == null) {
            return List.of();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment now = read(arena);
            List<Integer> signals = new ArrayList<>();
            for (int signal = 1; signal <= SIGNALS; signal++) {
                if (usedOnce(of(now, signal)) && !usedOnce(of(BEFORE, signal))) {
                    signals.add(signal);
                }
            }
            return signals;
        }
    }

    private static MemorySegment read(Arena arena) {
        MemorySegment all = arena.allocate((SIGNALS + 1L) * BYTES, 8);
        for (int signal = 1; signal <= SIGNALS; signal++) {
            call(signal, MemorySegment.NULL, of(all, signal));
        }
        return all;
    }

    private static MemorySegment of(MemorySegment all, int signal) {
        return all.asSlice((long) signal * BYTES, BYTES);
    }

    private static boolean usedOnce(MemorySegment action) {
        return (action.get(JAVA_INT, FLAGS) & USED_ONCE) != 0;
    }

    /** Signals that nobody may handle are refused, and stay zero. */
    private static void call(int signal, MemorySegment action, MemorySegment old) {
        try {
            int ignored = (int) SIGACTION.invokeExact(signal, action, old);
        } catch (Throwable e) {
            throw new IllegalStateException("sigaction cannot be called", e);
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle sigaction() {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        if (!os.contains("linux") || !List.of("amd64", "aarch64").contains(System.getProperty("os.arch", ""))) {
            return null;
        }
        try {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(
                    linker.defaultLookup().find("sigaction").orElseThrow(),
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
        } catch (RuntimeException e) {
            LOG.debug("signal handlers stay as OpenCL drivers leave them: {}", e.toString());
            return null;
        }
    }
}

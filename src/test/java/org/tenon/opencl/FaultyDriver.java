package org.tenon.opencl;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.tenon.support.CCompiler;

/** What {@code faults.c} puts between the loader and the first OpenCL driver of this process, and what tests ask it. */
@SuppressWarnings("restricted")
final class FaultyDriver {
    private static final int TEXT_BYTES = 1 << 16;

    private final SymbolLookup library;

    private FaultyDriver(SymbolLookup library) {
        this.library = library;
    }

    /** Compiles it; the library is for {@link #install} in another JVM. */
    static Path compile(Path folder) throws IOException {
        return CCompiler.compile(FaultyDriver.class, "faults.c", folder.resolve("libfaults.so"));
    }

    /** Puts it in place. */
    static FaultyDriver install(Path library) {
        if (!Files.exists(library)) {
            throw new IllegalArgumentException(library + " is not there");
        }
        FaultyDriver driver = new FaultyDriver(SymbolLookup.libraryLookup(library, Arena.global()));
        int answer = (int) driver.call("faults_install", ValueLayout.JAVA_INT, new MemoryLayout[0]);
        if (answer != 0) {
            throw new IllegalStateException("the driver's table cannot be changed: " + answer);
        }
        return driver;
    }

    /** Makes the {@code nth} call of this name from now on fail with {@code error}. */
    void fail(String call, int nth, int error) {
        try (Arena arena = Arena.ofConfined()) {
            int status = (int) call(
                    "faults_fail",
                    ValueLayout.JAVA_INT,
                    new MemoryLayout[] {ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT},
                    arena.allocateFrom(call),
                    nth,
                    error);
            if (status != 0) {
                throw new IllegalArgumentException("no call " + call);
            }
        }
    }

    /** Forgets counts and faults. */
    void reset() {
        call("faults_reset", null, new MemoryLayout[0]);
    }

    /** How many faults were asked for and have not happened. */
    int pending() {
        return (int) call("faults_pending", ValueLayout.JAVA_INT, new MemoryLayout[0]);
    }

    /** How often each call was made since the last reset. */
    Map<String, Long> counts() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(TEXT_BYTES);
            long length = (long) call(
                    "faults_counts",
                    ValueLayout.JAVA_LONG,
                    new MemoryLayout[] {ValueLayout.ADDRESS, ValueLayout.JAVA_LONG},
                    text,
                    (long) TEXT_BYTES);
            Map<String, Long> counts = new TreeMap<>();
            new String(text.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII)
                    .lines()
                    .map(line -> line.split(" "))
                    .forEach(words -> counts.put(words[0], Long.parseLong(words[1])));
            return counts;
        }
    }

    /** How many objects there are: {@code buffer}, {@code event}, {@code kernel}, {@code program}, {@code context}, {@code queue}. */
    long live(String object) {
        try (Arena arena = Arena.ofConfined()) {
            return (long) call(
                    "faults_live",
                    ValueLayout.JAVA_LONG,
                    new MemoryLayout[] {ValueLayout.ADDRESS},
                    arena.allocateFrom(object));
        }
    }

    private Object call(String name, MemoryLayout result, MemoryLayout[] types, Object... arguments) {
        MemorySegment at = library.find(name).orElseThrow(() -> new IllegalStateException("no function " + name));
        FunctionDescriptor descriptor =
                result == null ? FunctionDescriptor.ofVoid(types) : FunctionDescriptor.of(result, types);
        MethodHandle function = Linker.nativeLinker().downcallHandle(at, descriptor);
        try {
            return function.invokeWithArguments(arguments);
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}

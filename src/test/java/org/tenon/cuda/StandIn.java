package org.tenon.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the stand-in CUDA driver of {@code native-tests/simcuda} lets tests ask and tell it. The kinds of calls are the
 * functions' names without a version, such as {@code cuMemAlloc}, and {@code kernel} for a kernel that runs.
 */
@SuppressWarnings("restricted")
public final class StandIn {
    private static final int TEXT_BYTES = 1 << 20;

    private final SymbolLookup library;

    private StandIn(SymbolLookup library) {
        this.library = library;
    }

    /** The stand-in, where it takes the driver's place in this process; devices must have been looked for before. */
    public static Optional<StandIn> find() {
        try {
            SymbolLookup library = SymbolLookup.libraryLookup(Driver.library(), Arena.global());
            return library.find("simcuda_count").map(_ -> new StandIn(library));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Makes the {@code nth} call of this kind from now on fail with {@code error}; with {@code -n}, that and all after it. */
    public void fail(String call, int nth, int error) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle function = function(
                    "simcuda_fail",
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT);
            int status = (int) function.invokeExact(arena.allocateFrom(call), nth, error);
            if (status != 0) {
                throw new IllegalArgumentException("no call " + nth + " of " + call);
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Forgets counts and faults, and limits memory as at the start. */
    public void reset() {
        number("simcuda_reset", ValueLayout.JAVA_INT);
    }

    /** How many faults were asked for and have not happened. */
    public int pendingFaults() {
        return (int) number("simcuda_pending_faults", ValueLayout.JAVA_INT);
    }

    /** How often a kind was called since the last reset. */
    public long count(String call) {
        try (Arena arena = Arena.ofConfined()) {
            return (long) function("simcuda_count", ValueLayout.JAVA_LONG, ValueLayout.ADDRESS)
                    .invokeExact(arena.allocateFrom(call));
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** The counts of all kinds that were called, by name. */
    public Map<String, Long> counts() {
        Map<String, Long> counts = new TreeMap<>();
        text("simcuda_calls").lines().forEach(line -> {
            int space = line.indexOf(' ');
            counts.put(line.substring(0, space), Long.parseLong(line.substring(space + 1)));
        });
        return counts;
    }

    /** Limits every device's memory, at once and until {@link #reset}. */
    public void memoryLimit(long bytes) {
        tell("simcuda_memory_limit", ValueLayout.JAVA_LONG, bytes);
    }

    /** Makes each piece of work in a stream wait so long first, so that what does not wait for it is seen. */
    public void delay(int microseconds) {
        tell("simcuda_delay", ValueLayout.JAVA_INT, microseconds);
    }

    /** Blocks of device memory. */
    public long liveAllocations() {
        return number("simcuda_live_allocations");
    }

    /** Bytes of device memory. */
    public long liveBytes() {
        return number("simcuda_live_bytes");
    }

    /** Blocks of pinned host memory. */
    public long liveHostAllocations() {
        return number("simcuda_live_host_allocations");
    }

    /** Modules that are loaded. */
    public long liveModules() {
        return number("simcuda_live_modules");
    }

    /** Streams. */
    public long liveStreams() {
        return number("simcuda_live_streams");
    }

    /** Events. */
    public long liveEvents() {
        return number("simcuda_live_events");
    }

    /** Graphs, and what was made ready of them. */
    public long liveGraphs() {
        return number("simcuda_live_graphs");
    }

    /** Lines of kind, address and size of all memory that is allocated. */
    public String allocations() {
        return text("simcuda_allocations");
    }

    /** Writes beside allocations or into freed ones that were noticed, ever. */
    public long damage() {
        return number("simcuda_damage");
    }

    /** Kernels compiled into the library. */
    public long kernels() {
        return number("simcuda_kernels");
    }

    private long number(String name) {
        return number(name, ValueLayout.JAVA_LONG);
    }

    private long number(String name, ValueLayout result) {
        try {
            return ((Number) function(name, result).invoke()).longValue();
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private void tell(String name, ValueLayout type, Number value) {
        try {
            function(name, ValueLayout.JAVA_INT, type).invoke(value);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private String text(String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(TEXT_BYTES);
            long length = (long) function(name, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG)
                    .invokeExact(text, (long) TEXT_BYTES);
            if (length >= TEXT_BYTES) {
                throw new IllegalStateException(name + " has " + length + " bytes to say");
            }
            return text.getString(0, StandardCharsets.US_ASCII);
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
        MemorySegment at = library.find(name).orElseThrow(() -> new IllegalStateException("no function " + name));
        return Linker.nativeLinker().downcallHandle(at, FunctionDescriptor.of(result, arguments));
    }
}

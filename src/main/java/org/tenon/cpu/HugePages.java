package org.tenon.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import org.slf4j.LoggerFactory;

/**
 * Memory in pages of 2 MiB, where Linux has them and this code may call native functions: an op that goes through memory in order waits
 * for fewer translations of addresses, and the first touch of a block has far fewer pages to be filled. {@code -Dtenon.cpu.hugepages=off}
 * leaves it to the system.
 */
final class HugePages {
    private static final long PAGE = 2L << 20;
    /** Blocks below this share pages with others. */
    private static final long LEAST = 2 * PAGE;

    private static final int READ_AND_WRITE = 3;
    private static final int PRIVATE_AND_ANONYMOUS = 0x22;
    private static final int ADVICE = 14;
    private static final Calls CALLS = calls();

    private HugePages() {}

    private record Calls(MethodHandle map, MethodHandle advise, MethodHandle unmap) {}

    @SuppressWarnings("restricted")
    private static Calls calls() {
        boolean linux =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux");
        if (!Settings.hugePages() || !linux || !HugePages.class.getModule().isNativeAccessEnabled()) {
            return null;
        }
        Linker linker = Linker.nativeLinker();
        SymbolLookup libc = linker.defaultLookup();
        try {
            return new Calls(
                    linker.downcallHandle(
                            libc.find("mmap").orElseThrow(),
                            FunctionDescriptor.of(
                                    ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG)),
                    linker.downcallHandle(
                            libc.find("madvise").orElseThrow(),
                            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT)),
                    linker.downcallHandle(
                            libc.find("munmap").orElseThrow(), FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG)));
        } catch (RuntimeException e) {
            LoggerFactory.getLogger(HugePages.class).debug("no huge pages: {}", e.toString());
            return null;
        }
    }

    /** Zeroed memory for as long as {@code arena}; null for a small block, or where there is none of this kind. */
    @SuppressWarnings("restricted")
    static MemorySegment allocate(long bytes, Arena arena) {
        if (CALLS == null || bytes < LEAST) {
            return null;
        }
        // What is left over on both sides is never touched, and so never takes memory.
        long mapped = bytes + PAGE;
        try {
            MemorySegment start = (MemorySegment)
                    CALLS.map.invokeExact(MemorySegment.NULL, mapped, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0L);
            if (start.address() == -1) {
                return null;
            }
            long skipped = Math.floorMod(-start.address(), PAGE);
            // An answer that says no is as good: then these are pages like any other.
            int ignored =
                    (int) CALLS.advise.invokeExact(MemorySegment.ofAddress(start.address() + skipped), bytes, ADVICE);
            return start.reinterpret(mapped, arena, all -> unmap(all, mapped)).asSlice(skipped, bytes);
        } catch (Throwable e) {
            throw new IllegalStateException("mmap cannot be called", e);
        }
    }

    private static void unmap(MemorySegment start, long mapped) {
        try {
            int ignored = (int) CALLS.unmap.invokeExact(start, mapped);
        } catch (Throwable e) {
            throw new IllegalStateException("munmap cannot be called", e);
        }
    }
}

package org.tenon.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.tenon.TensorStateException;
import org.tenon.gpu.Sources;
import org.tenon.spi.CustomKernel;

/**
 * NVIDIA's compiler at run time, NVRTC, for kernels that users wrote in C: part of CUDA's toolkit, not of the driver, so it
 * may be absent. {@code -Dtenon.nvrtc=PATH} takes that library, {@code -Dtenon.nvrtc=off} none. On Linux only: elsewhere a
 * {@code long} of CUDA has 32 bits.
 */
final class Nvrtc {
    private static final List<String> NAMES = List.of("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2");
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MemoryLayout ADDRESS = ValueLayout.ADDRESS;
    /** As the jar's own kernels: drivers that know no newer text take it, if its instructions are no newer. */
    private static final String VERSION = ".version 7.8\n";

    private final SymbolLookup library;

    private Nvrtc(SymbolLookup library) {
        this.library = library;
    }

    /** The PTX of a kernel's source in C; {@code options} are those of any kernel, such as {@code -DBLOCK=256}. */
    static String ptx(String device, CustomKernel kernel, String preamble, String options) {
        String source = Sources.custom(
                "portable.cuda.h", preamble, kernel.name(), kernel.sources().shared());
        return find(device, kernel.name()).compile(device, kernel.name(), source, options);
    }

    @SuppressWarnings("restricted")
    private static Nvrtc find(String device, String kernel) {
        String asked = System.getProperty("tenon.nvrtc", "").strip();
        boolean linux =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux");
        List<String> names = asked.equals("off") || !linux ? List.of() : asked.isEmpty() ? NAMES : List.of(asked);
        for (String name : names) {
            try {
                return new Nvrtc(
                        name.contains("/") ? open(Path.of(name)) : SymbolLookup.libraryLookup(name, Arena.global()));
            } catch (IllegalArgumentException e) {
                // The next.
            }
        }
        throw new TensorStateException(
                kernel,
                "on " + device + " its source needs NVIDIA's compiler NVRTC, and "
                        + (names.isEmpty()
                                ? linux ? "-Dtenon.nvrtc=off leaves it out" : "that is used on Linux only"
                                : "there is no " + String.join(", ", names))
                        + "; install CUDA's libnvrtc, name it with -Dtenon.nvrtc=PATH, or give PTX with ptx(...)");
    }

    /** A library by path, after its part beside it, which it would look for in the system's folders alone. */
    @SuppressWarnings("restricted")
    private static SymbolLookup open(Path path) {
        try (var beside = Files.newDirectoryStream(path.toAbsolutePath().getParent(), "libnvrtc-builtins.so.*")) {
            for (Path each : beside) {
                SymbolLookup.libraryLookup(each, Arena.global());
            }
        } catch (IOException e) {
            // The library itself says what it misses.
        }
        return SymbolLookup.libraryLookup(path, Arena.global());
    }

    private String compile(String device, String name, String source, String options) {
        List<String> all = List.of(("--gpu-architecture=compute_" + Modules.BASELINE + " --std=c++17 --fmad=false -w"
                        + " -DFP64 -DLANES=1 " + options)
                .split(" "));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(LONG);
            MemorySegment list = arena.allocate(LONG, all.size());
            for (int i = 0; i < all.size(); i++) {
                list.setAtIndex(LONG, i, arena.allocateFrom(all.get(i)).address());
            }
            check(name, "nvrtcCreateProgram", (int)
                    function("nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, INT, ADDRESS, ADDRESS)
                            .invokeExact(
                                    handle,
                                    arena.allocateFrom(source),
                                    arena.allocateFrom(name),
                                    0,
                                    MemorySegment.NULL,
                                    MemorySegment.NULL));
            long program = handle.get(LONG, 0);
            try {
                int status = (int)
                        function("nvrtcCompileProgram", LONG, INT, ADDRESS).invokeExact(program, all.size(), list);
                if (status != 0) {
                    throw new TensorStateException(
                            device,
                            "the kernel of " + name + " does not build:\n" + text(arena, "ProgramLog", name, program));
                }
                String ptx = text(arena, "PTX", name, program);
                return ptx.replaceFirst("(?m)^\\.version .*\n", VERSION);
            } finally {
                int _ = (int) function("nvrtcDestroyProgram", ADDRESS).invokeExact(handle);
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new TensorStateException(name, "NVRTC cannot be called: " + e);
        }
    }

    private String text(Arena arena, String what, String kernel, long program) throws Throwable {
        MemorySegment size = arena.allocate(LONG);
        check(kernel, "nvrtcGet" + what + "Size", (int)
                function("nvrtcGet" + what + "Size", LONG, ADDRESS).invokeExact(program, size));
        MemorySegment text = arena.allocate(size.get(LONG, 0) + 1);
        check(kernel, "nvrtcGet" + what, (int)
                function("nvrtcGet" + what, LONG, ADDRESS).invokeExact(program, text));
        return text.getString(0).strip() + "\n";
    }

    private static void check(String kernel, String call, int status) {
        if (status != 0) {
            throw new TensorStateException(kernel, call + " failed with " + status);
        }
    }

    @SuppressWarnings("restricted")
    private MethodHandle function(String name, MemoryLayout... arguments) {
        MemorySegment symbol = library.find(name)
                .orElseThrow(() -> new TensorStateException("nvrtc", "the library has no function " + name));
        return Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.of(INT, arguments));
    }
}

package org.tenon.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.tenon.spi.Availability;

/**
 * The driver's library, looked at before JCuda is loaded: JCuda's own library needs it, and ends the process if a function
 * is called that an old driver lacks. {@code -Dtenon.cuda.driver=PATH} loads another first, whose name then takes the
 * driver's place.
 */
final class Driver {
    private static final int OLDEST = 12_000;
    private static final String INSTALL = "install NVIDIA's driver R525 or newer";

    private Driver() {}

    static String library() {
        return os().contains("win") ? "nvcuda.dll" : "libcuda.so.1";
    }

    /** The file name that JCuda gives its library. */
    static String bindings() {
        boolean windows = os().contains("win");
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        String name = "JCudaDriver-12.6.0-" + (windows ? "windows" : os().contains("linux") ? "linux" : os()) + "-"
                + (arch.equals("amd64") ? "x86_64" : arch);
        return windows ? name + ".dll" : "lib" + name + ".so";
    }

    private static String os() {
        return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).replace(' ', '-');
    }

    /** Why the driver cannot be used, or null. */
    @SuppressWarnings("restricted")
    static Availability trouble() {
        String path = System.getProperty("tenon.cuda.driver", "");
        if (!path.isBlank()) {
            Availability trouble = load(Path.of(path).toAbsolutePath());
            if (trouble != null) {
                return trouble;
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup driver = SymbolLookup.libraryLookup(library(), arena);
            MemorySegment function = driver.find("cuDriverGetVersion").orElse(null);
            return function == null
                    ? new Availability.Broken(library() + " is not a CUDA driver", INSTALL, null)
                    : tooOld(function, arena);
        } catch (IllegalArgumentException e) {
            return new Availability.Absent("there is no " + library() + "; " + INSTALL);
        }
    }

    @SuppressWarnings("restricted")
    private static Availability load(Path library) {
        String hint = "give the path of a " + library() + " with -Dtenon.cuda.driver, or do without it";
        if (!Files.isRegularFile(library)) {
            return new Availability.Broken("there is no file " + library, hint, null);
        }
        try {
            System.load(library.toString());
            return null;
        } catch (UnsatisfiedLinkError e) {
            return new Availability.Broken(library + " cannot be loaded: " + e.getMessage(), hint, e);
        }
    }

    @SuppressWarnings("restricted")
    private static Availability tooOld(MemorySegment function, Arena arena) {
        int version;
        try {
            MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
            int status = (int) Linker.nativeLinker()
                    .downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS))
                    .invokeExact(number);
            if (status != 0) {
                return new Availability.Broken("cuDriverGetVersion failed with " + status, INSTALL, null);
            }
            version = number.get(ValueLayout.JAVA_INT, 0);
        } catch (Throwable e) {
            return new Availability.Broken("the CUDA driver cannot be called: " + e, INSTALL, e);
        }
        return version < OLDEST
                ? new Availability.Broken(
                        "the driver here is for CUDA " + text(version) + ", and Tenon needs 12.0", INSTALL, null)
                : null;
    }

    /** 12040 as 12.4. */
    static String text(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }
}

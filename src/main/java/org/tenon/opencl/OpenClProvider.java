package org.tenon.opencl;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tenon.gpu.GpuBackend;
import org.tenon.gpu.Natives;
import org.tenon.spi.Availability;
import org.tenon.spi.Backend;
import org.tenon.spi.BackendProvider;

/** Finds OpenCL devices: those of all platforms, GPUs before others. Touches JOCL only once it is known to work. */
public final class OpenClProvider implements BackendProvider {
    private static final Logger LOG = LoggerFactory.getLogger(OpenClProvider.class);
    private static final String HINT = "install an OpenCL driver: that of the GPU's maker, or PoCL for the CPU "
            + "(Debian and Ubuntu: pocl-opencl-icd)";

    private final String loader;

    /** For the service loader. */
    public OpenClProvider() {
        this(loader());
    }

    /** With another library as the one that finds drivers. */
    OpenClProvider(String loader) {
        this.loader = loader;
    }

    @Override
    public String kind() {
        return "opencl";
    }

    @Override
    public Availability probe() {
        if (!loads(loader)) {
            return new Availability.Absent("there is no " + loader
                    + "; install the OpenCL loader (Debian and Ubuntu: ocl-icd-libopencl1) and a driver");
        }
        try {
            return Natives.load(
                    Class.forName("org.jocl.LibUtils", false, OpenClProvider.class.getClassLoader()),
                    List.of(bindings()),
                    OpenClProvider::devices);
        } catch (ClassNotFoundException e) {
            return new Availability.Absent("JOCL is not in the class path; add org.jocl:jocl");
        } catch (IOException | UnsatisfiedLinkError e) {
            return new Availability.Broken(
                    "JOCL's library cannot be put in place and loaded: " + e.getMessage(),
                    "name a folder that can be written and executed with -Dtenon.cache=FOLDER",
                    e);
        } catch (LinkageError | RuntimeException e) {
            return new Availability.Broken("JOCL does not work here: " + e, HINT, e);
        }
    }

    /** Looking alone loads nothing that stays: JOCL ends in a stack trace where the loader is missing. */
    @SuppressWarnings("restricted")
    private static boolean loads(String library) {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup.libraryLookup(library, arena);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static String os() {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        return os.contains("win") ? "windows" : os.contains("mac") ? "apple" : "linux";
    }

    private static String loader() {
        return switch (os()) {
            case "windows" -> "OpenCL.dll";
            case "apple" -> "/System/Library/Frameworks/OpenCL.framework/OpenCL";
            default -> "libOpenCL.so.1";
        };
    }

    /** The file name that JOCL gives its library. */
    private static String bindings() {
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        String name =
                "JOCL_2_0_6-" + os() + "-" + (arch.contains("aarch64") || arch.contains("arm64") ? "arm64" : "x86_64");
        return switch (os()) {
            case "windows" -> name + ".dll";
            case "apple" -> "lib" + name + ".dylib";
            default -> "lib" + name + ".so";
        };
    }

    private static Availability devices() {
        Discovery discovery = Discovery.run();
        if (discovery.platforms().isEmpty() && discovery.troubles().isEmpty()) {
            return noPlatform(IcdFiles.troubles(IcdFiles.folder(), OpenClProvider::loads));
        }
        List<Backend> backends = new ArrayList<>();
        List<String> troubles = new ArrayList<>(discovery.troubles());
        for (Found found : discovery.devices()) {
            try {
                backends.add(new GpuBackend(new OpenClRuntime("opencl:" + backends.size(), found)));
            } catch (RuntimeException e) {
                troubles.add(found.description() + ": " + e.getMessage());
            }
        }
        if (!backends.isEmpty()) {
            troubles.forEach(trouble -> LOG.warn("an OpenCL device is left out: {}", trouble));
            return new Availability.Ready(backends);
        }
        return troubles.isEmpty()
                ? noDevice(discovery.platforms())
                : new Availability.Broken(String.join("; ", troubles), HINT, null);
    }

    private static Availability noDevice(List<String> platforms) {
        return new Availability.Absent("the OpenCL drivers here have no device (" + String.join(", ", platforms)
                + "); see that this user may open the GPU's files in /dev (groups render and video), or " + HINT);
    }

    private static Availability noPlatform(List<String> broken) {
        return broken.isEmpty()
                ? new Availability.Absent("the OpenCL loader knows no driver; " + HINT)
                : new Availability.Broken(
                        "no OpenCL driver loads: " + String.join("; ", broken),
                        "install that driver again or remove the file; or " + HINT,
                        null);
    }
}

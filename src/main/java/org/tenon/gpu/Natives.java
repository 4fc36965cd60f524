package org.tenon.gpu;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the native libraries of JOCL and JCuda in place before their classes do it themselves: theirs is not atomic, and
 * processes that start at once crash each other.
 */
public final class Natives {
    private static final Logger LOG = LoggerFactory.getLogger(Natives.class);

    private Natives() {}

    /** Whether there is such a library, a resource under {@code /lib} beside {@code of}, for this platform. */
    public static boolean has(Class<?> of, String library) {
        return of.getClassLoader().getResource("lib/" + library) != null;
    }

    /**
     * Places {@code libraries}, file names such as {@code libJOCL_2_0_6-linux-x86_64.so}, from the resources of the same
     * names under {@code /lib} beside {@code of}, in a private folder, and runs {@code load}, which initialises the class
     * that wants them there.
     */
    public static synchronized <T> T load(Class<?> of, List<String> libraries, Supplier<T> load) throws IOException {
        Path folder = folder(libraries);
        for (String library : libraries) {
            place(of, library, folder.resolve(library));
        }
        // The libraries ask this property, each time, for the folder they look into.
        String before = System.setProperty("java.io.tmpdir", folder.toString());
        try {
            return load.get();
        } finally {
            if (before == null) {
                System.clearProperty("java.io.tmpdir");
            } else {
                System.setProperty("java.io.tmpdir", before);
            }
        }
    }

    /** The cache, or where that cannot be written a folder for this JVM alone. */
    private static Path folder(List<String> libraries) throws IOException {
        try {
            return Caches.folder("natives");
        } catch (IOException e) {
            LOG.debug("a temporary folder for native libraries: {}", e.getMessage());
            Path folder =
                    PrivateFolder.checked(Files.createTempDirectory("tenon").toRealPath());
            folder.toFile().deleteOnExit();
            libraries.forEach(library -> folder.resolve(library).toFile().deleteOnExit());
            return folder;
        }
    }

    /** A file that is there already is used only if it is the very same. */
    private static void place(Class<?> of, String library, Path file) throws IOException {
        // Asked of the loader: on the module path the library's jar is a module beside that of the class.
        try (InputStream in = of.getClassLoader().getResourceAsStream("lib/" + library)) {
            if (in == null) {
                throw new IOException("there is no library for this platform (" + library + " is not in the jar)");
            }
            byte[] bytes = in.readAllBytes();
            if (!Arrays.equals(Caches.read(file, bytes.length), bytes)) {
                Caches.place(file, bytes);
            }
        }
    }
}

package org.tenon.gpu;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder where libraries and built kernels are kept: {@code -Dtenon.cache=FOLDER}, or {@code tenon} in the user's cache
 * folder. Nobody but this user can change it, or it is refused. With {@code -Dtenon.cache=off} nothing is kept.
 */
public final class Caches {
    private static final Logger LOG = LoggerFactory.getLogger(Caches.class);

    private Caches() {}

    /** Whether nothing is to be kept. */
    public static boolean isOff() {
        return "off".equals(System.getProperty("tenon.cache"));
    }

    /** A folder in it, made if need be. */
    public static Path folder(String name) throws IOException {
        if (isOff()) {
            throw new IOException("-Dtenon.cache=off keeps nothing");
        }
        return PrivateFolder.in(root().toAbsolutePath(), name);
    }

    /**
     * The bytes of a file in such a folder, of at most {@code most}, or null: where there is none, and where it is not this
     * user's own, a link, or too long. What is used must be these bytes, which nobody changes between a look and the use.
     */
    public static byte[] read(Path file, long most) {
        try {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                return null;
            }
            String trouble = PrivateFolder.trouble(file);
            if (trouble == null) {
                return PrivateFolder.read(file, most);
            }
            LOG.warn("{} is not used but made anew: {}", file, trouble);
        } catch (IOException e) {
            LOG.debug("{} is not used", file, e);
        }
        return null;
    }

    private static Path root() {
        String set = System.getProperty("tenon.cache");
        if (set != null && !set.isBlank()) {
            return Path.of(set);
        }
        Path home = Path.of(System.getProperty("user.home", "."));
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        if (os.contains("win")) {
            String local = System.getenv("LOCALAPPDATA");
            return (local == null ? home : Path.of(local)).resolve("tenon");
        }
        if (os.contains("mac")) {
            return home.resolve("Library/Caches/tenon");
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        return (xdg == null || xdg.isBlank() ? home.resolve(".cache") : Path.of(xdg)).resolve("tenon");
    }

    /** Puts a file in place at once: another process sees all of it or none. */
    public static void place(Path file, byte[] bytes) throws IOException {
        Path parts = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
        try {
            Files.write(parts, bytes);
            try {
                Files.move(parts, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(parts, file, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            Files.deleteIfExists(parts);
        }
    }
}

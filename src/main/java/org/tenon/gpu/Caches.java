package org.tenon.gpu;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Set;

/**
 * The folder where libraries and built kernels are kept: {@code -Dtenon.cache=FOLDER}, or {@code tenon} in the user's cache
 * folder. Only its owner can write it. With {@code -Dtenon.cache=off} nothing is kept.
 */
public final class Caches {
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
        Path folder = root().resolve(name);
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Set<PosixFilePermission> allowed = Files.getPosixFilePermissions(folder);
            if (allowed.contains(PosixFilePermission.GROUP_WRITE)
                    || allowed.contains(PosixFilePermission.OTHERS_WRITE)) {
                throw new IOException("others than its owner can write the folder " + folder);
            }
        } else {
            Files.createDirectories(folder);
        }
        if (!Files.isWritable(folder)) {
            throw new IOException("the folder " + folder + " cannot be written");
        }
        return folder;
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

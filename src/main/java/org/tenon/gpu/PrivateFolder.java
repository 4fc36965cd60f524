package org.tenon.gpu;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/**
 * A folder that nobody but this user can change: neither it, nor what is in it, nor, by another folder of the same name, the
 * way to it. What is loaded from there is code. Where the system has no POSIX permissions, as on Windows, the owner is looked
 * at and the rest is what the user's own folders are protected by.
 */
final class PrivateFolder {
    private static final int OTHERS_WRITE = 0022;
    private static final int STICKY = 01000;
    private static final String ATTRIBUTES = "unix:uid,mode";
    private static final String REMEDY = ", or name another folder with -Dtenon.cache=FOLDER";

    private static Object self;

    private PrivateFolder() {}

    /** Folder {@code name} in {@code root}, made if need be, by its real path. */
    static Path in(Path root, String name) throws IOException {
        if (!isPosix(root)) {
            Files.createDirectories(root);
            return checked(make(root.toRealPath().resolve(name)));
        }
        Files.createDirectories(
                root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        return checked(make(root.toRealPath().resolve(name)));
    }

    private static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("unix");
    }

    private static Path make(Path folder) throws IOException {
        try {
            if (isPosix(folder)) {
                return Files.createDirectory(
                        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            return Files.createDirectory(folder);
        } catch (FileAlreadyExistsException e) {
            return folder;
        }
    }

    /** The same folder if it is private, given by a path without links. */
    static Path checked(Path folder) throws IOException {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(folder + " is "
                    + (Files.isSymbolicLink(folder) ? "a symbolic link, which is not followed" : "no folder")
                    + "; remove it" + REMEDY);
        }
        if (isPosix(folder)) {
            refuseWriters(folder, Files.readAttributes(folder, ATTRIBUTES, LinkOption.NOFOLLOW_LINKS), 0);
        }
        if (!Files.isWritable(folder)) {
            throw new IOException("the folder " + folder + " cannot be written; make it writable" + REMEDY);
        }
        if (!isOwn(folder)) {
            throw new IOException(
                    "the folder " + folder + " belongs to " + owner(folder) + ", not to this user; remove it" + REMEDY);
        }
        if (isPosix(folder)) {
            for (Path above = folder.getParent(); above != null; above = above.getParent()) {
                Map<String, Object> is = Files.readAttributes(above, ATTRIBUTES);
                refuseWriters(above, is, STICKY);
                if (!is.get("uid").equals(0) && !is.get("uid").equals(self(folder))) {
                    throw new IOException("the folder " + above + ", above the cache, belongs to " + owner(above)
                            + ", who could replace what is in it; keep the cache below folders of your own" + REMEDY);
                }
            }
        }
        return folder;
    }

    /** Others may write where the sticky bit keeps them from what is not theirs, as in {@code /tmp}, if that will do. */
    private static void refuseWriters(Path folder, Map<String, Object> is, int unless) throws IOException {
        int mode = (int) is.get("mode");
        if ((mode & OTHERS_WRITE) != 0 && (mode & unless) == 0) {
            throw new IOException(
                    "others than its owner can write the folder " + folder + "; chmod go-w " + folder + REMEDY);
        }
    }

    /** Why a file of such a folder is not to be trusted, or null. A link is not followed. */
    static String trouble(Path file) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return Files.isSymbolicLink(file) ? "it is a symbolic link" : "it is no regular file";
        }
        if (isPosix(file)) {
            int mode = (int) Files.readAttributes(file, ATTRIBUTES, LinkOption.NOFOLLOW_LINKS)
                    .get("mode");
            if ((mode & OTHERS_WRITE) != 0) {
                return "others than its owner can write it";
            }
        }
        return isOwn(file) ? null : "it belongs to " + owner(file);
    }

    private static boolean isOwn(Path path) throws IOException {
        Object owner = ownership(path);
        return owner == null || owner.equals(self(Files.isDirectory(path) ? path : path.getParent()));
    }

    /** The user that new files belong to; seen by making one. */
    private static synchronized Object self(Path folder) throws IOException {
        if (self == null) {
            Path probe = Files.createTempFile(folder, "owner", ".part");
            try {
                self = ownership(probe);
            } finally {
                Files.deleteIfExists(probe);
            }
        }
        return self;
    }

    /** Who owns a file, a number or a name, or null where that is not known. */
    private static Object ownership(Path path) throws IOException {
        try {
            return isPosix(path)
                    ? Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS)
                    : Files.getOwner(path, LinkOption.NOFOLLOW_LINKS);
        } catch (UnsupportedOperationException e) {
            return null;
        }
    }

    private static String owner(Path path) throws IOException {
        return Files.getOwner(path, LinkOption.NOFOLLOW_LINKS).getName();
    }

    /** All bytes of a file, of at most {@code most}; more are null. */
    static byte[] read(Path file, long most) throws IOException {
        try (var in = java.nio.channels.Channels.newInputStream(
                Files.newByteChannel(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
            byte[] bytes = in.readNBytes((int) Math.min(most + 1, Integer.MAX_VALUE - 8));
            return bytes.length > most ? null : bytes;
        }
    }
}

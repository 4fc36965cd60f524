package org.tenon.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.function.UnaryOperator;

/**
 * Writes a file so that whoever opens it sees the old one or the new one, whole, whatever ends the process meanwhile: the
 * bytes go to a file beside it, which is forced to the disk and then takes the name in one step. What a killed process left
 * is removed by the next write.
 */
public final class AtomicFile {
    private static final Duration LEFT_OVER = Duration.ofMinutes(1);

    private AtomicFile() {}

    /** Where the bytes of the new file go. */
    public interface Sink {
        /** Writes all of {@code bytes} at this position. */
        void write(ByteBuffer bytes, long position) throws IOException;

        /** Returns when everything is on the disk. */
        void force() throws IOException;
    }

    /** What writes the new file. */
    @FunctionalInterface
    public interface Body {
        /** Writes all of it. */
        void write(Sink sink) throws IOException;
    }

    /** Replaces {@code file} by these bytes. */
    public static void write(Path file, byte[] bytes) throws IOException {
        write(file, sink -> sink.write(ByteBuffer.wrap(bytes), 0));
    }

    /** Replaces {@code file} by what {@code body} writes. */
    public static void write(Path file, Body body) throws IOException {
        write(file, UnaryOperator.identity(), body);
    }

    /** As above; {@code around} may put itself between body and disk. */
    static void write(Path file, UnaryOperator<Sink> around, Body body) throws IOException {
        Path target = file.toAbsolutePath();
        if (Files.isDirectory(target)) {
            throw new IOException(file + " is a folder; give the name of a file");
        }
        Path folder = target.getParent();
        if (!Files.isDirectory(folder)) {
            throw new IOException("the folder " + folder + " is not there; make it first");
        }
        String prefix = "." + target.getFileName() + ".";
        sweep(folder, prefix);
        try {
            replace(target, Files.createTempFile(folder, prefix, ".part"), around, body);
        } catch (IOException e) {
            throw new IOException(file + " was not written and is what it was: " + said(e), e);
        }
        forceFolder(folder);
    }

    private static void replace(Path target, Path part, UnaryOperator<Sink> around, Body body) throws IOException {
        try (Part _ = new Part(part)) {
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE);
                    FileLock _ = channel.lock()) {
                Sink sink = around.apply(new ChannelSink(channel));
                body.write(sink);
                sink.force();
            }
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** What an error of the system says; it may say nothing. */
    private static String said(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    /**
     * The file beside the target, which goes away however the write ends. Where that fails, the write's own end counts: what
     * is left is removed by the next.
     */
    private record Part(Path path) implements AutoCloseable {
        @Override
        public void close() {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                // See above.
            }
        }
    }

    private record ChannelSink(FileChannel channel) implements Sink {
        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            long at = position;
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
        }

        @Override
        public void force() throws IOException {
            channel.force(true);
        }
    }

    /** Makes the new name last; some systems cannot open folders, and need not. */
    private static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // The name is then as lasting as the file system makes it.
        }
    }

    /** Removes what writers that are no more left here: a living one holds a lock on its file. */
    private static void sweep(Path folder, String prefix) throws IOException {
        Instant old = Instant.now().minus(LEFT_OVER);
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, each -> {
            String name = each.getFileName().toString();
            return name.startsWith(prefix) && name.endsWith(".part");
        })) {
            for (Path part : parts) {
                if (isOld(part, old) && isUnlocked(part)) {
                    Files.deleteIfExists(part);
                }
            }
        }
    }

    /** A link or a pipe that somebody put here is no part of ours: neither opened nor removed. */
    private static boolean isOld(Path part, Instant old) {
        try {
            BasicFileAttributes is = Files.readAttributes(part, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return is.isRegularFile() && is.lastModifiedTime().toInstant().isBefore(old);
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean isUnlocked(Path part) {
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (IOException | OverlappingFileLockException e) {
            return false;
        }
    }
}

package org.tenon.io;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The bytes of an open file, copied when they are asked for. The file is not mapped: to touch the mapping of a file that
 * another process has cut meanwhile ends the JVM.
 */
record FileBytes(Path file, FileChannel channel) implements Closeable {
    /** The most that is asked of the system at once. */
    static final int PIECE = 1 << 20;

    /** Opens a file. A pipe or a device is none, and is not waited for. */
    static FileBytes open(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + " is a folder; give the name of a file");
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException(file + " is no regular file; give the name of one");
        }
        try {
            return new FileBytes(file, FileChannel.open(file, StandardOpenOption.READ));
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": there is no such file", e);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static IOException unreadable(Path file, IOException e) {
        return new IOException(file + ": cannot be read: " + e.getMessage(), e);
    }

    long size() throws IOException {
        try {
            return channel.size();
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** The bytes from {@code at} on, {@code count} of them. */
    byte[] bytes(long at, int count) throws IOException {
        byte[] bytes = new byte[count];
        read(at, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /** Fills memory with the bytes from {@code at} on. */
    void read(long at, MemorySegment into) throws IOException {
        for (long done = 0; done < into.byteSize(); done += PIECE) {
            read(
                    at + done,
                    into.asSlice(done, Math.min(PIECE, into.byteSize() - done)).asByteBuffer());
        }
    }

    private void read(long at, ByteBuffer into) throws IOException {
        long position = at;
        int end = into.limit();
        while (into.position() < end) {
            into.limit(Math.min(end, into.position() + PIECE));
            int got;
            try {
                got = channel.read(into, position);
            } catch (IOException e) {
                throw unreadable(file, e);
            }
            if (got < 0) {
                throw new FileFormatException(file, position, "the file ends here; it was cut since it was opened");
            }
            position += got;
        }
    }

    /** Never fails: the file was only read, and what was read is right. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // nothing is lost
        }
    }
}

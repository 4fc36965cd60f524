package org.tenon.data;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.tenon.HostArray;
import org.tenon.io.FileFormatException;

/**
 * The bytes of a file, or of what is packed in it, in order and counted. Memory for what a header promises grows as the
 * bytes arrive, so that a promise alone costs nothing.
 */
final class ByteSource implements Closeable {
    /** Deflate makes at most this many bytes of one. */
    static final long DENSEST = 1032;

    /** Bytes that may be packed however densely. */
    static final long UNSUSPECTED = 256L << 20;

    /** How densely what people pack is packed at most, if it is much. */
    static final long USUAL_DENSITY = 20;

    private static final int PIECE = 1 << 16;
    private static final long FIRST = 1 << 20;

    private final Path file;
    private final String where;
    private final InputStream in;
    private final long promised;
    private final long packed;
    private long position;

    /**
     * @param file named in messages
     * @param where named after it: an entry of an archive, or nothing
     * @param in the bytes
     * @param promised how many there can be at most
     */
    ByteSource(Path file, String where, InputStream in, long promised) {
        this(file, where, in, promised, 0);
    }

    /** {@code packed} is the size of the gzip file that the bytes come from, or 0. */
    private ByteSource(Path file, String where, InputStream in, long promised, long packed) {
        this.packed = packed;
        this.file = file;
        this.where = where;
        this.in = in;
        this.promised = promised;
    }

    /** A file, unpacked if it starts as gzip does. */
    static ByteSource open(Path file) throws IOException {
        long size;
        InputStream plain;
        try {
            size = Files.size(file);
            if (Files.isDirectory(file)) {
                throw new IOException(file + " is a folder; give the name of a file");
            }
            plain = new BufferedInputStream(Files.newInputStream(file), PIECE);
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": there is no such file", e);
        }
        try {
            plain.mark(2);
            boolean packed = plain.read() == 0x1F && plain.read() == 0x8B;
            plain.reset();
            if (!packed) {
                return new ByteSource(file, "", plain, size);
            }
            InputStream unpacked = new BufferedInputStream(new GZIPInputStream(plain, PIECE), PIECE);
            return new ByteSource(file, " (unpacked)", unpacked, size * DENSEST, size);
        } catch (ZipException | java.io.EOFException e) {
            plain.close();
            throw new FileFormatException(file, 0, "the file starts as gzip does but is none: " + e.getMessage(), e);
        } catch (IOException e) {
            plain.close();
            throw new IOException(file + ": cannot be read: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            plain.close();
            throw e;
        }
    }

    long position() {
        return position;
    }

    FileFormatException error(long at, String problem) {
        return new FileFormatException(file, at, (where.isEmpty() ? "" : where.strip() + " ") + problem);
    }

    FileFormatException error(String problem) {
        return error(position, problem);
    }

    /** The next bytes, all of them. */
    byte[] bytes(int count, String what) throws IOException {
        byte[] bytes = new byte[count];
        int got = read(bytes, 0, count);
        if (got < count) {
            throw ends(what);
        }
        return bytes;
    }

    /** A big-endian int. */
    int bigEndianInt(String what) throws IOException {
        byte[] b = bytes(4, what);
        return (b[0] & 0xFF) << 24 | (b[1] & 0xFF) << 16 | (b[2] & 0xFF) << 8 | b[3] & 0xFF;
    }

    private FileFormatException ends(String what) {
        return error("the file ends here, within " + what + "; it was cut, or its header is wrong");
    }

    private int read(byte[] into, int from, int count) throws IOException {
        int got = 0;
        while (got < count) {
            int more;
            try {
                more = in.read(into, from + got, count - got);
            } catch (ZipException | java.io.EOFException e) {
                throw new FileFormatException(
                        file, position, "what is packed in the file is damaged: " + e.getMessage(), e);
            } catch (IOException e) {
                throw new IOException(file + ", byte " + position + ": cannot be read: " + e.getMessage(), e);
            }
            if (more < 0) {
                break;
            }
            got += more;
            position += more;
        }
        return got;
    }

    /** The next {@code count} bytes, which must be the last: a longer file is as wrong as a shorter one. */
    MemorySegment rest(long count, String what) throws IOException {
        if (count > promised - position) {
            throw error(what + " would take " + count + " bytes, but there are " + (where.isEmpty() ? "" : "at most ")
                    + (promised - position) + "; the header is wrong or the file was cut");
        }
        if (packed > 0 && count > UNSUSPECTED && count / USUAL_DENSITY > packed) {
            throw error(what + " would unpack " + packed + " bytes to " + count
                    + ", which is what a trap does; if you trust the file, unpack it and read what comes out");
        }
        long capacity = where.isEmpty() ? count : Math.min(count, FIRST);
        MemorySegment all = HostArray.memory(capacity);
        byte[] piece = new byte[PIECE];
        for (long done = 0; done < count; ) {
            int got = read(piece, 0, (int) Math.min(PIECE, count - done));
            if (got == 0) {
                throw ends(what);
            }
            if (done + got > all.byteSize()) {
                MemorySegment larger = HostArray.memory(Math.min(count, 2 * all.byteSize() + PIECE));
                MemorySegment.copy(all, 0, larger, 0, done);
                all = larger;
            }
            MemorySegment.copy(piece, 0, all, ValueLayout.JAVA_BYTE, done, got);
            done += got;
        }
        if (read(piece, 0, 1) != 0) {
            throw error(
                    position - 1, "there are more bytes than " + what + " takes, " + count + "; the header is wrong");
        }
        return all;
    }

    @Override
    public void close() throws IOException {
        try {
            in.close();
        } catch (IOException e) {
            throw new IOException(file + ": cannot be closed: " + e.getMessage(), e);
        }
    }
}

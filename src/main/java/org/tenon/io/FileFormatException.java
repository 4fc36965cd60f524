package org.tenon.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file is not what its format says. The message names the file, the position in bytes, what is wrong and what would be right. */
public final class FileFormatException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient Path file;
    private final long offset;

    private FileFormatException(Path file, String where, String problem) {
        super(file + where + ": " + problem);
        this.file = file;
        this.offset = -1;
    }

    /** Of a text file, where a line says more than a byte does. */
    public static FileFormatException atLine(Path file, long line, String problem) {
        return new FileFormatException(file, ", line " + line, problem);
    }

    /** {@code offset} counts from the start of the file; {@code problem} reads {@code <what is wrong>; <what is right>}. */
    public FileFormatException(Path file, long offset, String problem) {
        super(file + ", byte " + offset + ": " + problem);
        this.file = file;
        this.offset = offset;
    }

    /** As above, found by another exception. */
    public FileFormatException(Path file, long offset, String problem, Throwable cause) {
        this(file, offset, problem);
        initCause(cause);
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** Where in it, in bytes, or -1 where the message names a line. */
    public long offset() {
        return offset;
    }
}

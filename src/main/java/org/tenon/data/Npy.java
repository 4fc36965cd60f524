package org.tenon.data;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.HostArray;
import org.tenon.TensorArgumentException;
import org.tenon.io.AtomicFile;
import org.tenon.io.FileFormatException;

/**
 * NumPy's files: one array as {@code .npy}, several by name as {@code .npz}. NumPy: {@code numpy.load} and
 * {@code numpy.save}. Read are bool, signed and unsigned integers (those that Tenon lacks become the next wider; uint64 is
 * refused) and float16, float32 and float64, of either byte order and either order of axes; written are all element types.
 * bfloat16, which NumPy lacks, is {@code V2}, as its extension ml_dtypes has it. Objects and records are refused.
 */
public final class Npy {
    private static final int PIECE = 1 << 16;
    /** The first that the format can say. */
    private static final LocalDateTime FIRST_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

    private Npy() {}

    /** Reads an array of whatever type the file has. */
    public static HostArray<Any, ?> read(Path file) throws IOException {
        try (ByteSource source = ByteSource.open(file)) {
            return NpyElements.read(source);
        }
    }

    /** Reads an array that must be of this type. */
    public static <D extends DType> HostArray<Any, D> read(Path file, D dtype) throws IOException {
        return typed(file.toString(), read(file), dtype);
    }

    private static <D extends DType> HostArray<Any, D> typed(String what, HostArray<Any, ?> array, D dtype) {
        if (array.dtype() != dtype) {
            throw new TensorArgumentException(
                    "npy", what + " holds " + array + ", not " + dtype + "; ask for its type and convert the tensor");
        }
        return HostArray.of(array.data(), Any.of(array.shape()), dtype);
    }

    /** Replaces the file by an array. */
    public static void write(Path file, HostArray<?, ?> array) throws IOException {
        AtomicFile.write(file, sink -> {
            try (OutputStream out = new SinkStream(sink)) {
                write(out, array);
            }
        });
    }

    private static void write(OutputStream out, HostArray<?, ?> array) throws IOException {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new IOException("npy is written on little-endian machines only");
        }
        out.write(new NpyHeader(NpyElements.descr(array.dtype()), false, array.shape()).bytes());
        MemorySegment data = array.data();
        byte[] piece = new byte[PIECE];
        for (long at = 0; at < data.byteSize(); at += PIECE) {
            int bytes = (int) Math.min(PIECE, data.byteSize() - at);
            MemorySegment.copy(data, ValueLayout.JAVA_BYTE, at, piece, 0, bytes);
            out.write(piece, 0, bytes);
        }
    }

    /** Replaces the file by an archive of arrays, packed. NumPy: {@code numpy.savez_compressed}. */
    public static void writeAll(Path file, Map<String, ? extends HostArray<?, ?>> arrays) throws IOException {
        AtomicFile.write(file, sink -> {
            try (ZipOutputStream zip = new ZipOutputStream(new SinkStream(sink))) {
                for (Map.Entry<String, ? extends HostArray<?, ?>> each : arrays.entrySet()) {
                    ZipEntry entry = new ZipEntry(each.getKey() + ".npy");
                    // The same arrays make the same file, whenever that is.
                    entry.setTimeLocal(FIRST_TIME);
                    zip.putNextEntry(entry);
                    write(zip, each.getValue());
                    zip.closeEntry();
                }
            }
        });
    }

    /** Reads all arrays of an archive, by name. Arrays of more than 256 MiB must be packed no more than 20 to 1. */
    public static Map<String, HostArray<Any, ?>> readAll(Path file) throws IOException {
        return readAll(file, ByteSource.UNSUSPECTED);
    }

    /** As above for an archive that is trusted: arrays of up to {@code largest} bytes, however densely packed. */
    public static Map<String, HostArray<Any, ?>> readAll(Path file, long largest) throws IOException {
        Map<String, HostArray<Any, ?>> arrays = new LinkedHashMap<>();
        try (ZipFile zip = new ZipFile(file.toFile())) {
            List<ZipEntry> entries = new ArrayList<>();
            zip.stream().forEach(entries::add);
            for (ZipEntry entry : entries) {
                String name = entry.getName();
                if (!name.endsWith(".npy")) {
                    throw new FileFormatException(file, 0, "the entry '" + name + "' is not an array, NAME.npy");
                }
                checkDensity(file, entry, largest);
                try (InputStream in = new BufferedInputStream(zip.getInputStream(entry), PIECE);
                        ByteSource source = new ByteSource(file, " '" + name + "'", in, entry.getSize())) {
                    String key = name.substring(0, name.length() - ".npy".length());
                    if (arrays.put(key, NpyElements.read(source)) != null) {
                        throw new FileFormatException(file, 0, "the entry '" + name + "' is there twice");
                    }
                }
            }
            return arrays;
        } catch (java.nio.file.NoSuchFileException e) {
            throw new IOException(file + ": there is no such file", e);
        } catch (EOFException e) {
            throw new FileFormatException(file, 0, "the archive ends within an entry; take a whole one", e);
        } catch (ZipException | IllegalArgumentException e) {
            throw new FileFormatException(file, 0, "the file is not a zip archive, as npz is: " + e.getMessage(), e);
        }
    }

    private static void checkDensity(Path file, ZipEntry entry, long largest) throws FileFormatException {
        long packed = Math.max(1, entry.getCompressedSize());
        long unpacked = entry.getSize();
        if (unpacked < 0 || unpacked / ByteSource.DENSEST > packed) {
            throw new FileFormatException(
                    file,
                    0,
                    "the entry '" + entry.getName() + "' says it unpacks " + packed + " bytes to " + unpacked
                            + "; zip does at most " + ByteSource.DENSEST + " to 1");
        }
        if (unpacked > largest && unpacked / ByteSource.USUAL_DENSITY > packed) {
            throw new FileFormatException(
                    file,
                    0,
                    "the entry '" + entry.getName() + "' unpacks " + packed + " bytes to " + unpacked
                            + ", which is what a trap does; if you trust it, allow as many bytes with readAll(file,"
                            + " largest)");
        }
    }

    /** A sink as a stream. */
    private static final class SinkStream extends OutputStream {
        private final AtomicFile.Sink sink;
        private final ByteBuffer pending = ByteBuffer.allocate(PIECE);
        private long position;

        SinkStream(AtomicFile.Sink sink) {
            this.sink = sink;
        }

        @Override
        public void write(int value) throws IOException {
            if (!pending.hasRemaining()) {
                flush();
            }
            pending.put((byte) value);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            for (int done = 0; done < count; ) {
                if (!pending.hasRemaining()) {
                    flush();
                }
                int now = Math.min(pending.remaining(), count - done);
                pending.put(bytes, from + done, now);
                done += now;
            }
        }

        @Override
        public void flush() throws IOException {
            pending.flip();
            int bytes = pending.remaining();
            sink.write(pending, position);
            position += bytes;
            pending.clear();
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }
}

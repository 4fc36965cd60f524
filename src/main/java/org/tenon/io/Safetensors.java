package org.tenon.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.tenon.Any;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.op.Copies;
import org.tenon.op.Creation;
import org.tenon.op.Value;

/**
 * A file of named tensors in the safetensors format, open for reading: eight bytes of length, little-endian, a JSON header
 * of that length, and the elements, row-major and little-endian. Python: {@code safetensors}. The file is mapped, not
 * loaded: a tensor's bytes are read when it is asked for, and go to its device from there.
 *
 * <pre>{@code
 * try (Safetensors file = Safetensors.open(Path.of("model.safetensors"))) {
 *     Tensor<R2<Dim, Dim>, F32, Dev> weight = file.tensor("fc.weight", F32, device).as(R2.kind());
 * }
 * }</pre>
 */
public final class Safetensors implements AutoCloseable {
    private final Path file;
    private final Arena arena;
    private final MemorySegment bytes;
    private final SafetensorsHeader header;
    private final long start;

    /**
     * What the file says of a tensor.
     *
     * @param name its name
     * @param type its element type as the format names it: {@code F32}, {@code BF16}, {@code U8}
     * @param shape the size of each axis
     * @param begin its first byte, counted from the start of the data
     * @param end the byte after its last
     */
    public record Entry(String name, String type, long[] shape, long begin, long end) {
        /** The element type, or null where Tenon has none like it. */
        public DType dtype() {
            return StoredType.dtype(type);
        }

        String describe() {
            return type + Arrays.toString(shape);
        }
    }

    private Safetensors(Path file, Arena arena, MemorySegment bytes, SafetensorsHeader header, long start) {
        this.file = file;
        this.arena = arena;
        this.bytes = bytes;
        this.header = header;
        this.start = start;
    }

    /** Opens a file and checks its header. */
    public static Safetensors open(Path file) throws IOException {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new IOException(file + ": safetensors are little-endian, this machine is not");
        }
        if (Files.isDirectory(file)) {
            throw new IOException(file + " is a folder; give the name of a file");
        }
        Arena arena = Arena.ofShared();
        try {
            Safetensors opened;
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                opened = open(file, arena, channel);
            }
            arena = null;
            return opened;
        } catch (NoSuchFileException e) {
            throw new IOException(file + ": there is no such file", e);
        } catch (FileFormatException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException(file + ": cannot be read: " + e.getMessage(), e);
        } finally {
            if (arena != null) {
                arena.close();
            }
        }
    }

    private static Safetensors open(Path file, Arena arena, FileChannel channel) throws IOException {
        long size = channel.size();
        if (size < SafetensorsHeader.PREFIX) {
            throw new FileFormatException(
                    file,
                    size,
                    "the file ends here, within the length of its header; a safetensors file has at least 10 bytes");
        }
        MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
        long length = bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
        if (length < 0 || length > SafetensorsHeader.LONGEST) {
            throw new FileFormatException(
                    file,
                    0,
                    "the header would have " + Long.toUnsignedString(length) + " bytes; at most "
                            + SafetensorsHeader.LONGEST + " are allowed");
        }
        long start = SafetensorsHeader.PREFIX + length;
        if (start > size) {
            throw new FileFormatException(
                    file, size, "the file ends here, but its header would end at " + start + "; it was cut");
        }
        byte[] text = bytes.asSlice(SafetensorsHeader.PREFIX, length).toArray(ValueLayout.JAVA_BYTE);
        return new Safetensors(file, arena, bytes, SafetensorsHeader.parse(file, text, size - start), start);
    }

    /** Writes tensors under these names, and texts as metadata; the file is replaced when all is written. */
    public static void write(Path file, Map<String, ? extends Tensor<?, ?, ?>> tensors, Map<String, String> metadata)
            throws IOException {
        SafetensorsWriter.write(file, tensors, metadata, UnaryOperator.identity());
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** What there is, by name, in the header's order. */
    public Map<String, Entry> entries() {
        return Collections.unmodifiableMap(header.entries());
    }

    /** The texts of the header. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(header.metadata());
    }

    /** What there is of this name; that there is none is an error. */
    public Entry entry(String name) {
        Entry entry = header.entries().get(name);
        if (entry == null) {
            throw new TensorArgumentException(
                    "safetensors",
                    "there is no tensor '" + name + "' in " + file + "; it has "
                            + SafetensorsHeader.brief(header.entries().keySet().toString()));
        }
        return entry;
    }

    /** A tensor of this element type, which must be the file's. */
    public <D extends DType, Dev extends DeviceType> Tensor<Any, D, Dev> tensor(
            String name, D dtype, Device<Dev> device) throws IOException {
        Entry entry = entry(name);
        if (entry.dtype() != dtype) {
            throw new TensorArgumentException(
                    "safetensors",
                    "'" + name + "' in " + file + " is " + entry.describe() + ", not " + dtype
                            + "; ask for its type and convert with to(dtype)");
        }
        return device.tensor(elements(entry), Any.of(entry.shape()), dtype);
    }

    /** A tensor of the element type that the file has. */
    public <Dev extends DeviceType> Tensor<Any, ?, Dev> tensor(String name, Device<Dev> device) throws IOException {
        Entry entry = entry(name);
        if (entry.dtype() == null) {
            throw new TensorArgumentException(
                    "safetensors",
                    "'" + name + "' in " + file + " is " + entry.describe() + ", a type that Tenon does not have");
        }
        return device.tensor(elements(entry), Any.of(entry.shape()), entry.dtype());
    }

    /** Copies tensors of the file into those of the same names, types and shapes, in place. */
    void copyInto(Map<String, Tensor<?, ?, ?>> targets) throws IOException {
        for (String name : targets.keySet()) {
            elements(entry(name));
        }
        for (Map.Entry<String, Tensor<?, ?, ?>> each : targets.entrySet()) {
            Value target = each.getValue().value();
            Entry entry = entry(each.getKey());
            Value read = Creation.upload(target.backend(), target.dtype(), elements(entry), entry.shape());
            try {
                Copies.into(target, read);
            } finally {
                read.close();
            }
        }
    }

    /** The elements where they lie in the file. */
    private MemorySegment elements(Entry entry) throws IOException {
        MemorySegment elements = bytes.asSlice(start + entry.begin(), entry.end() - entry.begin());
        if (entry.dtype() == DType.BOOL) {
            checkBools(entry, elements);
        }
        return elements;
    }

    private void checkBools(Entry entry, MemorySegment elements) throws FileFormatException {
        for (long i = 0; i < elements.byteSize(); i++) {
            int value = elements.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
            if (value > 1) {
                throw new FileFormatException(
                        file,
                        start + entry.begin() + i,
                        "tensor '" + SafetensorsHeader.brief(entry.name()) + "' of BOOL has " + value
                                + "; it has 0 and 1 only");
            }
        }
    }

    /**
     * Reads the whole file once and compares it with the checksum that {@link #write} put among its texts. A file without
     * one, as other programs write them, is an error.
     */
    public void verify() throws IOException {
        String told = header.metadata().get(SafetensorsWriter.CHECKSUM);
        byte[] head = bytes.asSlice(0, start).toArray(ValueLayout.JAVA_BYTE);
        int at = SafetensorsWriter.checksumPosition(head);
        if (told == null || at < 0) {
            throw new FileFormatException(
                    file,
                    SafetensorsHeader.PREFIX,
                    "the header has no checksum, the text " + SafetensorsWriter.CHECKSUM
                            + "; the file was not written by Tenon, or was damaged");
        }
        Arrays.fill(head, at, at + SafetensorsWriter.DIGITS, (byte) '0');
        String found = SafetensorsWriter.checksum(head, bytes.asSlice(start));
        if (!found.equals(new String(
                bytes.asSlice(at, SafetensorsWriter.DIGITS).toArray(ValueLayout.JAVA_BYTE),
                StandardCharsets.ISO_8859_1))) {
            throw new FileFormatException(
                    file,
                    at,
                    "the checksum of the file is " + found + ", it says " + SafetensorsHeader.brief(told)
                            + "; the file was damaged or changed");
        }
    }

    /** Lets go of the file. Tensors made from it stay. */
    @Override
    public void close() {
        arena.close();
    }
}

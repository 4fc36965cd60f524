package org.tenon.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
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
 * of that length, and the elements, row-major and little-endian. Python: {@code safetensors}. A tensor's bytes are read when
 * it is asked for, and go to its device in pieces. A file that changes or is cut while it is open is an error at most.
 *
 * <pre>{@code
 * try (Safetensors file = Safetensors.open(Path.of("model.safetensors"))) {
 *     Tensor<R2<Dim, Dim>, F32, Dev> weight = file.tensor("fc.weight", F32, device).as(R2.kind());
 * }
 * }</pre>
 */
public final class Safetensors implements AutoCloseable {
    private final Path file;
    private final FileBytes bytes;
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

    private Safetensors(Path file, FileBytes bytes, SafetensorsHeader header, long start) {
        this.file = file;
        this.bytes = bytes;
        this.header = header;
        this.start = start;
    }

    /** Opens a file and checks its header. */
    public static Safetensors open(Path file) throws IOException {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new IOException(file + ": safetensors are little-endian, this machine is not");
        }
        FileBytes bytes = FileBytes.open(file);
        try {
            Safetensors opened = open(file, bytes);
            bytes = null;
            return opened;
        } finally {
            if (bytes != null) {
                bytes.close();
            }
        }
    }

    private static Safetensors open(Path file, FileBytes bytes) throws IOException {
        long size = bytes.size();
        if (size < SafetensorsHeader.PREFIX) {
            throw new FileFormatException(
                    file,
                    size,
                    "the file ends here, within the length of its header; a safetensors file has at least 10 bytes");
        }
        long length =
                MemorySegment.ofArray(bytes.bytes(0, SafetensorsHeader.PREFIX)).get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
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
        byte[] text = bytes.bytes(SafetensorsHeader.PREFIX, (int) length);
        return new Safetensors(file, bytes, SafetensorsHeader.parse(file, text, size - start), start);
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
        return read(entry, dtype, device);
    }

    /** A tensor of the element type that the file has. */
    public <Dev extends DeviceType> Tensor<Any, ?, Dev> tensor(String name, Device<Dev> device) throws IOException {
        Entry entry = entry(name);
        if (entry.dtype() == null) {
            throw new TensorArgumentException(
                    "safetensors",
                    "'" + name + "' in " + file + " is " + entry.describe() + ", a type that Tenon does not have");
        }
        return read(entry, entry.dtype(), device);
    }

    private <D extends DType, Dev extends DeviceType> Tensor<Any, D, Dev> read(Entry entry, D dtype, Device<Dev> device)
            throws IOException {
        Tensor<Any, D, Dev> tensor = device.zeros(Any.of(entry.shape()), dtype);
        try {
            Creation.refill(tensor.value(), (at, piece) -> read(entry, at, piece));
            return tensor;
        } catch (Throwable e) {
            tensor.close();
            throw e;
        }
    }

    /**
     * Copies tensors of the file into those of the same names, types and shapes, in place. All are read before the first is
     * changed, so that a file that cannot be read to its end changes none; it takes that much host memory.
     */
    void copyInto(Map<String, Tensor<?, ?, ?>> targets) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Map<String, MemorySegment> elements = new HashMap<>();
            for (String name : targets.keySet()) {
                Entry entry = entry(name);
                MemorySegment memory = arena.allocate(entry.end() - entry.begin());
                read(entry, 0, memory);
                elements.put(name, memory);
            }
            targets.forEach((name, target) -> copy(elements.get(name), entry(name), target.value()));
        }
    }

    private static void copy(MemorySegment elements, Entry entry, Value target) {
        Value read = Creation.full("tensor", target.backend(), target.dtype(), 0, entry.shape());
        try {
            Creation.refill(read, (at, piece) -> piece.copyFrom(elements.asSlice(at, piece.byteSize())));
            Copies.into(target, read);
        } catch (IOException e) {
            throw new IllegalStateException("memory was read, not a file", e);
        } finally {
            read.close();
        }
    }

    /** Part of a tensor's elements. What was looked at is what is used: the piece is a copy. */
    private void read(Entry entry, long at, MemorySegment piece) throws IOException {
        bytes.read(start + entry.begin() + at, piece);
        if (entry.dtype() == DType.BOOL) {
            checkBools(entry, at, piece);
        }
    }

    private void checkBools(Entry entry, long at, MemorySegment piece) throws FileFormatException {
        for (long i = 0; i < piece.byteSize(); i++) {
            int value = piece.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
            if (value > 1) {
                throw new FileFormatException(
                        file,
                        start + entry.begin() + at + i,
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
        byte[] head = bytes.bytes(0, (int) start);
        int at = SafetensorsWriter.checksumPosition(head);
        if (told == null || at < 0) {
            throw new FileFormatException(
                    file,
                    SafetensorsHeader.PREFIX,
                    "the header has no checksum, the text " + SafetensorsWriter.CHECKSUM
                            + "; the file was not written by Tenon, or was damaged");
        }
        String said = new String(head, at, SafetensorsWriter.DIGITS, StandardCharsets.ISO_8859_1);
        Arrays.fill(head, at, at + SafetensorsWriter.DIGITS, (byte) '0');
        String found = SafetensorsWriter.checksum(head, bytes);
        if (!found.equals(said)) {
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
        bytes.close();
    }
}

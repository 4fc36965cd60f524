package org.tenon.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.io.AtomicFile.Sink;
import org.tenon.io.Safetensors.Entry;

/**
 * Writes safetensors files. Wide elements come first, so that each tensor lies at a multiple of its element's width. One of
 * the texts is a checksum of the whole file, taken with its own digits as zeros: the format itself has none.
 */
final class SafetensorsWriter {
    /** The name of the text that holds the checksum, a CRC-32C in eight hexadecimal digits. */
    static final String CHECKSUM = "tenon.crc32c";

    static final int DIGITS = 8;

    private static final byte[] MARK = ("\"" + CHECKSUM + "\":\"").getBytes(StandardCharsets.US_ASCII);
    private static final int PIECE = 64 << 20;

    private SafetensorsWriter() {}

    static void write(
            Path file,
            Map<String, ? extends Tensor<?, ?, ?>> tensors,
            Map<String, String> metadata,
            UnaryOperator<Sink> around)
            throws IOException {
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new IOException(file + ": safetensors are little-endian, this machine is not");
        }
        Map<String, String> texts = new TreeMap<>(metadata);
        texts.put(CHECKSUM, "0".repeat(DIGITS));
        List<Entry> entries = layout(tensors);
        byte[] head = SafetensorsHeader.format(entries, texts);
        if (head.length - SafetensorsHeader.PREFIX > SafetensorsHeader.LONGEST) {
            throw new TensorArgumentException(
                    "safetensors",
                    "names, shapes and texts take " + head.length + " bytes; at most " + SafetensorsHeader.LONGEST
                            + " are allowed");
        }
        AtomicFile.write(file, around, sink -> body(sink, head, entries, tensors));
    }

    private static List<Entry> layout(Map<String, ? extends Tensor<?, ?, ?>> tensors) {
        List<String> names = new ArrayList<>(tensors.keySet());
        names.sort(Comparator.<String>comparingInt(
                        name -> -tensors.get(name).dtype().bytes())
                .thenComparing(Comparator.naturalOrder()));
        List<Entry> entries = new ArrayList<>();
        long at = 0;
        for (String name : names) {
            if (name.equals("__metadata__")) {
                throw new TensorArgumentException(
                        "safetensors", "a tensor cannot have the name __metadata__, which is that of the texts");
            }
            Tensor<?, ?, ?> tensor = tensors.get(name);
            long end = Math.addExact(at, tensor.numel() * tensor.dtype().bytes());
            entries.add(new Entry(name, StoredType.of(tensor.dtype()), tensor.shape(), at, end));
            at = end;
        }
        return entries;
    }

    private static void body(
            Sink sink, byte[] head, List<Entry> entries, Map<String, ? extends Tensor<?, ?, ?>> tensors)
            throws IOException {
        CRC32C crc = new CRC32C();
        crc.update(head);
        sink.write(ByteBuffer.wrap(head), 0);
        for (Entry entry : entries) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment elements = arena.allocate(Math.max(1, entry.end() - entry.begin()), 64)
                        .asSlice(0, entry.end() - entry.begin());
                tensors.get(entry.name()).copyTo(elements);
                update(crc, elements);
                for (long at = 0; at < elements.byteSize(); at += PIECE) {
                    MemorySegment piece = elements.asSlice(at, Math.min(PIECE, elements.byteSize() - at));
                    sink.write(piece.asByteBuffer(), head.length + entry.begin() + at);
                }
            }
        }
        sink.write(ByteBuffer.wrap(digits(crc).getBytes(StandardCharsets.US_ASCII)), checksumPosition(head));
    }

    private static void update(CRC32C crc, MemorySegment bytes) {
        for (long at = 0; at < bytes.byteSize(); at += PIECE) {
            crc.update(bytes.asSlice(at, Math.min(PIECE, bytes.byteSize() - at)).asByteBuffer());
        }
    }

    private static String digits(CRC32C crc) {
        return String.format(Locale.ROOT, "%08x", crc.getValue());
    }

    /** Of this head and what follows it in the file. */
    static String checksum(byte[] head, FileBytes file) throws IOException {
        CRC32C crc = new CRC32C();
        crc.update(head);
        byte[] piece = new byte[FileBytes.PIECE];
        long size = file.size();
        for (long at = head.length; at < size; at += piece.length) {
            int bytes = (int) Math.min(piece.length, size - at);
            file.read(at, MemorySegment.ofArray(piece).asSlice(0, bytes));
            crc.update(piece, 0, bytes);
        }
        return digits(crc);
    }

    /** Where the checksum's digits are, or -1: a quote within another text has a backslash before it, so this is unique. */
    static int checksumPosition(byte[] head) {
        for (int at = SafetensorsHeader.PREFIX; at + MARK.length + DIGITS < head.length; at++) {
            int matched = 0;
            while (matched < MARK.length && head[at + matched] == MARK[matched]) {
                matched++;
            }
            if (matched == MARK.length) {
                return at + MARK.length;
            }
        }
        return -1;
    }
}

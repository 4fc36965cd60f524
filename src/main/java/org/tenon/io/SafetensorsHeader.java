package org.tenon.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.tenon.io.Safetensors.Entry;

/**
 * The JSON at the head of a safetensors file: one member a tensor, and texts under {@code __metadata__}. What it says is
 * checked here: names are unique, each tensor has as many bytes as its shape and type take, and together they cover the
 * data without gap or overlap.
 */
record SafetensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
    /** The bytes of the length in front of the JSON. */
    static final int PREFIX = Long.BYTES;

    /** The longest JSON that a reader accepts, as the specification limits it. */
    static final int LONGEST = 100_000_000;

    private static final String METADATA = "__metadata__";
    private static final int ALIGNMENT = 8;

    /** As many as NumPy has; a header of nothing but sizes would take eight times its own memory. */
    private static final int MOST_AXES = 64;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            // Names come from the file: a table of them that outlives it would only grow.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(3)
                    .maxNumberLength(20)
                    .maxStringLength(LONGEST)
                    .maxDocumentLength(LONGEST)
                    .build())
            .build();

    /** Reads the JSON {@code text} of a file that has {@code dataBytes} bytes after it. */
    static SafetensorsHeader parse(Path file, byte[] text, long dataBytes) throws IOException {
        // The parser would guess another encoding from zeros among the first bytes.
        if (text.length < 2 || text[0] != '{' || text[1] == 0) {
            throw new FileFormatException(file, PREFIX, "the header does not start with '{'; this is no safetensors");
        }
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try (JsonParser parser = JSON.createParser(text)) {
            Reading reading = new Reading(file, parser);
            reading.next(JsonToken.START_OBJECT, "an object");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                if (name.equals(METADATA)) {
                    reading.texts(metadata);
                } else {
                    entries.put(name, reading.entry(name));
                }
            }
            if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null) {
                throw reading.error("there is something after the header's object; only spaces may follow");
            }
        } catch (JsonProcessingException e) {
            long at = e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getByteOffset());
            throw new FileFormatException(
                    file, PREFIX + at, "the header is not the JSON it must be: " + e.getOriginalMessage(), e);
        }
        checkCover(file, entries, PREFIX + text.length, dataBytes);
        return new SafetensorsHeader(entries, metadata);
    }

    private record Reading(Path file, JsonParser parser) {
        FileFormatException error(String problem) {
            return new FileFormatException(
                    file, PREFIX + Math.max(0, parser.currentTokenLocation().getByteOffset()), problem);
        }

        void next(JsonToken wanted, String what) throws IOException {
            if (parser.nextToken() != wanted) {
                throw error("the header has " + parser.currentToken() + " where " + what + " is wanted");
            }
        }

        void texts(Map<String, String> into) throws IOException {
            next(JsonToken.START_OBJECT, "an object of texts");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                next(JsonToken.VALUE_STRING, "a text, the metadata '" + brief(name) + "',");
                into.put(name, parser.getText());
            }
        }

        Entry entry(String name) throws IOException {
            next(JsonToken.START_OBJECT, "the object of tensor '" + brief(name) + "'");
            String type = null;
            long[] shape = null;
            long[] offsets = null;
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                switch (parser.currentName()) {
                    case "dtype" -> {
                        next(JsonToken.VALUE_STRING, "a dtype");
                        type = parser.getText();
                    }
                    case "shape" -> shape = numbers("shape");
                    case "data_offsets" -> offsets = numbers("data_offsets");
                    case String other ->
                        throw error("tensor '" + brief(name) + "' has the member '" + brief(other)
                                + "'; dtype, shape and data_offsets are all there is");
                }
            }
            if (type == null || shape == null || offsets == null) {
                throw error("tensor '" + brief(name) + "' lacks dtype, shape or data_offsets; it has all three");
            }
            return checked(name, type, shape, offsets);
        }

        private long[] numbers(String what) throws IOException {
            next(JsonToken.START_ARRAY, "an array, " + what + ",");
            long[] numbers = new long[4];
            int count = 0;
            while (parser.nextToken() == JsonToken.VALUE_NUMBER_INT) {
                if (count == MOST_AXES) {
                    throw error(what + " has more than " + MOST_AXES + " numbers; a tensor has at most as many axes");
                }
                if (count == numbers.length) {
                    numbers = Arrays.copyOf(numbers, 2 * count);
                }
                numbers[count++] = parser.getLongValue();
                if (numbers[count - 1] < 0) {
                    throw error(what + " has " + numbers[count - 1] + "; its numbers are 0 or more");
                }
            }
            if (parser.currentToken() != JsonToken.END_ARRAY) {
                throw error(what + " has " + parser.currentToken() + "; it has whole numbers only");
            }
            return Arrays.copyOf(numbers, count);
        }

        private Entry checked(String name, String type, long[] shape, long[] offsets) throws IOException {
            Integer width = StoredType.WIDTHS.get(type);
            if (width == null) {
                throw error("tensor '" + brief(name) + "' has dtype '" + brief(type) + "'; known are "
                        + StoredType.WIDTHS.keySet());
            }
            if (offsets.length != 2 || offsets[0] > offsets[1]) {
                throw error("tensor '" + brief(name) + "' has data_offsets " + Arrays.toString(offsets)
                        + "; they are a start and an end");
            }
            long bytes = StoredType.bytes(shape, width);
            if (bytes != offsets[1] - offsets[0]) {
                throw error("tensor '" + brief(name) + "' has " + (offsets[1] - offsets[0]) + " bytes; " + type
                        + brief(Arrays.toString(shape)) + " takes "
                        + (bytes < 0 ? "more than 2^63" : Long.toString(bytes)));
            }
            return new Entry(name, type, shape, offsets[0], offsets[1]);
        }
    }

    private static void checkCover(Path file, Map<String, Entry> entries, long start, long dataBytes)
            throws FileFormatException {
        List<Entry> inOrder = new ArrayList<>(entries.values());
        inOrder.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long at = 0;
        for (Entry entry : inOrder) {
            if (entry.begin() != at) {
                throw new FileFormatException(
                        file,
                        start + Math.min(at, dataBytes),
                        "tensor '" + brief(entry.name()) + "' starts at byte " + entry.begin()
                                + " of the data, the one before ends at " + at
                                + "; there is neither gap nor overlap");
            }
            at = entry.end();
            if (at > dataBytes) {
                throw new FileFormatException(
                        file,
                        start + dataBytes,
                        "tensor '" + brief(entry.name()) + "' ends at byte " + at + " of the data, but only "
                                + dataBytes + " are there; the file was cut");
            }
        }
        if (at != dataBytes) {
            throw new FileFormatException(
                    file, start + at, "the last tensor ends here, but " + (dataBytes - at) + " bytes follow; none may");
        }
    }

    /** A text of the file, short enough for a message. */
    static String brief(String text) {
        String plain = text.replaceAll("\\p{Cntrl}", "?");
        return plain.length() <= 80 ? plain : plain.substring(0, 77) + "...";
    }

    /**
     * The bytes in front of the data, length and padding included: texts in the order of their names, tensors in the order
     * of their bytes.
     */
    static byte[] format(List<Entry> inOrder, Map<String, String> metadata) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[PREFIX]);
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart(METADATA);
                for (Map.Entry<String, String> each : new TreeMap<>(metadata).entrySet()) {
                    json.writeStringField(each.getKey(), each.getValue());
                }
                json.writeEndObject();
            }
            for (Entry entry : inOrder) {
                json.writeObjectFieldStart(entry.name());
                json.writeStringField("dtype", entry.type());
                json.writeFieldName("shape");
                json.writeArray(entry.shape(), 0, entry.shape().length);
                json.writeFieldName("data_offsets");
                json.writeArray(new long[] {entry.begin(), entry.end()}, 0, 2);
                json.writeEndObject();
            }
            json.writeEndObject();
        }
        while (out.size() % ALIGNMENT != 0) {
            out.write(' ');
        }
        byte[] bytes = out.toByteArray();
        for (int i = 0; i < PREFIX; i++) {
            bytes[i] = (byte) ((long) (bytes.length - PREFIX) >>> (8 * i));
        }
        return bytes;
    }
}

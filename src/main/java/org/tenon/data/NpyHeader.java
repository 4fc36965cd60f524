package org.tenon.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The header of a NumPy array: which elements, in which order, how many. It is the text of a Python dictionary with exactly
 * three keys, and nothing else is accepted.
 *
 * @param descr the element type and its byte order, {@code <f4}
 * @param fortran whether the first axis varies fastest
 * @param shape the size of each axis
 */
record NpyHeader(String descr, boolean fortran, long[] shape) {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int LONGEST = 1 << 20;
    private static final int ALIGNMENT = 64;

    static NpyHeader read(ByteSource source) throws IOException {
        long start = source.position();
        byte[] magic = source.bytes(8, "the magic number of npy");
        if (!Arrays.equals(magic, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw source.error(start, "the magic number is not that of npy, 93 4e 55 4d 50 59");
        }
        int version = magic[6];
        if (version < 1 || version > 3 || magic[7] != 0) {
            throw source.error(
                    start + 6, "version " + version + "." + magic[7] + " of npy is not known; 1.0 to 3.0 are");
        }
        byte[] width = source.bytes(version == 1 ? 2 : 4, "the length of the npy header");
        long length = 0;
        for (int i = width.length - 1; i >= 0; i--) {
            length = length << 8 | width[i] & 0xFF;
        }
        if (length > LONGEST) {
            throw source.error(
                    start + 8, "the header would have " + length + " bytes; at most " + LONGEST + " are allowed");
        }
        long at = source.position();
        byte[] text = source.bytes((int) length, "the npy header");
        return new Parser(
                        source,
                        at,
                        new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1))
                .parse();
    }

    /** Reads what NumPy's own writer writes, with other spaces, quotes and order if need be. */
    private static final class Parser {
        private final ByteSource source;
        private final long start;
        private final String text;
        private int at;

        Parser(ByteSource source, long start, String text) {
            this.source = source;
            this.start = start;
            this.text = text;
        }

        NpyHeader parse() throws IOException {
            String descr = null;
            Boolean fortran = null;
            long[] shape = null;
            expect('{');
            while (peek() != '}') {
                String key = string();
                expect(':');
                boolean repeated = switch (key) {
                    case "descr" -> descr != null;
                    case "fortran_order" -> fortran != null;
                    case "shape" -> shape != null;
                    default -> throw error("the key '" + key + "' is none of descr, fortran_order and shape");
                };
                if (repeated) {
                    throw error("the key '" + key + "' is there twice");
                }
                switch (key) {
                    case "descr" -> descr = descr();
                    case "fortran_order" -> fortran = bool();
                    default -> shape = tuple();
                }
                if (peek() != '}') {
                    expect(',');
                }
            }
            expect('}');
            if (peek() != 0) {
                throw error("there is something after the dictionary");
            }
            if (descr == null || fortran == null || shape == null) {
                throw error("the header lacks descr, fortran_order or shape; it has all three");
            }
            return new NpyHeader(descr, fortran, shape);
        }

        private IOException error(String problem) {
            return source.error(start + at, problem);
        }

        /** The next character that is no space, or 0. */
        private char peek() {
            while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\n')) {
                at++;
            }
            return at < text.length() ? text.charAt(at) : 0;
        }

        private void expect(char wanted) throws IOException {
            if (peek() != wanted) {
                throw error("the header has " + (peek() == 0 ? "its end" : "'" + peek() + "'") + " where '" + wanted
                        + "' is wanted");
            }
            at++;
        }

        private String descr() throws IOException {
            if (peek() == '[') {
                throw error("the elements are records of several fields; only plain numbers are read");
            }
            return string();
        }

        private String string() throws IOException {
            char quote = peek();
            int end = quote == '\'' || quote == '"' ? text.indexOf(quote, at + 1) : -1;
            if (end < 0) {
                throw error("a text in quotes is wanted here");
            }
            String string = text.substring(at + 1, end);
            if (string.length() > 32 || string.indexOf('\\') >= 0) {
                throw error("the text here is none that npy has");
            }
            at = end + 1;
            return string;
        }

        private boolean bool() throws IOException {
            peek();
            for (String word : new String[] {"True", "False"}) {
                if (text.startsWith(word, at)) {
                    at += word.length();
                    return word.equals("True");
                }
            }
            throw error("True or False is wanted here");
        }

        private long[] tuple() throws IOException {
            long[] sizes = new long[0];
            expect('(');
            boolean comma = true;
            while (peek() != ')') {
                if (!comma || sizes.length == 64) {
                    throw error("the shape is not a tuple of at most 64 sizes");
                }
                sizes = Arrays.copyOf(sizes, sizes.length + 1);
                sizes[sizes.length - 1] = size();
                comma = peek() == ',';
                if (comma) {
                    at++;
                }
            }
            if (sizes.length == 1 && !comma) {
                throw error("a tuple of one has a comma after it");
            }
            at++;
            return sizes;
        }

        private long size() throws IOException {
            peek();
            int end = at;
            while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
                end++;
            }
            if (end == at || end - at > 18) {
                throw error("a size is a whole number of 0 or more, below 10^18");
            }
            long size = Long.parseLong(text.substring(at, end));
            at = end;
            return size;
        }
    }

    /** The bytes in front of the elements, of version 1.0. */
    byte[] bytes() {
        StringBuilder text = new StringBuilder(
                "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': (");
        for (int i = 0; i < shape.length; i++) {
            text.append(i == 0 ? "" : " ").append(shape[i]).append(i + 1 < shape.length || i == 0 ? "," : "");
        }
        text.append("), }");
        int front = MAGIC.length + 4;
        int padding = ALIGNMENT - (front + text.length() + 1) % ALIGNMENT;
        text.append(" ".repeat(padding % ALIGNMENT)).append('\n');
        byte[] bytes = new byte[front + text.length()];
        System.arraycopy(MAGIC, 0, bytes, 0, MAGIC.length);
        bytes[6] = 1;
        bytes[8] = (byte) text.length();
        bytes[9] = (byte) (text.length() >> 8);
        byte[] ascii = text.toString().getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(ascii, 0, bytes, front, ascii.length);
        return bytes;
    }
}

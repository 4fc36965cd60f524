package org.tenon.metrics;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * TensorBoard's events as bytes: the few fields of the protocol buffers {@code Event}, {@code Summary} and {@code TensorProto}
 * that numbers and texts need, and the frame around each record of an event file.
 */
final class EventEncoding {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;
    private static final int DT_STRING = 7;
    private static final int CHECKSUM_SHIFT = 0xA282EAD8;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private EventEncoding() {}

    /** The first event of a file. */
    static byte[] version(double seconds) {
        return new EventEncoding()
                .number(1, seconds)
                .bytes(3, "brain.Event:2".getBytes(StandardCharsets.UTF_8))
                .done();
    }

    /** A number: {@code Event.summary.value.simple_value}. */
    static byte[] scalar(double seconds, long step, String name, double value) {
        return event(seconds, step, new EventEncoding().text(1, name).number(2, (float) value));
    }

    /** A text: {@code Event.summary.value.tensor}, for the plugin of that kind. */
    static byte[] text(double seconds, long step, String name, String value) {
        byte[] plugin = new EventEncoding().text(1, "text").done();
        byte[] metadata = new EventEncoding().bytes(1, plugin).done();
        byte[] one = new EventEncoding().integer(1, 1).done();
        byte[] shape = new EventEncoding().bytes(2, one).done();
        byte[] tensor = new EventEncoding()
                .integer(1, DT_STRING)
                .bytes(2, shape)
                .text(8, value)
                .done();
        return event(
                seconds,
                step,
                new EventEncoding().text(1, name).bytes(8, tensor).bytes(9, metadata));
    }

    private static byte[] event(double seconds, long step, EventEncoding value) {
        byte[] summary = new EventEncoding().bytes(1, value.done()).done();
        return new EventEncoding()
                .number(1, seconds)
                .integer(2, step)
                .bytes(5, summary)
                .done();
    }

    private EventEncoding integer(int field, long value) {
        varint((long) field << 3 | VARINT);
        varint(value);
        return this;
    }

    private EventEncoding number(int field, double value) {
        varint((long) field << 3 | FIXED64);
        out.writeBytes(little(8).putDouble(value).array());
        return this;
    }

    private EventEncoding number(int field, float value) {
        varint((long) field << 3 | FIXED32);
        out.writeBytes(little(4).putFloat(value).array());
        return this;
    }

    private EventEncoding text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    private EventEncoding bytes(int field, byte[] value) {
        varint((long) field << 3 | BYTES);
        varint(value.length);
        out.writeBytes(value);
        return this;
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.write((int) (rest & 0x7F | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    private byte[] done() {
        return out.toByteArray();
    }

    /** A record of a file: its length, the length's checksum, the event, its checksum. */
    static byte[] framed(byte[] event) {
        byte[] length = little(8).putLong(event.length).array();
        return little(8 + 4 + event.length + 4)
                .put(length)
                .putInt(checksum(length))
                .put(event)
                .putInt(checksum(event))
                .array();
    }

    /** CRC-32C, turned and shifted, as the format has it, so that checksums of checksums are sound. */
    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return Integer.rotateRight((int) crc.getValue(), 15) + CHECKSUM_SHIFT;
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}

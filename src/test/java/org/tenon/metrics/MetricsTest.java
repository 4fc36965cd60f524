package org.tenon.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.UnknownFieldSet;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.support.ChildJvm;

/** The three outputs; event files are read back by Google's protocol buffers and a checksum of our own. */
class MetricsTest {
    @TempDir
    private Path folder;

    @Test
    void theConsoleShowsALineAStep() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ConsoleMetrics console = ConsoleMetrics.to(new PrintStream(bytes, true, StandardCharsets.UTF_8))) {
            console.scalar(1, "loss", 2.345678);
            console.scalar(1, "speed", 123456.7);
            console.scalar(2, "loss", 0);
            console.text(2, "sample", "ab");
            console.scalar(3, "loss", Double.NaN);
            console.scalar(3, "rate", 1e-5);
            console.scalar(3, "rate", -12.5);
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "step 1  loss 2.3457  speed 123457",
                        "step 2  loss 0",
                        "step 2  sample: ab",
                        "step 3  loss NaN  rate 1.0000e-05",
                        "step 3  rate -12.500");
    }

    @Test
    void eventFilesAreWhatTensorBoardReads() throws IOException {
        Path file;
        try (TensorBoard board = TensorBoard.in(folder.resolve("run/1"))) {
            file = board.file();
            board.scalar(5, "loss/train", 0.1);
            board.scalar(1L << 40, "größe", Double.NEGATIVE_INFINITY);
            board.text(6, "sample", "two\nlines");
            board.scalar(0, "x".repeat(300), Double.NaN);
        }
        assertThat(file.getFileName().toString())
                .matches("events\\.out\\.tfevents\\.\\d{10}\\.[A-Za-z0-9-]+\\.\\d+\\.\\d+");
        List<UnknownFieldSet> events = records(Files.readAllBytes(file));
        assertThat(events).hasSize(5);
        double now = System.currentTimeMillis() / 1000.0;
        for (UnknownFieldSet event : events) {
            double time =
                    Double.longBitsToDouble(event.getField(1).getFixed64List().getFirst());
            assertThat(time).isBetween(now - 60, now + 1);
        }
        assertThat(text(events.getFirst(), 3)).isEqualTo("brain.Event:2");
        assertThat(events.get(1).getField(2).getVarintList()).containsExactly(5L);
        UnknownFieldSet loss = value(events.get(1));
        assertThat(text(loss, 1)).isEqualTo("loss/train");
        assertThat(number(loss)).isEqualTo(0.1f);
        assertThat(events.get(2).getField(2).getVarintList()).containsExactly(1L << 40);
        assertThat(text(value(events.get(2)), 1)).isEqualTo("größe");
        assertThat(number(value(events.get(2)))).isEqualTo(Float.NEGATIVE_INFINITY);
        UnknownFieldSet sample = value(events.get(3));
        UnknownFieldSet tensor = message(sample, 8);
        assertThat(tensor.getField(1).getVarintList()).containsExactly(7L);
        assertThat(message(message(tensor, 2), 2).getField(1).getVarintList()).containsExactly(1L);
        assertThat(text(tensor, 8)).isEqualTo("two\nlines");
        assertThat(text(message(message(sample, 9), 1), 1)).isEqualTo("text");
        assertThat(text(value(events.get(4)), 1)).hasSize(300);
        assertThat(number(value(events.get(4)))).isNaN();
    }

    private static UnknownFieldSet value(UnknownFieldSet event) throws IOException {
        return message(message(event, 5), 1);
    }

    private static UnknownFieldSet message(UnknownFieldSet in, int field) throws IOException {
        return UnknownFieldSet.parseFrom(
                in.getField(field).getLengthDelimitedList().getFirst());
    }

    private static String text(UnknownFieldSet in, int field) {
        return in.getField(field).getLengthDelimitedList().getFirst().toStringUtf8();
    }

    private static float number(UnknownFieldSet value) {
        return Float.intBitsToFloat(value.getField(2).getFixed32List().getFirst());
    }

    private static List<UnknownFieldSet> records(byte[] all) throws IOException {
        List<UnknownFieldSet> events = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            byte[] length = new byte[8];
            in.get(length);
            assertThat(in.getInt()).isEqualTo(masked(length));
            byte[] event = new byte
                    [(int) ByteBuffer.wrap(length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong()];
            in.get(event);
            assertThat(in.getInt()).isEqualTo(masked(event));
            events.add(UnknownFieldSet.parseFrom(event));
        }
        return events;
    }

    /** CRC-32C bit by bit, by its polynomial, masked as the format's description says. */
    private static int masked(byte[] bytes) {
        int crc = ~0;
        for (byte each : bytes) {
            crc ^= each & 0xFF;
            for (int i = 0; i < 8; i++) {
                crc = (crc & 1) != 0 ? crc >>> 1 ^ 0x82F63B78 : crc >>> 1;
            }
        }
        crc = ~crc;
        return (crc >>> 15 | crc << 17) + 0xA282EAD8;
    }

    @Test
    void allTakesEachOutput() throws IOException {
        List<String> told = new ArrayList<>();
        Metrics failing = recording(told, "a", true);
        Metrics metrics = Metrics.all(failing, recording(told, "b", false));
        metrics.scalar(1, "x", 2);
        metrics.text(1, "y", "z");
        assertThatThrownBy(metrics::flush).hasMessage("disk full");
        assertThatThrownBy(metrics::close).hasMessage("disk full");
        assertThat(told).containsExactly("a x", "b x", "a y", "b y", "a flush", "b flush", "a close", "b close");
    }

    private static Metrics recording(List<String> told, String who, boolean fails) {
        return new Metrics() {
            @Override
            public void scalar(long step, String name, double value) {
                told.add(who + " " + name);
            }

            @Override
            public void text(long step, String name, String value) {
                told.add(who + " " + name);
            }

            @Override
            public void flush() throws IOException {
                end("flush");
            }

            @Override
            public void close() throws IOException {
                end("close");
            }

            private void end(String how) throws IOException {
                told.add(who + " " + how);
                if (fails) {
                    throw new IOException("disk full");
                }
            }
        };
    }

    @Test
    void longSeriesAreThinnedAndKeepTheirEnds() {
        Series series = new Series();
        for (int i = 0; i <= 100_000; i++) {
            series.add(i, i == 77 ? -5 : i == 3 ? Double.NaN : i);
        }
        assertThat(series.size()).isBetween(4096, 8192);
        assertThat(series.step(0)).isZero();
        assertThat(series.step(series.size() - 1)).isEqualTo(100_000);
        assertThat(series.last()).isEqualTo(100_000);
        assertThat(series.least()).isEqualTo(-5);
        assertThat(series.leastStep()).isEqualTo(77);
        assertThat(series.most()).isEqualTo(100_000);
        for (int i = 1; i < series.size(); i++) {
            assertThat(series.step(i)).isGreaterThan(series.step(i - 1));
        }
    }

    @Test
    void aReportWithoutItsLibrarySaysWhatIsMissing() throws IOException {
        ChildJvm child = ChildJvm.runWithout(
                "uplot", WithoutUplot.class, List.of(), folder.resolve("x.html").toString());
        assertThat(child.output()).contains("add org.webjars.npm:uplot:1.6.30 to your dependencies");
        assertThat(folder.resolve("x.html")).doesNotExist();
    }

    /** The main class of that JVM. */
    static final class WithoutUplot {
        private WithoutUplot() {}

        /** Starts a report. */
        public static void main(String[] arguments) throws IOException {
            try {
                HtmlReport.at(Path.of(arguments[0]), "none").close();
            } catch (org.tenon.TensorStateException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}

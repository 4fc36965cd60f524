package org.tenon.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.HostArray;
import org.tenon.data.Csv;
import org.tenon.data.Idx;
import org.tenon.data.Npy;
import org.tenon.data.Texts;
import org.tenon.metrics.HtmlReport;
import org.tenon.metrics.Metrics;
import org.tenon.metrics.TensorBoard;
import org.tenon.support.FaultyFiles;

/**
 * Each call for a file fails once, in every writer and every reader: the old file stays whole or the new one is, nothing is
 * left beside it, the error names the file, no buffer is lost, nothing was loaded in part, and the next attempt works.
 */
class FileFaultsTest {
    @TempDir
    private Path folder;

    private final FaultyFiles files = new FaultyFiles();
    private final Device<Cpu> device = Devices.cpu();

    /** What is done with a file. */
    private interface Action {
        void with(Path file) throws IOException;
    }

    private interface Check {
        void afterwards(boolean failed) throws IOException;
    }

    private int eachCallFails(String what, Path file, Action action, Check check) throws IOException {
        files.fail(0);
        action.with(files.path(file));
        List<String> calls = files.calls();
        check.afterwards(false);
        Map<String, Integer> outcomes = new TreeMap<>();
        settle();
        for (int n = 1; n <= calls.size(); n++) {
            String call = calls.get(n - 1);
            long before = device.memory().liveBuffers();
            boolean failed = false;
            files.fail(n);
            try {
                action.with(files.path(file));
            } catch (IOException | UncheckedIOException e) {
                failed = true;
                assertThat(e.getMessage())
                        .as(call + " " + n)
                        .containsAnyOf(
                                file.getFileName().toString(), file.getParent().toString());
            }
            outcomes.merge(call + (failed ? " told" : " made good"), 1, Integer::sum);
            assertThat(device.memory().liveBuffers())
                    .as(call + " " + n + ": live buffers")
                    .isLessThanOrEqualTo(before);
            try {
                check.afterwards(failed);
                checkBeside(file, call, n == 1 ? "" : calls.get(n - 2));
            } catch (AssertionError e) {
                throw new AssertionError(what + ", after " + call + ", call " + n + " of " + calls, e);
            }
            files.fail(0);
            action.with(files.path(file));
            check.afterwards(false);
        }
        System.out.println("faults: " + what + ": " + calls.size() + " calls, " + outcomes);
        assertThat(calls).as(what).hasSizeGreaterThan(1);
        return calls.size();
    }

    /** Lets the collector find what was dropped before, so that it finds little in between and hides no leak. */
    private void settle() {
        long before;
        long now = device.memory().liveBuffers();
        do {
            before = now;
            System.gc();
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            now = device.memory().liveBuffers();
        } while (now != before);
    }

    /** Two contents in turn, so that an old file and a new one are told apart. */
    private final class Writing {
        private final Path file;
        private final byte[][] contents = new byte[2][];
        private int turn;

        Writing(Path file) {
            this.file = file;
        }

        /** Which of both is to be written now. */
        int turn() {
            return turn;
        }

        /** Whole, the old one or the new. */
        void check(boolean failed) throws IOException {
            byte[] now = Files.readAllBytes(file);
            if (!failed) {
                contents[turn] = contents[turn] == null ? now : contents[turn];
                assertThat(now).as("the new file").isEqualTo(contents[turn]);
                turn = 1 - turn;
            } else {
                assertThat(now).as("the old file").isEqualTo(contents[1 - turn]);
            }
        }
    }

    /** What cannot be deleted stays, and so does what could not be told by name; the next write removes it after a while. */
    private static void checkBeside(Path file, String call, String before) throws IOException {
        try (Stream<Path> all = Files.list(file.getParent())) {
            List<Path> parts = all.filter(each -> each.getFileName().toString().endsWith(".part"))
                    .toList();
            boolean may = call.equals("delete") || call.equals("close") && before.equals("open");
            assertThat(parts).as("beside the file").hasSizeLessThanOrEqualTo(may ? 1 : 0);
            for (Path each : parts) {
                Files.delete(each);
            }
        }
    }

    private int written(String what, String name, Writer writer) throws IOException {
        Path file =
                Files.createDirectories(folder.resolve(what.replace(' ', '-'))).resolve(name);
        Writing writing = new Writing(file);
        writer.write(file, 1);
        writing.turn = 1;
        writing.check(false);
        return eachCallFails(what, file, path -> writer.write(path, writing.turn()), writing::check);
    }

    private interface Writer {
        void write(Path file, int turn) throws IOException;
    }

    @Test
    void writersLeaveTheOldFileOrTheNewOne() throws IOException {
        int calls = 0;
        try (Trainee<Cpu> trainee = new Trainee<>(device, 1)) {
            trainee.train(0, 2);
            calls += written(
                    "checkpoint",
                    "run.safetensors",
                    (file, turn) -> trainee.checkpoint().save(file, turn));
            Weights.save(trainee.net, folder.resolve("other.safetensors"));
            calls += written("weights", "run.safetensors", (file, turn) -> {
                Safetensors.write(file, Weights.tensors(trainee.net), Map.of("turn", "" + turn));
            });
        }
        HostArray<Any, ?> other =
                HostArray.of(device.arange(1, 60_001, 1, DType.F32).as(Any.kind()));
        HostArray<Any, ?> one =
                HostArray.of(device.arange(0, 60_000, 1, DType.F32).as(Any.kind()));
        calls += written("npy", "array.npy", (file, turn) -> Npy.write(file, turn == 0 ? other : one));
        calls += written("npz", "array.npz", (file, turn) -> Npy.writeAll(file, Map.of("a", turn == 0 ? other : one)));
        calls += written("report", "report.html", (file, turn) -> {
            AtomicFile.write(file, ("page " + turn).getBytes(StandardCharsets.UTF_8));
        });
        System.out.println("faults: files: " + calls + " calls of writers failed");
    }

    @Test
    void aReportIsWhole() throws IOException {
        Path file = Files.createDirectories(folder.resolve("page")).resolve("report.html");
        eachCallFails(
                "html report",
                file,
                path -> {
                    try (Metrics report = HtmlReport.at(path, "a run")) {
                        report.scalar(1, "loss", 2);
                    }
                },
                failed -> assertThat(Files.readString(file)).startsWith("<!").endsWith("</html>\n"));
    }

    /** Events that could not be written are written later; the file has each whole and once. */
    @Test
    void eventsAreWhole() throws IOException {
        for (int n = 0; n < 12; n++) {
            Path runs = Files.createDirectories(folder.resolve("runs" + n));
            files.fail(n);
            Path file = null;
            int told = 0;
            try {
                TensorBoard board = TensorBoard.in(files.path(runs));
                file = runs.resolve(board.file().getFileName().toString());
                for (int i = 0; i < 5; i++) {
                    board.scalar(i, "loss", i);
                    try {
                        board.flush();
                    } catch (IOException e) {
                        assertThat(e).hasMessageContaining("events.out");
                        told++;
                    }
                }
                board.close();
            } catch (IOException e) {
                told++;
            }
            if (file == null) {
                try (Stream<Path> all = Files.list(runs)) {
                    assertThat(all).as("call " + n + " of " + files.calls()).isEmpty();
                }
            } else {
                assertThat(events(Files.readAllBytes(file))).as("call " + n).isEqualTo(6);
            }
            if (n == 0) {
                assertThat(told).isZero();
            }
        }
    }

    /** The frames of an event file: length, its checksum, event, its checksum. */
    private static int events(byte[] bytes) {
        java.nio.ByteBuffer in = java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        int events = 0;
        while (in.hasRemaining()) {
            int length = Math.toIntExact(in.getLong());
            in.position(in.position() + 4 + length + 4);
            events++;
        }
        return events;
    }

    @Test
    void aStateIsLoadedWholeOrNotAtAll() throws IOException {
        try (Trainee<Cpu> saved = new Trainee<>(device, 1);
                Trainee<Cpu> other = new Trainee<>(device, 2)) {
            saved.train(0, 2);
            Path file = folder.resolve("state.safetensors");
            Path start = folder.resolve("start.safetensors");
            saved.checkpoint().save(file, 2);
            other.checkpoint().save(start, 0);
            String before = other.state();
            int calls = eachCallFails(
                    "load",
                    file,
                    path -> {
                        other.checkpoint().load(start);
                        other.checkpoint().load(path);
                    },
                    failed -> assertThat(other.state()).isEqualTo(failed ? before : saved.state()));
            Weights.save(saved.net, file);
            calls += eachCallFails("weights", file, path -> Weights.load(other.net, path), failed -> {});
            System.out.println("faults: files: " + calls + " calls of loading failed");
        }
    }

    @Test
    void readersNameTheFile() throws IOException {
        Path npy = folder.resolve("one.npy");
        Npy.write(npy, HostArray.of(device.arange(0, 60_000, 1, DType.F32)));
        Path csv = Files.writeString(folder.resolve("one.csv"), "a,b\n" + "1,2\n".repeat(5000));
        Path idx = folder.resolve("one.idx");
        byte[] bytes = new byte[8 + 70_000];
        bytes[2] = 8;
        bytes[3] = 1;
        bytes[5] = 1;
        bytes[6] = 0x11;
        bytes[7] = 0x70;
        Files.write(idx, bytes);
        int calls = eachCallFails("read npy", npy, Npy::read, failed -> {});
        calls += eachCallFails("read csv", csv, path -> Csv.read(path), failed -> {});
        calls += eachCallFails("read idx", idx, Idx::read, failed -> {});
        calls += eachCallFails("read text", csv, path -> Texts.read(path), failed -> {});
        System.out.println("faults: files: " + calls + " calls of readers failed");
    }
}

package org.tenon.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.DType;
import org.tenon.Devices;
import org.tenon.HostArray;
import org.tenon.R2;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.data.Csv;
import org.tenon.data.Idx;
import org.tenon.data.Npy;

/**
 * Damaged files of every kind that is read: each is refused by an {@link IOException} that says something, or loads; nothing
 * else happens, and no memory is taken that the file's size does not justify. {@code -Dtenon.fuzz.seconds=600} goes on for
 * longer than the default of three seconds a kind, {@code -Dtenon.fuzz.seed=42} starts elsewhere.
 */
class LoaderFuzzTest {
    private static final long SECONDS = Long.getLong("tenon.fuzz.seconds", 3);
    private static final long SEED = Long.getLong("tenon.fuzz.seed", 1);
    private static final long MOST_BYTES = 32L << 20;
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    private Path folder;

    /** Reads a file as far as it can be read. */
    private interface Load {
        void load(Path file) throws IOException;
    }

    @TestFactory
    Stream<DynamicTest> damagedFiles() throws IOException {
        Map<String, Load> kinds = new LinkedHashMap<>();
        safetensors(write("a.safetensors"));
        kinds.put("a.safetensors", LoaderFuzzTest::loadSafetensors);
        Npy.write(write("a.npy"), HostArray.of(new float[] {1, 2, 3, 4, 5, 6}, R2.of(2, 3)));
        kinds.put("a.npy", Npy::read);
        Npy.writeAll(
                write("a.npz"),
                Map.of(
                        "x",
                        HostArray.of(new float[60], R2.of(6, 10)),
                        "y",
                        HostArray.of(new long[] {7, 8}, R2.of(2, 1))));
        kinds.put("a.npz", Npy::readAll);
        byte[] idx = idx();
        Files.write(write("a.idx"), idx);
        kinds.put("a.idx", LoaderFuzzTest::loadIdx);
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(packed)) {
            out.write(idx);
        }
        Files.write(write("a.idx.gz"), packed.toByteArray());
        kinds.put("a.idx.gz", LoaderFuzzTest::loadIdx);
        Files.write(write("a.csv"), "w,x,y\n0,1,2.5\n\"7\",3,-4e2\n-8,5,6\n".getBytes(StandardCharsets.UTF_8));
        kinds.put("a.csv", LoaderFuzzTest::loadCsv);
        return kinds.entrySet().stream()
                .map(kind -> dynamicTest(kind.getKey(), () -> damage(kind.getKey(), kind.getValue())));
    }

    private Path write(String name) {
        return folder.resolve(name);
    }

    private static void safetensors(Path file) throws IOException {
        Map<String, Tensor<?, ?, ?>> tensors = new LinkedHashMap<>();
        tensors.put("weight", Devices.cpu().ones(R2.of(3, 4)));
        tensors.put("steps", Devices.cpu().tensor(1L, 2L));
        tensors.put("half", Devices.cpu().ones(R2.of(2, 2), DType.BF16));
        Safetensors.write(file, tensors, Map.of("format", "pt"));
    }

    private static void loadSafetensors(Path file) throws IOException {
        try (Safetensors tensors = Safetensors.open(file)) {
            for (String name : tensors.entries().keySet()) {
                Scope.call(() -> {
                    tensors.tensor(name, Devices.cpu()).toDoubleArray();
                    return null;
                });
            }
        }
    }

    private static byte[] idx() {
        byte[] bytes = new byte[16 + 3 * 4 * 5];
        bytes[2] = 8;
        bytes[3] = 3;
        bytes[7] = 3;
        bytes[11] = 4;
        bytes[15] = 5;
        return bytes;
    }

    private static void loadIdx(Path file) throws IOException {
        Idx idx = Idx.read(file);
        idx.floats(1);
        idx.longs();
    }

    private static void loadCsv(Path file) throws IOException {
        Csv csv = Csv.read(file);
        for (String name : csv.names()) {
            csv.texts(name);
            csv.classes(name);
        }
        csv.doubles(csv.names().toArray(String[]::new));
    }

    private void damage(String name, Load load) throws IOException {
        byte[] whole = Files.readAllBytes(write(name));
        load.load(write(name));
        Random random = new Random(SEED);
        Path file = write("damaged-" + name);
        int refused = 0;
        int loaded = 0;
        long until = System.nanoTime() + SECONDS * 1_000_000_000L;
        while (System.nanoTime() < until) {
            byte[] bytes = damaged(whole, random);
            Files.write(file, bytes);
            long before = THREADS.getCurrentThreadAllocatedBytes();
            try {
                load.load(file);
                loaded++;
            } catch (IOException | UncheckedIOException e) {
                assertThat(e.getMessage()).as("the message of " + e).isNotBlank();
                refused++;
            } catch (Throwable e) {
                throw new AssertionError(
                        name + " number " + (refused + loaded) + " from seed " + SEED + ": "
                                + Arrays.toString(Arrays.copyOf(bytes, 200)),
                        e);
            }
            assertThat(THREADS.getCurrentThreadAllocatedBytes() - before)
                    .as("bytes allocated for %s number %d of seed %d", name, refused + loaded, SEED)
                    .isLessThan(MOST_BYTES);
        }
        System.out.printf(
                "fuzz: %s: %,d damaged files, %,d refused, %,d loaded%n", name, refused + loaded, refused, loaded);
        assertThat(refused).isPositive();
    }

    /** One to four of: a bit, a byte, a number of four bytes, a run of one byte, a piece moved, cut or doubled. */
    private static byte[] damaged(byte[] whole, Random random) {
        byte[] bytes = whole.clone();
        for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
            int at = random.nextInt(random.nextBoolean() ? Math.min(bytes.length, 64) : bytes.length);
            switch (random.nextInt(7)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2 -> {
                    int number = new int[] {0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << random.nextInt(31)}
                            [random.nextInt(5)];
                    for (int k = 0; k < 4 && at + k < bytes.length; k++) {
                        bytes[at + k] = (byte) (number >>> 8 * (random.nextBoolean() ? k : 3 - k));
                    }
                }
                case 3 ->
                    Arrays.fill(bytes, at, Math.min(bytes.length, at + random.nextInt(32)), (byte) random.nextInt());
                case 4 -> bytes = Arrays.copyOf(bytes, at);
                case 5 -> {
                    int count = random.nextInt(Math.min(64, bytes.length - at) + 1);
                    byte[] longer = Arrays.copyOf(bytes, bytes.length + count);
                    System.arraycopy(bytes, at, longer, at + count, bytes.length - at);
                    bytes = longer;
                }
                default -> bytes[at] = (byte) "0123456789-.,:;\"'{}[]()eE\\\n ".charAt(random.nextInt(28));
            }
        }
        return bytes;
    }
}

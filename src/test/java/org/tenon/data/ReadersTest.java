package org.tenon.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Devices;
import org.tenon.TensorArgumentException;
import org.tenon.io.FileFormatException;
import org.tenon.support.ChildJvm;

/** Readers of IDX, tables and text. */
class ReadersTest {
    @TempDir
    private Path folder;

    private Path write(String name, byte... bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static byte[] packed(byte... bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    private static byte[] idx(int type, int[] sizes, byte... data) {
        ByteBuffer all = ByteBuffer.allocate(4 + 4 * sizes.length + data.length);
        all.put((byte) 0).put((byte) 0).put((byte) type).put((byte) sizes.length);
        for (int size : sizes) {
            all.putInt(size);
        }
        return all.put(data).array();
    }

    @Test
    void idxPlainAndPacked() throws IOException {
        byte[] whole = idx(8, new int[] {2, 3}, (byte) 0, (byte) 51, (byte) 255, (byte) 1, (byte) 2, (byte) 3);
        for (Path file : List.of(write("a-idx", whole), write("b-idx.gz", packed(whole)))) {
            Idx idx = Idx.read(file);
            assertThat(idx.type()).isEqualTo(Idx.Type.U8);
            assertThat(idx.shape()).containsExactly(2, 3);
            assertThat(idx.floats(1 / 255.0).on(Devices.cpu()).toFloatArray())
                    .containsExactly(0, 0.2f, 1, 1 / 255f, 2 / 255f, 3 / 255f);
            assertThat(idx.longs().on(Devices.cpu()).toLongArray()).containsExactly(0, 51, 255, 1, 2, 3);
        }
        assertThat(Idx.find(folder, "b-idx")).isEqualTo(folder.resolve("b-idx.gz"));
        assertThat(Idx.find(folder, "a-idx")).isEqualTo(folder.resolve("a-idx"));
        assertThatThrownBy(() -> Idx.find(folder, "c")).hasMessageContaining("neither c nor c.gz");
    }

    @Test
    void idxHasSixTypes() throws IOException {
        ByteBuffer b = ByteBuffer.allocate(8);
        assertThat(Idx.read(write("x", idx(9, new int[] {1}, (byte) -2)))
                        .longs()
                        .on(Devices.cpu())
                        .itemLong())
                .isEqualTo(-2);
        assertThat(Idx.read(write("x", idx(0xB, new int[] {1}, (byte) -1, (byte) 0)))
                        .longs()
                        .on(Devices.cpu())
                        .itemLong())
                .isEqualTo(-256);
        assertThat(Idx.read(write("x", idx(0xC, new int[] {1}, (byte) 1, (byte) 0, (byte) 0, (byte) 2)))
                        .longs()
                        .on(Devices.cpu())
                        .itemLong())
                .isEqualTo((1 << 24) + 2);
        assertThat(Idx.read(write(
                                "x", idx(0xE, new int[] {1}, b.putDouble(0, 2.5).array())))
                        .floats(2)
                        .on(Devices.cpu())
                        .item())
                .isEqualTo(5);
        byte[] single = ByteBuffer.allocate(4).putFloat(-0.75f).array();
        assertThat(Idx.read(write("x", idx(0xD, new int[] {1}, single)))
                        .floats(1)
                        .on(Devices.cpu())
                        .item())
                .isEqualTo(-0.75);
    }

    private record Bad(String name, byte[] bytes, String fragment) {}

    @TestFactory
    Stream<DynamicTest> badIdxIsRefused() throws IOException {
        int big = Integer.MAX_VALUE;
        return Stream.of(
                        new Bad("empty", new byte[0], "within the magic number"),
                        new Bad("magic", new byte[] {1, 2, 3, 4}, "01 02 03 04"),
                        new Bad("type", idx(7, new int[] {1}, (byte) 1), "00 00 07 01"),
                        new Bad("sizes cut", new byte[] {0, 0, 8, 3, 0, 0}, "within the sizes"),
                        new Bad("negative", idx(8, new int[] {-5}), "size -5"),
                        new Bad("overflow", idx(14, new int[] {big, big, big}), "2^63"),
                        new Bad("huge", idx(8, new int[] {big}), "would take 2147483647 bytes"),
                        new Bad("cut", idx(8, new int[] {3}, (byte) 1), "would take 3 bytes"),
                        new Bad("long", idx(8, new int[] {1}, (byte) 1, (byte) 2), "more bytes than"),
                        new Bad("packed huge", packed(idx(8, new int[] {big})), "would take 2147483647 bytes"),
                        new Bad("packed cut", packed(idx(8, new int[] {3}, (byte) 1)), "ends here"),
                        new Bad("packed long", packed(idx(8, new int[] {1}, (byte) 1, (byte) 2)), "more bytes than"),
                        new Bad("gzip head", new byte[] {0x1F, (byte) 0x8B, 0, 0, 0, 0, 0, 0, 0, 0}, "is none"),
                        new Bad(
                                "gzip cut",
                                java.util.Arrays.copyOf(packed(idx(8, new int[] {9}, new byte[9])), 22),
                                "damaged"))
                .map(bad -> DynamicTest.dynamicTest(bad.name(), () -> {
                    Path file = write("bad", bad.bytes());
                    assertThatThrownBy(() -> Idx.read(file))
                            .isInstanceOf(FileFormatException.class)
                            .hasMessageStartingWith(file + ", byte ")
                            .hasMessageContaining(bad.fragment());
                }));
    }

    @Test
    void tables() throws IOException {
        Path file = write("x.csv", "a,\"b \"\"quoted\"\"\",kind\r\n1,2.5,cat\n\"-3\",1e3,\"dog, big\"\n0,NaN,cat\n");
        Csv table = Csv.read(file);
        assertThat(table.names()).containsExactly("a", "b \"quoted\"", "kind");
        assertThat(table.size()).isEqualTo(3);
        assertThat(table.floats("a", "b \"quoted\"").on(Devices.cpu()).toFloatArray())
                .containsExactly(1, 2.5f, -3, 1000, 0, Float.NaN);
        assertThat(table.doubles("a").shape()).containsExactly(3, 1);
        assertThat(table.classes("kind")).containsExactly("cat", "dog, big");
        assertThat(table.labels("kind").on(Devices.cpu()).toLongArray()).containsExactly(0, 1, 0);
        assertThat(Csv.read(write("x.tsv", "a\tb\n1\t2\n"), '\t')
                        .floats()
                        .on(Devices.cpu())
                        .toFloatArray())
                .containsExactly(1, 2);
    }

    @Test
    void badTablesAreRefused() throws IOException {
        assertThatThrownBy(() -> Csv.read(write("x.csv", ""))).hasMessageContaining("line 1: the file is empty");
        assertThatThrownBy(() -> Csv.read(write("x.csv", "a,a\n1,2"))).hasMessageContaining("one name");
        assertThatThrownBy(() -> Csv.read(write("x.csv", "a,b\n1,2\n3\n")))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("line 3: here or after: Record 3 has 1 fields, but first record had 2 fields");
        Csv table = Csv.read(write("x.csv", "a,b\n1,2\n3,four\n"));
        assertThatThrownBy(() -> table.floats())
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("line 3: 'four' in column b is no number");
        assertThatThrownBy(() -> table.floats("c"))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("no column 'c'; it has [a, b]");
        assertThatThrownBy(() -> Csv.read(folder.resolve("no"))).hasMessageContaining("no such file");
    }

    /** In a JVM whose class path lacks FastCSV. */
    @Test
    void aTableWithoutItsLibrarySaysWhatIsMissing() throws IOException {
        write("x.csv", "a\n1\n");
        ChildJvm child = ChildJvm.runWithout(
                "fastcsv",
                WithoutFastCsv.class,
                List.of(),
                folder.resolve("x.csv").toString());
        assertThat(child.output()).contains("csv: the library de.siegmar:fastcsv is not in the class path");
    }

    /** The main class of that JVM. */
    static final class WithoutFastCsv {
        private WithoutFastCsv() {}

        /** Reads a table. */
        public static void main(String[] arguments) throws IOException {
            try {
                Csv.read(Path.of(arguments[0]));
            } catch (org.tenon.TensorStateException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @Test
    void text() throws IOException {
        assertThat(Texts.read(write("x.txt", "grün\r\nblau\n"))).isEqualTo("grün\nblau\n");
        assertThatThrownBy(() -> Texts.read(write("x.txt", (byte) 'a', (byte) 0xC3, (byte) 'b')))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("byte 1: the bytes here are not UTF-8");
        assertThatThrownBy(() -> Texts.read(write("x.txt", (byte) 'a', (byte) 0xC3)))
                .hasMessageContaining("byte 1: the bytes here are not UTF-8");
        assertThatThrownBy(() -> Texts.read(folder.resolve("no"))).hasMessageContaining("no such file");
    }

    @Test
    void vocabularies() {
        Vocabulary vocabulary = Vocabulary.of("hello, \uD83D\uDE00");
        assertThat(vocabulary.size()).isEqualTo(7);
        int[] tokens = vocabulary.encode("hello \uD83D\uDE00");
        assertThat(tokens).hasSize(7).containsExactly(3, 2, 4, 4, 5, 0, 6);
        assertThat(vocabulary.decode(tokens)).isEqualTo("hello \uD83D\uDE00");
        assertThatThrownBy(() -> vocabulary.encode("hex")).hasMessageContaining("character 'x' at position 2");
    }
}

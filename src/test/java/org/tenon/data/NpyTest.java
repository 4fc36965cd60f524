package org.tenon.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.HostArray;
import org.tenon.TensorArgumentException;
import org.tenon.io.FileFormatException;
import org.tenon.support.Python;

/** NumPy's files: ours, NumPy's own, and hostile ones. */
class NpyTest {
    private static final Device<Cpu> CPU = Devices.cpu();
    private static final List<DType> ALL =
            List.of(DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64, DType.BOOL);

    @TempDir
    private Path folder;

    private static HostArray<Any, ?> array(DType dtype, long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return HostArray.of(CPU.arange(count, DType.I64).to(dtype).reshape(Any.of(shape)));
    }

    private static double[] values(HostArray<Any, ?> array) {
        return array.on(CPU).toDoubleArray();
    }

    @Test
    void everyTypeAndShapeComesBack() throws IOException {
        Map<String, HostArray<Any, ?>> all = new LinkedHashMap<>();
        for (DType dtype : ALL) {
            for (long[] shape : new long[][] {{}, {0}, {7}, {1}, {2, 0, 3}, {2, 3, 4}}) {
                HostArray<Any, ?> written = array(dtype, shape);
                Npy.write(folder.resolve("x.npy"), written);
                assertThat(Files.size(folder.resolve("x.npy")) - written.data().byteSize())
                        .isEqualTo(128);
                HostArray<Any, ?> read = Npy.read(folder.resolve("x.npy"));
                assertThat(read.toString()).isEqualTo(written.toString());
                assertThat(read.data().mismatch(written.data())).isEqualTo(-1);
                all.put(written.toString(), written);
            }
        }
        Npy.writeAll(folder.resolve("x.npz"), all);
        Map<String, HostArray<Any, ?>> read = Npy.readAll(folder.resolve("x.npz"));
        assertThat(read.keySet()).isEqualTo(all.keySet());
        all.forEach((name, written) -> {
            assertThat(read.get(name).toString()).isEqualTo(name);
            assertThat(read.get(name).data().mismatch(written.data())).as(name).isEqualTo(-1);
        });
    }

    @Test
    void numpyReadsWhatWasWritten() throws IOException {
        String script = Python.script("npy_check.py");
        Map<DType, String> expected = new LinkedHashMap<>();
        expected.put(DType.F32, "<f4 (2, 3) [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]");
        expected.put(DType.F64, "<f8 (2, 3) [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]");
        expected.put(DType.F16, "<f2 (2, 3) [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]");
        expected.put(DType.I32, "<i4 (2, 3) [[0, 1, 2], [3, 4, 5]]");
        expected.put(DType.I64, "<i8 (2, 3) [[0, 1, 2], [3, 4, 5]]");
        expected.put(DType.BOOL, "|b1 (2, 3) [[False, True, True], [True, True, True]]");
        expected.put(DType.BF16, "|V2 (2, 3) 0000803f00404040804" + "0a040");
        Map<String, HostArray<Any, ?>> all = new LinkedHashMap<>();
        expected.keySet().forEach(dtype -> all.put(dtype.toString(), array(dtype, 2, 3)));
        Npy.writeAll(folder.resolve("x.npz"), all);
        String[] lines = Python.run(
                        "numpy", List.of(script, "read", folder.resolve("x.npz").toString()))
                .split("\n");
        int i = 0;
        for (Map.Entry<DType, String> each : expected.entrySet()) {
            assertThat(lines[i++]).isEqualTo(each.getKey() + " " + each.getValue());
        }
        Npy.write(folder.resolve("x.npy"), array(DType.F32, 3));
        assertThat(Python.run(
                        "numpy", List.of(script, "read", folder.resolve("x.npy").toString())))
                .isEqualTo("array <f4 (3,) [0.0, 1.0, 2.0]");
    }

    @Test
    void whatNumpyWroteIsRead() throws IOException {
        Python.run("numpy", List.of(Python.script("npy_check.py"), "write", folder.toString()));
        for (String order : List.of("le_", "be_")) {
            for (String code : List.of("i1", "u1", "i2", "u2", "i4", "u4", "i8", "f2", "f4", "f8")) {
                assertThat(values(Npy.read(folder.resolve(order + code + ".npy"))))
                        .as(order + code)
                        .containsExactly(0, 1, 2, 3, 4, 5);
            }
            assertThat(values(Npy.read(folder.resolve(order + "b1.npy")))).containsExactly(0, 1, 0, 1, 0, 1);
            assertThatThrownBy(() -> Npy.read(folder.resolve(order + "u8.npy")))
                    .isInstanceOf(FileFormatException.class)
                    .hasMessageContaining("u8' is not read");
        }
        HostArray<Any, ?> fortran = Npy.read(folder.resolve("fortran.npy"));
        assertThat(fortran.shape()).containsExactly(2, 3, 4);
        assertThat(values(fortran)).isEqualTo(values(array(DType.F32, 2, 3, 4)));
        assertThat(values(Npy.read(folder.resolve("scalar.npy")))).containsExactly(2.5);
        assertThat(Npy.read(folder.resolve("empty.npy")).shape()).containsExactly(0, 3);
        assertThatThrownBy(() -> Npy.read(folder.resolve("object.npy"))).hasMessageContaining("Python objects");
        assertThatThrownBy(() -> Npy.read(folder.resolve("record.npy"))).hasMessageContaining("records");
        assertThatThrownBy(() -> Npy.read(folder.resolve("le_f4.npy"), DType.F64))
                .isInstanceOf(TensorArgumentException.class)
                .hasMessageContaining("holds float32[2, 3], not float64");
        assertThat(Npy.read(folder.resolve("le_f4.npy"), DType.F32).dtype()).isSameAs(DType.F32);
        assertThat(values(Npy.readAll(folder.resolve("plain.npz")).get("x"))).containsExactly(0, 1, 2, 3, 4, 5);
        assertThat(values(Npy.readAll(folder.resolve("plain.npz")).get("y"))).containsExactly(0, 1, 2);
        assertThat(Npy.readAll(folder.resolve("packed.npz")).get("zeros").numel())
                .isEqualTo(100000);
        assertThatThrownBy(() -> Npy.readAll(folder.resolve("trap.npz")))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("'zeros.npy' unpacks")
                .hasMessageContaining("trap");
    }

    private record Bad(String name, byte[] bytes, String fragment) {}

    private static byte[] npy(String header, int data) {
        return npy(1, 0, header, data);
    }

    private static byte[] npy(int major, int minor, String header, int data) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] text = header.getBytes(StandardCharsets.ISO_8859_1);
        out.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) major, (byte) minor});
        out.writeBytes(new byte[] {(byte) text.length, (byte) (text.length >> 8)});
        out.writeBytes(major == 1 ? new byte[0] : new byte[2]);
        out.writeBytes(text);
        out.writeBytes(new byte[data]);
        return out.toByteArray();
    }

    private static String header(String descr, String fortran, String shape) {
        return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
    }

    @TestFactory
    Stream<DynamicTest> badFilesAreRefused() {
        byte[] longHeader = npy(2, 0, "", 0);
        longHeader[11] = 0x7F;
        return Stream.of(
                        new Bad("empty", new byte[0], "within the magic number"),
                        new Bad("magic", new byte[10], "the magic number is not that of npy"),
                        new Bad("version", npy(4, 0, header("<f4", "False", "(1,)"), 4), "version 4.0"),
                        new Bad("huge header", longHeader, "at most 1048576"),
                        new Bad("header cut", npy(header("<f4", "False", "(1,)"), 0), "would take 4 bytes"),
                        new Bad("data cut", npy(header("<f4", "False", "(2,)"), 7), "would take 8 bytes"),
                        new Bad("data long", npy(header("<f4", "False", "(2,)"), 9), "more bytes than"),
                        new Bad("huge shape", npy(header("<f4", "False", "(999999999999999,)"), 4), "would take"),
                        new Bad(
                                "overflow",
                                npy(header("<f4", "False", "(99999999999, 99999999999)"), 4),
                                "more than 2^59"),
                        new Bad("negative", npy(header("<f4", "False", "(-1,)"), 4), "a size is a whole number"),
                        new Bad("no tuple", npy(header("<f4", "False", "(2)"), 8), "a tuple of one has a comma"),
                        new Bad("list", npy(header("<f4", "False", "[2]"), 8), "where '(' is wanted"),
                        new Bad("order", npy(header("<f4", "Maybe", "(2,)"), 8), "True or False"),
                        new Bad("type", npy(header("<c8", "False", "(1,)"), 8), "'<c8' is not read"),
                        new Bad("order of bytes", npy(header("?f4", "False", "(1,)"), 4), "'?f4' is not read"),
                        new Bad("no type", npy(header("", "False", "(1,)"), 4), "'' is not read"),
                        new Bad(
                                "key",
                                npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4),
                                "the key 'x'"),
                        new Bad("twice", npy("{'descr': '<f4', 'descr': '<f4'}", 4), "is there twice"),
                        new Bad("lacks", npy("{'descr': '<f4'}", 4), "lacks"),
                        new Bad("code", npy("__import__('os')", 4), "where '{' is wanted"),
                        new Bad("after", npy(header("<f4", "False", "(1,)") + "x", 4), "something after"),
                        new Bad("bool", npy(header("|b1", "False", "(1,)"), 1), null))
                .map(bad -> DynamicTest.dynamicTest(bad.name(), () -> {
                    byte[] bytes = bad.bytes();
                    if (bad.fragment() == null) {
                        bytes[bytes.length - 1] = 2;
                    }
                    Path file = Files.write(folder.resolve("bad.npy"), bytes);
                    assertThatThrownBy(() -> Npy.read(file))
                            .isInstanceOf(FileFormatException.class)
                            .hasMessageStartingWith(file + ", byte ")
                            .hasMessageContaining(bad.fragment() == null ? "a bool is 2" : bad.fragment());
                }));
    }

    @Test
    void badArchivesAreRefused() throws IOException {
        Path file = folder.resolve("x.npz");
        Files.write(file, new byte[100]);
        assertThatThrownBy(() -> Npy.readAll(file))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("not a zip archive");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.putNextEntry(new ZipEntry("readme.txt"));
        }
        assertThatThrownBy(() -> Npy.readAll(file)).hasMessageContaining("'readme.txt' is not an array");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.putNextEntry(new ZipEntry("a.npy"));
            zip.write(npy(header("<f4", "False", "(1000000000,)"), 4));
        }
        assertThatThrownBy(() -> Npy.readAll(file))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("'a.npy'")
                .hasMessageContaining("would take 4000000000 bytes");
        byte[] whole = Files.readAllBytes(file);
        for (int i = 30; i < whole.length; i++) {
            byte[] bytes = whole.clone();
            bytes[i] ^= 0x55;
            Files.write(file, bytes);
            assertThatThrownBy(() -> Npy.readAll(file)).isInstanceOf(IOException.class);
        }
        assertThatThrownBy(() -> Npy.readAll(folder.resolve("no"))).hasMessageContaining("no such file");
    }
}

package org.tenon.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Any;
import org.tenon.Cpu;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Generator;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.TensorArgumentException;
import org.tenon.junit.DeviceTest;
import org.tenon.support.Python;

/** The safetensors format: what is written, what is read, what is refused. */
class SafetensorsTest {
    private static final List<DType> ALL =
            List.of(DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32, DType.I64, DType.BOOL);

    @TempDir
    private Path folder;

    private Path file() {
        return folder.resolve("x.safetensors");
    }

    /** A file of this header and this many bytes of data, each 1. */
    private Path write(String header, int data) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer all = ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN);
        all.putLong(text.length).put(text);
        Arrays.fill(all.array(), 8 + text.length, all.capacity(), (byte) 1);
        return Files.write(file(), all.array());
    }

    @DeviceTest
    void everyTypeComesBack(Device<?> device) throws IOException {
        roundTrip(device);
    }

    private <Dev extends DeviceType> void roundTrip(Device<Dev> device) throws IOException {
        Generator generator = new Generator(3);
        Map<String, Tensor<?, ?, ?>> written = new LinkedHashMap<>();
        for (DType dtype : ALL) {
            if (device.supports(dtype)) {
                for (long[] shape : new long[][] {{}, {0}, {3, 0, 2}, {5}, {2, 3, 4}}) {
                    Tensor<Any, ?, Dev> values = device.randint(Any.of(shape), 0, 2, DType.I64, generator)
                            .to(dtype);
                    written.put(dtype + Arrays.toString(shape), values);
                }
            }
        }
        written.put(
                "transposed", device.arange(6, DType.F32).reshape(Any.of(2, 3)).transpose(0, 1));
        Safetensors.write(file(), written, Map.of("a", "b", "ü", "\"\\\n"));
        try (Safetensors opened = Safetensors.open(file())) {
            opened.verify();
            assertThat(opened.entries()).hasSameSizeAs(written);
            assertThat(opened.metadata()).containsEntry("a", "b").containsEntry("ü", "\"\\\n");
            written.forEach((name, tensor) -> {
                try {
                    Tensor<Any, ?, Dev> read = opened.tensor(name, device);
                    assertThat((Object) read.dtype()).as(name).isSameAs(tensor.dtype());
                    assertThat(read.shape()).as(name).isEqualTo(tensor.shape());
                    assertThat(read.toDoubleArray()).as(name).isEqualTo(tensor.toDoubleArray());
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
        }
        written.values().forEach(Tensor::close);
    }

    @Test
    void theBytesAreThoseOfTheSpecification() throws IOException {
        Device<Cpu> cpu = Devices.cpu();
        Safetensors.write(file(), Map.of("b", cpu.tensor(1f, -2f), "a", cpu.tensor(7L)), Map.of());
        byte[] all = Files.readAllBytes(file());
        int length = (int) ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String header = new String(all, 8, length, StandardCharsets.UTF_8);
        assertThat(header.replaceAll("[0-9a-f]{8}", "SUM").strip())
                .isEqualTo("{\"__metadata__\":{\"tenon.crc32c\":\"SUM\"},"
                        + "\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
                        + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}");
        assertThat((8 + length) % 8).isZero();
        assertThat(HexFormat.of().formatHex(all, 8 + length, all.length))
                .isEqualTo("0700000000000000" + "0000803f000000c0");
    }

    @Test
    void pythonReadsWhatWasWritten() throws IOException {
        Device<Cpu> cpu = Devices.cpu();
        Map<String, Tensor<?, ?, ?>> tensors = new LinkedHashMap<>();
        ALL.forEach(dtype -> tensors.put("t " + dtype, cpu.tensor(1L, 0L, 1L).to(dtype)));
        tensors.put("größe", cpu.tensor(new float[] {1, 2, 3, 4, 5, 6}, Any.of(2, 3)));
        Safetensors.write(file(), tensors, Map.of("k", "v"));
        assertThat(Python.run(null, List.of(Python.script("safetensors_by_hand.py"), "read", file().toString())))
                .isEqualTo(String.join(
                        "\n",
                        "t float64 F64 [3] 000000000000f03f0000000000000000000000000000f03f",
                        "t int64 I64 [3] 010000000000000000000000000000000100000000000000",
                        "größe F32 [2, 3] 0000803f00000040000040400000804000" + "00a0400000c040",
                        "t float32 F32 [3] 0000803f000000000000803f",
                        "t int32 I32 [3] 010000000000000001000000",
                        "t bfloat16 BF16 [3] 803f0000803f",
                        "t float16 F16 [3] 003c0000003c",
                        "t bool BOOL [3] 010001",
                        "text k v"));
    }

    @Test
    void whatPythonWroteIsRead() throws IOException {
        Python.run(null, List.of(Python.script("safetensors_by_hand.py"), "write", file().toString()));
        Device<Cpu> cpu = Devices.cpu();
        try (Safetensors opened = Safetensors.open(file())) {
            assertThat(opened.tensor("w", DType.F32, cpu).toFloatArray())
                    .containsExactly(1.5f, -2, Float.POSITIVE_INFINITY, 0);
            assertThat(opened.tensor("half", DType.F16, cpu).toFloatArray()).containsExactly(1, 65504, -0.5f);
            assertThat(opened.tensor("brain", DType.BF16, cpu).toFloatArray()).containsExactly(1, -3);
            assertThat(opened.tensor("wide", DType.F64, cpu).item()).isEqualTo(0.1);
            assertThat(opened.tensor("index", DType.I64, cpu).toLongArray()).containsExactly(-1, 1L << 40);
            assertThat(opened.tensor("small", DType.I32, cpu).toIntArray()).containsExactly(-7);
            assertThat(opened.tensor("mask", DType.BOOL, cpu).toBooleanArray()).containsExactly(true, false, true);
            assertThat(opened.tensor("none", DType.F32, cpu).shape()).containsExactly(0, 4);
            assertThat(opened.metadata()).containsEntry("format", "pt").containsEntry("grüß", "ä");
            assertThatThrownBy(opened::verify).hasMessageContaining("no checksum");
            assertThatThrownBy(() -> opened.tensor("w", DType.F64, cpu))
                    .isInstanceOf(TensorArgumentException.class)
                    .hasMessageContaining("F32[2, 2], not float64");
            assertThatThrownBy(() -> opened.tensor("v", cpu)).hasMessageContaining("no tensor 'v'");
        }
    }

    @Test
    void whatTenonLacksIsListedButNotRead() throws IOException {
        write(
                "{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                        + "\"y\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[2,4]}}   ",
                4);
        try (Safetensors opened = Safetensors.open(file())) {
            assertThat(opened.entry("x").dtype()).isNull();
            assertThatThrownBy(() -> opened.tensor("x", Devices.cpu()))
                    .hasMessageContaining("U8[2], a type that Tenon");
            opened.tensor("y", DType.F16, Devices.cpu()).close();
        }
    }

    private record Bad(String name, String header, int data, String fragment) {}

    private static String tensor(String name, String rest) {
        return "\"" + name + "\":{\"dtype\":\"F32\"," + rest + "}";
    }

    @TestFactory
    Stream<DynamicTest> badHeadersAreRefused() {
        String one = tensor("a", "\"shape\":[1],\"data_offsets\":[0,4]");
        return Stream.of(
                        new Bad("empty", "", 0, "does not start with '{'"),
                        new Bad("no object", "[1]", 0, "does not start with '{'"),
                        new Bad("other encoding", "{\0}\0", 0, "does not start with '{'"),
                        new Bad("cut", "{" + one, 4, "not the JSON it must be"),
                        new Bad("rubbish after", "{" + one + "} x", 4, "not the JSON it must be"),
                        new Bad("two objects", "{" + one + "}{}", 4, "something after the header's object"),
                        new Bad("two of a name", "{" + one + "," + one + "}", 4, "Duplicate"),
                        new Bad("two metadata", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "Duplicate"),
                        new Bad("metadata number", "{\"__metadata__\":{\"a\":1}}", 0, "metadata 'a'"),
                        new Bad("metadata text", "{\"__metadata__\":\"a\"}", 0, "an object of texts"),
                        new Bad("tensor null", "{\"a\":null}", 0, "the object of tensor 'a'"),
                        new Bad("unknown member", "{" + tensor("a", "\"scale\":1") + "}", 0, "the member 'scale'"),
                        new Bad("no shape", "{" + tensor("a", "\"data_offsets\":[0,4]") + "}", 4, "lacks"),
                        new Bad("dtype", "{\"a\":{\"dtype\":\"F31\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "'F31'"),
                        new Bad(
                                "negative size",
                                "{" + tensor("a", "\"shape\":[-1],\"data_offsets\":[0,4]") + "}",
                                4,
                                "shape has -1"),
                        new Bad(
                                "fraction",
                                "{" + tensor("a", "\"shape\":[1.0],\"data_offsets\":[0,4]") + "}",
                                4,
                                "whole numbers only"),
                        new Bad(
                                "beyond a long",
                                "{" + tensor("a", "\"shape\":[9223372036854775808],\"data_offsets\":[0,4]") + "}",
                                4,
                                "not the JSON it must be"),
                        new Bad(
                                "overflow",
                                "{" + tensor("a", "\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]") + "}",
                                0,
                                "takes more than 2^63"),
                        new Bad(
                                "nested",
                                "{" + tensor("a", "\"shape\":" + "[".repeat(2000)) + "}",
                                0,
                                "not the JSON it must be"),
                        new Bad(
                                "one offset",
                                "{" + tensor("a", "\"shape\":[1],\"data_offsets\":[4]") + "}",
                                4,
                                "a start and an end"),
                        new Bad(
                                "backward",
                                "{" + tensor("a", "\"shape\":[1],\"data_offsets\":[4,0]") + "}",
                                4,
                                "a start and an end"),
                        new Bad(
                                "too few bytes",
                                "{" + tensor("a", "\"shape\":[2],\"data_offsets\":[0,4]") + "}",
                                4,
                                "has 4 bytes; F32[2] takes 8"),
                        new Bad(
                                "gap",
                                "{" + one + "," + tensor("b", "\"shape\":[1],\"data_offsets\":[8,12]") + "}",
                                12,
                                "neither gap nor overlap"),
                        new Bad(
                                "overlap",
                                "{" + one + "," + tensor("b", "\"shape\":[1],\"data_offsets\":[2,6]") + "}",
                                6,
                                "neither gap nor overlap"),
                        new Bad("data cut", "{" + one + "}", 3, "the file was cut"),
                        new Bad("data long", "{" + one + "}", 5, "1 bytes follow"),
                        new Bad(
                                "huge claim",
                                "{" + tensor("a", "\"shape\":[1099511627776],\"data_offsets\":[0,4398046511104]") + "}",
                                4,
                                "the file was cut"))
                .map(bad -> DynamicTest.dynamicTest(bad.name(), () -> {
                    write(bad.header(), bad.data());
                    assertThatThrownBy(() -> Safetensors.open(file()).close())
                            .isInstanceOf(FileFormatException.class)
                            .hasMessageStartingWith(file() + ", byte ")
                            .hasMessageContaining(bad.fragment());
                }));
    }

    @Test
    void aHugeHeaderIsRefusedUnread() throws IOException {
        Files.write(file(), new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, '{', '}'});
        assertThatThrownBy(() -> Safetensors.open(file())).hasMessageContaining("18446744073709551615 bytes");
        Files.write(file(), new byte[] {0, (byte) 0xE1, (byte) 0xF5, 5, 0, 0, 0, 0, '{', '}'});
        assertThatThrownBy(() -> Safetensors.open(file())).hasMessageContaining("it was cut");
        Files.write(file(), new byte[] {1, (byte) 0xE1, (byte) 0xF5, 5, 0, 0, 0, 0, '{', '}'});
        assertThatThrownBy(() -> Safetensors.open(file())).hasMessageContaining("at most 100000000");
        Files.write(file(), new byte[7]);
        assertThatThrownBy(() -> Safetensors.open(file())).hasMessageContaining("at least 10 bytes");
        assertThatThrownBy(() -> Safetensors.open(folder)).hasMessageContaining("is a folder");
        assertThatThrownBy(() -> Safetensors.open(folder.resolve("no"))).hasMessageContaining("no such file");
    }

    /** A sparse file: 5 GiB that take no room on the disk. */
    @Test
    void positionsBeyondTwoGiBAreReached() throws IOException {
        long first = 5L << 30;
        String header = "{" + "\"a\":{\"dtype\":\"BOOL\",\"shape\":[" + first + "],\"data_offsets\":[0," + first + "]},"
                + tensor("b", "\"shape\":[1],\"data_offsets\":[" + first + "," + (first + 4) + "]") + "}";
        write(header, 0);
        try (RandomAccessFile sparse = new RandomAccessFile(file().toFile(), "rw")) {
            sparse.seek(sparse.length() + first);
            sparse.write(new byte[] {0, 0, (byte) 0x80, 0x3F});
        }
        try (Safetensors opened = Safetensors.open(file())) {
            assertThat(opened.tensor("b", DType.F32, Devices.cpu()).item()).isEqualTo(1);
        }
    }

    @Test
    void aBoolIsZeroOrOne() throws IOException {
        write("{\"a\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3);
        byte[] all = Files.readAllBytes(file());
        all[all.length - 1] = 2;
        Files.write(file(), all);
        try (Safetensors opened = Safetensors.open(file())) {
            assertThatThrownBy(() -> opened.tensor("a", DType.BOOL, Devices.cpu()))
                    .isInstanceOf(FileFormatException.class)
                    .hasMessageContaining("byte " + (all.length - 1) + ": tensor 'a' of BOOL has 2");
        }
    }

    @Test
    void aFileIsReplacedOnlyByAWholeOne() throws IOException {
        Device<Cpu> cpu = Devices.cpu();
        Safetensors.write(file(), Map.of("a", cpu.tensor(1f)), Map.of());
        byte[] before = Files.readAllBytes(file());
        Tensor<Any, ?, Cpu> closed = Scope.call(() -> {
            Tensor<Any, ?, Cpu> inner = cpu.tensor(1f, 2f).any();
            inner.close();
            return inner;
        });
        assertThatThrownBy(() -> Safetensors.write(file(), Map.of("a", cpu.tensor(1f), "b", closed), Map.of()))
                .hasMessageContaining("closed");
        assertThat(Files.readAllBytes(file())).isEqualTo(before);
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).containsExactly(file());
        }
        assertThatThrownBy(() -> Safetensors.write(folder.resolve("no/x"), Map.of(), Map.of()))
                .hasMessageContaining("the folder");
        assertThatThrownBy(() -> Safetensors.write(file(), Map.of("__metadata__", cpu.tensor(1f)), Map.of()))
                .hasMessageContaining("__metadata__");
    }
}

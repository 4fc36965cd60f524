package org.tenon.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tenon.DType;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.R1;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.data.Idx;
import org.tenon.data.Npy;
import org.tenon.junit.DeviceTest;

/** Files made to harm: that change while they are read, that grow when unpacked, that are something else than files. */
class HostileFilesTest {
    @TempDir
    private Path folder;

    private Path ones(DType dtype, long count) throws IOException {
        Path file = folder.resolve("ones.safetensors");
        Scope.call(() -> {
            Map<String, Tensor<?, ?, ?>> tensors = Map.of("w", Devices.cpu().ones(R1.of(count), dtype));
            Safetensors.write(file, tensors, Map.of());
            return null;
        });
        return file;
    }

    private static void cut(Path file, long bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(bytes);
        }
    }

    /** With a mapping the JVM ended here: SIGBUS. */
    @Test
    void aFileThatIsCutWhileItIsVerified() throws IOException {
        Path file = ones(DType.F32, 1_000_000);
        try (Safetensors opened = Safetensors.open(file)) {
            cut(file, 5000);
            assertThatThrownBy(opened::verify)
                    .isInstanceOf(FileFormatException.class)
                    .hasMessageContaining("checksum");
        }
    }

    @DeviceTest
    <Dev extends DeviceType> void aFileThatIsCutWhileItIsLoaded(Device<Dev> device) throws IOException {
        Path file = ones(DType.F32, 3_000_000);
        try (Safetensors opened = Safetensors.open(file)) {
            cut(file, 5_000_000);
            assertThatThrownBy(() -> opened.tensor("w", device))
                    .isInstanceOf(FileFormatException.class)
                    .hasMessageContaining("byte 5000000: the file ends here; it was cut since it was opened");
        }
    }

    /** What was looked at is what the device gets. */
    @DeviceTest
    <Dev extends DeviceType> void boolsThatAreNone(Device<Dev> device) throws IOException {
        Path file = ones(DType.BOOL, 5_000_000);
        try (Safetensors opened = Safetensors.open(file)) {
            long size = Files.size(file);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(new byte[] {7}), size - 1);
            }
            assertThatThrownBy(() -> opened.tensor("w", device))
                    .hasMessageContaining("byte " + (size - 1) + ": tensor 'w' of BOOL has 7");
        }
    }

    @DeviceTest
    <Dev extends DeviceType> void aTensorOfSeveralPieces(Device<Dev> device) throws IOException {
        int count = 3_000_001;
        Path file = folder.resolve("pieces.safetensors");
        Tensor<?, ?, ?> numbers = Devices.cpu().arange(0, count, 1, DType.I64);
        Safetensors.write(file, Map.of("w", numbers), Map.of());
        try (Safetensors opened = Safetensors.open(file)) {
            opened.verify();
            long[] read = opened.tensor("w", DType.I64, device).toLongArray();
            assertThat(read).hasSize(count);
            for (int i = 0; i < count; i++) {
                if (read[i] != i) {
                    assertThat(read[i]).as("element %d", i).isEqualTo(i);
                }
            }
        }
    }

    private Path header(String json) throws IOException {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        ByteBuffer all = ByteBuffer.allocate(8 + text.length).order(ByteOrder.LITTLE_ENDIAN);
        return Files.write(
                folder.resolve("header.safetensors"),
                all.putLong(text.length).put(text).array());
    }

    @Test
    void aHeaderOfSizesAlone() throws IOException {
        Path file = header(
                "{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":[" + "0,".repeat(10_000_000) + "0]}}");
        assertThatThrownBy(() -> Safetensors.open(file)).hasMessageContaining("shape has more than 64 numbers");
    }

    @Test
    void aHeaderThatIsNestedDeeply() throws IOException {
        Path file = header("{\"w\":" + "[".repeat(10_000_000));
        assertThatThrownBy(() -> Safetensors.open(file)).isInstanceOf(FileFormatException.class);
        Path objects = header("{\"w\":{\"dtype\":" + "{\"a\":".repeat(5_000_000));
        assertThatThrownBy(() -> Safetensors.open(objects)).isInstanceOf(FileFormatException.class);
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 100_000_001, Long.MAX_VALUE - 7, Long.MAX_VALUE})
    void aHeaderOfAnImpossibleLength(long length) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        Path file = Files.write(folder.resolve("long.safetensors"), all.array());
        assertThatThrownBy(() -> Safetensors.open(file))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("at most 100000000 are allowed");
    }

    /** IDX of zeros, of this many bytes, 1,000 to 1 by gzip. */
    private Path packed(int bytes) throws IOException {
        Path file = folder.resolve("bomb.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write(ByteBuffer.allocate(8)
                    .put(new byte[] {0, 0, 8, 1})
                    .putInt(bytes)
                    .array());
            byte[] zeros = new byte[1 << 20];
            for (int done = 0; done < bytes; done += zeros.length) {
                out.write(zeros, 0, Math.min(zeros.length, bytes - done));
            }
        }
        return file;
    }

    @Test
    void gzipThatGrowsAThousandfold() throws IOException {
        assertThat(Idx.read(packed(1 << 20)).shape()).containsExactly(1 << 20);
        Path bomb = packed(300 << 20);
        assertThatThrownBy(() -> Idx.read(bomb))
                .isInstanceOf(FileFormatException.class)
                .hasMessageContaining("which is what a trap does");
    }

    @Test
    void zipThatGrowsAThousandfold() throws IOException {
        Path bomb = folder.resolve("bomb.npz");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(bomb))) {
            zip.putNextEntry(new ZipEntry("x.npy"));
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 300; i++) {
                zip.write(zeros);
            }
        }
        assertThatThrownBy(() -> Npy.readAll(bomb)).hasMessageContaining("which is what a trap does");
    }

    /** To open a pipe would wait for whoever writes to it. */
    @Test
    @Timeout(30)
    void aPipeIsNoFile() throws Exception {
        Path pipe = pipe("pipe.safetensors");
        assertThatThrownBy(() -> Safetensors.open(pipe)).hasMessageContaining("is no regular file");
    }

    private Path pipe(String name) throws Exception {
        Path pipe = folder.resolve(name);
        assumeTrue(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0, "no mkfifo");
        return pipe;
    }

    /** In a folder that others can write, they may have put what looks like the rest of a write that failed. */
    @Test
    @Timeout(30)
    void plantedPartsOfFiles() throws Exception {
        Path file = folder.resolve("model");
        Path pipe = pipe(".model.1.part");
        // Java would open the pipe to set its time.
        assertThat(new ProcessBuilder("touch", "-d", "2020-01-01", pipe.toString())
                        .start()
                        .waitFor())
                .isZero();
        Path victim = Files.writeString(folder.resolve("victim"), "precious");
        Files.setLastModifiedTime(victim, FileTime.from(Instant.now().minusSeconds(1000)));
        Path link = Files.createSymbolicLink(folder.resolve(".model.2.part"), victim);
        Path dangling = Files.createSymbolicLink(folder.resolve(".model.3.part"), folder.resolve("nowhere"));
        Path left = Files.writeString(folder.resolve(".model.4.part"), "left over");
        Files.setLastModifiedTime(left, FileTime.from(Instant.now().minusSeconds(1000)));

        AtomicFile.write(file, new byte[] {1});

        assertThat(file).hasBinaryContent(new byte[] {1});
        assertThat(victim).hasContent("precious");
        assertThat(left).doesNotExist();
        assertThat(pipe).exists();
        assertThat(Files.isSymbolicLink(link)).isTrue();
        assertThat(Files.isSymbolicLink(dangling)).isTrue();
    }

    /** The new file takes the name; what a link of that name led to stays as it is. */
    @Test
    void aLinkInPlaceOfTheFile() throws IOException {
        Path victim = Files.writeString(folder.resolve("victim"), "precious");
        Path file = Files.createSymbolicLink(folder.resolve("model"), victim);
        AtomicFile.write(file, new byte[] {1});
        assertThat(victim).hasContent("precious");
        assertThat(Files.isSymbolicLink(file)).isFalse();
    }
}

package org.tenon.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.DType;
import org.tenon.Devices;
import org.tenon.R1;
import org.tenon.gpu.GpuBackend;
import org.tenon.op.Creation;
import org.tenon.op.Value;
import org.tenon.support.ChildJvm;

/** Built kernels on disk: used when they are the very ones, built anew in every other case. */
class KernelCacheTest {
    private static final List<String> TELL = List.of(
            "--enable-native-access=ALL-UNNAMED", "-Dorg.slf4j.simpleLogger.log.org.tenon.opencl.Programs=debug");

    @TempDir
    private Path folder;

    /** What a child JVM runs: one kernel. */
    static final class OneKernel {
        private OneKernel() {}

        public static void main(String[] arguments) {
            System.out.println(
                    "value " + Devices.openCl(0).full(R1.of(3), 2.5, DType.F32).toFloatArray()[2]);
        }
    }

    /** Fills a tensor with a runtime that starts with the cache here, and looks at the result. */
    private void fill() {
        GpuBackend backend = new GpuBackend(Present.runtime("tenon.cache", folder.toString()));
        Value x = Creation.full("full", backend, DType.F32, 2.5, 1000);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(4000, 4);
            Creation.download(x, host);
            assertThat(host.toArray(ValueLayout.JAVA_FLOAT)).containsOnly(2.5f);
        }
        x.close();
        backend.allocator().trim();
    }

    private Path only() throws IOException {
        try (Stream<Path> all = Files.list(folder.resolve("opencl"))) {
            List<Path> files = all.toList();
            assertThat(files).hasSize(1);
            return files.getFirst();
        }
    }

    /** Changes the one file, and sees that the next runtime works and puts a good file in its place. */
    private void isBuiltAnew(UnaryOperator<byte[]> damage) throws IOException {
        fill();
        Path file = only();
        byte[] key = HexFormat.of().parseHex(file.getFileName().toString());
        assertThat(Programs.read(file, key)).isNotNull();
        byte[] damaged = damage.apply(Files.readAllBytes(file));
        Files.write(file, damaged);
        assertThat(Programs.read(file, key)).as("trusted after damage").isNull();
        fill();
        assertThat(only()).isEqualTo(file);
        assertThat(Programs.read(file, key)).isNotNull();
        assertThat(Files.readAllBytes(file)).isNotEqualTo(damaged);
    }

    @Test
    void aGoodFileIsUsed() throws IOException {
        fill();
        Path file = only();
        var before = Files.getLastModifiedTime(file);
        fill();
        assertThat(Files.getLastModifiedTime(only())).isEqualTo(before);
        assertThat(Files.getPosixFilePermissions(folder.resolve("opencl")))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void aFlippedBit() throws IOException {
        isBuiltAnew(bytes -> {
            bytes[bytes.length - 7] ^= 1;
            return bytes;
        });
    }

    @Test
    void aTruncatedFile() throws IOException {
        isBuiltAnew(bytes -> Arrays.copyOf(bytes, bytes.length / 2));
    }

    @Test
    void anEmptyFile() throws IOException {
        isBuiltAnew(bytes -> new byte[0]);
    }

    @Test
    void aFileOfAnotherFormat() throws IOException {
        isBuiltAnew(bytes -> {
            bytes[0] = 'T';
            return bytes;
        });
    }

    /** Whole and with a good digest, but of another key: another source, device or driver. */
    @Test
    void aFileOfAnotherKernelOrDevice() throws IOException {
        isBuiltAnew(bytes -> Programs.contents(Programs.digest(new byte[] {1}), new byte[] {1, 2, 3}));
    }

    /** Its head is all right; only the driver can tell that this is nothing of its own. */
    @Test
    void aFileThatTheDriverRefuses() throws IOException {
        fill();
        Path file = only();
        byte[] key = HexFormat.of().parseHex(file.getFileName().toString());
        Files.write(file, Programs.contents(key, "no program at all".getBytes()));
        fill();
        assertThat(Programs.read(file, key)).isNotEqualTo("no program at all".getBytes());
    }

    @Test
    void aLinkInPlaceOfTheFile() throws IOException {
        fill();
        Path file = only();
        Path planted = Files.move(file, folder.resolve("planted"));
        byte[] before = Files.readAllBytes(planted);
        Files.createSymbolicLink(file, planted);
        fill();
        assertThat(Files.isSymbolicLink(only())).isFalse();
        assertThat(planted).hasBinaryContent(before);
    }

    @Test
    void aFileThatOthersCanWrite() throws IOException {
        fill();
        Path file = only();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
        fill();
        assertThat(Files.getPosixFilePermissions(only())).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void theNameDependsOnOptionsAndSource() throws IOException {
        OpenClRuntime runtime = Present.runtime("tenon.cache", folder.toString());
        runtime.kernel("fill", "fill", "-DT=u32 -DBLOCK=64");
        runtime.kernel("fill", "fill", "-DT=u16 -DBLOCK=64");
        runtime.kernel("where", "where", "-DT=u32 -DEACH=4 -DBLOCK=64");
        runtime.kernel("where", "where", "-DT=u32 -DEACH=4 -DBLOCK=64");
        try (Stream<Path> all = Files.list(folder.resolve("opencl"))) {
            assertThat(all).hasSize(3);
        }
    }

    @Test
    void aFolderThatCannotBeMadeIsDoneWithout() throws IOException {
        Present.device();
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        ChildJvm child = run("-Dtenon.cache=" + file.resolve("below"));
        assertThat(child.output()).contains("built kernels are not kept").contains("-Dtenon.cache=FOLDER");
        assertThat(file).hasContent("in the way");
    }

    @Test
    void aFolderThatOthersCanWriteIsNotTrusted() throws IOException {
        Present.device();
        Path open = Files.createDirectory(folder.resolve("opencl"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThat(run("-Dtenon.cache=" + folder).output()).contains("others than its owner can write the folder");
        assertThat(open).isEmptyDirectory();
    }

    @Test
    void offKeepsNothing() throws IOException {
        Present.device();
        ChildJvm child = run("-Dtenon.cache=off");
        assertThat(child.output()).contains("built kernels/fill.k").doesNotContain("not kept");
        assertThat(Path.of("off")).doesNotExist();
    }

    @Test
    void twoJvmsAtOnce() throws IOException {
        Present.device();
        List<CompletableFuture<ChildJvm>> children = Stream.generate(() -> CompletableFuture.supplyAsync(() -> {
                    try {
                        return run("-Dtenon.cache=" + folder);
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                }))
                .limit(2)
                .toList();
        children.forEach(CompletableFuture::join);
        assertThat(run("-Dtenon.cache=" + folder).output()).contains("took from the cache kernels/fill.k");
        try (Stream<Path> all = Files.walk(folder)) {
            assertThat(all).noneMatch(file -> file.toString().endsWith(".part"));
        }
    }

    private static ChildJvm run(String flag) throws IOException {
        ChildJvm child = ChildJvm.run(
                OneKernel.class, Stream.concat(TELL.stream(), Stream.of(flag)).toList());
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("value 2.5");
        return child;
    }
}

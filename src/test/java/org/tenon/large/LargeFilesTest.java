package org.tenon.large;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tenon.DType.BOOL;
import static org.tenon.DType.F32;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tenon.Cpu;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.Dim;
import org.tenon.HostArray;
import org.tenon.R1;
import org.tenon.Scope;
import org.tenon.Tensor;
import org.tenon.data.Npy;
import org.tenon.io.Safetensors;

/** Files of more than 2^31 bytes and elements: each comes back as it was. */
@Large.OnRequest
class LargeFilesTest {
    @TempDir
    private Path folder;

    @Test
    void npy() throws IOException {
        Large.assumeMemory(Devices.cpu(), 1, 1, 5);
        Path file = folder.resolve("large.npy");
        try (Arena arena = Arena.ofShared()) {
            Npy.write(file, HostArray.of(Bools.make(arena), R1.of(Bools.COUNT), BOOL));
        }
        assertThat(Files.size(file)).isGreaterThan(Bools.COUNT).isLessThan(Bools.COUNT + 256);
        HostArray<?, ?> read = Npy.read(file, BOOL);
        assertThat(read.shape()).containsExactly(Bools.COUNT);
        Bools.check(read.data(), 0, 0);
    }

    /** A tensor that ends beyond 2^31 bytes, and small ones that lie before and behind it. */
    @Test
    void safetensors() throws IOException {
        Large.assumeMemory(Devices.cpu(), 3, 5, 3);
        Path file = folder.resolve("large.safetensors");
        write(Devices.cpu(), file);
        Devices.cpu().trimMemory();
        assertThat(Files.size(file)).isGreaterThan(Bools.COUNT + 24);
        read(Devices.cpu(), file);
        Devices.cpu().trimMemory();
    }

    private static void write(Device<Cpu> cpu, Path file) {
        Scope.run(() -> {
            Map<String, Tensor<?, ?, ?>> all = new LinkedHashMap<>();
            all.put("a", cpu.<Dim>tensor(1f, 2f, 3f));
            try (Arena arena = Arena.ofShared()) {
                all.put("large", cpu.tensor(Bools.make(arena), R1.of(Bools.COUNT), BOOL));
            }
            all.put("z", cpu.<Dim>tensor(4f, 5f, 6f));
            try {
                Safetensors.write(file, all, Map.of("what", "more than 2 GiB"));
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
    }

    private static void read(Device<Cpu> cpu, Path file) throws IOException {
        try (Safetensors saved = Safetensors.open(file);
                Arena arena = Arena.ofShared()) {
            assertThat(saved.metadata()).containsEntry("what", "more than 2 GiB");
            MemorySegment data = arena.allocate(Bools.COUNT, 64);
            Scope.<Object, IOException>call(() -> {
                assertThat(saved.tensor("a", F32, cpu).toFloatArray()).containsExactly(1, 2, 3);
                assertThat(saved.tensor("z", F32, cpu).toFloatArray()).containsExactly(4, 5, 6);
                Tensor<?, ?, Cpu> large = saved.tensor("large", BOOL, cpu);
                assertThat(large.shape()).containsExactly(Bools.COUNT);
                large.copyTo(data);
                return null;
            });
            Bools.check(data, 0, 0);
        }
    }
}

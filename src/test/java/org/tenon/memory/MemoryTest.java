package org.tenon.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tenon.support.ChildJvm;

/** Memory that runs out, stays flat, or was forgotten. */
class MemoryTest {
    private static final int STEPS = 50_000;

    /** MiB for the compiler and the like; 60 bytes lost an allocation would be more. */
    private static final long ALLOWED = 40;

    /** Each step makes more than 20 tensors, so there are a million of them. */
    @ParameterizedTest
    @ValueSource(strings = {"scope", "collector"})
    void aMillionAllocationsLeaveMemoryFlat(String mode) throws IOException {
        Assumptions.assumeTrue(Files.exists(Path.of("/proc/self/status")), "resident memory is read from /proc");
        ChildJvm child = ChildJvm.run(Allocations.class, List.of("-Xmx128m"), mode, Integer.toString(STEPS));
        assertThat(child.exitCode()).as(child.output()).isZero();
        List<long[]> rows = child.output()
                .lines()
                .filter(line -> line.matches("\\d+ \\d+ \\d+"))
                .map(line -> java.util.Arrays.stream(line.split(" "))
                        .mapToLong(Long::parseLong)
                        .toArray())
                .toList();
        assertThat(rows).hasSize(10);
        long early = Math.max(rows.get(1)[1], rows.get(2)[1]);
        long late = Math.max(rows.get(8)[1], rows.get(9)[1]);
        assertThat(late)
                .as("MiB at the end, after %d MiB: %s", early, child.output())
                .isLessThan(early + ALLOWED);
    }

    @Test
    void outOfMemoryIsOneErrorAndTheDeviceGoesOn() throws IOException {
        ChildJvm child = ChildJvm.run(Allocations.class, List.of("-Dtenon.cpu.memory=64m"), "full");
        assertThat(child.exitCode()).as(child.output()).isZero();
        List<String> lines = child.output()
                .lines()
                .filter(line -> !line.startsWith("WARNING"))
                .toList();
        assertThat(lines.get(0))
                .isEqualTo("OutOfDeviceMemoryException cpu: out of memory asking 64 MiB (live 16 MiB in 1 buffers,"
                        + " cached 0 B, device 64 MiB); close tensors, or ask for less");
        assertThat(lines.get(1)).contains("asking 16 MiB (live 62 MiB in 4 buffers");
        assertThat(lines.get(2)).isEqualTo("then " + (double) (4 << 20));
        assertThat(lines.get(3)).isEqualTo("live 0");
        assertThat(lines.get(4)).isEqualTo("dropped tensors make room");
        assertThat(lines.get(5)).startsWith("OutOfDeviceMemoryException").contains("asking 2 EiB");
        assertThat(lines.get(6))
                .startsWith("TensorArgumentException zeros: ")
                .contains("[1099511627776, 1099511627776]");
    }

    @Test
    void exactMemoryIsNeitherRoundedNorUsedAgain() throws IOException {
        ChildJvm child = ChildJvm.run(Allocations.class, List.of("-Dtenon.memory=exact"), "exact");
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("live 12\ncached 0\nlive 12\ncached 0\n");
    }

    @Test
    void forgottenTensorsAreCounted() throws IOException {
        ChildJvm child = ChildJvm.run(Allocations.class, List.of("-Dtenon.leaks=count"), "leak");
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output())
                .contains("live 0")
                .contains("64 tensors outside any scope were freed by the collector so far");
    }

    @Test
    void forgottenTensorsAreTraced() throws IOException {
        ChildJvm child = ChildJvm.run(Allocations.class, List.of("-Dtenon.leaks=trace"), "leak");
        assertThat(child.output())
                .contains("a tensor outside any scope was freed by the collector, created at "
                        + "org.tenon.memory.Allocations.leak(Allocations.java:")
                .contains("tensor used after it was closed (created by ones at org.tenon.memory.Allocations.leak");
    }
}

package org.tenon.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.tenon.Device;
import org.tenon.junit.Buffers;
import org.tenon.junit.DeviceTest;
import org.tenon.support.ChildJvm;

/**
 * A training whose shapes and element types are random holds the same memory from its first tenth to its last, on each
 * device: live, kept for reuse, in the Java heap and in the process. {@link Soak} runs it.
 *
 * <p>It takes a few seconds; {@code -Dtenon.soak.seconds=300} makes it longer, for each device. In
 * one of some minutes all that can be kept for reuse is there before the first tenth, and then everything must be the same
 * within 1 % to the last; a shorter one must stay within bounds.
 */
class SoakTest {
    private static final double SECONDS = Double.parseDouble(System.getProperty("tenon.soak.seconds", "4"));

    /** What settles in the end is 2.3 MiB. */
    private static final long MOST_RESERVED = 3 << 20;

    /** Of classes and methods met late: a run of many thousand steps settles at 10 MiB, one of a hundred starts at 6.7. */
    private static final long MOST_HEAP = 4 << 20;

    /** Java's compiler, and that of an OpenCL driver, which meets a kernel for the first time late in a short run. */
    private static final long MOST_RESIDENT = 40 << 20;

    private record Row(long step, long liveBytes, long liveBuffers, long reserved, long heap, long resident) {
        static Row of(String line) {
            long[] n = Arrays.stream(line.split(" ")).mapToLong(Long::parseLong).toArray();
            return new Row(n[0], n[1], n[2], n[3], n[4], n[5]);
        }
    }

    @DeviceTest(buffers = Buffers.UNCHECKED)
    void memoryIsSteady(Device<?> device) throws IOException {
        Assumptions.assumeTrue(Files.exists(Path.of("/proc/self/status")), "resident memory is read from /proc");
        ChildJvm child = ChildJvm.runPlain(
                Soak.class,
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-Xms128m",
                        "-Xmx128m",
                        "-XX:+AlwaysPreTouch"),
                device.name(),
                Double.toString(SECONDS));
        assertThat(child.exitCode()).as(child.output()).isZero();
        List<Row> rows = child.output()
                .lines()
                .filter(line -> line.matches("\\d+( \\d+){5}"))
                .map(Row::of)
                .toList();
        assertThat(rows).as(child.output()).hasSize(10);
        Row first = rows.getFirst();
        Row last = rows.getLast();
        System.out.printf(
                "soak: %s: %,d steps in %.0f s; from the first tenth to the last live %,d to %,d B, reserved %,d to"
                        + " %,d B, heap %.2f to %.2f MiB, resident %.1f to %.1f MiB%n",
                device,
                last.step(),
                SECONDS,
                first.liveBytes(),
                last.liveBytes(),
                first.reserved(),
                last.reserved(),
                first.heap() / 0x1p20,
                last.heap() / 0x1p20,
                first.resident() / 0x1p20,
                last.resident() / 0x1p20);
        assertThat(rows).allSatisfy(row -> {
            assertThat(row.liveBytes()).isEqualTo(first.liveBytes());
            assertThat(row.liveBuffers()).isEqualTo(first.liveBuffers());
            assertThat(row.reserved()).isLessThan(MOST_RESERVED);
        });
        boolean settled = child.output().contains("settled true");
        assertThat(last.reserved()).isLessThanOrEqualTo(settled ? first.reserved() / 100 * 101 : MOST_RESERVED);
        assertThat(last.heap()).isLessThanOrEqualTo(settled ? first.heap() / 100 * 101 : first.heap() + MOST_HEAP);
        // The memory of a driver that is a library of the process, and of Java's compiler, settles later than all else.
        long middle = rows.get(4).resident() / 100 * 101;
        assertThat(last.resident())
                .isLessThanOrEqualTo(
                        settled ? Math.min(middle, first.resident() / 100 * 102) : first.resident() + MOST_RESIDENT);
        assertThat(child.output()).contains("then live 0");
    }
}

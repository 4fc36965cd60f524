package org.tenon.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.tenon.Device;
import org.tenon.junit.Buffers;
import org.tenon.junit.DeviceTest;
import org.tenon.support.ChildJvm;
import org.tenon.support.Simulated;

/**
 * Ops and a training on a device that has next to no memory, then a little more, and so on: each does what it must or says
 * out of memory with its figures, leaves nothing behind, and works once there is memory. {@link Pressure} does it.
 *
 * <p>By default some ops are tried, on the CPU each third; {@code -Dtenon.test.pressure=1} tries all of them everywhere.
 */
class PressureTest {
    private static final long BYTES = 2 << 20;

    @DeviceTest(buffers = Buffers.UNCHECKED)
    void littleMemory(Device<?> device) throws IOException {
        String some = Simulated.is(device) ? "40" : device.name().equals("cpu") ? "3" : "12";
        ChildJvm child = ChildJvm.runIn(
                Map.of("SIMCUDA_MEMORY", Long.toString(BYTES)),
                Pressure.class,
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx512m",
                        "-Dtenon.cpu.memory=" + BYTES,
                        "-Dtenon.opencl.memory=" + BYTES),
                device.name(),
                System.getProperty("tenon.test.pressure", some));
        child.output().lines().filter(line -> line.startsWith("pressure")).forEach(System.out::println);
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("wrong 0\n").doesNotContain("WRONG");
    }
}

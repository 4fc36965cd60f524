package org.tenon.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tenon.support.ChildJvm;

/**
 * Each kind of OpenCL call that a training makes fails once at each position, in forward, backward, the optimizer's step,
 * copies and close; and, on a device that is opened anew, in opening and building: there is a clear exception or it is made
 * good, nothing leaks, in the driver neither, and the device is usable or known to be gone. {@link DriverFaults} does it, in
 * two positions of each kind or three; {@code -Dtenon.test.faults=1000} takes all of them.
 */
@EnabledOnOs(OS.LINUX)
class DriverFaultTest {
    private static final String MOST = System.getProperty("tenon.test.faults", "2");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"warm", "cold", "source", "lost"})
    void everyCallFailsOnce(String when) throws IOException {
        Present.device();
        Path library = FaultyDriver.compile(folder);
        ChildJvm child = ChildJvm.runPlain(
                DriverFaults.class,
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx512m",
                        "-Dtenon.cache=" + (when.equals("source") ? "off" : folder)),
                library.toString(),
                when,
                MOST);
        child.output()
                .lines()
                .filter(line -> line.startsWith(when) || line.startsWith("positions"))
                .forEach(line -> System.out.println("faults: opencl " + line));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("wrong 0\n").doesNotContain("WRONG");
        assertThat(child.output())
                .contains(when + (when.equals("source") ? " clBuildProgram" : " clEnqueueNDRangeKernel"));
    }
}

package org.tenon.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tenon.Device;
import org.tenon.DeviceUnavailableException;
import org.tenon.Devices;
import org.tenon.support.ChildJvm;

/** Which device a program gets, and what it is told otherwise. */
class DevicesTest {
    @Test
    void theCpuIsAlwaysThere() {
        assertThat(Devices.cpu().name()).isEqualTo("cpu");
        assertThat(Devices.get("CPU ")).isEqualTo(Devices.cpu()).hasSameHashCodeAs(Devices.cpu());
        assertThat(Devices.all()).contains((Device<?>) Devices.cpu());
        assertThat(Devices.report()).anyMatch(line -> line.startsWith("cpu: "));
        assertThat(Devices.cpu()).hasToString("cpu");
    }

    @Test
    void whatIsNotThereIsNamed() {
        assertThatThrownBy(() -> Devices.get("tpu"))
                .isInstanceOf(DeviceUnavailableException.class)
                .hasMessage("tpu: there is no such kind of device; use cuda, opencl, cpu, or best");
        assertThatThrownBy(() -> Devices.get("cpu:1")).hasMessage("cpu:1: there is no such device; here are [cpu]");
        for (String kind : List.of("cuda", "opencl")) {
            boolean present =
                    Devices.all().stream().anyMatch(device -> device.name().startsWith(kind));
            if (!present) {
                assertThatThrownBy(() -> Devices.get(kind)).isInstanceOf(DeviceUnavailableException.class);
            }
            assertThatThrownBy(() -> Devices.get(kind + ":99")).isInstanceOf(DeviceUnavailableException.class);
        }
    }

    @Test
    void aPropertyDecidesTheBest() throws IOException {
        ChildJvm child = ChildJvm.run(Report.class, List.of("-Dtenon.device=cpu"));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("device cpu: ").contains("using cpu, as asked");
        ChildJvm absent = ChildJvm.run(Report.class, List.of("-Dtenon.device=cuda:99"));
        assertThat(absent.exitCode()).isEqualTo(1);
        assertThat(absent.output()).contains("DeviceUnavailableException: cuda:99: ");
    }

    @Test
    void theBestSaysWhyNotTheOthers() throws IOException {
        ChildJvm child = ChildJvm.run(Report.class, List.of());
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output())
                .contains("using "
                        + Devices.all().stream()
                                .filter(device -> device.backend().rank() >= 0)
                                .max(java.util.Comparator.comparingInt(
                                        device -> device.backend().rank()))
                                .orElseThrow()
                                .name());
        for (String line : Devices.report()) {
            String kind = line.substring(0, line.indexOf(": "));
            if (!kind.contains(":") && !kind.equals("cpu")) {
                assertThat(child.output()).contains("not " + line);
            }
        }
    }

    @Test
    void theNumberOfThreadsChangesNoBit() throws IOException {
        String one = bits("-Dtenon.cpu.threads=1", "1 thread,");
        assertThat(bits("-Dtenon.cpu.threads=2", "2 threads,")).isEqualTo(one);
        assertThat(bits("-Dtenon.cpu.threads=5", "5 threads,")).isEqualTo(one);
    }

    /** The same seed gives the same losses only if it does not matter when a method is compiled. */
    @Test
    void interpretedAndCompiledCodeGiveTheSameBits() throws IOException {
        String interpreted = bits("-Xint", "", "small");
        assertThat(bits("-XX:TieredStopAtLevel=1", "", "small")).isEqualTo(interpreted);
        assertThat(bits("-Xcomp", "", "small")).isEqualTo(interpreted);
    }

    private static String bits(String flag, String description, String... arguments) throws IOException {
        ChildJvm child = ChildJvm.run(Report.class, List.of("-Dtenon.device=cpu", flag), arguments);
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains(description);
        return child.output()
                .lines()
                .filter(line -> line.startsWith("bits "))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void withoutTheVectorModuleOneWarningNamesTheFlag() throws IOException {
        ChildJvm child = ChildJvm.runPlain(Report.class, List.of("-Dtenon.device=cpu"));
        assertThat(child.exitCode()).as(child.output()).isZero();
        assertThat(child.output()).contains("plain Java").contains("bits ");
        assertThat(child.output().lines().filter(line -> line.contains("--add-modules jdk.incubator.vector")))
                .hasSize(1);
        ChildJvm off = ChildJvm.run(Report.class, List.of("-Dtenon.device=cpu", "-Dtenon.cpu.vector=off"));
        assertThat(off.output()).contains("plain Java").doesNotContain("--add-modules");
    }

    @Test
    void badSettingsAreNamed() throws IOException {
        ChildJvm child = ChildJvm.run(Report.class, List.of("-Dtenon.cpu.memory=lots"));
        assertThat(child.exitCode()).isEqualTo(1);
        assertThat(child.output()).contains("tenon.cpu.memory is 'lots'; give bytes, or 512m, 4g");
        ChildJvm threads = ChildJvm.run(Report.class, List.of("-Dtenon.cpu.threads=0"));
        assertThat(threads.exitCode()).isEqualTo(1);
        assertThat(threads.output()).contains("tenon.cpu.threads is '0'; give a number of 1 or more");
    }
}

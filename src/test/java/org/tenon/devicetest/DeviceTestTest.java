package org.tenon.devicetest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.tenon.Device;
import org.tenon.Devices;
import org.tenon.Tensor;
import org.tenon.junit.TestDevices;

@Tag("plain")
class DeviceTestTest {
    private static final List<String> HERE =
            TestDevices.all().stream().map(Device::name).toList();

    @AfterEach
    void closeWhatTheFixturesKept() {
        DeviceTestFixtures.KEPT.forEach(Tensor::close);
        DeviceTestFixtures.KEPT.clear();
    }

    /** What ran: per test its name, and how it ended: "passed", "skipped: reason" or "failed: message". */
    private static List<String> run(Class<?> tests) {
        List<String> ends = new ArrayList<>();
        var request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(tests))
                .build();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionSkipped(TestIdentifier test, String reason) {
                ends.add(test.getDisplayName() + " skipped: " + reason);
            }

            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest() || result.getStatus() == Status.FAILED) {
                    String end = result.getStatus() == Status.ABORTED ? " skipped: " : " failed: ";
                    ends.add(test.getDisplayName()
                            + result.getThrowable()
                                    .map(e -> end + e.getMessage())
                                    .orElse(" passed"));
                }
            }
        });
        return ends;
    }

    private static List<String> run(Class<?> tests, Map<String, String> properties) {
        Map<String, String> before = new java.util.HashMap<>();
        properties.keySet().forEach(key -> before.put(key, System.getProperty(key)));
        System.getProperties().putAll(properties);
        try {
            return run(tests);
        } finally {
            before.forEach((key, value) -> {
                if (value == null) {
                    System.clearProperty(key);
                } else {
                    System.setProperty(key, value);
                }
            });
        }
    }

    @Test
    void aTestRunsOnEachDeviceAndIsSkippedWithAReasonWhereThereIsNone() {
        List<String> expected =
                new ArrayList<>(HERE.stream().map(name -> name + " passed").toList());
        TestDevices.absent().forEach((name, reason) -> expected.add(name + " skipped: " + name + " is " + reason));
        assertThat(run(DeviceTestFixtures.Sums.class)).containsExactlyElementsOf(expected);
    }

    @Test
    void theParametersTypeChoosesTheKind() {
        assertThat(run(DeviceTestFixtures.OnTheCpu.class)).containsExactly("cpu passed");
        assertThat(run(DeviceTestFixtures.OnCuda.class)).isNotEmpty().allMatch(end -> end.startsWith("cuda"));
    }

    @Test
    void aLeakFailsAndSaysHowMany() {
        assertThat(run(DeviceTestFixtures.Leaks.class, Map.of("tenon.test.devices", "cpu")))
                .filteredOn(end -> !end.contains("left out"))
                .singleElement()
                .asString()
                .startsWith("cpu failed: the test leaks on cpu: ")
                .contains("-Dtenon.leaks=trace");
    }

    @Test
    void withoutAScopeATestClosesItsTensorsOrSaysThatItDoesNot() {
        assertThat(run(DeviceTestFixtures.LeavesToTheCollector.class, Map.of("tenon.test.devices", "cpu")))
                .filteredOn(end -> end.startsWith("cpu"))
                .satisfiesExactlyInAnyOrder(
                        end -> assertThat(end).startsWith("cpu failed: the test leaks"),
                        end -> assertThat(end).isEqualTo("cpu passed"),
                        end -> assertThat(end).isEqualTo("cpu passed"));
    }

    @Test
    void aClassRunsOnEachDeviceAsAWhole() {
        List<String> ends = run(DeviceTestFixtures.WholeClass.class);
        assertThat(ends).filteredOn(end -> end.endsWith("passed")).hasSize(3 * HERE.size());
        assertThat(ends).noneMatch(end -> end.contains("failed"));
    }

    @Test
    void aRequiredDeviceThatIsAbsentIsAFailure() {
        assertThat(run(DeviceTestFixtures.Sums.class, Map.of("tenon.test.require", "cpu:7", "tenon.test.devices", "")))
                .contains("cpu:7 failed: cpu:7 is required by tenon.test.require, but absent: there is no such device");
    }

    @Test
    void devicesCanBeLeftOut() {
        assertThat(run(DeviceTestFixtures.Sums.class, Map.of("tenon.test.exclude", "cpu")))
                .contains("cpu skipped: cpu is left out, tenon.test.exclude is cpu")
                .doesNotContain("cpu passed");
        assertThat(run(DeviceTestFixtures.Sums.class, Map.of("tenon.test.devices", "cpu")))
                .contains("cpu passed")
                .filteredOn(end -> end.endsWith("passed"))
                .hasSize(1);
    }

    @Test
    void misuseSaysWhatWouldBeRight() {
        assertThat(run(DeviceTestFixtures.NoDevice.class))
                .singleElement()
                .asString()
                .contains("takes 0 devices; it takes one");
        assertThat(run(DeviceTestFixtures.TwoDevices.class))
                .singleElement()
                .asString()
                .contains("takes 2 devices");
        assertThat(run(DeviceTestFixtures.Twice.class)).anyMatch(end -> end.contains("make the method a @Test"));
        assertThat(run(DeviceTestFixtures.Sums.class, Map.of("tenon.test.require", "cude")))
                .singleElement()
                .asString()
                .contains("tenon.test.require names cude; the kinds of device are cuda, opencl, cpu");
    }

    @Test
    void kindsThatAreAbsentHaveAReason() {
        assertThat(Devices.absent()).doesNotContainKey("cpu");
        assertThat(Devices.absent().values()).allMatch(reason -> !reason.isBlank());
    }
}

package org.tenon.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.tenon.Device;
import org.tenon.DeviceType;
import org.tenon.Devices;
import org.tenon.Scope;
import org.tenon.junit.DeviceTest;
import org.tenon.support.ChildJvm;

/** A launch on a GPU leaves next to nothing to the garbage collector. */
class LaunchGarbageTest {
    private static final double MOST = 64;
    /** A tensor, its place in the scope, its buffer's owner. */
    private static final double MOST_OF_AN_OP = 1024;

    /** What a JVM without checked memory runs, which would launch fills of its own: prints bytes and names. */
    static final class Measure {
        private static final int ROUNDS = 5;
        private static final int REPEATS = 1600;

        private Measure() {}

        public static void main(String[] arguments) {
            measure(Devices.get(arguments[0]));
        }

        /** The least of some rounds, since the first compile. */
        private static <Dev extends DeviceType> void measure(Device<Dev> device) {
            Scope.run(() -> Launches.on(device).forEach((name, call) -> {
                double least = Double.MAX_VALUE;
                for (int round = 0; round < ROUNDS; round++) {
                    least = Math.min(least, Launches.garbage(call, REPEATS));
                    device.synchronize();
                }
                System.out.println("bytes " + least + " " + name);
            }));
        }
    }

    @DeviceTest
    void launchesMakeNextToNoGarbage(Device<?> device) throws IOException {
        Assumptions.assumeFalse(device.name().equals("cpu"), "this is about launches on GPUs");
        // With -Xbatch what is compiled is used at once, however busy the machine.
        ChildJvm child =
                ChildJvm.run(Measure.class, List.of("--enable-native-access=ALL-UNNAMED", "-Xbatch"), device.name());
        assertThat(child.exitCode()).as(child.output()).isZero();
        Map<String, Double> bytes = new TreeMap<>();
        child.output().lines().filter(line -> line.startsWith("bytes ")).forEach(line -> {
            String[] words = line.split(" ", 3);
            bytes.put(words[2], Double.parseDouble(words[1]));
        });
        System.out.println("bytes of garbage a launch on " + device + ": " + bytes);
        assertThat(bytes).hasSizeGreaterThan(10);
        bytes.forEach((name, most) -> assertThat(most)
                .as(name + " on " + device)
                .isLessThan(name.equals(Launches.OP) ? MOST_OF_AN_OP : MOST));
    }
}

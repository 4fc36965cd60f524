package org.tenon.support;

import java.util.Arrays;
import java.util.List;
import org.tenon.Device;
import org.tenon.Devices;

/**
 * The devices that tests run on: all there are, or with {@code -Dtenon.test.devices=cpu} those of the kinds it names. The
 * tests on a JVM without the Vector API set it, since nothing but the CPU backend differs there.
 */
public final class TestedDevices {
    private static final String KINDS = System.getProperty("tenon.test.devices", "");

    private TestedDevices() {}

    /** Whether tests run on devices of this kind, such as {@code opencl}. */
    public static boolean include(String kind) {
        return KINDS.isBlank()
                || Arrays.stream(KINDS.split(",")).map(String::strip).anyMatch(kind::equals);
    }

    /** Why a kind is not included. */
    public static String reason() {
        return "left out, tenon.test.devices is " + KINDS;
    }

    /** The devices, the best kinds first. */
    public static List<Device<?>> all() {
        return Devices.all().stream()
                .filter(device -> include(device.name().split(":")[0]))
                .toList();
    }
}

package org.tenon.junit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.tenon.Device;
import org.tenon.Devices;

/** The devices that tests run on: what there is, less what {@code tenon.test.devices} and {@code tenon.test.exclude} leave out. */
public final class TestDevices {
    private static final String ONLY = "tenon.test.devices";
    private static final String EXCLUDE = "tenon.test.exclude";
    private static final String REQUIRE = "tenon.test.require";

    private TestDevices() {}

    /** The devices, the best kinds first. */
    public static List<Device<?>> all() {
        return Devices.all().stream()
                .filter(device -> leftOut(device.name()) == null)
                .toList();
    }

    /** What tests do not run on, a kind or a device by name, and why. */
    public static Map<String, String> absent() {
        Map<String, String> absent = new LinkedHashMap<>();
        Devices.absent()
                .forEach((kind, reason) ->
                        absent.put(kind, leftOut(kind) == null ? "absent: " + reason : leftOut(kind)));
        for (Device<?> device : Devices.all()) {
            if (leftOut(device.name()) != null) {
                absent.put(device.name(), leftOut(device.name()));
            }
        }
        return absent;
    }

    /** Whether {@code tenon.test.require} asks for this kind or device. */
    public static boolean isRequired(String name) {
        Set<String> required = names(REQUIRE);
        return leftOut(name) == null && (required.contains(name) || required.contains(kind(name)));
    }

    /** The kind of a device: {@code opencl} of {@code opencl:0}. */
    static String kind(String name) {
        return name.contains(":") ? name.substring(0, name.indexOf(':')) : name;
    }

    /** For each required device by name that is not here, as {@code cuda:1}, why; kinds stand in {@link #absent}. */
    static List<String> missing() {
        Set<String> here = Devices.all().stream().map(Device::name).collect(Collectors.toCollection(TreeSet::new));
        List<String> missing = new ArrayList<>();
        for (String name : names(REQUIRE)) {
            if (name.contains(":") && !here.contains(name) && !Devices.absent().containsKey(kind(name))) {
                missing.add(name);
            }
        }
        return missing;
    }

    /** Why the properties leave out this kind or device, or null. */
    private static String leftOut(String name) {
        Set<String> only = names(ONLY);
        Set<String> excluded = names(EXCLUDE);
        if (!only.isEmpty() && !only.contains(name) && !only.contains(kind(name)) && !isPart(only, name)) {
            return "left out, " + ONLY + " is " + System.getProperty(ONLY);
        }
        if (excluded.contains(name) || excluded.contains(kind(name))) {
            return "left out, " + EXCLUDE + " is " + System.getProperty(EXCLUDE);
        }
        return null;
    }

    /** Whether {@code kind} is a kind of which {@code names} hold a device. */
    private static boolean isPart(Set<String> names, String kind) {
        return names.stream().anyMatch(name -> name.startsWith(kind + ":"));
    }

    private static Set<String> names(String property) {
        Set<String> names = Arrays.stream(System.getProperty(property, "").split(","))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .collect(Collectors.toCollection(TreeSet::new));
        for (String name : names) {
            if (!Devices.kinds().contains(kind(name))) {
                throw new IllegalArgumentException(property + " names " + name + "; the kinds of device are "
                        + String.join(", ", Devices.kinds()));
            }
        }
        return names;
    }
}

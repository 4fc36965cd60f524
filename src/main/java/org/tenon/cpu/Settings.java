package org.tenon.cpu;

import org.tenon.spi.MemoryLimit;

/** The system properties of this backend. A bad value is an {@link IllegalArgumentException} that names the property. */
final class Settings {
    /** What {@link #vectors} is where plain Java is wanted. */
    static final int NO_VECTORS = 0;

    /** What {@link #vectors} is where the machine's preference counts. */
    static final int PREFERRED_VECTORS = -1;

    private Settings() {}

    /** {@code tenon.cpu.vector}: {@code off} or the bits of a vector. */
    static int vectors() {
        String setting = System.getProperty("tenon.cpu.vector");
        return switch (setting == null ? "" : setting.strip()) {
            case "" -> PREFERRED_VECTORS;
            case "off" -> NO_VECTORS;
            case "128" -> 128;
            case "256" -> 256;
            case "512" -> 512;
            default -> throw bad("tenon.cpu.vector", setting, "give 128, 256, 512 or off");
        };
    }

    /** {@code tenon.cpu.vector} is more than this machine has. */
    static IllegalArgumentException tooWide(int most) {
        return bad(
                "tenon.cpu.vector",
                System.getProperty("tenon.cpu.vector"),
                "this machine has vectors of " + most + " bits");
    }

    /** {@code tenon.cpu.threads}, by default one a core. */
    static int threads() {
        String setting = System.getProperty("tenon.cpu.threads");
        if (setting == null) {
            return Runtime.getRuntime().availableProcessors();
        }
        try {
            int threads = Integer.parseInt(setting.strip());
            if (threads >= 1) {
                return threads;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw bad("tenon.cpu.threads", setting, "give a number of 1 or more");
    }

    /** {@code tenon.cpu.hugepages}: {@code on} or {@code off}. */
    static boolean hugePages() {
        String setting = System.getProperty("tenon.cpu.hugepages", "on");
        return switch (setting.strip()) {
            case "on" -> true;
            case "off" -> false;
            default -> throw bad("tenon.cpu.hugepages", setting, "give on or off");
        };
    }

    /** {@code tenon.cpu.memory} in bytes, such as {@code 4g} or {@code 512m}; null if not set. */
    static Long memory() {
        return MemoryLimit.of("tenon.cpu.memory");
    }

    private static IllegalArgumentException bad(String property, String setting, String right) {
        return new IllegalArgumentException(property + " is '" + setting + "'; " + right);
    }
}

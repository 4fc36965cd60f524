package org.tenon.cpu;

import org.tenon.spi.MemoryLimit;

/** The system properties of this backend. A bad value is an {@link IllegalArgumentException} that names the property. */
final class Settings {
    private Settings() {}

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

    /** {@code tenon.cpu.memory} in bytes, such as {@code 4g} or {@code 512m}; null if not set. */
    static Long memory() {
        return MemoryLimit.of("tenon.cpu.memory");
    }

    private static IllegalArgumentException bad(String property, String setting, String right) {
        return new IllegalArgumentException(property + " is '" + setting + "'; " + right);
    }
}

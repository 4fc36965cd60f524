package org.tenon.spi;

import java.util.Locale;

/** System properties that limit a device's memory: bytes, or {@code 512m}, {@code 4g}. */
public final class MemoryLimit {
    private MemoryLimit() {}

    /** The property in bytes, or null if it is not set; a bad value is an {@link IllegalArgumentException} that names it. */
    public static Long of(String property) {
        String setting = System.getProperty(property);
        if (setting == null) {
            return null;
        }
        String text = setting.strip().toLowerCase(Locale.ROOT);
        int shift = text.isEmpty() ? 0 : ("kmgt".indexOf(text.charAt(text.length() - 1)) + 1) * 10;
        try {
            long number = Long.parseLong(shift == 0 ? text : text.substring(0, text.length() - 1));
            if (number >= 0 && number <= Long.MAX_VALUE >> shift) {
                return number << shift;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw new IllegalArgumentException(property + " is '" + setting + "'; give bytes, or 512m, 4g");
    }
}

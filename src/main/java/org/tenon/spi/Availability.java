package org.tenon.spi;

import java.util.List;

/** What a provider found. */
public sealed interface Availability {
    /**
     * Devices are there.
     *
     * @param devices in order: {@code cuda:0} first
     */
    record Ready(List<Backend> devices) implements Availability {}

    /**
     * There is none, as on many machines.
     *
     * @param reason why, in words a user understands
     */
    record Absent(String reason) implements Availability {}

    /**
     * There should be one, but it does not work.
     *
     * @param reason what failed
     * @param hint what to do about it
     * @param cause the error
     */
    record Broken(String reason, String hint, Throwable cause) implements Availability {}
}

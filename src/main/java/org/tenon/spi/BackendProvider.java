package org.tenon.spi;

/**
 * How a kind of device is found, through {@link java.util.ServiceLoader}. Loading a provider must not need its natives:
 * what is missing is for {@link #probe} to say.
 */
public interface BackendProvider {
    /** The name before the colon: {@code cpu}, {@code opencl}, {@code cuda}. */
    String kind();

    /** Looks for devices. Never throws for what may be absent; called once. */
    Availability probe();
}

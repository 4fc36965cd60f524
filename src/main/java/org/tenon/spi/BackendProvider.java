package org.tenon.spi;

/**
 * How a kind of device is found, through {@link java.util.ServiceLoader}. Loading a provider must not need its natives:
 * what is missing is for {@link #probe} to say.
 */
public interface BackendProvider {
    /** The name before the colon: {@code cpu}, {@code opencl}, {@code cuda}. */
    String kind();

    /** The better of two devices, for {@code Devices.best()}, has the higher rank: CUDA 200, an OpenCL GPU 100, CPU 0. */
    int rank();

    /** Looks for devices. Never throws for what may be absent; called once. */
    Availability probe();
}

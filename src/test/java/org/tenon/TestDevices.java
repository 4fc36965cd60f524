package org.tenon;

import org.tenon.spi.Backend;

/** Devices of backends that a test opened itself. */
public final class TestDevices {
    private TestDevices() {}

    /** A device whose type nobody checks. */
    public static <Dev extends DeviceType> Device<Dev> of(Backend backend) {
        return new Device<>(backend);
    }
}

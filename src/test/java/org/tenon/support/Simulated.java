package org.tenon.support;

import org.tenon.Device;

/** A device that another kind of machine plays: right, and slow. */
public final class Simulated {
    private Simulated() {}

    /** Whether this is the stand-in for a CUDA driver. */
    public static boolean is(Device<?> device) {
        return device.description().contains("stand-in");
    }
}

package org.tenon.gpu;

import org.tenon.spi.Buffer;

/** Launches that a test makes by hand. */
public final class TestLaunches {
    private TestLaunches() {}

    /** This thread's launch with these arguments. */
    public static Launch of(Buffer buffer, long... values) {
        Launch launch = Launch.begin().buffer(buffer);
        for (long value : values) {
            launch.value(value);
        }
        return launch;
    }
}

package org.tenon.gpu;

import java.util.List;
import org.tenon.DType;
import org.tenon.spi.Buffer;
import org.tenon.spi.CustomKernel;

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

    /** What the launch code writes before a user's source. */
    public static String preamble(CustomKernel kernel, DType out, List<DType> inputs) {
        return CustomLaunches.preamble(kernel, out, inputs);
    }
}
